"""Seconds and megabytes of a large trace."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch

from adar_viz.backbones import MF
from adar_viz.batches import PairRows
from adar_viz.datasets import World
from adar_viz.known import KnownPositives
from adar_viz.recorder import make_trace
from adar_viz.walks import watch_pairs
from benchmarks.conftest import DIM, adar, record

META = dict.fromkeys(("run", "dataset", "data_checksum", "backbone", "negatives", "version"), "benchmark") | {"seed": 0}


def test_trace_of_ten_thousand_pairs(benchmark: Any, tmp_path: Path) -> None:
    data = World().interactions
    user, item = torch.as_tensor(data.user), torch.as_tensor(data.item)
    known = KnownPositives.from_pairs(user, item, num_users=data.num_users, num_items=data.num_items)
    backbone, path = MF(data.num_users, data.num_items, DIM), tmp_path / "trace.npz"

    def watch_and_save() -> None:
        generator = torch.Generator().manual_seed(0)
        watched = watch_pairs(backbone, adar(), PairRows(user, item), known, num_pairs=10_000, generator=generator)
        make_trace(META, watched.arrays).save(path)

    benchmark.pedantic(watch_and_save, rounds=3, warmup_rounds=0)
    record("trace of 10,000 pairs x 50 timesteps x 16 draws", "seconds (goal: 2)", min(benchmark.stats.stats.data))
    record("its file", "MB (goal: 60)", path.stat().st_size / 1e6)
