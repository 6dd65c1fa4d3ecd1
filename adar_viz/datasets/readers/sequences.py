"""Lists of items a user: sequences in time order, and splits without time. S3-Rec, SASRec, LightGCN."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from jaxtyping import Int

from adar_viz.datasets.dataset import Dataset
from adar_viz.datasets.errors import DataError
from adar_viz.datasets.interactions import Interactions
from adar_viz.datasets.readers.movielens import Titles, add_titles, find_titles
from adar_viz.datasets.readers.source import Source, read_integers

ORIGINAL_ITEMS = "sas_to_original_items.txt"
"""Beside a sequence file: its item ids and those of the original data, which know the titles."""


def read_lines(path: Path) -> Dataset:
    """Read one line a user, ``user item item …`` in time order (S3-Rec).

    Timestamps are positions within the user's sequence.
    """
    source = Source.open(path)
    user, item, position, report = _lists(source, once=True)
    return _sequence(source, user, item, position, report, "sequence")


def read_pairs(path: Path) -> Dataset:
    """Read one line a pair, ``user item``, each user's in time order (SASRec)."""
    source = Source.open(path)
    value, line = read_integers(source)
    count = np.bincount(line)
    wrong = np.flatnonzero((count != 2) & (count != 0))
    if len(wrong):
        source.fail(int(wrong[0]) + 1, "two integers, user and item", source.lines()[wrong[0]])
    user, item = value[::2], value[1::2]
    return _sequence(source, user, item, np.arange(len(user)), source.report, "pairs")


def read_lightgcn(folder: Path) -> Dataset:
    """Read ``train.txt`` and ``test.txt``, one line a user, ``user item item …`` without order (LightGCN)."""
    sources = {part: Source.open(folder / f"{part}.txt") for part in ("train", "test")}
    lists = {part: _lists(source) for part, source in sources.items()}
    users = np.concatenate([user for user, *_ in lists.values()])
    items = np.concatenate([item for _, item, *_ in lists.values()])
    parts = {}
    for part, (user, item, _, report) in lists.items():
        if not len(user):
            raise DataError(sources[part].path, "at least one pair", "users without items only")
        parts[part] = Interactions.from_pairs(user, item, users=users, items=items, name=folder.name, report=report)
    return Dataset(parts["train"], test=parts["test"], format="lightgcn")


def _lists(
    source: Source, *, once: bool = False
) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"], Int[np.ndarray, " pair"], Mapping[str, int]]:
    """Read users, items, and each item's place on its line; ``once`` refuses a second line of a user."""
    value, line = read_integers(source)
    first = np.flatnonzero(np.diff(line, prepend=-1))
    again = np.setdiff1d(first, first[np.unique(value[first], return_index=True)[1]])
    if once and len(again):
        number = int(line[again[0]])
        source.fail(number + 1, "one line a user", source.lines()[number])
    length = np.diff(np.append(first, len(value)))
    place = np.arange(len(value)) - np.repeat(first, length)
    is_item = place > 0
    report = dict(source.report)
    if (length == 1).any():
        report["lines of a user without items"] = int((length == 1).sum())
    return np.repeat(value[first], length)[is_item], value[is_item], place[is_item] - 1, report


def _sequence(
    source: Source,
    user: Int[np.ndarray, " pair"],
    item: Int[np.ndarray, " pair"],
    position: Int[np.ndarray, " pair"],
    report: Mapping[str, int],
    format: str,
) -> Dataset:
    if not len(user):
        raise DataError(source.path, "at least one pair", "users without items only")
    name = source.path.parent.name or source.path.stem
    interactions = Interactions.from_pairs(user, item, timestamp=position, time_kind="order", name=name, report=report)
    return Dataset(add_titles(interactions, _original_titles(source.path.parent)), format=format)


def _original_titles(folder: Path) -> Titles | None:
    """Titles by the ids of the sequence file, where a table of original ids lies beside it."""
    titles = find_titles(folder) if (folder / ORIGINAL_ITEMS).is_file() else None
    if titles is None:
        return None
    source = Source.open(folder / ORIGINAL_ITEMS)
    value, line = read_integers(source)
    wrong = np.flatnonzero(~np.isin(np.bincount(line), (0, 2)))
    if len(wrong):
        source.fail(int(wrong[0]) + 1, "two integers, id and original id", source.lines()[wrong[0]])
    own, original = value[::2].astype(str).tolist(), value[1::2].astype(str).tolist()
    return {mine: titles[theirs] for mine, theirs in zip(own, original, strict=True) if theirs in titles}
