"""Three walks of one pair: score, identity and titles of each are the trace's."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import WalkSources
from adar_viz.trace import Trace, walk_identity, walk_scores
from adar_viz.transition import probability_negative


def test_scores_and_ratios_are_those_of_the_walks(law_trace):
    shown = WalkSources.from_trace(law_trace).plot()
    for i, source in enumerate(("forward", "reverse", "renoise")):
        walk = law_trace["walk_source"].tolist().index(source)
        np.testing.assert_allclose(shown.score_[i].get_ydata(), walk_scores(law_trace)[walk])
        ratio = walk_identity(law_trace, walk)
        np.testing.assert_allclose(shown.identity_[i].get_ydata(), np.clip(ratio, -200, 200))
        assert shown.lost[i] == (int((ratio < 0).argmax()) if (ratio < 0).any() else -1)
    assert len({line.get_linestyle() for line in shown.score_}) == 3


def test_the_band_tells_the_law_s_probability(law_trace):
    shown = WalkSources.from_trace(law_trace)
    s, n = law_trace["pair_score"][0], law_trace["noise"][0]
    below = probability_negative(s, law_trace["alpha_bar"][1:], n, shown.band[0, 1:])
    np.testing.assert_allclose(below, 0.05, atol=1e-4)


def test_the_positive_itself_is_bold_and_verdicts_stand_above_the_columns(law_trace):
    shown = WalkSources.from_trace(law_trace, stops=3).plot()
    assert len(shown.titles_) == 9
    assert shown.titles_[0].get_weight() == "bold"
    assert shown.titles_[0].get_text().startswith("t = 0: ")
    title = shown.axes_[0].get_title(loc="left")
    assert title.startswith("forward: ")
    assert f"liked up to t = {shown.turned[0] - 1}" in title
    assert shown.frame().groupby("source").size().tolist() == [51, 51, 51]


def test_the_words_for_never_and_for_at_once(law_trace):
    high = Trace(law_trace.meta, {**law_trace.arrays, "boundary": np.full(120, 99.0)})
    low = Trace(law_trace.meta, {**law_trace.arrays, "boundary": np.full(120, -99.0)})
    assert "forward: not liked at t = 0" in WalkSources.from_trace(high).describe()
    assert "forward: liked throughout" in WalkSources.from_trace(low).describe()


def test_a_pair_without_all_three_walks_is_refused(law_trace):
    two = law_trace.take("walk", [0, 1])
    with pytest.raises(ValueError, match=r"walks from forward, reverse, renoise; pair 0 has \['forward', 'reverse'\]"):
        WalkSources.from_trace(two)
    with pytest.raises(ValueError, match=r"stops must lie in \[2, 51\]; got 1"):
        WalkSources.from_trace(law_trace, stops=1)
