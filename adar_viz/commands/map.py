"""The ``map`` command: make the maps that take long, once, and keep them in the trace."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from adar_viz.commands.numbers import at_least
from adar_viz.trace import Trace, map_quality, popular_members, trace_file, with_maps
from adar_viz.trace.maps import POPULAR

EPILOG = """
The maps are UMAP of the items and AlignedUMAP of the snapshots. Compiling takes about half a minute,
every time; then 1,000 items take some seconds, and their snapshots about a minute. No other command
and no notebook makes them: they are a second opinion, to look at and not to measure on.
"""


def add_parser(subparsers: Any) -> None:
    """Add the ``map`` command to the command line's subparsers."""
    parser = subparsers.add_parser(
        "map",
        help="add UMAP maps of items and snapshots to a trace (takes a minute or two)",
        description="Add maps of the items and of their snapshots to the trace of a run.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("run_or_trace", type=Path, help="a run folder, or a trace (.npz)")
    parser.add_argument(
        "--neighbors", type=at_least(2), default=15, help="neighbours that count (default: %(default)s)"
    )
    parser.add_argument("--seed", type=at_least(0), default=0, help="of UMAP (default: %(default)s)")
    parser.add_argument("--out", type=Path, metavar="FILE", help="write here instead of over the trace")
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command."""
    path = trace_file(args.run_or_trace)
    trace = Trace.load(path)
    trace.require("item_embedding")
    number = len(trace["item_embedding"])
    if "snapshot_item_embedding" in trace:
        number = min(number, len(popular_members(trace, POPULAR)))
    if args.neighbors >= number:
        raise ValueError(f"--neighbors must be below {number}, the number of items on a map; got {args.neighbors}")
    trace = with_maps(trace, num_neighbors=args.neighbors, seed=args.seed)
    near = min(10, (len(trace["item_map"]) - 1) // 2)  # trustworthiness is defined below half of the items
    trust, overlap = map_quality(trace["item_embedding"], trace["item_map"], near)
    print(
        f"{trace.save(args.out or path)}: maps added. That of the items has trustworthiness {trust:.2f} (chance: 0.5)"
    )
    print(f"and keeps {overlap:.0%} of the {near} nearest items.")
    return 0
