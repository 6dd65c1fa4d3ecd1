"""Readers of the field's formats; `read` chooses one by looking at the content."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from adar_viz.datasets.dataset import Dataset
from adar_viz.datasets.errors import DataError
from adar_viz.datasets.readers import matrices, movielens, recbole, sequences
from adar_viz.datasets.readers.source import Source, read_integers

__all__ = ["FORMATS", "Format", "detect", "read"]


@dataclass(frozen=True)
class Format:
    """A file format.

    Attributes
    ----------
    read : callable
        Reads one file, or a folder where the format is a pair of files.
    files : tuple of str
        Names (patterns) to look for in a folder; all of them are needed where ``folder``.
    what : str
        One line for people.
    folder : bool
        Whether the format is a folder with several files.
    """

    read: Callable[[Path], Dataset]
    files: tuple[str, ...]
    what: str
    folder: bool = False


FORMATS: Mapping[str, Format] = {
    "lightgcn": Format(
        sequences.read_lightgcn, ("train.txt", "test.txt"), "train.txt and test.txt: user item item …", folder=True
    ),
    "coat": Format(
        matrices.read_coat, ("train.ascii", "test.ascii"), "train.ascii and test.ascii: rating matrices", folder=True
    ),
    "movielens-csv": Format(
        movielens.read_csv,
        ("ratings.csv", "*.csv", "*.tsv"),
        "ratings.csv: userId,movieId,rating,timestamp; other headers with user and item",
    ),
    "movielens-udata": Format(movielens.read_udata, ("u.data",), "u.data: user, item, rating, time by tabs"),
    "movielens-dat": Format(movielens.read_dat, ("ratings.dat",), "ratings.dat: user::item::rating::time"),
    "sequence": Format(sequences.read_lines, ("sequences.txt", "*.txt"), "one line a user: user item item …, in time"),
    "pairs": Format(sequences.read_pairs, ("*.txt",), "one line a pair: user item, in time order"),
    "recbole": Format(recbole.read_inter, ("*.inter",), "RecBole .inter: typed header, tabs"),
    "jester": Format(matrices.read_jester, ("ratings.csv", "*.csv"), "matrix of ratings -10..10 by commas"),
}


def read(path: Path | str, format: str | None = None) -> Dataset:
    """Read a file or a folder.

    Parameters
    ----------
    path : Path or str
        A file of one of the `FORMATS`, or the folder that holds it.
    format : str, optional
        Name of the format; chosen by content where it is not given.

    Raises
    ------
    DataError
        Nothing is there, the format is unknown, or a line is malformed (with its number).
    """
    path = Path(path)
    if format is not None and format not in FORMATS:
        raise DataError(path, f"a format out of {', '.join(FORMATS)}", repr(format))
    if not path.exists():
        raise DataError(path, "a file or a folder", "nothing at this path")
    path = path.resolve()
    chosen = FORMATS[format or detect(path)]
    return chosen.read(_folder_of(path) if chosen.folder else _file_of(path, chosen))


def detect(path: Path) -> str:
    """Name the format of a file or folder by its content; raise a `DataError` where none fits."""
    folder = _folder_of(path)
    for name, format in FORMATS.items():
        asked = path.is_dir() or path.name in format.files
        if format.folder and asked and all((folder / file).is_file() for file in format.files):
            return name
    if path.is_file():
        return _by_content(path)
    found = [file for format in FORMATS.values() for pattern in format.files for file in sorted(path.glob(pattern))]
    if not found:
        wanted = ", ".join(dict.fromkeys(file for format in FORMATS.values() for file in format.files))
        raise DataError(path, f"a folder with one of {wanted}", "none of them")
    return _by_content(found[0])


def _by_content(path: Path) -> str:
    """Name the format of one file by its first lines."""
    source = Source.open(path)
    lines = source.head(200)
    first = lines[0]
    rows = [line.split() for line in lines]
    if "::" in first:
        return "movielens-dat"
    if ":token" in first:
        return "recbole"
    if "," in first:
        return "jester" if _is_jester(first.split(",")) else "movielens-csv"
    if "\t" in first and not any(field.replace(".", "").isdecimal() for field in rows[0]):
        return "movielens-csv"  # a header
    if "\t" in first and len(rows[0]) == 4:
        return "movielens-udata"
    if all(token.isdecimal() for token in rows[0]):
        return "pairs" if all(len(row) == 2 for row in rows) and _is_pairs(source) else "sequence"
    raise DataError(path, f"a file of one of the formats {', '.join(FORMATS)}", repr(first[:60]), line=1)


def _is_pairs(source: Source) -> bool:
    """Whether every line has two numbers, and some first one comes again: looked for in the whole file."""
    value, line = read_integers(source)
    two = bool(np.isin(np.bincount(line), (0, 2)).all())
    return two and len(np.unique(value[::2])) < len(value) // 2


def _is_jester(fields: list[str]) -> bool:
    """Whether all are ratings, and too many for a line of ids without a header."""
    try:
        ratings = np.array(fields, dtype=np.float64)
    except ValueError:
        return False
    known = ratings[~np.isnan(ratings) & (ratings != matrices.JESTER_MISSING)]
    return len(fields) >= 10 and bool((np.abs(known) <= 10).all())


def _folder_of(path: Path) -> Path:
    return path if path.is_dir() else path.parent


def _file_of(path: Path, format: Format) -> Path:
    """Find the one file of a format in a folder."""
    if path.is_file():
        return path
    for pattern in format.files:
        found = sorted(path.glob(pattern))
        if len(found) == 1:
            return found[0]
        if found:
            raise DataError(path, f"one file {pattern}", ", ".join(file.name for file in found))
    raise DataError(path, f"a folder with {' or '.join(format.files)}", "no such file")
