"""Training of every backbone, dropout included, goes on after a stop as if there had been none."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adar_viz.backbones import MF, GRU4Rec, LightGCN, SASRec
from adar_viz.batches import PairRows, SequenceRows, make_rows
from adar_viz.core import Backbone
from adar_viz.known import KnownPositives
from adar_viz.losses import BPR
from adar_viz.negatives import Uniform
from adar_viz.training import TrainingPlan, fit

USERS, ITEMS = 20, 30
PLAN = TrainingPlan(epochs=5, batch_size=16, patience=None, metric="m")


def pairs() -> tuple[Tensor, Tensor]:
    liked = torch.rand(USERS, ITEMS, generator=torch.Generator().manual_seed(1)) < 0.3
    user, item = liked.nonzero(as_tuple=True)
    return user, item


def made(name: str) -> nn.Module:
    generator = torch.Generator().manual_seed(0)
    if name == "lightgcn":
        return LightGCN(USERS, ITEMS, *pairs(), 8, generator=generator)
    if name == "mf":
        return MF(USERS, ITEMS, 8, generator=generator)
    cls = {"gru4rec": GRU4Rec, "sasrec": SASRec}[name]
    return cls(USERS, ITEMS, 8, history_length=6, dropout=0.4, generator=generator)


def rows_for(backbone: Backbone) -> PairRows | SequenceRows:
    user, item = pairs()
    return make_rows(user.numpy(), item.numpy(), None, backbone.history_length)


def train(backbone: Any, checkpoint: Path, *, stop_after: int | None = None) -> dict[str, Tensor]:
    user, item = pairs()
    known = KnownPositives.from_pairs(user, item, num_users=USERS, num_items=ITEMS)

    def validate(backbone: Backbone) -> dict[str, float]:
        return {"m": time.perf_counter()}  # every epoch is the best so far: the last one's weights are kept

    reports = fit(
        backbone, Uniform(), BPR(), rows_for(backbone), known, validate=validate, plan=PLAN, checkpoint=checkpoint
    )
    for report in reports:
        if report.epoch == stop_after:
            break  # the newest checkpoint is that of the epoch before
    return {name: value.clone() for name, value in backbone.state_dict().items()}


@pytest.mark.parametrize("name", ["gru4rec", "lightgcn", "mf", "sasrec"])
def test_a_resumed_training_ends_with_the_same_bits(name: str, tmp_path: Path) -> None:
    whole = train(made(name), tmp_path / "whole.safetensors")
    train(made(name), tmp_path / "stopped.safetensors", stop_after=2)
    torch.manual_seed(99)  # another process would have another global state
    resumed = train(made(name), tmp_path / "stopped.safetensors")
    assert whole.keys() == resumed.keys()
    for key in whole:
        assert torch.equal(whole[key], resumed[key]), key
    assert any(not torch.equal(whole[key], value) for key, value in made(name).state_dict().items())
