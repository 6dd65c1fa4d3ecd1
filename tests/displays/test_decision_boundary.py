"""Which side of a user's boundary each point is drawn on, against the scores."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import DecisionBoundary
from adar_viz.trace import Trace


def test_every_item_is_drawn_on_the_side_that_its_score_says(law_trace):
    shown = DecisionBoundary.from_trace(law_trace).plot()
    score = law_trace["item_embedding"].astype(float) @ law_trace["walk_query"][0].astype(float)
    line = shown.boundary_.get_xdata()[0]
    assert line == pytest.approx(law_trace["boundary"][0])
    np.testing.assert_array_equal(shown.item_.get_offsets()[:, 0] < line, score < line)
    assert 0 < (score < line).mean() < 1
    assert shown.right_side == 1
    assert "100 % of the 294 points" in shown.describe()
    assert shown.negative_side_.get_hatch()


def test_the_share_on_the_right_side_is_counted_not_claimed(law_trace):
    score = law_trace["pair_score"].copy()
    score[1] = -99.0
    shown = DecisionBoundary.from_trace(Trace(law_trace.meta, {**law_trace.arrays, "pair_score": score})).plot()
    assert shown.right_side == pytest.approx(293 / 294)
    assert "99.6 %" in shown.describe()
    assert "99.6 %" in shown.axes_[0].get_title(loc="left")


def test_positives_walk_and_transition_are_the_trace_s(law_trace):
    shown = DecisionBoundary.from_trace(law_trace).plot()
    np.testing.assert_allclose(shown.positive_.get_xdata(), law_trace["pair_score"][:3], rtol=1e-5)
    expected = law_trace["walk"][0].astype(float) @ law_trace["walk_query"][0].astype(float)
    np.testing.assert_allclose(shown.path_.get_xdata(), expected)
    t = int(law_trace["transition_timestep"][0])
    assert shown.transition_.get_xdata() == pytest.approx(expected[t])
    assert t in shown.stop
    assert {0, 10, 20, 30, 40, 50} <= set(shown.stop.tolist())
    assert f"t* = {t}" in [label.get_text() for label in shown.labels_]


def test_the_table_has_a_row_for_each_point_and_items_stand_at_t_0(law_trace):
    table = DecisionBoundary.from_trace(law_trace).frame()
    assert table["kind"].value_counts().to_dict() == {"item": 240, "walk": 51, "positive": 3}
    assert (table.loc[table["kind"] != "walk", "t"] == 0).all()
    own = table[(table["kind"] == "item") & (table["item"] == law_trace["pair_item"][0])].iloc[0]
    start = table[(table["kind"] == "walk") & (table["t"] == 0)].iloc[0]
    np.testing.assert_allclose([own["score"], own["across"]], [start["score"], start["across"]], rtol=1e-5)


def test_another_source_can_be_shown_and_a_user_without_a_walk_is_refused(law_trace):
    assert DecisionBoundary.from_trace(law_trace, user=0).user == "u0"
    reverse = DecisionBoundary.from_trace(law_trace, source="reverse")
    assert not np.allclose(reverse.walk[1:], DecisionBoundary.from_trace(law_trace).walk[1:])
    with pytest.raises(ValueError, match=r"user must be one of whom a forward walk was recorded, \[0\]; got 3"):
        DecisionBoundary.from_trace(law_trace, user=3)


@pytest.mark.parametrize("b", [-99.0, 99.0])
def test_a_boundary_beyond_all_items_is_shown_with_both_sides(law_trace, b):
    trace = Trace(law_trace.meta, {**law_trace.arrays, "boundary": np.full(120, b)})
    shown = DecisionBoundary.from_trace(trace).plot()
    left, right = shown.axes_[0].get_xlim()
    assert left < b < right
    side = shown.negative_side_
    assert (side.get_x(), side.get_x() + side.get_width()) == pytest.approx((left, b))
    assert "never falls below it" in shown.describe() or b > 0
