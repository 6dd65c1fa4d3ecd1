"""Seconds of a full ranking, and the memory it takes."""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from typing import Any

import pytest

from adar_viz.backbones import MF
from adar_viz.datasets import Split
from adar_viz.evaluation import evaluate
from benchmarks.conftest import DIM, record


@pytest.mark.parametrize(("name", "rule", "goal"), [("ml-1m", "leave-one-out", "2 s"), ("gowalla", None, "30 s")])
def test_full_ranking(benchmark: Any, real_split: Callable[..., Split], name: str, rule: str | None, goal: str) -> None:
    parts = real_split(name, rule)
    backbone = MF(parts.num_users, parts.num_items, DIM)
    benchmark.pedantic(lambda: evaluate(backbone, parts, "test"), rounds=2, warmup_rounds=0)
    unit = 2**30 if sys.platform == "darwin" else 2**20
    record("full ranking, d 64: seconds", f"{name} (goal: {goal})", min(benchmark.stats.stats.data))
    record("peak memory of the process so far: GiB", name, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit)
