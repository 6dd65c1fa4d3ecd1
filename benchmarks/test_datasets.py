"""Seconds to make the synthetic world, and to read and split a large set."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from adar_viz.datasets import Split, World
from benchmarks.conftest import record


def test_the_synthetic_world(benchmark: Any) -> None:
    benchmark.pedantic(lambda: World().interactions, rounds=5, warmup_rounds=1)
    record("synthetic world: seconds", "to make it (goal: 1)", min(benchmark.stats.stats.data))


def test_reading_and_splitting_ml_1m(benchmark: Any, real_split: Callable[..., Split]) -> None:
    benchmark.pedantic(lambda: real_split("ml-1m", "leave-one-out"), rounds=3, warmup_rounds=1)
    record("ml-1m, a million lines: seconds", "to read and split it", min(benchmark.stats.stats.data))
