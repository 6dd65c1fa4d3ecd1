"""Take a few steps of one backbone with several samplers, in a process of its own, and print what they cost as JSON.

``python -m benchmarks.steps '{"data": "gowalla", …}'``: the keys are those of `Job`.
"""

from __future__ import annotations

import json
import os
import resource
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from time import perf_counter
from typing import Any

import torch
from lightning_fabric import Fabric
from torch import nn

from adar_viz.core import Context, Negatives, Observer, Updatable, ignore
from adar_viz.experiment import Experiment, Parts, prepare
from adar_viz.training import EpochReport, TrainingPlan, fit


@dataclass(frozen=True)
class Job:
    """What to measure: ``rounds`` times ``steps`` steps with each sampler in turn, after one round to warm up."""

    data: str
    split: str
    backbone: str
    loss: str
    batch_size: int
    samplers: tuple[str, ...]
    steps: int = 4
    rounds: int = 6
    accelerator: str = "auto"


@dataclass(frozen=True)
class Cost:
    """What a sampler costs: the best round's seconds a step, the share of them spent on negatives, an epoch's steps."""

    step: float
    share: float
    steps_of_an_epoch: float


class Timed:
    """A sampler whose time is taken."""

    def __init__(self, sampler: Any, device: torch.device) -> None:
        self.sampler, self.device, self.seconds = sampler, device, 0.0
        if isinstance(sampler, nn.Module):
            sampler.to(device)
        if isinstance(sampler, Updatable):
            self.update = self._update

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        began = self._now()
        found: Negatives = self.sampler.sample(context, observe=observe)
        self.seconds += self._now() - began
        return found

    def _update(self, context: Context, negatives: Negatives) -> Mapping[str, Any]:
        began = self._now()
        report: Mapping[str, Any] = self.sampler.update(context, negatives)
        self.seconds += self._now() - began
        return report

    def _now(self) -> float:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)
        return perf_counter()


def start(job: Job, spec: str, fabric: Fabric) -> tuple[Timed, Iterator[EpochReport], float]:
    """Begin a training whose every epoch has ``job.steps`` steps; also return how many a whole epoch has."""
    plan = TrainingPlan(job.rounds + 1, job.batch_size, patience=None, validate_every=job.rounds + 1, metric="none")
    experiment = Experiment(job.data, job.split, backbone=job.backbone, negatives=spec, loss=job.loss)
    parts = prepare(experiment).to(fabric.device)
    timed, part = Timed(parts.sampler, fabric.device), some_rows(parts, job.steps * job.batch_size)
    validate = lambda _: {"none": 0.0}  # noqa: E731
    epochs = fit(parts.backbone, timed, parts.loss, part, parts.known, validate=validate, plan=plan, fabric=fabric)
    return timed, epochs, len(parts.rows) / job.batch_size


def some_rows(parts: Parts, number: int) -> Any:
    """Keep so many of the training rows, drawn at random."""
    rows = parts.rows
    chosen = torch.randperm(len(rows), generator=torch.Generator().manual_seed(0))[:number].to(rows.user.device)
    return replace(rows, **{name: value[chosen] for name, value in vars(rows).items()})


def measure(job: Job) -> dict[str, Any]:
    """Take the samplers in turn, round by round, so that whatever else the machine does falls on all alike."""
    fabric = Fabric(accelerator=job.accelerator, devices=1)
    running = {spec: start(job, spec, fabric) for spec in job.samplers}
    best: dict[str, Cost] = {}
    for round_ in range(job.rounds + 1):
        for spec, (timed, epochs, whole) in running.items():
            before = timed.seconds
            step = next(epochs).seconds / job.steps
            share = (timed.seconds - before) / job.steps / step
            if round_ and (spec not in best or step < best[spec].step):
                best[spec] = Cost(step, share, whole)
    return {"cost": {spec: asdict(cost) for spec, cost in best.items()}, "peak": peak(fabric), "device": name(fabric)}


def peak(fabric: Fabric) -> float:
    """Most MiB held so far: on the GPU where there is one, else by the process."""
    if fabric.device.type == "cuda":
        return torch.cuda.max_memory_allocated(fabric.device) / 2**20
    status = Path("/proc/self/status")
    if not status.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    # On Linux ru_maxrss would also hold what the parent had when it started this process.
    lines = (line.split() for line in status.read_text(encoding="utf-8").splitlines())
    return next(int(words[1]) for words in lines if words[0] == "VmHWM:") / 2**10


def name(fabric: Fabric) -> str:
    """Say what it ran on."""
    if fabric.device.type == "cuda":
        return torch.cuda.get_device_name(fabric.device)
    return f"{torch.get_num_threads()} threads of the CPU"


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", os.cpu_count() or 1)))
    asked = json.loads(sys.argv[1])
    print(json.dumps(measure(Job(**{**asked, "samplers": tuple(asked["samplers"])}))))
