"""Say which figure no longer matches its data, and why.

The entry in the manifest, the facts of the runs (data, sampler, seed, …) and the files must be
those of the lock. Where a run was trained anew, its numbers may differ a little: training is
bit-identical on one machine, not across machines. Pictures are never compared across machines.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from adar_viz.figures.drawing import Source, as_csv, checksum, facts, read_inputs, read_lock, sha256
from adar_viz.figures.manifest import Figure

TOLERANCE, ROWS, LABELS = 0.1, 0.95, 0.5
"""Numbers within a tenth of their column's range are no change, if 95 in 100 rows are; of labels half must agree.

Two trainings of the demo on different instruction sets differed by up to 5 % and by one epoch.
"""


def check(figures: Iterable[Figure], folder: Path, source: Source) -> dict[str, str]:
    """Say, for each figure that is no longer true, why: its id and one reason."""
    lock = read_lock(folder)
    reasons = {figure.id: _stale(figure, folder, lock.get(figure.id), source) for figure in figures}
    return {name: reason for name, reason in reasons.items() if reason}


def _stale(figure: Figure, folder: Path, record: Mapping[str, Any] | None, source: Source) -> str | None:
    if record is None:
        return "it was never drawn"
    if record["recipe"] != figure.recipe():
        return "its entry in the manifest has changed"
    for name, digest in record["sha256"].items():
        if not (folder / name).exists():
            return f"{name} is missing"
        if sha256(folder / name) != digest:
            return f"{name} is not the file that was drawn"
    inputs = read_inputs(figure, source)
    for given, then in zip(inputs, record["facts"], strict=True):
        if changed := [key for key, value in facts(given).items() if then.get(key) != value]:
            return f"its run has changed: {', '.join(changed)}"
    if [checksum(given) for given in inputs] == record["inputs"]:
        return None
    # Both through the same text, so that kinds of columns and digits agree.
    fresh = pd.read_csv(io.StringIO(as_csv(figure.make(inputs).frame())))
    return _difference(pd.read_csv(folder / f"{figure.id}.csv"), fresh)


def _difference(stored: pd.DataFrame, fresh: pd.DataFrame) -> str | None:
    """Say where two tables differ by more than a new training may, if anywhere."""
    rows = min(len(stored), len(fresh))
    if list(stored.columns) != list(fresh.columns) or rows < ROWS * max(len(stored), len(fresh)):
        return f"its data have changed: the table has the shape {fresh.shape}, not {stored.shape}"
    for name in stored.columns:
        old, new = stored[name][:rows], fresh[name][:rows]
        if pd.api.types.is_float_dtype(old) and pd.api.types.is_float_dtype(new):
            x, y = old.to_numpy(dtype=float), new.to_numpy(dtype=float)
            finite = np.isfinite(x)
            span = float(np.ptp(x[finite])) if finite.any() else 0.0
            agree, least = np.isclose(x, y, rtol=TOLERANCE, atol=TOLERANCE * span, equal_nan=True), ROWS
        else:
            agree, least = (old.astype(str) == new.astype(str)).to_numpy(), LABELS
        if agree.mean() < least:
            return f"its data have changed: column {name} differs in {(~agree).sum()} of {rows} rows"
    return None
