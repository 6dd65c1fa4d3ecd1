"""Seconds of a full ranking, and the memory it takes."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from typing import Any

import pytest
import torch

from adar_viz.backbones import MF
from adar_viz.batches import PairRows
from adar_viz.datasets import Split
from adar_viz.evaluation import evaluate
from benchmarks.conftest import DIM, known_of, record, train_one_epoch


@pytest.mark.parametrize(("name", "rule", "goal"), [("ml-1m", "leave-one-out", "2 s"), ("gowalla", None, "30 s")])
def test_full_ranking(benchmark: Any, real_split: Callable[..., Split], name: str, rule: str | None, goal: str) -> None:
    parts = real_split(name, rule)
    backbone = MF(parts.num_users, parts.num_items, DIM)
    benchmark.pedantic(lambda: evaluate(backbone, parts, "test"), rounds=2, warmup_rounds=0)
    unit = 2**30 if sys.platform == "darwin" else 2**20
    record("full ranking, d 64: seconds", f"{name} (goal: {goal})", min(benchmark.stats.stats.data))
    record("peak memory of the process so far: GiB", name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)


def test_looking_takes_less_time_than_learning(benchmark: Any, real_split: Callable[..., Split]) -> None:
    parts = real_split("ml-1m", "leave-one-out")
    rows, known = PairRows(torch.as_tensor(parts.train.user), torch.as_tensor(parts.train.item)), known_of(parts)
    backbone = MF(parts.num_users, parts.num_items, DIM)
    benchmark.pedantic(lambda: evaluate(backbone, parts, "validation"), rounds=2, warmup_rounds=0)
    training, ranking = train_one_epoch(rows, known), min(benchmark.stats.stats.data)
    record("MF on ml-1m: seconds", "an epoch", training)
    record("MF on ml-1m: seconds", "a full ranking of every user (goal: less than an epoch)", ranking)
    assert ranking < training
