"""Lines and bands are the recorded quantiles, on shared axes, one column for each run."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import DrawnScores
from adar_viz.trace import Trace, TraceError


@pytest.fixture
def other(law_trace):
    shorter = law_trace.take("epoch", range(12))
    arrays = {**shorter.arrays, "negative_score": shorter["negative_score"] * 3}
    return Trace({**law_trace.meta, "negatives": "uniform(num_negatives=1)"}, arrays)


def test_each_run_has_a_column_with_its_quantiles(law_trace, other):
    shown = DrawnScores.from_traces([law_trace, other]).plot()
    assert len(shown.axes_) == 4
    for i, trace in enumerate((law_trace, other)):
        for kind in ("negative_score", "positive_score", "catalogue_score", "gradient_weight"):
            line = shown.median_[kind][i]
            np.testing.assert_array_equal(line.get_xdata(), trace["epoch"])
            np.testing.assert_array_equal(line.get_ydata(), trace[kind][:, 2])
            band = shown.band_[kind][i].get_paths()[0].vertices
            assert band[:, 1].min() == trace[kind][:, 1].min()
            assert band[:, 1].max() == trace[kind][:, 3].max()
        np.testing.assert_array_equal(shown.mean_[i].get_ydata(), trace["gradient_weight_mean"])
        best = trace["epoch"][np.nanargmax(trace["metric"][:, 0])]
        assert shown.mark_[2 * i].get_xdata()[0] == best
    assert shown.axes_[0].get_ylim() == shown.axes_[1].get_ylim()
    assert len({ax.get_xlim() for ax in shown.axes_}) == 1
    assert [ax.get_title(loc="left") for ax in shown.axes_[:2]] == ["adar", "uniform"]


def test_kinds_differ_in_their_dashes(law_trace):
    shown = DrawnScores.from_trace(law_trace).plot()
    kinds = ("negative_score", "positive_score", "catalogue_score")
    assert len({shown.median_[kind][0].get_linestyle() for kind in kinds}) == 3


def test_the_table_holds_every_run_epoch_and_quantile(law_trace, other):
    table = DrawnScores.from_traces([law_trace, other], names=["a", "b"]).frame()
    assert len(table) == 4 * (20 + 12)
    row = table.query("run == 'b' and what == 'negative_score' and epoch == 5").iloc[0]
    assert row["q0.95"] == other["negative_score"][4, 4]


def test_what_cannot_be_compared_is_refused(law_trace):
    coarse = law_trace.take("quantile", [0, 2, 4])
    with pytest.raises(ValueError, match="the same quantiles"):
        DrawnScores.from_traces([law_trace, coarse])
    with pytest.raises(ValueError, match="traces must be 1 to 4; got 5"):
        DrawnScores.from_traces([law_trace] * 5)
    with pytest.raises(TraceError, match="lacks gradient_weight"):
        DrawnScores.from_trace(law_trace.without("gradient_weight"))


def test_an_epoch_can_be_marked_and_a_run_that_stopped_before_it_is_at_its_last(law_trace, other):
    shown = DrawnScores.from_traces([law_trace, other], names=["a", "b"], epoch=15).plot()
    assert [line.get_xdata()[0] for line in shown.mark_[::2]] == [15, 12]
    assert shown.describe().startswith("Median scores at epoch 15. a: negatives 0.37")
    with pytest.raises(ValueError, match="epoch must be at least 1, the first of 'law'; got 0"):
        DrawnScores.from_trace(law_trace).from_traces([law_trace], epoch=0)
