"""The files of the lessons are what their command makes."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "notebooks" / "exercises"


@pytest.fixture
def lessons() -> ModuleType:
    spec = importlib.util.spec_from_file_location("make_lessons", FOLDER / "make_lessons.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_published_split_is_made_again_to_the_byte(
    lessons: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lessons, "HERE", tmp_path)
    lessons.make_split()
    for name in ("train.txt", "test.txt"):
        assert (tmp_path / "published" / name).read_bytes() == (FOLDER / "published" / name).read_bytes()


def test_the_grid_holds_every_arm_at_every_l2_with_every_seed(lessons: ModuleType) -> None:
    grid = pd.read_csv(FOLDER / "l2_grid.csv")
    expected = {(arm, l2, seed) for arm in lessons.ARMS for l2 in lessons.WEIGHTS for seed in lessons.SEEDS}
    assert set(grid[["arm", "l2", "seed"]].itertuples(index=False, name=None)) == expected
    assert len(grid) == len(expected)


@pytest.mark.slow
def test_a_training_of_the_grid_gives_its_numbers_again(lessons: ModuleType) -> None:
    """On another machine the last digits differ; a tenth of the metric is far more than that."""
    grid = pd.read_csv(FOLDER / "l2_grid.csv").set_index(["arm", "l2", "seed"])
    fresh = lessons.train("one uniform", 1e-2, 0)
    assert fresh["test"] == pytest.approx(grid.loc[("one uniform", 1e-2, 0), "test"], rel=0.1)
