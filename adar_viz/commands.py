"""The ``run`` command: options to an `Experiment`, and its results as a short table."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import Any

import torch
from lightning_fabric import Fabric

from adar_viz.experiment import TABLES, Experiment, Result, default_folder, run
from adar_viz.training import TrainingPlan

EPILOG = """
Specs name a part and its options as a Python call would:
  --negatives uniform                     one uniform negative for each positive
  --negatives 'dns(uniform(32))'          the hardest of 32
  --negatives 'adar(target=margin(1.0))'  grounded ADAR, one standard deviation below the positive
  --negatives 'adar(ground=None, source=reverse)'   synthetic negatives, denoised from noise
"""


def add_parser(subparsers: Any) -> None:
    """Add the ``run`` command to the command line's subparsers."""
    parser = subparsers.add_parser(
        "run",
        help="train a recommender, watch its positives turn negative, and keep both",
        description="Train a recommender with the chosen negatives and write a run folder: configuration, metrics,\n"
        "history, trace and checkpoint. The same command goes on with a run that was cut off.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser)
    where = parser.add_argument_group("where")
    where.add_argument("--out", type=Path, metavar="FOLDER", help="run folder (default: runs/ and a name of its own)")
    where.add_argument("--pairs", type=int, default=300, help="pairs to watch in the trace (default: %(default)s)")
    where.add_argument(
        "--threads",
        type=int,
        default=1,
        help="torch threads; small models are quickest with one (default: %(default)s)",
    )
    where.add_argument("--accelerator", default="cpu", help="cpu, cuda, mps or auto (default: %(default)s)")
    where.add_argument("--devices", type=int, default=1, help="processes on this machine (default: %(default)s)")
    where.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=execute)


def add_options(parser: argparse.ArgumentParser, *, without: Collection[str] = ()) -> None:
    """Add the options that make an `Experiment`, ``without`` some of its parts."""
    plan, default = TrainingPlan(), Experiment()
    data = parser.add_argument_group("data")
    data.add_argument("--data", default=default.data, metavar="NAME|PATH", help="default: synthetic")
    data.add_argument(
        "--split",
        metavar="RULE",
        help="ratio, leave-one-out, temporal or given, with settings as in 'ratio(test=0.2)'; or as-published, which "
        "selects on the test: for setting numbers beside published ones, never for comparing methods",
    )
    data.add_argument(
        "--min-rating", metavar="R", default="default", type=_rating, help="a number, 'none' or 'default'"
    )
    data.add_argument("--k-core", type=int, metavar="K", help="keep users and items with at least K pairs")
    data.add_argument(
        "--overlap",
        choices=("raise", "drop", "keep"),
        default=default.overlap,
        help="test pairs of a published split that are training pairs too (default: %(default)s)",
    )
    parts = parser.add_argument_group("parts")
    for kind in (kind for kind in ("backbone", "negatives", "loss") if kind not in without):
        names = ", ".join(sorted(TABLES[kind]))
        parts.add_argument(
            f"--{kind}",
            default=getattr(default, kind),
            metavar="SPEC",
            help=f"{names} (default: {getattr(default, kind)})",
        )
    parts.add_argument("--dim", type=int, default=default.dim, help="width of the embeddings (default: %(default)s)")
    training = parser.add_argument_group("training")
    for name, text in (
        ("epochs", "at most so many"),
        ("learning-rate", "of Adam"),
        ("l2", "weight of the L2 term; tune it for every sampler"),
        ("validate-every", "epochs between validations"),
        ("metric", "validation metric that selects the best epoch"),
        ("seed", "of everything that is random"),
    ):
        value = getattr(plan, name.replace("-", "_"))
        training.add_argument(f"--{name}", type=type(value), default=value, help=f"{text} (default: %(default)s)")
    training.add_argument("--batch-size", type=int, help="rows, or sequences (default: 2048, or 256 sequences)")
    training.add_argument(
        "--patience",
        type=_patience,
        default=plan.patience,
        help="validations without a new best, or 'none' (default: %(default)s)",
    )


def execute(args: argparse.Namespace) -> int:
    """Run the command."""
    experiment = experiment_of(args)
    torch.set_num_threads(args.threads)
    fabric = Fabric(accelerator=args.accelerator, devices=args.devices)
    fabric.launch()
    folder = args.out or default_folder(experiment)
    result = run(experiment, folder, progress=not args.quiet, num_pairs=args.pairs, fabric=fabric)
    if fabric.is_global_zero:
        print(table(result))
    return 0


def experiment_of(args: argparse.Namespace) -> Experiment:
    """Make the experiment that the options of `add_options` ask for."""
    plan = TrainingPlan(
        epochs=args.epochs,
        batch_size=args.batch_size,
        learning_rate=args.learning_rate,
        l2=args.l2,
        patience=args.patience,
        validate_every=args.validate_every,
        metric=args.metric,
        seed=args.seed,
    )
    names = ("data", "split", "min_rating", "k_core", "overlap", "backbone", "negatives", "loss", "dim")
    return Experiment(**{name: getattr(args, name) for name in names if name in args}, plan=plan)


def table(result: Result) -> str:
    """Write the metrics as a short table; one that was selected on the test says so above and in its heading."""
    lines = [f"{'':14}{'validation':>12}{'test':>12}"]
    if result.selected_on == "test":
        lines = [
            "AS PUBLISHED: the epoch was selected ON THE TEST PART, and there is no validation part.",
            "These numbers flatter the method. Set them beside published ones only, never beside each other.",
            f"{'':14}{'(= test)':>12}{'test':>12}",
        ]
    for name, value in result.test.items():
        if name.endswith(("@10", "@20")):
            lines.append(f"{name:14}{result.validation.get(name, float('nan')):12.4f}{value:12.4f}")
    if found := result.false_negatives:
        interval = "" if found["low"] == found["high"] else f" ({found['low']:.1%} to {found['high']:.1%})"
        lines.append(f"false negatives: {found['rate']:.1%} of the judged draws{interval}, by {found['truth']}")
    lines.append(f"best epoch {result.best_epoch}, {result.seconds:.1f} s of training; in {result.folder}")
    return "\n".join(lines)


def _rating(text: str) -> float | str | None:
    if text in ("default", "none"):
        return "default" if text == "default" else None
    try:
        return float(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a number, 'none' or 'default'; got {text!r}") from None


def _patience(text: str) -> int | None:
    try:
        return None if text == "none" else int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"expected a whole number or 'none'; got {text!r}") from None
