"""The ``site`` command: the whole walkthrough as static pages."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import Any

from adar_viz.commands.numbers import a_folder
from adar_viz.site import MEGABYTES, TRACES, write_site
from adar_viz.trace import Trace


def add_parser(subparsers: Any) -> None:
    """Add the ``site`` command to the command line's subparsers."""
    parser = subparsers.add_parser(
        "site",
        help="write the walkthrough as static pages",
        description="Write every view of a run as a page that opens from disk: no kernel, no network.",
    )
    parser.add_argument("--out", type=a_folder, default=Path("site"), metavar="FOLDER", help="default: %(default)s")
    parser.add_argument(
        "--trace",
        type=Path,
        nargs="+",
        default=TRACES,
        metavar="RUN",
        help="run folders, or traces (.npz); views of one run take the first (default: those in notebooks/traces)",
    )
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command."""
    written, left_out = write_site([Trace.load(path) for path in args.trace], args.out)
    for path in written:
        size = path.stat().st_size / 1e6
        print(f"{path}: {size:.2f} MB" + (f", more than {MEGABYTES}: thin the trace" if size > MEGABYTES else ""))
    for name, reason in left_out.items():
        print(f"left out {name}: {reason}", file=sys.stderr)
    return 0
