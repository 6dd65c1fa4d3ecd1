"""Real data for the benchmarks, and their results as ratios within this one run."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch

from adar_viz.backbones import MF
from adar_viz.batches import PairRows
from adar_viz.datasets import Split, load, split
from adar_viz.known import KnownPositives
from adar_viz.losses import BPR
from adar_viz.negatives import ADAR, Uniform
from adar_viz.training import TrainingPlan, fit

os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # as the command line does
DIM = 64
RATIOS: dict[str, list[tuple[str, float]]] = {}
"""Group to (name, value); the first of a group is what the others are compared with."""


def record(group: str, name: str, value: float) -> None:
    """Keep a number for the table at the end."""
    RATIOS.setdefault(group, []).append((name, value))


def pytest_terminal_summary(terminalreporter: Any) -> None:
    """Print every group as ratios to its first row."""
    cores, torch_version = os.cpu_count(), torch.__version__
    gpu = torch.cuda.get_device_name() if torch.cuda.is_available() else "none: nothing here was measured on one"
    terminalreporter.write_line(
        f"machine: {platform.processor() or platform.machine()}, {cores} cores, torch {torch_version}; GPU: {gpu}"
    )
    for group, rows in RATIOS.items():
        terminalreporter.write_line(f"\n{group}")
        for name, value in rows:
            terminalreporter.write_line(f"  {name:42}{value:12.4g}{value / rows[0][1]:9.2f} x")


@pytest.fixture(scope="session")
def real_split() -> Callable[..., Split]:
    """Split a set by name; skips, saying why, where the data is not there."""

    def get(name: str, rule: str | None = None) -> Split:
        if "ADAR_VIZ_DATA" not in os.environ:
            pytest.skip("set ADAR_VIZ_DATA to a folder with the public data sets")
        return split(load(name), rule)

    return get


@pytest.fixture(autouse=True)
def _threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    yield
    torch.set_num_threads(before)


def known_of(parts: Split) -> KnownPositives:
    """Return the training pairs as known positives."""
    user, item = torch.as_tensor(parts.train.user), torch.as_tensor(parts.train.item)
    return KnownPositives.from_pairs(user, item, num_users=parts.num_users, num_items=parts.num_items)


def adar(source: Any = "forward", **options: Any) -> ADAR:
    """Return ADAR without a warm-up, so that every epoch is a full one."""
    return ADAR(DIM, source=source, warmup=0, **options)


def train_one_epoch(rows: PairRows, known: KnownPositives, sampler: Any = None, *, sparse: bool = False) -> float:
    """Train one epoch of MF and return its seconds, without validation."""
    backbone = MF(known.num_users, known.num_items, DIM, sparse=sparse)
    plan = TrainingPlan(epochs=1, metric="none", patience=None)
    (report,) = fit(backbone, sampler or Uniform(), BPR(), rows, known, validate=lambda _: {"none": 0.0}, plan=plan)
    return report.seconds
