"""Shares, their intervals and the groups are drawn as recorded."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import FalseNegatives
from adar_viz.trace import Trace


@pytest.fixture
def other(law_trace):
    arrays = {**law_trace.arrays, "false_negative": law_trace["false_negative"] / 2}
    return Trace({**law_trace.meta, "negatives": "uniform(num_negatives=1)"}, arrays)


def test_lines_bands_and_groups_are_what_was_recorded(law_trace, other):
    shown = FalseNegatives.from_traces([law_trace, other]).plot()
    best = int(np.nanargmax(law_trace["metric"][:, 0]))
    for i, trace in enumerate((law_trace, other)):
        np.testing.assert_array_equal(shown.share_[i].get_ydata(), trace["false_negative"])
        np.testing.assert_array_equal(shown.gradient_[i].get_ydata(), trace["false_negative_gradient"])
        band = shown.interval_[i].get_paths()[0].vertices[:, 1]
        assert band.max() == trace["false_negative_interval"].max()
        for kind in ("activity", "popularity"):
            points, _, (bars,) = shown.group_[kind][i].lines
            np.testing.assert_array_equal(points.get_ydata(), trace[f"false_negative_by_{kind}"][best])
            ends = np.array([segment[:, 1] for segment in bars.get_segments()])
            np.testing.assert_allclose(ends, trace[f"false_negative_by_{kind}_interval"][best])
    assert len({ax.get_ylim() for ax in shown.axes_}) == 1
    assert len({line.get_linestyle() for line in shown.share_}) == 2


def test_groups_are_named_by_their_range(law_trace):
    shown = FalseNegatives.from_trace(law_trace).plot()
    labels = [tick.get_text() for tick in shown.axes_[2].get_xticklabels()]
    assert labels == ["few\n3 to 9", "some\n10 to 30", "many\n31 to 90"]


def test_an_empty_group_is_left_out_and_said(law_trace):
    ranges = law_trace["user_group_activity"].copy()
    share = law_trace["false_negative_by_activity"].copy()
    ranges[2], share[:, 2] = np.nan, np.nan
    arrays = {**law_trace.arrays, "user_group_activity": ranges, "false_negative_by_activity": share}
    shown = FalseNegatives.from_trace(Trace(law_trace.meta, arrays)).plot()
    assert shown.axes_[2].get_xticklabels()[2].get_text() == "many\nnone"
    assert np.isnan(shown.group_["activity"][0].lines[0].get_ydata()[2])


def test_the_table_tells_the_distance_of_synthetic_negatives(law_trace):
    table = FalseNegatives.from_trace(law_trace).frame()
    assert table["synthetic_distance"].tolist() == [0.1] * 20
    assert table["popularity_3"].tolist() == law_trace["false_negative_by_popularity"][:, 2].tolist()


def test_runs_with_other_groups_are_refused(law_trace):
    arrays = {**law_trace.arrays, "item_group_popularity": law_trace["item_group_popularity"] + 1}
    with pytest.raises(ValueError, match="runs must share their groups by popularity"):
        FalseNegatives.from_traces([law_trace, Trace(law_trace.meta, arrays)])
