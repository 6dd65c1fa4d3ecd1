"""Each sampler stands where its numbers say, at the epoch its run kept."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from adar_viz.displays import HardnessPlane
from adar_viz.trace import Trace, TraceError


def with_rate(trace, factor, **meta):
    arrays = {**trace.arrays, "false_negative": trace["false_negative"] * factor}
    arrays["negative_percentile"] = np.clip(trace["negative_percentile"] * factor, 0, 1)
    arrays["false_negative_interval"] = np.repeat(arrays["false_negative"][:, None], 2, axis=1)
    return Trace({**trace.meta, **meta}, arrays)


@pytest.fixture
def runs(law_trace):
    samplers = {"uniform(num_negatives=1)": 0.5, "dns(n=1)": 1.5, "dns(n=4)": 1.1}
    return [with_rate(law_trace, factor, negatives=line) for line, factor in samplers.items()]


def test_points_are_the_medians_at_the_best_epoch(runs):
    shown = HardnessPlane.from_traces(runs).plot()
    best = int(np.nanargmax(runs[0]["metric"][:, 0]))
    for i, trace in enumerate(runs):
        left, right = shown.point_[i], shown.point_[3 + i]
        assert left.get_xdata()[0] == trace["hardness"][best, 2]
        assert right.get_xdata()[0] == trace["negative_percentile"][best, 2]
        assert left.get_ydata()[0] == right.get_ydata()[0] == trace["false_negative"][best]
        np.testing.assert_array_equal(shown.trail_[i].get_ydata(), trace["false_negative"][: best + 1])
    assert shown.frame().query("kept")["epoch"].tolist() == [runs[0]["epoch"][best]] * 3


def test_bars_hold_the_chance_of_which_rows_were_seen_and_what_was_recorded(runs, law_trace):
    shown = HardnessPlane.from_traces(runs)
    run, trace = shown.runs[0], runs[0]
    for epoch in (0, 19):
        number = int(trace["judged_draws"][epoch])
        wilson = binomtest(round(trace["false_negative"][epoch] * number), number).proportion_ci(method="wilson")
        assert (run.low[epoch], run.high[epoch]) == pytest.approx((wilson.low, wilson.high), abs=2e-4)
    recorded = HardnessPlane.from_trace(law_trace).runs[0]
    np.testing.assert_array_equal(recorded.low, law_trace["false_negative_interval"][:, 0])


def test_samplers_differ_in_shape_and_are_named_at_their_points(runs):
    shown = HardnessPlane.from_traces(runs).plot()
    assert len({point.get_marker() for point in shown.point_}) == 3
    assert [text.get_text() for text in shown.labels_] == ["uniform", "dns (n=1)", "dns (n=4)"] * 2
    assert HardnessPlane.from_traces(runs, names=["a", "b", "c"]).plot().labels_[1].get_text() == "b"


def test_the_title_says_what_was_found(runs):
    assert HardnessPlane.from_traces(runs).order() == 1
    assert "more often false" in HardnessPlane.from_traces(runs).plot().axes_[0].get_title(loc="left")
    rates = [t["false_negative"] for t in runs[::-1]]
    turned = [Trace(t.meta, {**t.arrays, "false_negative": r}) for t, r in zip(runs, rates, strict=True)]
    assert "more often" not in HardnessPlane.from_traces(turned).plot().axes_[0].get_title(loc="left")


def test_what_cannot_be_compared_is_refused(law_trace, runs):
    with pytest.raises(TraceError, match="lacks false_negative"):
        HardnessPlane.from_traces([*runs, law_trace.without("false_negative")])
    with pytest.raises(ValueError, match="traces must be 1 to 8; got 0"):
        HardnessPlane.from_traces([])
    with pytest.raises(ValueError, match="names must be 3, one for each trace; got 1"):
        HardnessPlane.from_traces(runs, names=["a"])
