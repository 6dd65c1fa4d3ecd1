"""Look for an anchor's numbers again: train, or count, and keep what was found."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

from torch import nn
from tqdm.auto import tqdm

from adar_viz.evaluation import by_popularity, evaluate
from adar_viz.experiment import (
    CHECKPOINT,
    ExperimentError,
    Parts,
    count_false_negatives,
    prepare,
    read_json,
    write_text,
)
from adar_viz.training import EpochReport, seeded
from adar_viz.verification.anchors import BEST, FALSE_NEGATIVES, Anchor

FOUND = "found.json"


@dataclass(frozen=True)
class Found:
    """What came out.

    Attributes
    ----------
    recipe
        `Anchor.recipe` of the settings that it was found with.
    metrics
        Reading to metric to value, for the readings that were reached.
    epochs, best_epoch
        How many were trained, and which of them was selected; 0 where nothing was trained.
    seconds
        Wall time of the training, validation included.
    finished
        Whether the run is over. One that is not has the readings that it passed.
    """

    recipe: str
    metrics: Mapping[str, Mapping[str, float]]
    epochs: int = 0
    best_epoch: int = 0
    seconds: float = 0.0
    finished: bool = False


def verify(anchor: Anchor, out: Path, *, progress: bool = True) -> Found:
    """Run an anchor in a folder of its own below ``out``; one that was cut off goes on, a finished one is read.

    Raises
    ------
    ValueError
        The data are not there, or a setting is wrong.
    """
    folder = folder_of(anchor, out)
    stored = read_found(anchor, out)
    if stored is not None and stored.finished:
        return stored
    parts = prepare(anchor.experiment)
    folder.mkdir(parents=True, exist_ok=True)
    found = _count(anchor, parts) if anchor.count else _train(anchor, parts, folder, progress)
    _write(found, folder)
    return found


def folder_of(anchor: Anchor, out: Path) -> Path:
    """Name the folder of an anchor; other settings have another one."""
    return out / f"{anchor.id}-{anchor.recipe}"


def read_found(anchor: Anchor, out: Path) -> Found | None:
    """Read what an anchor's folder holds so far; None where there is nothing."""
    path = folder_of(anchor, out) / FOUND
    return as_found(read_json(path), path) if path.exists() else None


def as_found(stored: Any, path: Path) -> Found:
    """Return what a file says of one training; one that was changed by hand is an error that names it."""
    try:
        return Found(**stored)
    except TypeError as error:
        raise ExperimentError(f"{path}: expected what `adar-viz verify` writes; got {stored!r}") from error


def _count(anchor: Anchor, parts: Parts) -> Found:
    """Rank by popularity, counted in the parts that the published table counted."""
    began = perf_counter()
    counts = sum(getattr(parts.split, part).popularity() for part in anchor.count)
    metrics = evaluate(by_popularity(counts), parts.split, "test").metrics
    return Found(
        anchor.recipe, _asked(anchor, {BEST: metrics}), seconds=round(perf_counter() - began, 1), finished=True
    )


def _train(anchor: Anchor, parts: Parts, folder: Path, progress: bool) -> Found:
    """Train as the plan says; what is found so far is written after each validation."""
    assert isinstance(parts.backbone, nn.Module)
    plan, reports = anchor.experiment.plan, list[EpochReport]()
    epochs = parts.fit(plan, checkpoint=folder / CHECKPOINT)
    with tqdm(total=plan.epochs, unit="epoch", disable=not progress, desc=anchor.id) as bar:
        for report in epochs:
            reports.append(report)
            bar.update()
            if report.metrics and not report.resumed:
                _write(_found(anchor, reports), folder)
    parts.backbone.eval()
    best = dict(evaluate(parts.backbone, parts.split, "test").metrics)
    liked = count_false_negatives(parts, seeded("cpu", plan.seed, 2**21))
    if liked is not None:
        best[FALSE_NEGATIVES] = float(liked["rate"] or 0.0)
    return _found(anchor, reports, best)


def _found(anchor: Anchor, reports: list[EpochReport], best: Mapping[str, float] | None = None) -> Found:
    """Gather what the epochs so far, and the test once they are over, say."""
    passed = {str(report.epoch + 1): report.metrics for report in reports if report.metrics}
    readings = passed if best is None else {**passed, BEST: best}
    selected = [report.epoch + 1 for report in reports if report.is_best]
    return Found(
        anchor.recipe,
        _asked(anchor, readings),
        epochs=len(reports),
        best_epoch=selected[-1] if selected else 0,
        seconds=round(sum(report.seconds for report in reports), 1),
        finished=best is not None,
    )


def _asked(anchor: Anchor, readings: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    """Keep the numbers that were published, to six decimals."""
    return {
        reading: {metric: round(readings[reading][metric], 6) for metric in published}
        for reading, published in anchor.published.items()
        if reading in readings
    }


def _write(found: Found, folder: Path) -> None:
    write_text(folder / FOUND, json.dumps(asdict(found), indent=2) + "\n")
