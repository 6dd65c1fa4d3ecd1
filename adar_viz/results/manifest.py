"""What the page of results holds: one entry for each comparison, and the grid that chose ADAR's defaults."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from adar_viz.comparison.knobs import ranges
from adar_viz.experiment import Experiment, check_specs
from adar_viz.manifests import (
    COUNT,
    TABLE,
    TEXT,
    Kind,
    ManifestError,
    check_keys,
    check_kinds,
    is_number,
    list_of,
    read_toml,
    repeated,
    tables,
)
from adar_viz.training import TrainingPlan

PAGE, READING, FIGURES = "RESULTS.md", "reading.md", "manifest.toml"

Table = TypeVar("Table", "Entry", "Setting")


class ResultsError(ManifestError):
    """The manifest, or what was asked of it, is wrong."""


@dataclass(frozen=True)
class Entry:
    """One comparison.

    Attributes
    ----------
    id
        Name of its files.
    data, split, backbone, loss
        As in `adar_viz.experiment.Experiment`.
    arms
        Negatives specs; differences are to the first.
    controls
        Whether ADAR's controls stand beside them.
    trials, seeds
        For each arm.
    ranges
        Where ``learning_rate`` and ``l2`` are looked for, lowest and highest.
    plan
        What differs from `adar_viz.training.TrainingPlan`'s defaults.
    """

    id: str
    data: str
    arms: Sequence[str]
    trials: int
    seeds: int
    backbone: str = "mf"
    loss: str = "bpr"
    split: str | None = None
    controls: bool = True
    ranges: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    plan: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        ranges(self.ranges)

    def base(self) -> Experiment:
        """Return the configuration that its arms share."""
        return _experiment(self)


@dataclass(frozen=True)
class Setting:
    """One data set and backbone on which ADAR's variants are tried, with each of these L2 weights."""

    id: str
    data: str
    l2: Sequence[float]
    backbone: str = "mf"
    loss: str = "bpr"
    split: str | None = None
    plan: Mapping[str, Any] = field(default_factory=dict)

    def base(self) -> Experiment:
        """Return the configuration that all variants share."""
        return _experiment(self)


@dataclass(frozen=True)
class Grid:
    """Variants of ADAR by name, each tried on every setting, on validation alone."""

    variants: Mapping[str, str]
    settings: Sequence[Setting]


@dataclass(frozen=True)
class Manifest:
    """All entries, the grid if there is one, and the folder of the project that they belong to."""

    entries: Sequence[Entry]
    grid: Grid | None
    root: Path

    @property
    def folder(self) -> Path:
        """Where the numbers are kept."""
        return self.root / "results"

    @property
    def figures(self) -> Path:
        """Where the figures are kept, beside the manifest that lists them."""
        return self.root / "figures"

    def table(self, name: str) -> Path:
        """Where the numbers of an entry or of the grid are kept."""
        return self.folder / f"{name}.csv"

    def trainings(self, name: str) -> Path:
        """Where the trainings of an entry are kept, finished or not."""
        return self.folder / "trainings" / f"{name}.csv"


def read_manifest(path: Path) -> Manifest:
    """Read a manifest: tables ``[[entry]]``, and one ``[grid]`` with ``[[grid.setting]]``.

    ``arms`` at the top are those of every entry that names none.

    Raises
    ------
    ResultsError
        A table lacks a key, has an unknown one, or an id comes twice.
    """
    whole = read_toml(path, ResultsError)
    shared = {"arms": whole["arms"]} if "arms" in whole else {}
    asked = tables(whole, "entry", {"arms", "entry", "grid"}, path, ResultsError)
    entries = [_made(Entry, {**shared, **table}, path) for table in asked]
    grid = _grid(whole["grid"], path) if "grid" in whole else None
    for ids in ([entry.id for entry in entries], [setting.id for setting in grid.settings] if grid else []):
        if twice := repeated(ids):
            raise ResultsError(f"{path}: ids must be unique; got {twice} more than once")
    return Manifest(entries, grid, path.resolve().parent.parent)


def _grid(table: Any, path: Path) -> Grid:
    if not isinstance(table, dict) or not isinstance(table.get("variants"), dict):
        raise ResultsError(f"{path}: grid must be a table [grid] with a table [grid.variants]; got {table!r}")
    check_kinds(table["variants"], {}, f"{path}: grid variants", ResultsError)
    for name, spec in table["variants"].items():
        try:
            check_specs(Experiment(negatives=spec))
        except ValueError as error:
            raise ResultsError(f"{path}: grid variant {name!r}: {error}") from error
    asked = tables(table, "setting", {"variants", "setting"}, f"{path}: grid", ResultsError)
    return Grid(table["variants"], [_made(Setting, setting, path) for setting in asked])


_KINDS: Mapping[str, Kind] = {
    "arms": list_of("specs", TEXT.fits, least=1),
    "trials": COUNT,
    "seeds": COUNT,
    "controls": Kind("true or false", lambda value: isinstance(value, bool)),
    "ranges": TABLE,
    "plan": TABLE,
    "l2": list_of("numbers of at least 0", lambda value: is_number(value) and value >= 0, least=1),
}
"""Of an entry's and a setting's values; the others are texts."""


def _made(kind: type[Table], table: Mapping[str, Any], path: Path) -> Table:
    known = {f.name for f in fields(kind)}
    needed = {"id", "data", "arms", "trials", "seeds", "l2"} & known
    where = f"{path}: {kind.__name__.lower()}"
    check_keys(table, needed, known, where, ResultsError)
    check_kinds(table, _KINDS, f"{where} {table['id']!r}", ResultsError)
    try:
        made = kind(**table)
        for spec in table.get("arms", [Experiment.negatives]):  # what is wrong is found now, not after an hour
            check_specs(replace(made.base(), negatives=spec))
    except (TypeError, ValueError) as error:
        raise ResultsError(f"{where} {table['id']!r}: {error}") from error
    return made


def _experiment(table: Entry | Setting) -> Experiment:
    plan = TrainingPlan(**table.plan)
    return Experiment(data=table.data, split=table.split, backbone=table.backbone, loss=table.loss, plan=plan)
