"""What all manifests have in common (figures, results, anchors): TOML, tables with known keys, ids that come once."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Collection, Mapping, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, NamedTuple


class ManifestError(ValueError):
    """A manifest, or what was asked of it, is wrong."""


class Kind(NamedTuple):
    """What a value of a manifest has to be: in words, and as a test."""

    words: str
    fits: Callable[[Any], bool]


def is_number(value: Any) -> bool:
    """Whether a value is a finite number; true and false are none, though Python counts with them."""
    return isinstance(value, int | float) and not isinstance(value, bool) and isfinite(value)


def is_whole(value: Any) -> bool:
    """Whether a value is a whole number."""
    return is_number(value) and isinstance(value, int)


TEXT = Kind("text", lambda value: isinstance(value, str))
TABLE = Kind("a table", lambda value: isinstance(value, dict))
WHOLE = Kind("a whole number", is_whole)
COUNT = Kind("a whole number of at least 1", lambda value: is_whole(value) and value >= 1)


def list_of(words: str, fits: Callable[[Any], bool], least: int = 0) -> Kind:
    """Return the kind of a list of at least so many values."""
    return Kind(
        f"a list of {words}", lambda value: isinstance(value, list) and len(value) >= least and all(map(fits, value))
    )


def check_kinds(table: Mapping[str, Any], kinds: Mapping[str, Kind], where: str, error: type[ManifestError]) -> None:
    """Refuse a table with a value that is not of its kind; a key without a kind is for text."""
    for name, value in table.items():
        kind = kinds.get(name, TEXT)
        if not kind.fits(value):
            raise error(f"{where}: {name} must be {kind.words}; got {value!r}")


def read_toml(path: Path, error: type[ManifestError]) -> dict[str, Any]:
    """Read a TOML file; one that cannot be read is an ``error`` that says why."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as reason:
        raise error(f"{path} must be a readable TOML file: {reason}") from reason


def tables(
    whole: Mapping[str, Any], name: str, known: Collection[str], where: Path | str, error: type[ManifestError]
) -> list[dict[str, Any]]:
    """Return the tables ``[[name]]`` of what was read, and refuse top-level names that are not known."""
    if unknown := sorted(set(whole) - set(known)):
        raise error(f"{where} may have {', '.join(sorted(known))} at its top; got {', '.join(unknown)}")
    found = whole.get(name, [])
    if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
        raise error(f"{where}: {name} must be a list of tables, [[{name}]]; got {found!r}")
    return found


def check_keys(
    table: Mapping[str, Any],
    needed: Collection[str],
    known: Collection[str],
    where: str,
    error: type[ManifestError],
) -> None:
    """Refuse a table that lacks a key which is needed, or has one that is not known."""
    unknown, missing = sorted(set(table) - set(known)), sorted(set(needed) - set(table))
    if unknown or missing:
        raise error(
            f"{where} {table.get('id', '?')!r} must have {', '.join(sorted(needed))} and may have "
            f"{', '.join(sorted(set(known) - set(needed)))}; unknown: {', '.join(unknown) or 'none'}; "
            f"missing: {', '.join(missing) or 'none'}"
        )


def repeated(ids: Sequence[str]) -> str:
    """Name the ids that come more than once, each once; empty where none does."""
    return ", ".join(sorted({name for name in ids if ids.count(name) > 1}))


def chosen(valid: Sequence[str], only: Collection[str] | None, what: str, error: type[ManifestError]) -> list[str]:
    """Return the ids that were asked for, in the manifest's order, or all where none was; an unknown one lists all."""
    if unknown := [name for name in only or () if name not in valid]:
        raise error(f"no {what} is called {', '.join(unknown)}; the manifest has {', '.join(valid)}")
    return [name for name in valid if not only or name in only]
