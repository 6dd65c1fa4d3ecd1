"""`adar-viz figures --check` finds the figure that no longer matches its data."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pandas as pd
import pytest

from adar_viz.figures import LOCK, read_manifest
from adar_viz.figures.drawing import checksum as numbers_of
from adar_viz.trace import Trace
from tests.figures.conftest import MANIFEST, Command

ROOT = Path(__file__).parents[2]


def test_check_is_content_after_drawing(drawn: Path, from_trace: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert from_trace(drawn, "--check") == 0
    assert "2 of 2 figures match their data" in capsys.readouterr().out


def change(home: Path, what: str) -> None:
    if what == "data":
        trace = Trace.load(home / "trace.npz")
        Trace(trace.meta, {**trace.arrays, "score": trace["score"] - 1}).save(home / "trace.npz")
    elif what == "run":
        trace = Trace.load(home / "trace.npz")
        Trace({**trace.meta, "seed": 1, "version": "9.9.9"}, trace.arrays).save(home / "trace.npz")
    elif what == "manifest":
        (home / "manifest.toml").write_text(MANIFEST.replace("pair = 0", "pair = 1"))
    elif what == "missing":
        (home / "out" / "one_pair.svg").unlink()
    elif what == "edited":
        (home / "out" / "one_pair.png").write_bytes(b"other")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("data", "one_pair: its data have changed: column q0.05"),
        ("run", "one_pair: its run has changed: seed"),
        ("manifest", "one_pair: its entry in the manifest has changed"),
        ("missing", "one_pair: one_pair.svg is missing"),
        ("edited", "one_pair: one_pair.png is not the file that was drawn"),
    ],
)
def test_check_names_the_figure_that_is_out_of_date_and_why(
    drawn: Path, from_trace: Command, capsys: pytest.CaptureFixture[str], what: str, reason: str
) -> None:
    change(drawn, what)
    assert from_trace(drawn, "--check") == 1
    out = capsys.readouterr().out
    assert reason in out
    assert f"{0 if what == 'run' else 1} of 2 figures match" in out


def test_check_names_what_was_never_drawn(home: Path, from_trace: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert from_trace(home, "--check") == 1
    assert "schedule: it was never drawn" in capsys.readouterr().out


def test_numbers_that_a_new_training_may_change_are_no_change(drawn: Path, from_trace: Command) -> None:
    trace = Trace.load(drawn / "trace.npz")
    Trace(trace.meta, {**trace.arrays, "score": trace["score"] * 1.03}).save(drawn / "trace.npz")
    assert from_trace(drawn, "--check") == 0


def test_the_committed_figures_are_those_of_the_manifest() -> None:
    """Without training: entries, files and the data set; `make test` compares the numbers, too."""
    folder = ROOT / "figures"
    lock = json.loads((folder / LOCK).read_text())
    figures = read_manifest(folder / "manifest.toml")
    assert set(lock) == {figure.id for figure in figures}
    checksum = Trace.load(ROOT / "notebooks" / "traces" / "demo.npz").meta["data_checksum"]
    for figure in figures:
        record = lock[figure.id]
        assert record["recipe"] == figure.recipe(), f"{figure.id}: draw it again"
        if figure.table:
            assert record["inputs"] == [numbers_of(pd.read_csv(table)) for table in figure.stored_inputs(folder)]
        else:
            assert {then["data_checksum"] for then in record["facts"]} == {checksum}
        for name, digest in record["sha256"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
