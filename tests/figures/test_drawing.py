"""A figure is written in every format, with its numbers and with what it was made from."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from adar_viz.displays import FORMATS
from adar_viz.figures import LOCK
from adar_viz.trace import Trace
from tests.figures.conftest import Command


def test_every_figure_is_written_in_every_format_with_its_numbers(drawn: Path) -> None:
    expected = {f"{name}.{suffix}" for name in ("schedule", "one_pair") for suffix in (*FORMATS, "csv")}
    assert {p.name for p in (drawn / "out").iterdir()} == {*expected, LOCK}
    lock = json.loads((drawn / "out" / LOCK).read_text())
    assert lock["one_pair"]["alt"].startswith("A curve. For one pair the expected score")
    assert lock["one_pair"]["stamp"]["run"] == "law"
    assert set(lock["one_pair"]["sha256"]) == {f"one_pair.{suffix}" for suffix in (*FORMATS, "csv")}


def test_drawing_again_gives_the_same_bytes(drawn: Path, from_trace: Command) -> None:
    before = {p.name: p.read_bytes() for p in (drawn / "out").iterdir()}
    shutil.rmtree(drawn / "out")
    from_trace(drawn)
    assert {p.name: p.read_bytes() for p in (drawn / "out").iterdir()} == before


def test_the_table_holds_the_numbers_of_the_picture(drawn: Path, law_trace: Trace) -> None:
    table = pd.read_csv(drawn / "out" / "one_pair.csv")
    assert table["mean"][0] == pytest.approx(law_trace["pair_score"][0], rel=1e-5)
