"""RecBole's atomic files: a typed header, fields parted by tabs."""

from __future__ import annotations

from pathlib import Path

from adar_viz.datasets.dataset import Dataset
from adar_viz.datasets.interactions import Interactions
from adar_viz.datasets.readers.movielens import Titles, add_titles
from adar_viz.datasets.readers.source import Kind, Source, numbers_if_all, read_table, whole_numbers


def read_inter(path: Path) -> Dataset:
    """Read ``NAME.inter``: ``user_id:token``, ``item_id:token``, perhaps ``rating:float``, ``timestamp:float``.

    Ids are text (numbers where all are); a ``NAME.item`` beside it gives titles and genres.
    """
    source = Source.open(path)
    names, first = _header(source)
    for needed in ("user_id", "item_id"):
        if needed not in names:
            source.fail(first + 1, "a header with user_id:token and item_id:token", source.lines()[first])
    kinds: dict[str, Kind] = {"user_id": "text", "item_id": "text", "rating": "number", "timestamp": "number"}
    columns = {name: (names.index(name), kind) for name, kind in kinds.items() if name in names}
    table = read_table(source, "\t", columns, width=len(names), skip=first + 1)
    interactions = Interactions.from_pairs(
        numbers_if_all(table["user_id"]),
        numbers_if_all(table["item_id"]),
        timestamp=whole_numbers(table["timestamp"]) if "timestamp" in table else None,
        rating=table.get("rating"),
        name=path.stem,
        report=source.report,
    )
    beside = path.with_suffix(".item")
    titles = _titles(Source.open(beside)) if beside.is_file() else None
    return Dataset(add_titles(interactions, titles), format="recbole")


def _header(source: Source) -> tuple[list[str], int]:
    """Names of the columns without their types, and the place of the header's line."""
    first = next(number for number, line in enumerate(source.lines()) if line)
    fields = source.lines()[first].split("\t")
    if not all(":" in field for field in fields):
        source.fail(first + 1, "a header of name:type parted by tabs", source.lines()[first])
    return [field.split(":")[0].strip() for field in fields], first


def _titles(source: Source) -> Titles | None:
    """Titles and genres by item id, from the columns whose names say so."""
    names, first = _header(source)
    title = next((place for place, name in enumerate(names) if "title" in name or "name" in name), None)
    genre = next((place for place, name in enumerate(names) if "genre" in name or "class" in name), None)
    if "item_id" not in names or title is None:
        return None
    found = {}
    for number, line in enumerate(source.lines()[first + 1 :], start=first + 2):
        fields = line.split("\t")
        if line and len(fields) != len(names):
            source.fail(number, f"{len(names)} fields", line)
        if line:
            genres = "" if genre is None else "|".join(fields[genre].replace(",", " ").split())
            found[fields[names.index("item_id")]] = (fields[title], genres)
    return found
