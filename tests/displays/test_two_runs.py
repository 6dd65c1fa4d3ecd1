"""Two runs on the same axes: what is drawn is what each run's own trace says, and the difference is theirs."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import TwoRuns
from adar_viz.trace import Trace, TraceError, boundaries, counted_probability


@pytest.fixture
def other(law_trace):
    shorter = law_trace.take("epoch", range(3, 15)).take("pair", range(0, 120, 2))
    arrays = {**shorter.arrays, "score": shorter["score"] - 0.5, "hardness": shorter["hardness"] + 1}
    return Trace({**law_trace.meta, "negatives": "uniform(num_negatives=1)", "run": "other"}, arrays)


def test_lines_are_each_run_s_own_numbers_and_their_difference(law_trace, other):
    shown = TwoRuns.from_traces([law_trace, other]).plot()
    for line, trace in ((shown.first_, law_trace), (shown.second_, other)):
        median = np.median(trace["score"].astype(float), axis=(0, 2))
        np.testing.assert_allclose(line[0].get_ydata(), median)
        above = trace["pair_score"] > boundaries(trace)
        np.testing.assert_allclose(line[1].get_ydata(), counted_probability(trace)[above].mean(axis=0))
    common = np.arange(4, 16)
    np.testing.assert_array_equal(shown.first_[2].get_xdata(), common)
    np.testing.assert_array_equal(shown.first_[2].get_ydata(), law_trace["hardness"][3:15, 2])
    np.testing.assert_allclose(shown.difference_[2].get_ydata(), np.ones(12))
    evaluated = np.isfinite(other["metric"][:, 0])
    np.testing.assert_array_equal(shown.difference_[3].get_xdata(), common[evaluated])
    assert {line.get_linestyle() for line in shown.first_} != {line.get_linestyle() for line in shown.second_}


def test_a_run_against_itself_differs_nowhere(law_trace):
    shown = TwoRuns.from_trace(law_trace)
    assert np.nanmax(np.abs(shown.frame()["difference"])) == 0
    assert shown.names == ["adar #1", "adar #2"]


def test_marked_places_are_drawn_and_said(law_trace, other):
    shown = TwoRuns.from_traces([law_trace, other], names=["a", "b"], t=20, epoch=10).plot()
    assert [mark.get_xdata()[0] for mark in shown.mark_] == [20] * 4 + [10] * 4
    assert "b minus a: score of x_t" in shown.describe()
    assert "at t = 20" in shown.describe()
    assert "hardness of the drawn +1 at epoch = 10" in shown.describe()
    first, second, gap = shown.at(20, 10)["hardness of the drawn"]
    assert (first, second, gap) == (law_trace["hardness"][9, 2], other["hardness"][6, 2], pytest.approx(1))


def test_runs_that_share_no_axis_are_refused(law_trace, other):
    def changed(trace, **arrays):
        return Trace(trace.meta, {**trace.arrays, **arrays})

    short = {"alpha_bar": law_trace["alpha_bar"][:41], "score": law_trace["score"][:, :41]}
    kept = law_trace.without("walk", "walk_prediction", "transition_timestep")
    with pytest.raises(ValueError, match="T is 40 in 'law' and 50 in 'other'"):
        TwoRuns.from_traces([changed(kept, **short), other])
    with pytest.raises(ValueError, match="share some epochs; 'law' and 'other' have none"):
        TwoRuns.from_traces([law_trace.take("epoch", [0, 1]), other])
    with pytest.raises(ValueError, match="selected by the same metric; it is recall@20 in 'law' and ndcg@20"):
        TwoRuns.from_traces([law_trace.take("metric", [1, 0]), other])
    never = changed(other, metric=np.full_like(other["metric"], np.nan))
    with pytest.raises(ValueError, match="share some epoch at which both have validation ndcg@20"):
        TwoRuns.from_traces([law_trace, never])
    with pytest.raises(ValueError, match="epoch must be one that both runs have, 4 to 15; got 2"):
        TwoRuns.from_traces([law_trace, other], epoch=2)
    with pytest.raises(ValueError, match="t must be one that both runs have, 0 to 50; got 51"):
        TwoRuns.from_traces([law_trace, other], t=51)
    with pytest.raises(TraceError, match="lacks score"):
        TwoRuns.from_traces([law_trace, other.without("score")])
    with pytest.raises(ValueError, match="traces must be two; got 3"):
        TwoRuns.from_traces([law_trace] * 3)
    with pytest.raises(ValueError, match="must start above its boundary"):
        TwoRuns.from_traces([law_trace, changed(other, boundary=other["pair_score"] + 1)])
