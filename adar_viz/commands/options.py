"""The options that ``run`` and ``compare`` share: those that make an `Experiment`."""

from __future__ import annotations

import argparse
from collections.abc import Collection

from adar_viz.datasets import FORMATS
from adar_viz.experiment import TABLES, Experiment
from adar_viz.training import TrainingPlan


def add_options(parser: argparse.ArgumentParser, *, without: Collection[str] = ()) -> None:
    """Add the options that make an `Experiment`, ``without`` some of its parts."""
    plan, default = TrainingPlan(), Experiment()
    data = parser.add_argument_group("data")
    data.add_argument("--data", default=default.data, metavar="NAME|PATH", help="default: synthetic")
    data.add_argument(
        "--format", choices=tuple(FORMATS), metavar="FORMAT", help="of the data, where the content does not tell it"
    )
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
    asked = {name: getattr(args, name) for name in names if name in args}
    if args.format:
        asked["data"] = f"{args.format}:{args.data}"
    return Experiment(**asked, plan=plan)


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
