"""Only evaluated epochs are drawn, the best one is marked, and bands are the recorded quantiles."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import TrainingCurves
from adar_viz.trace import Trace, TraceError


def test_epochs_without_an_evaluation_are_left_out(law_trace):
    shown = TrainingCurves.from_trace(law_trace).plot()
    assert len(shown.metric_) == 2
    seen = np.isfinite(law_trace["metric"][:, 0])
    np.testing.assert_array_equal(shown.metric_[0].get_xdata(), law_trace["epoch"][seen])
    best = np.nanargmax(law_trace["metric"][:, 0])
    assert shown.best_.get_xdata() == [law_trace["epoch"][best]]


def test_bands_and_median_are_the_recorded_quantiles(law_trace):
    shown = TrainingCurves.from_trace(law_trace).plot()
    np.testing.assert_array_equal(shown.median_.get_ydata(), law_trace["hardness"][:, 2])
    edge = shown.hardness_[0].get_paths()[0].vertices[:, 1]
    assert edge.min() == law_trace["hardness"][:, 0].min()
    assert edge.max() == law_trace["hardness"][:, 4].max()


def test_a_run_that_was_never_evaluated_says_so_and_a_trace_without_training_is_refused(law_trace):
    metric = np.full_like(law_trace["metric"], np.nan)
    shown = TrainingCurves.from_trace(Trace(law_trace.meta, {**law_trace.arrays, "metric": metric})).plot()
    assert "was not evaluated" in shown.describe()
    assert not hasattr(shown, "best_")
    with pytest.raises(TraceError, match="lacks epoch, hardness"):
        TrainingCurves.from_trace(law_trace.without("epoch", "hardness"))


def test_epochs_without_recorded_hardness_leave_a_gap(law_trace):
    hardness = law_trace["hardness"].copy()
    hardness[[0, -1]] = np.nan
    shown = TrainingCurves.from_trace(Trace(law_trace.meta, {**law_trace.arrays, "hardness": hardness})).plot()
    assert "nan" not in shown.describe()
    nothing = np.full_like(hardness, np.nan)
    empty = TrainingCurves.from_trace(Trace(law_trace.meta, {**law_trace.arrays, "hardness": nothing})).plot()
    assert "hardness was not recorded" in empty.describe()


def test_metrics_are_chosen_by_name_and_a_wrong_one_lists_the_valid_ones(law_trace):
    assert list(TrainingCurves.from_trace(law_trace).metric) == ["ndcg@20", "recall@20"]
    assert list(TrainingCurves.from_trace(law_trace, metrics=["recall@20"]).metric) == ["recall@20"]
    with pytest.raises(ValueError, match="one to four of ndcg@20, recall@20; got mrr"):
        TrainingCurves.from_trace(law_trace, metrics=["mrr"])
