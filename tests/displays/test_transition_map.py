"""t* moves with the positive's score in the direction that each function promises."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import TransitionMap
from adar_viz.trace import Trace


@pytest.mark.parametrize(
    ("rule", "sign"), [("threshold", 1), ("ahns", 1), ("snr", 1), ("margin", -1), ("fixed", 0), ("relative", 1)]
)
def test_each_function_moves_as_promised(rule, sign, law_trace):
    t = TransitionMap.from_trace(law_trace).curve[rule]
    steps = np.diff(t[t.size // 2 :])
    assert np.all(steps * sign >= 0)
    assert (sign == 0) == (not steps.any())


def test_the_run_s_own_panel_shows_its_pairs_on_the_closed_form(law_trace):
    shown = TransitionMap.from_trace(law_trace).plot()
    assert shown.used == "margin"
    assert "(this run)" in shown.axes_[4].get_title(loc="left")
    assert "1.5" in shown.label["margin"]
    x, y = shown.observed_.get_data()
    assert len(x) == (~law_trace["clamped"]).sum()
    # An absolute margin depends on the score alone, so here the pairs lie on the line.
    alpha_bar = ((x - 1.5) / x) ** 2
    np.testing.assert_array_equal(y, np.searchsorted(-law_trace["alpha_bar"], -alpha_bar))
    curve = shown.curve_["margin"].get_data()
    assert np.abs(np.interp(x, *curve) - y).max() <= 1.5
    assert len(shown.clamped_.get_xdata()) == law_trace["clamped"].sum() > 0


def test_many_pairs_are_thinned_evenly_and_counted_in_the_table(law_trace):
    shown = TransitionMap.from_trace(law_trace, points=10)
    table = shown.frame()
    assert (table["kind"] != "law").sum() == 10
    assert table["score"][table["kind"] != "law"].max() == law_trace["pair_score"].max()
    assert set(table["rule"]) == {"threshold", "ahns", "snr", "relative", "margin", "fixed"}


def test_a_run_without_a_rule_shows_the_functions_alone(law_trace):
    meta = {k: v for k, v in law_trace.meta.items() if k != "target"}
    shown = TransitionMap.from_trace(Trace(meta, law_trace.arrays)).plot()
    assert shown.used == ""
    assert not hasattr(shown, "observed_")
    assert "The run used" not in shown.describe()


def test_pairs_that_score_at_most_0_are_counted_and_not_drawn(law_trace):
    score = law_trace["pair_score"].copy()
    score[:5] = -1.0
    shown = TransitionMap.from_trace(Trace(law_trace.meta, {**law_trace.arrays, "pair_score": score})).plot()
    assert shown.axes_[0].get_xlim()[0] >= 0
    assert "5 with a score of at most 0 are not drawn" in shown.describe()
    low = Trace(law_trace.meta, {**law_trace.arrays, "pair_score": -np.abs(score)})
    with pytest.raises(ValueError, match="some pair must score above 0"):
        TransitionMap.from_trace(low)
