"""Alignment, uniformity, norms and spectrum over epochs, and what a planted collapse looks like."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import SpaceUse
from adar_viz.trace import Trace, alignment, uniformity


def test_the_curves_are_the_measures_of_each_snapshot(law_trace):
    shown = SpaceUse.from_trace(law_trace).plot()
    items = law_trace["snapshot_item_embedding"].astype(float)
    observed = law_trace["snapshot_user_observed"][:, law_trace["snapshot_item"]]
    expected = [alignment(u, x, observed) for u, x in zip(law_trace["snapshot_user_embedding"], items, strict=True)]
    np.testing.assert_allclose(shown.alignment_.get_ydata(), expected)
    np.testing.assert_allclose(shown.uniformity_[0].get_ydata(), [uniformity(x) for x in items])
    np.testing.assert_allclose(shown.norm_.get_ydata(), np.median(np.linalg.norm(items, axis=2), axis=1))
    assert shown.alignment[-1] < shown.alignment[0]
    assert len({line.get_linestyle() for line in shown.spectrum_}) == 3


def test_a_collapse_shows_in_every_panel(law_trace):
    x = law_trace["snapshot_item_embedding"].astype(float).copy()
    direction = np.ones(x.shape[-1])
    share = np.linspace(0, 1, len(x))[:, None, None]
    x = (1 - share) * x + share * direction * np.linspace(1, 30, x.shape[1])[:, None]
    shown = SpaceUse.from_trace(Trace(law_trace.meta, {**law_trace.arrays, "snapshot_item_embedding": x}))
    assert shown.uniformity[-1, 0] == pytest.approx(0, abs=1e-9)
    assert shown.rank[-1] == pytest.approx(1)
    assert shown.rank[0] > 5
    assert shown.norm[-1, -1] > 5 * shown.norm[0, -1]
    np.testing.assert_allclose(shown.spectrum[-1], [1] + [0] * 15, atol=1e-9)
    assert "effective rank" in shown.describe()


def test_without_users_the_items_are_measured_alone(law_trace):
    shown = SpaceUse.from_trace(law_trace.without("snapshot_user_embedding", "snapshot_user_observed")).plot()
    assert np.isnan(shown.alignment).all()
    assert np.isfinite(shown.uniformity[:, 0]).all()
    assert "nan" not in shown.describe()
    assert "users" not in shown.describe()


def test_two_items_that_lie_further_apart_than_many_can_stay_in_the_picture(law_trace):
    x = law_trace["snapshot_item_embedding"][:, :2].copy()
    x[:, 1] = -x[:, 0]
    arrays = {**law_trace.arrays, "snapshot_item": law_trace["snapshot_item"][:2], "snapshot_item_embedding": x}
    names = [name for name in arrays if name.startswith("snapshot_user")]
    few = {name: values for name, values in arrays.items() if name not in names and "map" not in name}
    shown = SpaceUse.from_trace(Trace(law_trace.meta, few)).plot()
    assert shown.uniformity[-1, 0] == pytest.approx(-8)
    low, _ = shown.uniformity_[0].axes.get_ylim()
    assert low < -8
