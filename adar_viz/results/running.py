"""Running: one entry or the grid, training by training, and the small tables that are kept of it."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pandas as pd
import torch

import adar_viz
from adar_viz.comparison import Comparison, compare, with_controls
from adar_viz.comparison.cells import CELL, Outcome, Place, stored, train
from adar_viz.comparison.workers import Workers
from adar_viz.datasets import Split
from adar_viz.experiment import prepare
from adar_viz.results.kept import GRID, Kept, keep
from adar_viz.results.manifest import Entry, Grid, Manifest, Setting
from adar_viz.results.trainings import collect, lay_out

METRICS = ("ndcg@20", "recall@20", "ndcg@10", "recall@10")
"""Kept of every comparison; the metric that selects comes first."""


def run_entry(manifest: Manifest, entry: Entry, out: Path, workers: Workers) -> None:
    """Run what is not finished of one comparison, and keep its numbers as ``results/<id>.csv`` and ``.json``.

    Each finished training is kept too, whatever ends the run: see `adar_viz.results.trainings`.
    """
    trainings, cells = manifest.trainings(entry.id), out / entry.id / "cells"
    split = prepare(entry.base()).split
    lay_out(trainings, cells, split.held_out_checksum())
    try:
        found = _compare(entry, out / entry.id, workers)
    finally:
        collect(cells, trainings)
    frame = found.frame
    kept = frame[frame["metric"].isin([found.base.plan.metric, *METRICS])]
    facts = {"asked": asdict(entry), **_sizes(split), **_circumstances(out / entry.id)}
    keep(manifest, entry.id, Kept(kept, facts))


def _compare(entry: Entry, folder: Path, workers: Workers) -> Comparison:
    arms, longer = with_controls(entry.arms) if entry.controls else (list(entry.arms), None)
    return compare(
        entry.base(),
        arms,
        trials=entry.trials,
        seeds=entry.seeds,
        longer=longer,
        ranges=entry.ranges,
        folder=folder,
        jobs=workers.jobs,
        progress=workers.progress,
    )


def run_grid(manifest: Manifest, grid: Grid, out: Path, workers: Workers) -> None:
    """Try every variant of ADAR on every setting, by validation alone: no test pair is ranked.

    What is finished is kept after every setting.
    """
    lines: list[dict[str, Any]] = []
    for setting in grid.settings:
        base = setting.base()
        split = prepare(base).split
        cells = out / GRID / setting.id / "cells"
        place = Place(cells, base.plan.seed, split.train.checksum(), split.held_out_checksum())
        tried = {
            (variant, l2): place.cell(replace(base, negatives=spec, plan=replace(base.plan, l2=l2)))
            for variant, spec in grid.variants.items()
            for l2 in setting.l2
        }
        outcomes = dict(zip(tried, workers.each(train, [*tried.values()], setting.id), strict=True))
        for variant, spec in grid.variants.items():
            found = {l2: outcomes[variant, l2] for l2 in setting.l2}
            lines.append({"setting": setting.id, "variant": variant, "negatives": spec, **_best(found, setting)})
        facts = {"asked": asdict(grid), **_circumstances(out / GRID)}
        keep(manifest, GRID, Kept(pd.DataFrame(lines), facts))


def _best(found: Mapping[float, Outcome], setting: Setting) -> dict[str, Any]:
    """Return the best of a variant's L2 weights; a training that diverged counts as 0."""
    plan = setting.base().plan
    l2 = max(found, key=lambda value: found[value].validation.get(plan.metric, 0.0))
    best = found[l2]
    return {
        "metric": plan.metric,
        "validation": best.validation.get(plan.metric, 0.0),
        "l2": l2,
        "best_epoch": best.best_epoch,
        "seconds": sum(outcome.seconds for outcome in found.values()),
        "note": "ended by the epoch limit" if best.was_cut_off(plan) else "",
    }


def _sizes(split: Split) -> dict[str, Any]:
    sizes = {"users": split.num_users, "items": split.num_items}
    return {"split": split.name, "sizes": sizes | {p: len(getattr(split, p)) for p in ("train", "validation", "test")}}


def _circumstances(folder: Path) -> dict[str, Any]:
    """Say where and with what, and how long all trainings of a folder took."""
    outcomes = [stored(path.parent)["outcome"] for path in sorted(folder.rglob(CELL))]
    return {
        "trainings": len(outcomes),
        "hours": round(sum(outcome["seconds"] for outcome in outcomes) / 3600, 3),
        "machine": {"processor": _processor(), "cores": os.cpu_count(), "threads": torch.get_num_threads()},
        "versions": {
            "adar_viz": adar_viz.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "system": platform.system(),
        },
    }


def _processor() -> str:
    """Name the processor: Linux says it in a file, other systems through Python."""
    path = Path("/proc/cpuinfo")
    lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())
