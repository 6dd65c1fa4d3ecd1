"""From events to a trace: the one bridge between making and showing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adar_viz.core import Backbone
from adar_viz.datasets import Interactions
from adar_viz.draws import QUANTILES, ROWS, Draws, evenly
from adar_viz.events import Diffused, Drawn, Event, Transition
from adar_viz.snapshots import Snapshots, table_of
from adar_viz.trace import Trace
from adar_viz.training import EpochReport


class Recorder:
    """Watch a training: pass it as ``observe``, and tell it when an epoch ends.

    Everything is copied, no randomness is drawn, nothing is changed.

    Parameters
    ----------
    users, items : sequence of int
        Whose embeddings are kept in the snapshots.
    draws : Draws or None
        What sums up the drawn negatives; None looks at their scores alone.
    """

    def __init__(self, users: Sequence[int], items: Sequence[int], draws: Draws | None = None) -> None:
        self.snapshots, self.draws = Snapshots(users, items), draws or Draws()
        self.epochs: list[dict[str, Any]] = []
        self._timestep: list[Tensor] = []
        self._positive = torch.empty(0)
        self._diffused: list[Tensor] = []

    def __call__(self, event: Event) -> None:
        """Copy what is kept of an event."""
        if isinstance(event, Drawn):
            self.draws.see(event)
            self.snapshots.see(event)
        elif isinstance(event, Transition):
            some = evenly(len(event.timestep), ROWS, event.timestep.device)
            self._timestep.append(event.timestep[some].cpu())
            self._positive = event.positive_score[some].detach().cpu()
        elif isinstance(event, Diffused):  # of the rows whose Transition was just announced
            some = evenly(len(event.score), ROWS, event.score.device)
            self._diffused.append(event.score[some].detach().cpu() - self._positive)

    def snapshot(self, epoch: int, backbone: Backbone) -> None:
        """Copy the chosen embeddings as they are now; ``epoch`` counts the finished ones."""
        self.snapshots.take(epoch, backbone)

    def end_epoch(self, report: EpochReport, backbone: Backbone) -> None:
        """Sum the epoch up, and take a snapshot when one is due (ever more rarely: 1, 2, 3, 4, 6, 8, 12, …)."""
        self.epochs.append(
            {
                "epoch": report.epoch + 1,
                "loss": sum(report.losses.values()),
                "metrics": dict(report.metrics),
                "draws": self.draws.sum_up(),
                "timestep": _quantiles(self._timestep),
                "diffused": _quantiles(self._diffused),
            }
        )
        self._timestep, self._diffused = [], []
        if _is_due(report.epoch + 1):
            self.snapshot(report.epoch + 1, backbone)
        self.snapshots.forget()

    def state(self) -> dict[str, Any]:
        """Return all that was recorded, for a checkpoint."""
        return {"epochs": self.epochs, "snapshots": self.snapshots.taken}

    def restore(self, state: Mapping[str, Any], num_epochs: int) -> None:
        """Take back what `state` gave, as far as ``num_epochs`` finished epochs.

        Raises
        ------
        ValueError
            It holds fewer epochs.
        """
        epochs = [e for e in state["epochs"] if e["epoch"] <= num_epochs]
        if len(epochs) < num_epochs:
            raise ValueError(f"expected at least {num_epochs} epochs; got {len(epochs)}")
        self.epochs = epochs
        self.snapshots.restore(state["snapshots"], num_epochs)

    def arrays(self, metric: str) -> dict[str, np.ndarray]:
        """Return the arrays of the training and of the snapshots, the selecting ``metric`` first."""
        arrays: dict[str, np.ndarray] = {}
        if self.epochs:
            names = sorted({n for e in self.epochs for n in e["metrics"]}, key=lambda name: (name != metric, name))
            arrays |= {
                "epoch": np.array([e["epoch"] for e in self.epochs]),
                "loss": np.array([e["loss"] for e in self.epochs]),
                "quantile": np.array(QUANTILES),
                "timestep_quantile": torch.stack([e["timestep"] for e in self.epochs]).numpy(),
                "diffused_hardness": torch.stack([e["diffused"] for e in self.epochs]).numpy(),
                "metric_name": np.array(names),
                "metric": np.array([[e["metrics"].get(n, np.nan) for n in names] for e in self.epochs]),
            }
        return arrays | self.draws.arrays([e["draws"] for e in self.epochs]) | self.snapshots.arrays()


def catalogue_arrays(data: Interactions, backbone: Backbone) -> dict[str, np.ndarray]:
    """Return labels, titles, popularity and final embeddings of the whole catalogue."""
    blank = np.full(data.num_items, "")
    with torch.no_grad():
        embedding = table_of(backbone).cpu().numpy().astype(np.float32)
    return {
        "item_label": np.asarray(data.item_label, dtype=str),
        "item_title": blank if data.title is None else np.asarray(data.title, dtype=str),
        "item_genre": blank if data.genre is None else np.asarray(data.genre, dtype=str),
        "item_popularity": data.popularity(),
        "item_embedding": embedding,
        "user_label": np.asarray(data.user_label, dtype=str),
    }


def make_trace(meta: Mapping[str, Any], *groups: Mapping[str, np.ndarray]) -> Trace:
    """Put groups of arrays together."""
    return Trace(dict(meta), {name: array for group in groups for name, array in group.items()})


def _quantiles(values: list[Tensor]) -> Tensor:
    levels = torch.tensor(QUANTILES)
    return torch.quantile(torch.cat(values).float(), levels) if values else torch.full_like(levels, torch.nan)


def _is_due(epoch: int) -> bool:
    """Whether an epoch is one of 1, 2, 3, 4, 6, 8, 12, 16, 24, …: two for each doubling."""
    return epoch < 4 or any(epoch == base << shift for base in (2, 3) for shift in range(1, 20))
