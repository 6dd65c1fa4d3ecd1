"""A cell: one training in a folder of its own, never made twice."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float

from adar_viz import checkpoint as checkpoints
from adar_viz.evaluation import evaluate
from adar_viz.experiment import CHECKPOINT, Experiment, Parts, prepare, read_json, write_text
from adar_viz.specs import take_apart
from adar_viz.training import TrainingDiverged, TrainingPlan

CELL, TEST = "cell.json", "test.safetensors"


@dataclass(frozen=True)
class Cell:
    """One training: a configuration, the seed of its split, the folder that it lives in, and what is judged."""

    experiment: Experiment
    split_seed: int
    folder: Path
    held_out: str
    """Checksum of the validation and test parts."""


@dataclass(frozen=True)
class Outcome:
    """What a cell's training came to; ``failure`` says why there are no metrics."""

    validation: Mapping[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    seconds: float = 0.0
    failure: str | None = None

    def epochs(self, plan: TrainingPlan) -> int:
        """Return how many epochs were trained: until patience ran out, or the plan's limit."""
        if plan.patience is None:
            return plan.epochs
        return min(plan.epochs, self.best_epoch + plan.patience * plan.validate_every)

    def was_cut_off(self, plan: TrainingPlan) -> bool:
        """Whether the limit on epochs came so soon after the best that a better one may lie beyond."""
        return self.best_epoch + (plan.patience or 1) * plan.validate_every > plan.epochs


@dataclass(frozen=True)
class Place:
    """Names the folder of a configuration on this data; `Split.checksum` and `Split.held_out_checksum` say which."""

    cells: Path
    split_seed: int
    checksum: str
    held_out: str

    def cell(self, experiment: Experiment) -> Cell:
        """Return the cell of a configuration, trained or not."""
        whole = json.dumps([asdict(experiment), self.split_seed, self.checksum], sort_keys=True)
        name, _, _ = take_apart(experiment.negatives)
        digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
        folder = self.cells / f"{name}-seed{experiment.plan.seed}-{digest}"
        return Cell(experiment, self.split_seed, folder, self.held_out)


def train(cell: Cell) -> Outcome:
    """Train a cell and write what validation says of it; a finished one is read.

    Raises
    ------
    ValueError
        The finished one was judged by other validation and test parts than the data has now.
    """
    if (cell.folder / CELL).exists():
        found = stored(cell.folder)
        if found.get("held_out") != cell.held_out:
            raise ValueError(
                f"{cell.folder}: expected a training judged by this data's validation and test parts; got one of "
                "other parts; choose another folder"
            )
        return Outcome(**found["outcome"])
    cell.folder.mkdir(parents=True, exist_ok=True)
    try:
        _, outcome = _fit(cell)
    except TrainingDiverged as error:
        outcome = Outcome(failure=str(error))
    origin = {"experiment": asdict(cell.experiment), "split_seed": cell.split_seed}
    store(cell.folder, outcome, cell.held_out, **origin)
    return outcome


def store(folder: Path, outcome: Outcome, held_out: str, **origin: Any) -> None:
    """Write down that a cell is finished, what it came to, by which parts, and what it was."""
    whole = {**origin, "held_out": held_out, "outcome": asdict(outcome)}
    write_text(folder / CELL, json.dumps(whole, indent=2) + "\n")


def stored(folder: Path) -> dict[str, Any]:
    """Read what `store` wrote of a finished cell."""
    return read_json(folder / CELL, "outcome")


def train_winner(cell: Cell) -> Outcome:
    """Train a cell whose weights are wanted.

    Raises
    ------
    TrainingDiverged
        It diverged: a winner without a result would bias the table.
    """
    outcome = train(cell)
    if outcome.failure:
        seed = cell.experiment.plan.seed
        raise TrainingDiverged(f"{cell.experiment.negatives}, the best on validation, seed {seed}: {outcome.failure}")
    return outcome


def judge(cell: Cell) -> dict[str, Float[np.ndarray, " user"]]:
    """Rank the test part with a trained cell's best weights: once, then what was found is read."""
    path = cell.folder / TEST
    if not path.exists():
        parts, _ = _fit(cell)  # from its checkpoint, so nothing is trained
        found = evaluate(parts.backbone, parts.split, "test")
        checkpoints.save(path, {name: torch.as_tensor(value) for name, value in found.per_user.items()})
    return {name: value.numpy() for name, value in checkpoints.load(path).items()}


def forget_weights(losers: Sequence[Cell]) -> None:
    """Delete what only winners still need: a checkpoint is four times the size of its model."""
    for cell in losers:
        (cell.folder / CHECKPOINT).unlink(missing_ok=True)


def _fit(cell: Cell) -> tuple[Parts, Outcome]:
    """Train from the cell's checkpoint on, if there is one; return it with the best weights."""
    parts = prepare(cell.experiment, split_seed=cell.split_seed)
    reports = list(parts.fit(cell.experiment.plan, checkpoint=cell.folder / CHECKPOINT))
    best = next(report for report in reversed(reports) if report.is_best)
    return parts, Outcome(dict(best.metrics), best.epoch + 1, sum(report.seconds for report in reports))
