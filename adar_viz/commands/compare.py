"""The ``compare`` command: samplers side by side, each tuned equally."""

from __future__ import annotations

import argparse
import re
from typing import Any

import torch

from adar_viz.commands.numbers import a_folder, at_least
from adar_viz.commands.options import add_options, experiment_of
from adar_viz.experiment import TABLES, default_folder
from adar_viz.specs import split
from adar_viz.training import TrainingPlan

EPILOG = """
Every arm gets the same number of trials on validation, for the learning rate, the L2 weight and its own
hyper-parameters; one that a spec sets is left as it is. --learning-rate and --l2 are the first trial's.
  adar-viz compare --negatives uniform,dns,adar --controls --seeds 5 --trials 8 --jobs 4
  adar-viz compare --negatives uniform,adar --backend dask --scheduler 127.0.0.1:8786 --jobs 16
"""


def add_parser(subparsers: Any) -> None:
    """Add the ``compare`` command to the command line's subparsers."""
    parser = subparsers.add_parser(
        "compare",
        help="tune samplers equally, and set them side by side with intervals",
        description="Tune every sampler with the same number of trials on validation, train each winner with every\n"
        "seed, test once, and write comparison.md, comparison.csv and a figure. The same command goes on where it was\n"
        "cut off.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_options(parser, without=("negatives",))
    arms = parser.add_argument_group("arms")
    names = ", ".join(sorted(TABLES["negatives"]))
    arms.add_argument("--negatives", default="uniform,adar", metavar="SPEC,…", help=f"{names} (default: %(default)s)")
    arms.add_argument("--controls", action="store_true", help="also what ADAR has to beat to mean anything")
    arms.add_argument(
        "--seeds", type=int, default=5, help="seeds for each winner, from --seed on (default: %(default)s)"
    )
    arms.add_argument("--trials", type=int, default=8, help="trials for each arm (default: %(default)s)")
    arms.add_argument(
        "--tune",
        nargs=3,
        action="append",
        default=[],
        metavar=("NAME", "LOWEST", "HIGHEST"),
        help="where learning_rate or l2 is looked for (repeatable; default: learning_rate 1e-4 to 3e-2, l2 1e-4 to 0.3 "
        "with mf, 1e-4 to 0.03 with lightgcn, else 1e-6 to 0.1)",
    )
    where = parser.add_argument_group("where")
    where.add_argument("--out", type=a_folder, metavar="FOLDER", help="default: runs/ and a name of its own")
    where.add_argument("--jobs", type=int, default=1, help="trainings at a time; -1 for every core (default: 1)")
    where.add_argument(
        "--threads", type=at_least(1), default=1, help="torch threads where --jobs is 1 (default: %(default)s)"
    )
    where.add_argument("--backend", help="joblib's name of where they run, such as loky, dask or ray")
    where.add_argument("--scheduler", metavar="HOST:PORT", help="of a running Dask cluster")
    where.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command."""
    from adar_viz.comparison import compare, knobs, with_controls  # Optuna takes a second to import, help should not

    if args.scheduler and args.backend != "dask":
        raise ValueError(f"--scheduler must come with --backend dask; got --backend {args.backend}")
    if args.backend == "dask" and not re.fullmatch(r".+:\d+", args.scheduler or ""):
        raise ValueError(f"--backend dask must come with --scheduler HOST:PORT; got --scheduler {args.scheduler}")
    torch.set_num_threads(args.threads)
    base = experiment_of(args)
    tuned = dict(_range(*asked) for asked in args.tune)
    for name, values in knobs.ranges(tuned, base.backbone).items():
        first = getattr(base.plan, name)
        if first != getattr(TrainingPlan, name) and not knobs.within(values, first):
            option = f"--{name.replace('_', '-')}"
            raise ValueError(
                f"{option} must lie in its range, {values.low:g} to {values.high:g} (--tune); got {first:g}"
            )
    arms, longer = split(args.negatives), None
    if args.controls:
        arms, longer = with_controls(arms)
    comparison = compare(
        base,
        arms,
        seeds=args.seeds,
        trials=args.trials,
        longer=longer,
        ranges=tuned,
        folder=args.out or default_folder(base, prefix=f"compare-{base.backbone}"),
        jobs=args.jobs,
        backend=args.backend,
        backend_options={"scheduler_host": args.scheduler} if args.scheduler else None,
        progress=not args.quiet,
        guard=True,
    )
    print(comparison.markdown(), end="")
    return 0


def _range(name: str, lowest: str, highest: str) -> tuple[str, tuple[float, float]]:
    try:
        return name, (float(lowest), float(highest))
    except ValueError:
        raise ValueError(f"--tune {name} must have two numbers; got {lowest} and {highest}") from None
