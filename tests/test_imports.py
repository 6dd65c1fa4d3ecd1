"""What an import loads: little for the package, and no torch for the tower that shows."""

from __future__ import annotations

import statistics
import subprocess
import sys
import time

import pytest

HEAVY = ("torch", "umap", "matplotlib", "pandas", "numpy", "scipy", "sklearn", "seaborn")

WITHOUT_TORCH = """
import sys

class NoTorch:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("torch", "lightning_fabric"):
            raise ModuleNotFoundError(f"No module named {name!r} (blocked by the test)", name=name)

sys.meta_path.insert(0, NoTorch())
"""


def run(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


def seconds(code: str) -> float:
    began = time.perf_counter()
    assert run(code).returncode == 0
    return time.perf_counter() - began


def test_importing_the_package_takes_under_0_3_s() -> None:
    pairs = [(seconds("pass"), seconds("import adar_viz")) for _ in range(7)]
    bare, loaded = (statistics.median(column) for column in zip(*pairs, strict=True))
    assert loaded - bare < 0.3


def test_importing_the_package_loads_nothing_heavy() -> None:
    done = run(f"import sys, adar_viz; print(sorted(set({HEAVY}) & set(sys.modules)))")
    assert done.stdout.strip() == "[]", done.stderr


def test_the_blocker_blocks() -> None:
    done = run(WITHOUT_TORCH + "import torch")
    assert done.returncode != 0
    assert "blocked by the test" in done.stderr


@pytest.mark.parametrize("name", ["transition", "trace", "displays", "widgets"])
def test_showing_imports_where_torch_is_absent(name: str) -> None:
    done = run(WITHOUT_TORCH + f"import adar_viz.{name}; assert 'torch' not in sys.modules")
    assert done.returncode == 0, done.stderr
