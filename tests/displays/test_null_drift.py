"""The control shows drift where only the axes turned, and none once they are turned back."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import NullDrift
from adar_viz.trace import Trace


def test_procrustes_takes_the_turn_out_and_leaves_the_noise(law_trace):
    shown = NullDrift.from_trace(law_trace)
    raw, null, real = shown.drift
    assert raw > 0.5
    assert null < 0.15
    assert real > 3 * null
    assert NullDrift.from_trace(law_trace, jitter=0.0).drift[1] < 1e-9
    assert NullDrift.from_trace(law_trace, jitter=0.5).drift[1] > 2 * null


def test_a_run_in_which_nothing_moved_looks_like_its_control(law_trace):
    rng = np.random.default_rng(0)
    x = law_trace["snapshot_item_embedding"][-1].astype(float)
    still = np.stack([x @ np.linalg.qr(rng.standard_normal((16, 16)))[0] for _ in range(6)])
    shown = NullDrift.from_trace(Trace(law_trace.meta, {**law_trace.arrays, "snapshot_item_embedding": still}))
    assert shown.drift[2] < shown.drift[1]
    assert shown.change[2] < 0.01


def test_trails_run_over_the_same_items_in_all_panels_and_numbers_are_printed(law_trace):
    shown = NullDrift.from_trace(law_trace, trails=7).plot()
    assert [len(panel) for panel in shown.trails_] == [7, 7, 7]
    for ax, drift in zip(shown.axes_, shown.drift, strict=True):
        assert f"drift {drift:.2f}" in ax.get_title(loc="left")
        assert "of the variance" in ax.get_xlabel()
    table = shown.frame()
    assert len(table) == 3 * 7 * 5
    one = table[(table["panel"] == table["panel"].iloc[-1]) & (table["item"] == shown.item[2])]
    np.testing.assert_allclose(shown.trails_[2][2].get_xdata(), one["x"])


def test_only_the_popular_items_are_looked_at(law_trace):
    shown = NullDrift.from_trace(law_trace, popular=20)
    count = law_trace["item_popularity"][law_trace["snapshot_item"]]
    assert law_trace["item_popularity"][shown.all].min() >= np.sort(count)[-20]
    with pytest.raises(ValueError, match="since must leave two"):
        NullDrift.from_trace(law_trace, since=20)
