"""The ``data`` command: list, fetch and check data sets."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from adar_viz.datasets.catalogue import KNOWN
from adar_viz.datasets.dataset import Dataset
from adar_viz.datasets.errors import DataError
from adar_viz.datasets.fetching import fetch
from adar_viz.datasets.interactions import Interactions, pair_keys
from adar_viz.datasets.loading import SYNTHETIC, find, load, search_places
from adar_viz.datasets.readers import FORMATS
from adar_viz.datasets.shape import long_tail

YEAR_2100 = 4_102_444_800
"""In Unix seconds."""


def add_parser(subparsers: Any) -> None:
    """Add the ``data`` command to the command line's subparsers."""
    parser = subparsers.add_parser("data", help="list, fetch and check data sets")
    actions = parser.add_subparsers(dest="action", required=True, metavar="list|get|check")
    actions.add_parser("list", help="list the known sets, where they are, and on what terms")
    get = actions.add_parser("get", help="fetch a set that has an official address")
    get.add_argument("name", metavar="NAME", help="one of: " + ", ".join(_fetchable()))
    get.add_argument("--to", type=Path, metavar="FOLDER", help="where to put it (default: the first search place)")
    check = actions.add_parser("check", help="read a file or folder and say what is in it and what was repaired")
    check.add_argument("path", metavar="PATH", help="a path, a known name, or 'synthetic'")
    check.add_argument("--format", metavar="FORMAT", help="one of: " + ", ".join(FORMATS))
    check.add_argument("--min-rating", type=float, metavar="R", help="leave out ratings below R (default: keep all)")
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command."""
    if args.action == "list":
        print(describe_known())
    elif args.action == "get":
        _get(args.name, args.to)
    else:
        print(describe(load(args.path, min_rating=args.min_rating, format=args.format)))
    return 0


def describe_known() -> str:
    """List the known sets with their terms, and where each was found."""
    lines = [f"{SYNTHETIC}: a synthetic world with known truth, made on the spot", "  terms: none", ""]
    for known in KNOWN.values():
        found = find(known.name)
        place = str(found) if found else "not here; " + ("`get` fetches it" if known.url else "to be fetched by hand")
        lines += [f"{known.name}: {known.what}", f"  terms: {known.terms}", f"  found: {place}"]
        lines += [f"  likes: ratings of {known.min_rating:g} and more"] if known.min_rating is not None else []
        lines += [f"  cite: {known.citation}", ""]
    return "\n".join([*lines, f"searched: {', '.join(str(place) for place in search_places())}"])


def describe(dataset: Dataset) -> str:
    """Say what data hold: counts, span, long tail, repairs, and leaks where a test set is given."""
    pairs = dataset.interactions
    tail = long_tail(pairs)
    rows = [
        ("data", f"{pairs.name}, read as {dataset.format}"),
        ("counts", f"{pairs.num_users:,} users, {pairs.num_items:,} items, {len(pairs):,} pairs"),
        ("time", _span(pairs)),
        ("ratings", _ratings(pairs)),
        ("titles", "none" if pairs.title is None else f"such as {pairs.title[int(pairs.popularity().argmax())]}"),
        ("sparsity", f"{1 - tail.density:.2%} of the cells are empty"),
        ("users", f"{tail.median_activity:g} pairs in the median, {tail.mean_activity:.1f} on average"),
        ("long tail", f"top tenth of the items has {tail.top_decile:.0%} of the pairs; Gini {tail.item_gini:.2f}"),
        ("checksum", pairs.checksum()),
    ]
    rows += [("repaired", f"{what}: {count:,}") for what, count in pairs.report.items()] or [("repaired", "nothing")]
    if dataset.test is not None:
        rows += [("test set", f"{len(dataset.test):,} pairs"), ("leaks", _overlap(pairs, dataset.test))]
        rows += [("repaired in test", f"{what}: {count:,}") for what, count in dataset.test.report.items()]
    if dataset.truth is not None:
        rows += [("truth", f"{int(dataset.truth.judged.sum()):,} cells judged, by {dataset.truth.source}")]
    return "\n".join(f"{what:<17}{value}" for what, value in rows)


def _overlap(train: Interactions, test: Interactions) -> str:
    inside = np.isin(pair_keys(test), pair_keys(train))
    if not inside.any():
        return "none: no test pair is a training pair"
    return f"{int(inside.sum()):,} of {len(test):,} test pairs ({inside.mean():.0%}) are training pairs"


def _ratings(pairs: Interactions) -> str:
    """Say which ratings there are, and which of them count as likes."""
    if pairs.rating is None:
        return "none"
    least, most = float(pairs.rating.min()), float(pairs.rating.max())
    if least == most:
        return f"{least:g}"
    own = KNOWN[pairs.name].min_rating if pairs.name in KNOWN else None
    if own is not None and least < own:
        return f"{least:g} to {most:g}; a run counts {own:g} and more as likes, unless --min-rating says otherwise"
    return f"{least:g} to {most:g}, all counted as likes; --min-rating R leaves those below R out"


def _span(pairs: Interactions) -> str:
    """Say from when to when; times that look like Unix seconds are shown as dates."""
    if pairs.timestamp is None:
        return "none"
    if pairs.time_kind == "order":
        return "order within each user"
    first, last = float(pairs.timestamp.min()), float(pairs.timestamp.max())
    if last >= YEAR_2100:
        return f"{first:.0f} to {last:.0f}, beyond the year 2100 if seconds: milliseconds? only their order matters"
    if first <= 1e8:
        return f"{first:g} to {last:g}"
    return " to ".join(datetime.fromtimestamp(when, UTC).date().isoformat() for when in (first, last))


def _fetchable() -> list[str]:
    return [known.name for known in KNOWN.values() if known.url]


def _get(name: str, to: Path | None) -> None:
    """Show the terms first, then fetch."""
    if name not in KNOWN:
        raise DataError(name, f"a name out of {', '.join(_fetchable())}", "an unknown one")
    known = KNOWN[name]
    if not known.url:
        raise DataError(name, f"a set with a public address, one of {', '.join(_fetchable())}", "one to fetch by hand")
    print(f"{known.name}: {known.what}\nterms: {known.terms}\ncite: {known.citation}\nfrom: {known.url}", flush=True)
    print(f"ready: {fetch(known, to or search_places()[0])}")
