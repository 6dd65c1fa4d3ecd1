"""Ratings as a matrix, one line a user: Coat and Jester."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from jaxtyping import Bool, Float, Int

from adar_viz.datasets.dataset import Dataset
from adar_viz.datasets.errors import DataError
from adar_viz.datasets.interactions import Interactions
from adar_viz.datasets.readers.source import Source, read_integers, read_table

JESTER_MISSING = 99.0
"""Jester's own files write 99 for a missing rating, others write nan."""


def read_coat(folder: Path) -> Dataset:
    """Read ``train.ascii`` (items users chose) and ``test.ascii`` (uniformly random items); 0 is missing."""
    parts = {}
    shape = None
    for part in ("train", "test"):
        source = Source.open(folder / f"{part}.ascii")
        matrix = _integer_matrix(source)
        if shape is not None and matrix.shape != shape:
            raise DataError(source.path, f"a matrix of {shape}, as in train.ascii", str(matrix.shape))
        shape = matrix.shape
        parts[part] = _pairs(matrix.astype(np.float64), matrix > 0, folder.name, source)
    return Dataset(parts["train"], test=parts["test"], format="coat")


def read_jester(path: Path) -> Dataset:
    """Read ratings from -10 to 10 parted by commas, one line a user; ``nan`` or 99 is missing."""
    source = Source.open(path)
    width = source.head(1)[0].count(",") + 1
    text = source.data.replace(b"nan", b"99").replace(b"NaN", b"99")
    plain = Source(source.path, text, source.report)
    columns = {f"item {place + 1}": (place, "number") for place in range(width)}
    table = read_table(plain, ",", columns, width=width)  # type: ignore[arg-type]
    matrix = np.column_stack(list(table.values()))
    wrong = (np.abs(matrix) > 10) & (matrix != JESTER_MISSING)
    if wrong.any():
        row, column = np.argwhere(wrong)[0]
        lines = [number for number, line in enumerate(source.lines(), start=1) if line]
        source.fail(lines[row], "ratings from -10 to 10, nan or 99", f"{matrix[row, column]:g}")
    name = path.parent.name or path.stem
    return Dataset(_pairs(matrix, matrix != JESTER_MISSING, name, source), format="jester")


def _integer_matrix(source: Source) -> Int[np.ndarray, "user item"]:
    value, line = read_integers(source)
    lines, count = np.unique(line, return_counts=True)
    wrong = np.flatnonzero(count != count[0])
    if len(wrong):
        source.fail(int(lines[wrong[0]]) + 1, f"{count[0]} ratings, as on the first line", f"{count[wrong[0]]}")
    if value.max() > 5:
        where = int(np.argmax(value > 5))
        source.fail(int(line[where]) + 1, "ratings from 1 to 5, or 0 for missing", str(value[where]))
    return value.reshape(len(lines), count[0])


def _pairs(
    matrix: Float[np.ndarray, "user item"],
    known: Bool[np.ndarray, "user item"],
    name: str,
    source: Source,
) -> Interactions:
    """Make pairs of the known cells; users and items are numbered from 1 by line and column."""
    user, item = np.nonzero(known)
    if not len(user):
        raise DataError(source.path, "at least one rating", "missing ones only")
    return Interactions.from_pairs(
        user + 1,
        item + 1,
        rating=matrix[user, item],
        users=np.arange(1, matrix.shape[0] + 1),
        items=np.arange(1, matrix.shape[1] + 1),
        name=name,
        report=source.report,
    )
