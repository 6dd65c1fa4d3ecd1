"""Large backbones: seconds an epoch, the share of sampling, each sampler beside uniform, and peak memory.

An epoch is reckoned from a few of its steps, which are taken by the training loop itself. Times come from one process
that takes the samplers in turn; memory from a fresh process for each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest
import torch

from benchmarks.conftest import record

SAMPLERS = {
    "uniform": "uniform",
    "popularity": "popularity",
    "dns of 16": "dns(uniform(16))",
    "mixgcf of 16": "mixgcf(uniform(16))",
    "ahns of 16": "ahns(uniform(16))",
    "adar forward, grounded in 16": "adar(warmup=0)",
    "adar forward, synthetic": "adar(warmup=0, ground=None)",
    "adar reverse, synthetic": "adar(warmup=0, source=reverse, ground=None)",
}
JOBS: dict[str, dict[str, Any]] = {
    "LightGCN of 3 layers on gowalla, d 64, batch 2048": {
        "data": "gowalla",
        "split": "as-published",
        "backbone": "lightgcn",
        "loss": "bpr",
        "batch_size": 2048,
        "steps": 3,
    },
    "SASRec on ml-1m, length 200, d 64, batch 128": {
        "data": "ml-1m",
        "split": "leave-one-out",
        "backbone": "sasrec(history_length=200)",
        "loss": "bce",
        "batch_size": 128,
        "steps": 1,
    },
}
DEVICES = ["cpu", "cuda"]


def run(job: dict[str, Any]) -> dict[str, Any]:
    """Measure in a fresh process."""
    words = [sys.executable, "-m", "benchmarks.steps", json.dumps(job)]
    done = subprocess.run(words, capture_output=True, text=True, check=False, env={**os.environ})
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.fixture(params=DEVICES)
def accelerator(request: pytest.FixtureRequest) -> str:
    if request.param == "cuda" and not torch.cuda.is_available():
        pytest.skip("no GPU here: the numbers are the CPU's alone")
    if "ADAR_VIZ_DATA" not in os.environ:
        pytest.skip("set ADAR_VIZ_DATA to a folder with the public data sets")
    return str(request.param)


@pytest.mark.parametrize("title", JOBS)
def test_seconds_and_share_of_sampling(benchmark: Any, title: str, accelerator: str) -> None:
    job = {**JOBS[title], "samplers": list(SAMPLERS.values()), "accelerator": accelerator}
    found = benchmark.pedantic(lambda: run(job), rounds=1)
    for name, spec in SAMPLERS.items():
        cost = found["cost"][spec]
        record(f"{title}, on {found['device']}: seconds an epoch", name, cost["step"] * cost["steps_of_an_epoch"])
        record(f"{title}, on {found['device']}: % of a step spent on negatives (goal: 5)", name, 100 * cost["share"])


@pytest.mark.parametrize("title", JOBS)
def test_peak_memory(benchmark: Any, title: str, accelerator: str) -> None:
    few = {**JOBS[title], "steps": 1, "rounds": 0, "accelerator": accelerator}
    found = benchmark.pedantic(lambda: {s: run({**few, "samplers": [s]}) for s in SAMPLERS.values()}, rounds=1)
    for name, spec in SAMPLERS.items():
        record(f"{title}, on {found[spec]['device']}: peak MiB of a fresh process", name, found[spec]["peak"])
