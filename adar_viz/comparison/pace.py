"""How much dearer one sampler's epoch is than another's: measured side by side, once, and then read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, replace
from pathlib import Path

from adar_viz.experiment import Experiment, prepare, read_json, write_text

MEASURED = 5
"""Epochs of each side that are timed, after any warm-up."""


def pace(cheap: Experiment, dear: Experiment, split_seed: int, path: Path) -> float:
    """Return how many epochs of the cheap configuration fit in one of the dear one.

    Both train by turns, an epoch each, and the quickest epochs count, so that other work on the machine
    slows neither side alone. Validations are left out. The file keeps what was found: a later call with
    the same two reads it, and whatever is planned from it stays the same.
    """
    asked = {"cheap": asdict(cheap), "dear": asdict(dear), "split_seed": split_seed}
    if path.exists():
        stored = read_json(path, "asked", "epochs")
        if stored["asked"] == json.loads(json.dumps(asked)):
            return float(stored["epochs"])
    seconds = _by_turns([cheap, dear], split_seed)
    found = min(dearer for _, dearer in seconds) / min(cheaper for cheaper, _ in seconds)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, json.dumps({"asked": asked, "seconds": seconds, "epochs": found}, indent=1) + "\n")
    return found


def _by_turns(sides: Sequence[Experiment], split_seed: int) -> list[tuple[float, ...]]:
    """Train the sides an epoch each by turns, and return the seconds of those that are timed."""
    parts = [prepare(side, split_seed=split_seed) for side in sides]
    epochs = max(getattr(one.sampler, "warmup", 0) for one in parts) + MEASURED + 1
    plans = [replace(side.plan, epochs=epochs, validate_every=epochs, patience=None) for side in sides]
    turns = zip(*(one.fit(plan) for one, plan in zip(parts, plans, strict=True)), strict=True)
    return [tuple(report.seconds for report in turn) for turn in turns][-MEASURED - 1 : -1]  # the last one validates
