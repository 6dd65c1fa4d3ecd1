"""The ``run`` command: options to an `Experiment`, and its results as a short table."""

from __future__ import annotations

import argparse
from typing import Any

import torch
from lightning_fabric import Fabric

from adar_viz.commands.numbers import a_folder, at_least
from adar_viz.commands.options import add_options, experiment_of
from adar_viz.experiment import Result, default_folder, run

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
    where.add_argument(
        "--out", type=a_folder, metavar="FOLDER", help="run folder (default: runs/ and a name of its own)"
    )
    where.add_argument(
        "--pairs", type=at_least(1), default=300, help="pairs to watch in the trace (default: %(default)s)"
    )
    where.add_argument(
        "--threads",
        type=at_least(1),
        default=1,
        help="torch threads; small models are quickest with one (default: %(default)s)",
    )
    where.add_argument("--accelerator", default="cpu", help="cpu, cuda, mps or auto (default: %(default)s)")
    where.add_argument(
        "--devices", type=at_least(1), default=1, help="processes on this machine (default: %(default)s)"
    )
    where.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command."""
    experiment = experiment_of(args)
    torch.set_num_threads(args.threads)
    try:
        fabric = Fabric(accelerator=args.accelerator, devices=args.devices)
    except (RuntimeError, ValueError, TypeError) as error:
        raise ValueError(f"--accelerator must be one of this machine; got {args.accelerator!r}: {error}") from error
    fabric.launch()
    folder = args.out or default_folder(experiment)
    result = run(experiment, folder, progress=not args.quiet, num_pairs=args.pairs, fabric=fabric)
    if fabric.is_global_zero:
        print(table(result, experiment.plan.metric))
    return 0


def table(result: Result, metric: str = "") -> str:
    """Write the metrics at 10 and 20, and the one that selected, as a short table.

    One that was selected on the test says so above and in its heading.
    """
    lines = [f"{'':14}{'validation':>12}{'test':>12}"]
    if result.selected_on == "test":
        lines = [
            "AS PUBLISHED: the epoch was selected ON THE TEST PART, and there is no validation part.",
            "These numbers flatter the method. Set them beside published ones only, never beside each other.",
            f"{'':14}{'(= test)':>12}{'test':>12}",
        ]
    for name, value in result.test.items():
        if name.endswith(("@10", "@20")) or name == metric:
            lines.append(f"{name:14}{result.validation.get(name, float('nan')):12.4f}{value:12.4f}")
    if found := result.false_negatives:
        interval = "" if found["low"] == found["high"] else f" ({found['low']:.1%} to {found['high']:.1%})"
        lines.append(f"false negatives: {found['rate']:.1%} of the judged draws{interval}, by {found['truth']}")
    if result.ratings and result.ratings[0] < result.ratings[1]:
        least, most = result.ratings
        lines.append(f"all ratings, {least:g} to {most:g}, counted as likes; --min-rating R leaves those below R out")
    lines.append(f"best epoch {result.best_epoch}, {result.seconds:.1f} s of training; in {result.folder}")
    return "\n".join(lines)
