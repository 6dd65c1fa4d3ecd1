"""The shape checker sees what it should, and lets our own errors speak."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

PROBE = """
import pytest, torch, jaxtyping
import numpy as np
from adar_viz.losses import BPR
from adar_viz.negatives import Uniform
from adar_viz.trace import nearest_items
from adar_viz.training import TrainingPlan

def test_a_wrong_axis_is_seen():
    with pytest.raises(jaxtyping.TypeCheckError, match="negative"):
        BPR()(torch.zeros(3), torch.zeros(4, 2))
    with pytest.raises(jaxtyping.TypeCheckError, match="embedding"):
        nearest_items(np.zeros((2, 5)), np.zeros((7, 4)), 1)

def test_right_axes_pass_and_an_int_is_a_float():
    assert BPR()(torch.zeros(3), torch.zeros(3, 2)).shape == (3,)
    assert TrainingPlan(l2=0).l2 == 0

def test_our_own_error_comes_first():
    with pytest.raises(ValueError, match="num_negatives must be at least 1"):
        Uniform(num_negatives=0)
"""


@pytest.mark.slow
@pytest.mark.parametrize(("checker", "verdict"), [("tests.shapes.checked", "3 passed"), (None, "1 failed, 2 passed")])
def test_the_checker_in_a_fresh_process(tmp_path: Path, checker: str | None, verdict: str) -> None:
    probe = tmp_path / "test_probe.py"
    probe.write_text(PROBE)
    hook = ["-p", "tests.shapes", f"--jaxtyping-packages=adar_viz,{checker}"] if checker else []
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", *hook, str(probe)]
    done = subprocess.run(command, cwd=Path(__file__).parents[1], capture_output=True, text=True, check=False)
    assert verdict in done.stdout, done.stdout
