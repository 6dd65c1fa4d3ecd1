"""Every pair is counted once, in the bar of its t*, by whether it could choose."""

from __future__ import annotations

import numpy as np

from adar_viz.displays import TransitionHistogram
from adar_viz.trace import already_negative, what_if
from adar_viz.transition import Constant, Threshold


def test_each_pair_is_counted_once_and_by_kind(law_trace):
    shown = TransitionHistogram.from_trace(law_trace).plot()
    t, already = law_trace["transition_timestep"], already_negative(law_trace)
    np.testing.assert_array_equal(shown.count.sum(axis=0), np.bincount(t, minlength=51))
    np.testing.assert_array_equal(shown.count[2], np.bincount(t[already], minlength=51))
    assert shown.count[1].sum() == (law_trace["clamped"] & ~already).sum()
    top = [bar.get_y() + bar.get_height() for bar in shown.bars_[2]]
    np.testing.assert_array_equal(top, shown.count.sum(axis=0))
    assert shown.median_.get_xdata()[0] == np.median(t)
    assert shown.frame()[["chosen", "clamped", "already_negative"]].to_numpy().sum() == 120


def test_kinds_differ_in_more_than_colour(law_trace):
    shown = TransitionHistogram.from_trace(law_trace).plot()
    assert len({bars[0].get_hatch() for bars in shown.bars_}) == 3


def test_a_boundary_that_nothing_crosses_leaves_nobody_a_choice(law_trace):
    shown = TransitionHistogram.from_trace(what_if(law_trace, target=Threshold(), boundary=Constant(0))).plot()
    assert shown.count[0].sum() == 0
    assert shown.count[1, 48] == shown.count[1].sum() > 0
    assert shown.axes_[0].get_title(loc="left") == "0% of 120 pairs: positive at first, t* chosen freely"
