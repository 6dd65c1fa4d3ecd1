"""A figure is written in every format, with its numbers and with what it was made from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from adar_viz.displays import FORMATS, NoiseSchedule
from adar_viz.figures import DISPLAYS, LOCK, Figure, FigureError, check, draw
from adar_viz.figures.drawing import read_lock
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


def test_a_table_is_drawn_and_checked_too(tmp_path: Path, law_trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    class Tabled(NoiseSchedule):
        @classmethod
        def from_table(cls, frame: pd.DataFrame, factor: float = 1.0) -> Any:
            shown = cls.from_trace(law_trace)
            shown.alpha_bar = frame["alpha_bar"].to_numpy() * factor
            return shown

    def find(figure: Figure) -> list[Path]:
        return [tmp_path / str(figure.table)]

    assert isinstance(DISPLAYS, Mapping)
    monkeypatch.setitem(DISPLAYS, "tabled", Tabled)
    table = tmp_path / "a.csv"
    pd.DataFrame({"alpha_bar": law_trace["alpha_bar"]}).to_csv(table)
    figure = Figure("t", "tabled", "c", "a", table="a.csv", options={"factor": 1.0})
    assert {path.name for path in draw([figure], tmp_path, find)} == {"t.pdf", "t.svg", "t.png", "t.csv"}
    assert check([figure], tmp_path, find) == {}
    pd.DataFrame({"alpha_bar": law_trace["alpha_bar"][::-1]}).to_csv(table)
    assert "its data have changed: column" in check([figure], tmp_path, find)["t"]


def test_what_was_drawn_before_an_interruption_is_recorded(home: Path) -> None:
    first = Figure("first", "noise_schedule", "c", "a", traces=("trace.npz",))
    second = Figure("second", "noise_schedule", "c", "a", traces=("trace.npz",))

    def find(figure: Figure) -> list[Path]:
        if figure is second:
            raise KeyboardInterrupt
        return figure.stored_inputs(home)

    with pytest.raises(KeyboardInterrupt):
        draw([first, second], home / "out", find)
    assert {*read_lock(home / "out")} == {"first"}
    assert {path.suffix for path in (home / "out").iterdir()} == {".pdf", ".svg", ".png", ".csv", ".json"}
    assert check([first], home / "out", find) == {}


def test_where_nothing_is_drawn_nothing_is_made(tmp_path: Path) -> None:
    assert draw([], tmp_path / "out", lambda figure: []) == []
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "a.csv: expected a table with a header; got No columns to parse"),
        (b"\xff\xfe\x00", "a.csv: expected a table with a header; got 'utf-8' codec"),
        (b"x,y\n1,2\n", "a.csv: the table must have .*arm"),
    ],
)
def test_a_table_that_is_none_is_named(tmp_path: Path, text: bytes, message: str) -> None:
    (tmp_path / "a.csv").write_bytes(text)
    figure = Figure("f", "all_comparisons", "c", "a", table="a.csv")
    with pytest.raises(FigureError, match=message):
        draw([figure], tmp_path / "out", lambda figure: figure.stored_inputs(tmp_path))
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["{", "[]"])
def test_a_damaged_lock_is_named_before_anything_is_drawn(home: Path, text: str) -> None:
    (home / LOCK).write_text(text)
    figure = Figure("f", "noise_schedule", "c", "a", traces=("trace.npz",))
    with pytest.raises(FigureError, match=f"{LOCK}: expected the "):
        draw([figure], home, lambda figure: figure.stored_inputs(home))
    assert not (home / "f.csv").exists()
