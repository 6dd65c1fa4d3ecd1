"""Seconds an epoch: each sampler beside uniform, and ADAR over growing catalogues."""

from __future__ import annotations

from collections.abc import Callable
from statistics import median
from typing import Any

import pytest
import torch

from adar_viz.backbones import MF
from adar_viz.batches import PairRows
from adar_viz.core import Context
from adar_viz.datasets import Split
from adar_viz.known import KnownPositives
from adar_viz.losses import BPR
from adar_viz.negatives import DNS, Reverse, Uniform
from benchmarks.conftest import DIM, adar, known_of, record, train_one_epoch

SAMPLERS: dict[str, Callable[[], Any]] = {
    "uniform (goal: 6 s)": Uniform,
    "adar forward, synthetic (goal: 1.3 x)": lambda: adar(ground=None),
    "adar forward, grounded in 16": adar,
    "adar reverse, 5 steps, synthetic (goal: 2.5 x)": lambda: adar("reverse", ground=None),
    "dns of 16": lambda: DNS(Uniform(16)),
}

UNIFORM_STEP_MS: dict[int, float] = {}
"""Size of the catalogue to the milliseconds of uniform's step, which is measured first."""


@pytest.mark.parametrize("name", SAMPLERS)
def test_epoch_of_ml_1m(benchmark: Any, real_split: Callable[..., Split], name: str) -> None:
    parts = real_split("ml-1m", "leave-one-out")
    rows = PairRows(torch.as_tensor(parts.train.user), torch.as_tensor(parts.train.item))
    known = known_of(parts)
    seconds = []
    benchmark.pedantic(
        lambda: seconds.append(train_one_epoch(rows, known, SAMPLERS[name]())), rounds=2, warmup_rounds=0
    )
    record("MF on ml-1m, d 64, batch 2048: seconds an epoch", name, min(seconds))


def test_epoch_of_the_whole_reverse_chain(benchmark: Any, real_split: Callable[..., Split]) -> None:
    parts = real_split("ml-latest-small")
    rows = PairRows(torch.as_tensor(parts.train.user), torch.as_tensor(parts.train.item))
    known, group = known_of(parts), "MF on ml-latest-small: seconds an epoch"
    record(group, "uniform", min(train_one_epoch(rows, known) for _ in range(3)))
    record(
        group,
        "adar reverse, 5 steps",
        min(train_one_epoch(rows, known, adar(Reverse(5), ground=None)) for _ in range(3)),
    )
    whole = benchmark.pedantic(lambda: train_one_epoch(rows, known, adar(Reverse(None), ground=None)), rounds=1)
    record(group, "adar reverse, whole chain of 50", whole)


@pytest.mark.parametrize("num_items", [10**4, 10**5, 10**6])
@pytest.mark.parametrize(
    "name", ["uniform (goal: 6 s)", "adar forward, synthetic (goal: 1.3 x)", "adar forward, grounded in 16"]
)
def test_step_over_growing_catalogues(benchmark: Any, name: str, num_items: int) -> None:
    generator = torch.Generator().manual_seed(0)
    user = torch.randint(10_000, (200_000,), generator=generator)
    item = torch.randint(num_items, (200_000,), generator=generator)
    known = KnownPositives.from_pairs(user, item, num_users=10_000, num_items=num_items)
    backbone, sampler, loss = MF(10_000, num_items, DIM, sparse=True), SAMPLERS[name](), BPR()
    optimizer = torch.optim.SparseAdam(backbone.parameters())
    rows = PairRows(user, item)

    def step() -> None:
        batch = rows.batch(torch.randint(len(rows), (2048,), generator=generator))
        encoded = backbone(batch)
        negatives = sampler.sample(Context(batch.user, batch.positive, encoded, known, generator))
        positive = encoded.score(encoded.lookup(batch.positive).unsqueeze(1)).squeeze(1)
        optimizer.zero_grad()
        loss(positive, encoded.score(negatives.embedding)).mean().backward()
        optimizer.step()

    benchmark.pedantic(step, rounds=60, warmup_rounds=5)
    label, size, step_ms = name.partition(" (")[0], f"{num_items:,} items", 1e3 * median(benchmark.stats.stats.data)
    record(f"step of sparse MF by catalogue, {label}: ms (goal: within 1.2 x)", size, step_ms)
    if label == "uniform":
        UNIFORM_STEP_MS[num_items] = step_ms
    elif num_items in UNIFORM_STEP_MS:  # the optimiser's rows come from ever farther away, whoever samples
        own = step_ms - UNIFORM_STEP_MS[num_items]
        record(f"of it {label}'s own part, without uniform's step: ms (goal: within 1.2 x)", size, own)
