"""Comparisons side by side: every difference stands at its arm and panel, whatever arms a comparison has."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure

from adar_viz.displays import AllComparisons
from tests.displays.legible import assert_legible

MADE = Path(__file__).parents[2] / "results" / "together.csv"


@pytest.fixture
def table() -> pd.DataFrame:
    """Five comparisons; the last one lacks an arm."""
    arms = [("uniform", "peer", 0.0), ("dns", "peer", 0.2), ("adar", "ADAR", 0.1), ("uniform(2)", "control", -0.1)]
    lines = []
    for number in range(5):
        for arm, role, relative in arms[: 3 if number == 4 else 4]:
            value = relative * (number - 1)
            line = {"comparison": f"set{number}-mf", "arm": arm, "label": arm, "role": role, "relative": value}
            line |= {"relative_low": value - 0.15, "relative_high": value + 0.05, "dataset": f"set{number}"}
            lines.append(line | {"data_checksum": str(number), "backbone": "mf", "seed": 0, "version": "0.1"})
    return pd.DataFrame(lines)


def test_marks_stand_at_the_numbers_of_the_table(table):
    shown = AllComparisons.from_table(table).plot()
    assert len(shown.axes_) == 5
    dns, adar, two = shown.intervals_["set3-mf"]
    assert dns.lines[0].get_xdata() == pytest.approx([0.4])
    assert [float(x) for x, _ in adar.lines[2][0].get_segments()[0]] == pytest.approx([0.05, 0.25])
    assert [text.get_text() for text in shown.axes_[0].get_yticklabels()] == ["dns", "adar", "uniform(2)"]
    assert [int(c.lines[0].get_ydata()[0]) for c in (dns, adar, two)] == [0, 1, 2]
    assert len(shown.intervals_["set4-mf"]) == 2  # the arm that this comparison lacks
    assert [text.get_text() for text in shown.legend_.get_texts()] == ["peer", "ADAR", "control"]
    assert shown.axes_[3].get_title(loc="left") == "set3\nmf"


def test_given_axes_are_as_many_as_there_are_comparisons(table):
    display, figure = AllComparisons.from_table(table), Figure()
    axes = figure.subplots(1, 5)
    assert display.plot(axes).figure_ is figure
    assert [ax.get_title(loc="left") for ax in axes] == [f"set{number}\nmf" for number in range(5)]
    with pytest.raises(ValueError, match="draws 5 panels; got 4 axes"):
        display.plot(axes[:4])


def test_the_sentence_counts(table):
    text = AllComparisons.from_table(table).describe()
    assert text.startswith("5 comparisons with uniform: dns is above it in 3 of 5 (in 3 by an interval above 0); adar ")
    assert "adar is above it in 3 of 5 (in 2 by an interval above 0)." in text


@pytest.mark.slow
@pytest.mark.parametrize("context", ["paper", "slides", "poster"])
def test_no_text_overlaps_another_in_the_table_that_was_made(context):
    assert_legible(AllComparisons.from_table(pd.read_csv(MADE)).plot(context=context))


def test_a_table_and_its_file_give_the_same_picture(table, tmp_path):
    read = pd.read_csv(io.StringIO(table.to_csv(index=False, float_format="%.6g")))
    first, again = (
        AllComparisons.from_table(t).save(tmp_path / name, ["png"]) for t, name in [(table, "a"), (read, "b")]
    )
    assert first[0].read_bytes() == again[0].read_bytes()
    changed = AllComparisons.from_table(table.assign(relative=np.arange(len(table)) / 7))
    assert changed.stamp["run"] != AllComparisons.from_table(table).stamp["run"]


def test_a_wrong_table_is_refused_by_name(table):
    with pytest.raises(ValueError, match="it lacks role"):
        AllComparisons.from_table(table.drop(columns="role"))
    with pytest.raises(ValueError, match="a row for each comparison and arm; got none"):
        AllComparisons.from_table(table.head(0))
