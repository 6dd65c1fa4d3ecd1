"""Draw figures into a folder, and record in its lock what they were made from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from adar_viz.displays import FORMATS
from adar_viz.figures.manifest import Figure, FigureError
from adar_viz.files import whole
from adar_viz.trace import Trace

LOCK = "figures.lock.json"
PASSING = ("run", "version", "sigma")
"""Facts of a run that may change while the figure stays true."""

Source = Callable[[Figure], Sequence[Path]]
"""Where the traces or the table of a figure lie."""


def draw(
    figures: Iterable[Figure], folder: Path, source: Source, context: str = "paper", *, footer: bool = False
) -> list[Path]:
    """Draw figures into a folder, which is made, and record in its lock what each was made from once it is drawn."""
    read_lock(folder)  # a damaged one is found before anything is drawn
    written = []
    for figure in figures:
        inputs = read_inputs(figure, source)
        try:
            display = figure.draw(inputs, context, footer=footer)
        except ValueError as error:
            if figure.table is None:
                raise
            raise FigureError(f"{source(figure)[0]}: {error}") from error
        folder.mkdir(parents=True, exist_ok=True)
        table = folder / f"{figure.id}.csv"
        paths = [*display.save(folder / figure.id, FORMATS), table]
        table.write_text(as_csv(display.frame()), encoding="utf-8")
        record = {
            "recipe": figure.recipe(),
            "facts": [facts(given) for given in inputs],
            "inputs": [checksum(given) for given in inputs],
            "stamp": display.stamp,
            "alt": f"{figure.alt} {display.describe()}".strip(),
            "sha256": {path.name: sha256(path) for path in paths},
        }
        _record(folder, figure.id, record)
        written += paths
    return written


def _record(folder: Path, name: str, record: Mapping[str, Any]) -> None:
    # Read only now: another drawing may have been recorded in the meantime.
    text = json.dumps(read_lock(folder) | {name: record}, indent=1, sort_keys=True, ensure_ascii=False)
    with whole(folder / LOCK) as partial:
        partial.write_text(text + "\n", encoding="utf-8")


def read_inputs(figure: Figure, source: Source) -> list[Trace | pd.DataFrame]:
    """Read what a figure is drawn from."""
    return [read_table(path) if figure.table else Trace.load(path) for path in source(figure)]


def read_table(path: Path) -> pd.DataFrame:
    """Read the results of a comparison; what is no table is an error that names the file."""
    try:
        return pd.read_csv(path)
    except ValueError as error:
        raise FigureError(f"{path}: expected a table with a header; got {error}") from error


def facts(given: Trace | pd.DataFrame) -> dict[str, Any]:
    """Return the facts of a run that its figures depend on; a table's are in the manifest."""
    return {} if isinstance(given, pd.DataFrame) else {k: v for k, v in given.meta.items() if k not in PASSING}


def checksum(given: Trace | pd.DataFrame) -> str:
    """SHA-256 of the numbers."""
    if isinstance(given, pd.DataFrame):
        return hashlib.sha256(as_csv(given).encode()).hexdigest()
    return given.checksum()


def as_csv(frame: pd.DataFrame) -> str:
    """Write a figure's numbers, with six digits each."""
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def sha256(path: Path) -> str:
    """Return the digest of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def read_lock(folder: Path) -> dict[str, Mapping[str, Any]]:
    """Read what the figures of a folder were made from; nothing where none was drawn."""
    path = folder / LOCK
    if not path.exists():
        return {}
    try:
        stored = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise FigureError(f"{path}: expected the JSON that `adar-viz figures` writes; got {error}") from error
    if not isinstance(stored, dict):
        raise FigureError(f"{path}: expected the table that `adar-viz figures` writes; got {stored!r}")
    return stored
