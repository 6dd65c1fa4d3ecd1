"""What all manifests have in common (figures, results, anchors): TOML, tables with known keys, ids that come once."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any


class ManifestError(ValueError):
    """A manifest, or what was asked of it, is wrong."""


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
