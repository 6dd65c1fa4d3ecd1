"""MovieLens in its three forms: csv, ``u.data`` and ``.dat``; with titles and genres where they lie beside."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np

from adar_viz.datasets.dataset import Dataset
from adar_viz.datasets.interactions import Interactions
from adar_viz.datasets.readers.source import Kind, Source, numbers_if_all, read_table, whole_numbers

Titles = Mapping[str, tuple[str, str]]
"""Original item id to (title, genres joined by ``|``)."""

HEADERS = {
    "userid": ("userid", "user_id", "user"),
    "movieid": ("movieid", "movie_id", "itemid", "item_id", "item"),
    "rating": ("rating",),
    "timestamp": ("timestamp", "time"),
}
"""What a column may be called, in small letters."""

U_ITEM_GENRES = (  # noqa: SIM905  (a list of words)
    "unknown|Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir|Horror|Musical|"
    "Mystery|Romance|Sci-Fi|Thriller|War|Western"
).split("|")


def read_csv(path: Path) -> Dataset:
    """Read ``ratings.csv`` (header ``userId,movieId,rating,timestamp``) and ``movies.csv`` beside it.

    Other tables by commas or tabs too, if their header has one of the `HEADERS` for user and item. Ids that
    are not all whole numbers are text, except under MovieLens's own names.
    """
    source = Source.open(path)
    first = next(number for number, line in enumerate(source.lines()) if line)
    line = source.lines()[first]
    separator = "\t" if "\t" in line else ","
    fields = next(csv.reader([line])) if separator == "," else line.split(separator)
    named = [field.strip('" ').lower() for field in fields]
    meaning = {alias: name for name, aliases in HEADERS.items() for alias in aliases}
    header = [meaning.get(field, field) for field in named]
    if not {"userid", "movieid"} <= {*header}:
        others = "RecBole's .inter with user_id:token, or a matrix of 10 or more ratings from -10 to 10"
        source.fail(first + 1, f"a header with userId and movieId, or user and item (or {others})", line)
    if twice := next((name for name in header if header.count(name) > 1), None):
        source.fail(first + 1, f"one column for {twice}", line)
    own: Kind = "integer" if {"userid", "movieid"} <= {*named} else "text"
    kinds: dict[str, Kind] = {"userid": own, "movieid": own, "rating": "number", "timestamp": "number"}
    columns = {name: (header.index(name), kind) for name, kind in kinds.items() if name in header}
    unread = [field for field in header if field not in kinds]
    if unread:
        source = replace(source, report={**source.report, f"columns not read ({', '.join(unread)})": len(unread)})
    return _ratings(source, separator, columns, len(header), "movielens-csv", skip=first + 1)


def read_udata(path: Path) -> Dataset:
    """Read ``u.data`` (user, item, rating, time, parted by tabs) and ``u.item`` beside it."""
    return _ratings(Source.open(path), "\t", _FOUR, 4, "movielens-udata")


def read_dat(path: Path) -> Dataset:
    """Read ``ratings.dat`` (user, item, rating, time, parted by ``::``) and ``movies.dat`` beside it."""
    return _ratings(Source.open(path), "::", _FOUR, 4, "movielens-dat")


_FOUR: Mapping[str, tuple[int, Kind]] = {
    "userid": (0, "integer"),
    "movieid": (1, "integer"),
    "rating": (2, "number"),
    "timestamp": (3, "number"),
}


def _ratings(
    source: Source,
    separator: str,
    columns: Mapping[str, tuple[int, Kind]],
    width: int,
    format: str,
    *,
    skip: int = 0,
) -> Dataset:
    table = read_table(source, separator, columns, width=width, skip=skip)
    interactions = Interactions.from_pairs(
        numbers_if_all(table["userid"]),
        numbers_if_all(table["movieid"]),
        timestamp=whole_numbers(table["timestamp"]) if "timestamp" in table else None,
        rating=table.get("rating"),
        name=source.path.parent.name or source.path.stem,
        report=source.report,
    )
    return Dataset(add_titles(interactions, find_titles(source.path.parent)), format=format)


def find_titles(folder: Path) -> Titles | None:
    """Read the titles of a MovieLens folder, whichever of its forms they have; None where there are none."""
    for name, read in (("movies.csv", _movies_csv), ("u.item", _u_item), ("movies.dat", _movies_dat)):
        if (folder / name).is_file():
            return dict(read(Source.open(folder / name)))
    return None


def add_titles(interactions: Interactions, titles: Titles | None) -> Interactions:
    """Give each item its title; "item 17" and a line in the report where one is missing."""
    if titles is None:
        return interactions
    labels = interactions.item_label.tolist()
    report = dict(interactions.report)
    missing = sum(label not in titles for label in labels)
    if missing:
        report["items without a title"] = missing
    found = [titles.get(label, (f"item {label}", "")) for label in labels]
    return replace(
        interactions,
        title=np.array([title for title, _ in found], dtype=str),
        genre=np.array([genre for _, genre in found], dtype=str),
        report=report,
    )


def _movies_csv(source: Source) -> Iterator[tuple[str, tuple[str, str]]]:
    rows = csv.reader(source.lines())  # titles with commas stand in quotes
    for fields in _fields_of(source, rows, 3, "movieId,title,genres"):
        if fields[0] != "movieId":
            yield fields[0], (fields[1], "" if fields[2].startswith("(no genres") else fields[2])


def _u_item(source: Source) -> Iterator[tuple[str, tuple[str, str]]]:
    rows = (line.split("|") for line in source.lines())
    for fields in _fields_of(source, rows, 5 + len(U_ITEM_GENRES), "5 fields and 19 genre flags parted by |"):
        flags = zip(U_ITEM_GENRES, fields[5:], strict=True)
        yield fields[0], (fields[1], "|".join(genre for genre, flag in flags if flag == "1"))


def _movies_dat(source: Source) -> Iterator[tuple[str, tuple[str, str]]]:
    rows = (line.split("::") for line in source.lines())
    for fields in _fields_of(source, rows, 3, "id::title::genres"):
        yield fields[0], (fields[1], fields[2])


def _fields_of(source: Source, rows: Iterable[list[str]], width: int, expected: str) -> Iterator[list[str]]:
    """Pass on the rows that are not blank, each checked for its number of fields."""
    for number, fields in enumerate(rows, start=1):
        if fields in ([], [""]):
            continue
        if len(fields) != width:
            source.fail(number, expected, source.lines()[number - 1])
        yield fields
