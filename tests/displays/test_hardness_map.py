"""One row for each pair, sorted by score; its marks stand where the law and the trace say."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import HardnessMap
from adar_viz.trace import Trace, law_probability, what_if
from adar_viz.transition import Threshold


def test_rows_are_pairs_sorted_by_score_and_colours_are_the_law(law_trace):
    shown = HardnessMap.from_trace(law_trace).plot()
    order = np.argsort(law_trace["pair_score"], kind="stable")
    np.testing.assert_array_equal(shown.map_.get_array(), law_probability(law_trace)[order])
    assert shown.map_.get_cmap().name == "cividis"
    assert np.all(np.diff(shown.score) >= 0)
    assert shown.axes_[0].get_ylim()[0] < shown.axes_[0].get_ylim()[1], "the highest score on top"


def test_marks_stand_at_t_star_and_where_one_half_is_reached(law_trace):
    shown = HardnessMap.from_trace(law_trace).plot()
    order = np.argsort(law_trace["pair_score"], kind="stable")
    stars = np.array([segment[:, 0].mean() for segment in shown.transition_.get_segments()])
    np.testing.assert_array_equal(stars, law_trace["transition_timestep"][order])
    row = int(np.flatnonzero(shown.even > 0)[0])
    assert shown.probability[row, shown.even[row]] >= 0.5 > shown.probability[row, shown.even[row] - 1]
    assert len(shown.even_.get_segments()) == (shown.even >= 0).sum()


def test_the_title_counts_the_pairs_whose_t_star_comes_first(law_trace):
    at_half = HardnessMap.from_trace(what_if(law_trace, target=Threshold(0.5))).plot()
    free = ~at_half.clamped & ~at_half.already & (at_half.even >= 0)
    np.testing.assert_array_equal(at_half.transition[free], at_half.even[free])
    assert at_half.axes_[0].get_title(loc="left").startswith("t* lies before P = ½ in 0%")
    never = Trace(law_trace.meta, {**law_trace.arrays, "boundary": np.full(120, -99.0)})
    assert "one half in none" in HardnessMap.from_trace(never).plot().describe()
    title = HardnessMap.from_trace(never).plot().axes_[0].get_title(loc="left")
    assert title == "None of 120 pairs reaches P = ½ by noise"


def test_the_table_has_a_row_for_each_pair(law_trace):
    table = HardnessMap.from_trace(law_trace).frame()
    assert len(table) == 120
    assert table["p50"].iloc[0] == pytest.approx(HardnessMap.from_trace(law_trace).probability[0, 50])
    assert table["clamped"].sum() == law_trace["clamped"].sum()
    assert table["item"].iloc[-1] == law_trace["item_title"][law_trace["pair_item"][law_trace["pair_score"].argmax()]]
