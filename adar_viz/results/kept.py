"""What is kept of a finished entry: a small table, and the facts of how it came about."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import pandas as pd

from adar_viz.experiment import read_json, write_text
from adar_viz.figures.drawing import read_table
from adar_viz.results.manifest import Entry, Grid, Manifest

GRID, TOGETHER = "grid", "together"
"""Names of the grid's files, and of the table of all comparisons."""


@dataclass(frozen=True, eq=False)
class Kept:
    """The numbers of one entry or of the grid.

    Attributes
    ----------
    table
        One line for each arm and metric, or for each variant and setting.
    facts
        What was asked for (``asked``), sizes, machine, versions, trainings, hours.
    """

    table: pd.DataFrame
    facts: Mapping[str, Any]

    def answers(self, asked: Entry | Grid) -> bool:
        """Whether these are the numbers that the manifest asks for now, all of them."""
        if isinstance(asked, Grid) and not {s.id for s in asked.settings} <= set(self.table["setting"]):
            return False
        return bool(self.facts["asked"] == json.loads(json.dumps(asdict(asked))))


def load(manifest: Manifest, name: str) -> Kept | None:
    """Read what is kept under a name; None where nothing is."""
    path = manifest.table(name)
    if not path.exists():
        return None
    return Kept(read_table(path), read_json(path.with_suffix(".json"), "asked"))


def keep(manifest: Manifest, name: str, kept: Kept) -> None:
    """Write a table and its facts, the table last: it marks the entry as finished."""
    manifest.folder.mkdir(parents=True, exist_ok=True)
    csv = kept.table.to_csv(index=False, float_format="%.6g", lineterminator="\n")
    write_text(manifest.table(name).with_suffix(".json"), json.dumps(kept.facts, indent=1) + "\n")
    write_text(manifest.table(name), csv)
