"""A walk's scores, its boundary and the titles of the items it passes."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import Walk
from adar_viz.trace import Trace


def test_scores_boundary_and_transition_are_the_trace_s(law_trace):
    shown = Walk.from_trace(law_trace, source=None).plot()
    assert shown.source == ["forward", "reverse", "renoise"]
    expected = law_trace["walk"][0].astype(float) @ law_trace["walk_query"][0].astype(float)
    np.testing.assert_allclose(shown.score_[0].get_ydata(), expected, rtol=1e-5)
    assert shown.boundary_.get_ydata()[0] == pytest.approx(law_trace["boundary"][0])
    assert shown.transition_.get_xdata()[0] == law_trace["transition_timestep"][0]
    assert len({line.get_linestyle() for line in shown.score_}) == 3


def test_at_t_0_the_nearest_item_is_the_positive_itself_and_bold(law_trace):
    shown = Walk.from_trace(law_trace, stops=4, k=2).plot()
    assert shown.stop.tolist() == [0, 17, 33, 50]
    assert shown.nearest[0, 0] == law_trace["pair_item"][0]
    assert shown.cosine[0, 0] == pytest.approx(1)
    assert len(shown.titles_) == 8
    assert shown.titles_[0].get_weight() == "bold"
    assert shown.titles_[1].get_weight() == "normal"
    assert "\n".join(t.get_text() for t in shown.titles_).count("Night") == 8


def test_the_nearest_items_change_along_the_walk_and_stand_in_the_table(law_trace):
    table = Walk.from_trace(law_trace).frame()
    first, last = table[table["t"] == 0], table[table["t"] == 50]
    assert set(first["item"]) != set(last["item"])
    assert table["title"].iloc[0] == law_trace["item_title"][table["item"].iloc[0]]


def test_pairs_without_a_walk_and_impossible_stops_are_refused(law_trace):
    with pytest.raises(ValueError, match=r"\(0, 'forward'\).*; got 7, 'forward'"):
        Walk.from_trace(law_trace, pair=7)
    with pytest.raises(ValueError, match=r"stops must lie in \[2, 51\]; got 1"):
        Walk.from_trace(law_trace, stops=1)


def test_one_source_is_shown_unless_all_are_asked_for(law_trace):
    assert Walk.from_trace(law_trace).source == ["forward"]
    assert Walk.from_trace(law_trace, source="reverse").source == ["reverse"]
    with pytest.raises(ValueError, match=r"source must be one of \['forward', 'renoise', 'reverse'\]; got 'sideways'"):
        Walk.from_trace(law_trace, source="sideways")


def test_the_title_says_whether_this_walk_turned(law_trace):
    shown = Walk.from_trace(law_trace).plot()
    turned = int((shown.score[0] < shown.boundary).argmax())
    assert f"turns negative at t = {turned}" in shown.axes_[0].get_title(loc="left")
    low = Trace(law_trace.meta, {**law_trace.arrays, "boundary": np.full(120, -99.0)})
    assert "stays positive on this walk" in Walk.from_trace(low).plot().axes_[0].get_title(loc="left")
