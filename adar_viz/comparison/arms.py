"""An arm: one sampler after tuning, and what it took."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from adar_viz.comparison.cells import Outcome
from adar_viz.comparison.cost import Cost
from adar_viz.experiment import Experiment


@dataclass(frozen=True)
class Arm:
    """One sampler after tuning.

    Attributes
    ----------
    name
        As it was asked for.
    winner
        Its best setting on validation.
    trials, seeds
        What was tried, and a training of the winner for each seed.
    role, about
        The part it plays, one of `adar_viz.comparison.controls.ROLES`; what a control shows.
    cost
        What a row and an epoch cost.
    edges
        Tuned values at an end of their range: the best may lie beyond.
    """

    name: str
    winner: Experiment
    trials: Sequence[Outcome]
    seeds: Sequence[Outcome]
    role: str
    about: str
    cost: Cost
    edges: Sequence[str] = ()

    @property
    def epochs(self) -> float:
        """Epochs that were trained, as a mean over seeds."""
        return float(np.mean([outcome.epochs(self.winner.plan) for outcome in self.seeds]))

    @property
    def notes(self) -> list[str]:
        """What may have kept the arm below its best."""
        short = sum(outcome.was_cut_off(self.winner.plan) for outcome in self.seeds)
        return [*self.edges, *([f"{short} of {len(self.seeds)} seeds ended by the epoch limit"] if short else [])]

    def effort(self) -> dict[str, Any]:
        """Say what the arm is and what it took; epochs, updates and seconds are means over seeds."""
        return {
            "role": self.role,
            "about": self.about,
            "negatives": self.winner.negatives,
            "learning_rate": self.winner.plan.learning_rate,
            "l2": self.winner.plan.l2,
            "trials": len(self.trials),
            "failed_trials": sum(outcome.failure is not None for outcome in self.trials),
            "seeds": len(self.seeds),
            "candidates": self.cost.candidates,
            "negatives_a_row": self.cost.negatives,
            "updates": round(self.cost.steps * self.epochs),
            "epochs": self.epochs,
            "best_epoch": float(np.mean([outcome.best_epoch for outcome in self.seeds])),
            "seconds": float(np.mean([outcome.seconds for outcome in self.seeds])),
            "tuning_seconds": sum(outcome.seconds for outcome in self.trials),
            "notes": "; ".join(self.notes),
        }
