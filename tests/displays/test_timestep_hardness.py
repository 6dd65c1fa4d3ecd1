"""Counted bands and shares agree with the law; the boundary and t* stand where the trace says."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from adar_viz.displays import TimestepHardness
from adar_viz.trace import Trace


def test_counted_and_predicted_probability_agree(law_trace):
    shown = TimestepHardness.from_trace(law_trace)
    np.testing.assert_allclose(shown.counted, shown.predicted, atol=0.02)
    assert shown.counted[0] == shown.predicted[0] == 0


def test_a_wrong_noise_scale_shows_as_a_gap(law_trace):
    wrong = Trace(law_trace.meta, {**law_trace.arrays, "noise": law_trace["noise"] * 2})
    shown = TimestepHardness.from_trace(wrong)
    assert np.abs(shown.counted - shown.predicted).max() > 0.1


def test_one_pair_against_the_normal_distribution(law_trace):
    shown = TimestepHardness.from_trace(law_trace, pair=3).plot()
    s, n, b = (law_trace[name][3] for name in ("pair_score", "noise", "boundary"))
    a = np.sqrt(law_trace["alpha_bar"][30])
    assert shown.mean_.get_ydata()[30] == pytest.approx(a * s)
    assert shown.predicted_.get_ydata()[30] == pytest.approx(norm.cdf((b - a * s) / (n * np.sqrt(1 - a**2))))
    assert shown.boundary_.get_ydata()[0] == pytest.approx(b)
    assert shown.transition_[0].get_xdata()[0] == law_trace["transition_timestep"][3]
    assert str(law_trace["item_title"][law_trace["pair_item"][3]]) in shown.axes_[0].get_title(loc="left")
    counted = (law_trace["score"][3] < b).mean(axis=1)
    np.testing.assert_allclose(shown.frame()["p_counted"], counted)


def test_only_pairs_that_start_above_their_boundary_can_turn(law_trace):
    shown = TimestepHardness.from_trace(law_trace)
    assert len(shown.transition) == (law_trace["pair_score"] > law_trace["boundary"]).sum()
    assert shown.boundary_ if hasattr(shown, "boundary_") else shown.level == 0
    high = Trace(law_trace.meta, {**law_trace.arrays, "boundary": law_trace["pair_score"] + 1})
    with pytest.raises(ValueError, match="nothing to turn negative"):
        TimestepHardness.from_trace(high)
    with pytest.raises(ValueError, match=r"pair must lie in \[0, 120\); got 120"):
        TimestepHardness.from_trace(law_trace, pair=120)


def test_bands_are_quantiles_of_what_was_recorded(law_trace):
    shown = TimestepHardness.from_trace(law_trace, pair=0)
    np.testing.assert_allclose(shown.bands[2], np.quantile(law_trace["score"][0].astype(float), 0.5, axis=1))
    assert np.all(np.diff(shown.bands, axis=0) >= 0)
    assert shown.frame()["transition_share"].sum() == pytest.approx(1)
