"""Every training of a comparison, a line each: kept with the results, so that any machine goes on where one stopped."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from adar_viz.comparison.cells import CELL, Outcome, store, stored
from adar_viz.experiment import write_text


def collect(cells: Path, table: Path) -> None:
    """Add the finished trainings of a comparison's ``cells`` to its table; those that stand there already stay."""
    kept = _read(table)
    known = {line["cell"] for line in kept}
    new = [_line(path.parent) for path in sorted(cells.glob(f"*/{CELL}")) if path.parent.name not in known]
    if new:
        text = io.StringIO()
        writer = csv.DictWriter(text, list(new[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows([*kept, *new])
        table.parent.mkdir(parents=True, exist_ok=True)
        write_text(table, text.getvalue())


def lay_out(table: Path, cells: Path, held_out: str) -> None:
    """Let `adar_viz.comparison.compare` find the trainings of the table finished in its folder ``cells``.

    ``held_out`` is the checksum of what they are judged by. Their weights are not kept: those of a winner
    are trained again, once, before the test part is ranked.
    """
    for line in _read(table):
        folder = cells / line["cell"]
        if not (folder / CELL).exists():
            folder.mkdir(parents=True, exist_ok=True)
            validation = {line["metric"]: float(line["validation"])} if line["validation"] else {}
            outcome = Outcome(validation, int(line["best_epoch"]), float(line["seconds"]), line["failure"] or None)
            store(folder, outcome, held_out, line=line)


def state(table: Path) -> str:
    """Say how far a comparison without results is."""
    return f"begun, {number} trainings kept" if (number := len(_read(table))) else "not run"


def _read(table: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(table.read_text(encoding="utf-8").splitlines())) if table.exists() else []


def _line(folder: Path) -> dict[str, Any]:
    found = stored(folder)
    if "line" in found:  # laid out from a table that is no longer here
        return dict(found["line"])
    asked, outcome = found["experiment"], found["outcome"]
    metric = asked["plan"]["metric"]
    return {
        "cell": folder.name,
        "negatives": asked["negatives"],
        "learning_rate": asked["plan"]["learning_rate"],
        "l2": asked["plan"]["l2"],
        "seed": asked["plan"]["seed"],
        "metric": metric,
        "validation": outcome["validation"].get(metric),
        "best_epoch": outcome["best_epoch"],
        "seconds": outcome["seconds"],
        "failure": outcome["failure"],
        "day": datetime.fromtimestamp((folder / CELL).stat().st_mtime, UTC).date().isoformat(),
    }
