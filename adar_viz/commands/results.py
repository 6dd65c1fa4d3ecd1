"""The ``results`` command: run what is not finished of the manifest, and write the page."""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from adar_viz.commands.numbers import at_least, duration
from adar_viz.manifests import chosen

if TYPE_CHECKING:
    from adar_viz.results.manifest import Manifest

MANIFEST = "results/manifest.toml"
EPILOG = """
  adar-viz results --list                         what there is, and what is finished
  adar-viz results --only ml-latest-small-mf      one comparison; the same command goes on where it was cut off,
                                                  on another machine too: from results/trainings/
  adar-viz results --budget 2 --jobs 4            start nothing new after two hours
  adar-viz results --write                        the page and the figures from the kept numbers, training nothing
"""


def add_parser(subparsers: Any) -> None:
    """Add the ``results`` command to the command line's subparsers."""
    parser = subparsers.add_parser(
        "results",
        help="run the comparisons of the manifest, and write RESULTS.md",
        description="Run what is not finished of the manifest's comparisons, training by training, and write\n"
        "RESULTS.md with the numbers and figures.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", metavar="ID", action="append", help="run this one alone (repeatable)")
    parser.add_argument("--list", action="store_true", help="list what there is, and run nothing")
    parser.add_argument("--write", action="store_true", help="write the page from the kept numbers, and run nothing")
    parser.add_argument("--budget", type=duration, metavar="HOURS", help="start no new comparison after so many hours")
    parser.add_argument("--out", type=Path, default=Path("runs/results"), metavar="FOLDER", help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=1, help="trainings at a time; -1 for every core (default: 1)")
    parser.add_argument(
        "--threads", type=at_least(1), default=1, help="torch threads where --jobs is 1 (default: %(default)s)"
    )
    parser.add_argument("--manifest", type=Path, default=Path(MANIFEST), help="default: %(default)s")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command."""
    from adar_viz.results.kept import GRID, load  # Optuna takes a second to import, help should not
    from adar_viz.results.manifest import ResultsError, read_manifest
    from adar_viz.results.page import write_page
    from adar_viz.results.trainings import collect, state

    manifest = read_manifest(args.manifest)
    asked = {entry.id: entry for entry in manifest.entries} | ({GRID: manifest.grid} if manifest.grid else {})
    names = chosen(list(asked), args.only, "comparison", ResultsError)
    kept = {name: load(manifest, name) for name in names}
    finished = [name for name, found in kept.items() if found and found.answers(asked[name])]
    if args.list:
        for name in names:
            missing = "older than the manifest" if kept[name] else state(manifest.trainings(name))
            print(f"{name}: {'finished' if name in finished else missing}")
        return 0
    for entry in manifest.entries:  # of a run that was killed
        collect(args.out / entry.id / "cells", manifest.trainings(entry.id))
    if not args.write:
        _run(manifest, [name for name in names if name not in finished], args)
    print(write_page(manifest))
    return 0


def _run(manifest: Manifest, left: list[str], args: argparse.Namespace) -> None:
    """Run one after the other, and say which were not started once the hours were spent."""
    from adar_viz.comparison.workers import Workers
    from adar_viz.results.kept import GRID
    from adar_viz.results.running import run_entry, run_grid

    workers = Workers(args.jobs, progress=not args.quiet)
    torch.set_num_threads(args.threads)
    entries, began = {entry.id: entry for entry in manifest.entries}, time.monotonic()
    while left and (args.budget is None or time.monotonic() - began < args.budget * 3600):
        name = left.pop(0)
        if name == GRID:
            assert manifest.grid is not None
            run_grid(manifest, manifest.grid, args.out, workers)
        else:
            run_entry(manifest, entries[name], args.out, workers)
    if left:
        print(f"the budget of {args.budget:g} hours is spent; not run: {', '.join(left)}")
