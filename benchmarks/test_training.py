"""Seconds an epoch: each sampler beside uniform, and ADAR over growing catalogues."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from statistics import median
from time import perf_counter
from typing import Any

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
SPARSE_SAMPLERS = [name for name in SAMPLERS if "forward" in name or "uniform" in name]

SHARE = 5
"""An epoch is measured by one such part of it, in more rounds: a machine's pace drifts by more than the goals allow."""


def test_epoch_of_ml_1m(benchmark: Any, real_split: Callable[..., Split]) -> None:
    parts = real_split("ml-1m", "leave-one-out")
    order = torch.randperm(len(parts.train.user), generator=torch.Generator().manual_seed(0))[::SHARE]
    rows = PairRows(torch.as_tensor(parts.train.user)[order], torch.as_tensor(parts.train.item)[order])
    known = known_of(parts)
    seconds: dict[str, list[float]] = {name: [] for name in SAMPLERS}

    def one_round() -> None:
        for name, make in SAMPLERS.items():
            seconds[name].append(SHARE * train_one_epoch(rows, known, make()))

    benchmark.pedantic(one_round, rounds=9, warmup_rounds=1)
    group = "MF on ml-1m, d 64, batch 2048: seconds an epoch"
    for name, times in seconds.items():
        record(group, name, median(times[1:]))
    noise, generator = torch.empty(2048, DIM), torch.Generator().manual_seed(0)
    noise_step = median(timed(lambda: noise.normal_(generator=generator), 100))
    record(group, "of adar forward the noise alone: the floor", noise_step * len(parts.train.user) / 2048)


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


def test_step_over_growing_catalogues(benchmark: Any) -> None:
    sizes = [10**4, 10**5, 10**6]
    steps = {(name, size): sparse_step(name, size) for name in SPARSE_SAMPLERS for size in sizes}
    times: dict[tuple[str, int], list[float]] = {key: [] for key in steps}

    def one_round() -> None:
        for key, step in steps.items():  # some steps of each in a row: the caches are its own, as in training
            times[key] += timed(step, 20)[5:]

    benchmark.pedantic(one_round, rounds=5, warmup_rounds=1)
    step_ms = {key: 1e3 * median(found[15:]) for key, found in times.items()}
    for name in SPARSE_SAMPLERS:
        label = name.partition(" (")[0]
        for size in sizes:
            group = f"step of sparse MF by catalogue, {label}: ms (goal: within 1.2 x)"
            record(group, f"{size:,} items", step_ms[name, size])
        for size in sizes if name != SPARSE_SAMPLERS[0] else []:
            group = f"of it {label}'s own part, without uniform's step: ms (goal: within 1.2 x)"
            record(group, f"{size:,} items", step_ms[name, size] - step_ms[SPARSE_SAMPLERS[0], size])


def sparse_step(name: str, num_items: int) -> Callable[[], None]:
    """Return a step of sparse MF that can be taken again and again."""
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
        context = Context(batch.user, batch.positive, encoded, known, generator)
        negatives = sampler.sample(context)
        optimizer.zero_grad()
        loss(context.positive_score, encoded.score(negatives.embedding)).mean().backward()
        optimizer.step()

    return step


def timed(step: Callable[[], object], count: int) -> list[float]:
    """Take so many steps and return the seconds of each."""
    moments = [perf_counter()]
    for _ in range(count):
        step()
        moments.append(perf_counter())
    return [after - before for before, after in pairwise(moments)]
