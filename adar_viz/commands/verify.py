"""The ``verify`` command: look for published numbers again, and set ours beside them."""

from __future__ import annotations

import argparse
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from adar_viz.commands.numbers import at_least, duration
from adar_viz.datasets import DataError
from adar_viz.experiment import read_json, write_text
from adar_viz.manifests import chosen
from adar_viz.verification.anchors import ANCHORS, Anchor, AnchorError, read_anchors
from adar_viz.verification.page import compare, page
from adar_viz.verification.running import FOUND, Found, as_found, read_found, verify

PAGE = "VERIFICATION.md"


def add_parser(subparsers: Any) -> None:
    """Add the ``verify`` command to the command line's subparsers."""
    parser = subparsers.add_parser(
        "verify",
        help="look for published numbers again, and set ours beside them",
        description="Train under the settings of published numbers, and write VERIFICATION.md: theirs, ours, the\n"
        "difference. The same command goes on where it was cut off. Some published protocols stop on the test\n"
        "part; they are followed here, and marked, and nowhere else.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--list", action="store_true", help="list the anchors and about how long each takes")
    parser.add_argument("--only", metavar="ID", action="append", help="run this anchor alone (repeatable)")
    parser.add_argument("--at-most", metavar="MINUTES", type=duration, help="leave out anchors that take longer")
    parser.add_argument("--out", type=Path, default=Path("runs/verification"), help="default: %(default)s")
    parser.add_argument("--write", action="store_true", help=f"train nothing; keep what --out holds, write {PAGE}")
    parser.add_argument("--manifest", type=Path, default=ANCHORS, help="default: %(default)s")
    parser.add_argument("--threads", type=at_least(1), default=1, help="torch threads (default: %(default)s)")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; 1 means that a number lies outside its tolerance, 2 that data of one asked for are missing."""
    anchors = read_anchors(args.manifest)
    names = chosen([anchor.id for anchor in anchors], args.only, "anchor", AnchorError)
    asked = [a for a in anchors if a.id in names and (args.at_most is None or a.all_minutes <= args.at_most)]
    if args.list:
        for anchor in asked:
            print(f"{anchor.id:34}{anchor.all_minutes:6g} min  {anchor.what}")
        return 0
    kept = args.manifest.parent / FOUND
    torch.set_num_threads(args.threads)
    ran = [] if args.write else [_look(anchor, args) for anchor in asked]
    found = _gather(anchors, kept, args.out)
    home = args.manifest.parent.parent if args.write else args.out
    home.mkdir(parents=True, exist_ok=True)
    if args.write:
        write_text(kept, json.dumps({name: asdict(found[name]) for name in sorted(found)}, indent=2) + "\n")
    write_text(home / PAGE, page(anchors, found))
    print(home / PAGE)
    if args.only and not all(ran):
        return 2
    return int(any(one.agrees is False for anchor in asked for one in compare(anchor, found)))


def _look(anchor: Anchor, args: argparse.Namespace) -> bool:
    """Run all seeds of an anchor; without its data it is left out, and says so once; return whether it was run."""
    try:
        for training in anchor.trainings:
            verify(training, args.out, progress=not args.quiet)
    except DataError as error:
        print(f"{anchor.id}: not run: {error}", file=sys.stderr)
        return False
    return True


def _gather(anchors: list[Anchor], kept: Path, out: Path) -> dict[str, Found]:
    """Gather what is kept and what ``out`` holds, as far as it was found with the anchors' present settings."""
    stored = {name: as_found(one, kept) for name, one in read_json(kept).items()} if kept.exists() else {}
    trainings = [one for anchor in anchors for one in anchor.trainings]
    found = {one.id: read_found(one, out) or stored.get(one.id) for one in trainings}
    return {one.id: there for one in trainings if (there := found[one.id]) is not None and there.recipe == one.recipe}
