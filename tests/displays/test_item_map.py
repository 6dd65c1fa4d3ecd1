"""The exact plane beside a map: both count how many items are on the side of their score."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import ItemMap
from adar_viz.trace import Trace, TraceError, neighbours


def test_the_plane_has_a_boundary_and_the_map_has_none(law_trace):
    shown = ItemMap.from_trace(law_trace, user=3).plot()
    plane, chart = shown.axes_
    assert shown.boundary_ in plane.lines
    assert not [line for line in chart.lines if line.get_linestyle() == "-" and len(line.get_xdata()) == 2]
    assert shown.right_plane == 1
    line = shown.boundary_.get_xdata()[0]
    assert (shown.above_[0].get_xdata() >= line).all()
    assert (shown.below_[0].get_xdata() < line).all()
    np.testing.assert_allclose(shown.above_[1].get_xydata(), shown.xy[shown.above])


def test_the_share_on_the_map_equals_a_naive_loop(law_trace):
    shown = ItemMap.from_trace(law_trace, user=3, k=5)
    near = neighbours(shown.xy, 5)
    right = [sum(shown.above[j] for j in near[i]) > 2.5 for i in np.flatnonzero(shown.above)]
    assert shown.right_map == pytest.approx(np.mean(right))


def test_a_map_of_noise_says_so(law_trace):
    noise = np.random.default_rng(0).standard_normal((240, 2))
    shown = ItemMap.from_trace(Trace(law_trace.meta, {**law_trace.arrays, "item_map": noise}), user=3).plot()
    assert shown.trustworthiness == pytest.approx(0.5, abs=0.08)
    assert shown.right_map < 0.2
    assert f"trustworthiness {shown.trustworthiness:.2f}" in shown.axes_[1].get_xlabel()


def test_a_trace_without_a_map_is_refused(law_trace):
    with pytest.raises(TraceError, match="lacks item_map"):
        ItemMap.from_trace(law_trace.without("item_map"))
