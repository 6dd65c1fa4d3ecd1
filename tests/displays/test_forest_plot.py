"""A forest plot draws the table's numbers, tells roles apart without colour, and refuses a wrong table."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from adar_viz.displays import ForestPlot
from adar_viz.displays.intervals import LOOKS
from tests.displays.legible import assert_legible

COMPARISONS = sorted((Path(__file__).parents[2] / "results").glob("*-*.csv"))

STAMP = {"dataset": "planted", "data_checksum": "0a1b", "backbone": "mf", "seed": 0, "version": "0.1"}


@pytest.fixture
def table() -> pd.DataFrame:
    arms = [
        ("uniform", "peer", ""),
        ("dns", "peer", ""),
        ("adar", "ADAR", ""),
        ("uniform(2)", "control", "two of them"),
    ]
    lines = []
    for i, (arm, role, about) in enumerate(arms):
        for metric, scale in (("ndcg@20", 1.0), ("recall@20", 2.0)):
            mean = scale * (0.2 + 0.01 * i)
            line = {"arm": arm, "role": role, "about": about, "metric": metric, "best_epoch": 10.0 + i}
            line |= {"mean": mean, "low": mean - 0.02, "high": mean + 0.03}
            line |= {"difference": 0.01 * i, "difference_low": 0.01 * i - 0.004, "difference_high": 0.01 * i + 0.005}
            lines.append(line)
    return pd.DataFrame(lines).assign(**STAMP)


def ends(container) -> list[float]:
    """The first interval's two ends."""
    return [float(x) for x, _ in container.lines[2][0].get_segments()[0]]


def test_marks_stand_at_the_numbers_of_the_table(table):
    shown = ForestPlot.from_table(table, "recall@20").plot()
    peers, adar, control = shown.means_
    np.testing.assert_allclose(peers.lines[0].get_xdata(), [0.4, 0.42])
    assert ends(adar) == pytest.approx([0.42, 0.47])
    assert control.lines[0].get_ydata() == [3]
    assert shown.differences_[0].lines[0].get_ydata().tolist() == [1]  # not the reference's to itself
    assert ends(shown.differences_[1]) == pytest.approx([0.016, 0.025])
    assert shown.reference_.get_xdata()[0] == 0.4
    assert [x for line in shown.epochs_ for x in line.get_xdata()] == [10, 11, 12, 13]


@pytest.mark.slow
@pytest.mark.parametrize("context", ["paper", "slides", "poster"])
@pytest.mark.parametrize("path", COMPARISONS, ids=lambda path: path.stem)
def test_no_text_overlaps_another_in_the_comparisons_that_were_made(path, context):
    assert_legible(ForestPlot.from_table(pd.read_csv(path)).plot(context=context))


def test_roles_differ_in_shape_and_arms_are_named(table):
    shown = ForestPlot.from_table(table, "ndcg@20").plot()
    assert len({(c.lines[0].get_marker(), c.lines[0].get_markerfacecolor() == "white") for c in shown.means_}) == 3
    assert len({look["marker"] for look in LOOKS.values()}) == 3
    assert [text.get_text() for text in shown.axes_[0].get_yticklabels()] == ["uniform", "dns", "adar", "two of them"]
    assert [text.get_text() for text in shown.axes_[0].get_legend().get_texts()] == ["peer", "ADAR", "control"]


def test_the_sentence_and_the_frame_give_the_numbers(table):
    shown = ForestPlot.from_table(table, "ndcg@20")
    assert shown.describe() == (
        "4 arms by ndcg@20 on test: uniform has 0.2000; adar lies +0.0200 from it (+0.0160 to +0.0250); "
        "the highest mean, 0.2300, is that of uniform(2)."
    )
    np.testing.assert_allclose(shown.frame()["mean"], [0.2, 0.21, 0.22, 0.23])


def test_a_table_read_from_csv_gives_the_same_bytes_and_other_numbers_another_stamp(table, tmp_path):
    read = pd.read_csv(io.StringIO(table.to_csv(index=False, float_format="%.6g")))
    first, again = (ForestPlot.from_table(t, "ndcg@20") for t in (table, read))
    for one, other in zip(first.save(tmp_path / "a"), again.save(tmp_path / "b"), strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name
    changed = table.assign(mean=table["mean"] + 0.001)
    assert ForestPlot.from_table(changed, "ndcg@20").stamp["run"] != first.stamp["run"]


def test_a_wrong_table_is_refused(table):
    with pytest.raises(ValueError, match="it lacks role"):
        ForestPlot.from_table(table.drop(columns="role"), "ndcg@20")
    with pytest.raises(ValueError, match="one of ndcg@20, recall@20; got 'mrr'"):
        ForestPlot.from_table(table, "mrr")
