"""Alignment, uniformity and rank on points placed by hand, and what a collapse does to them."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.trace import alignment, effective_rank, singular_values, uniformity


def test_alignment_is_the_mean_squared_distance_of_observed_pairs_on_the_sphere():
    user, item = np.array([[2.0, 0.0]]), np.array([[5.0, 0.0], [0.0, 0.1], [-3.0, 0.0]])
    for place, expected in enumerate((0.0, 2.0, 4.0)):
        assert alignment(user, item, np.arange(3)[None] == place) == pytest.approx(expected)
    assert alignment(user, item, np.array([[True, True, False]])) == pytest.approx(1.0)
    assert np.isnan(alignment(user, item, np.zeros((1, 3), dtype=bool)))


def test_uniformity_equals_a_naive_loop_and_is_0_in_a_collapse():
    x = np.random.default_rng(0).standard_normal((20, 5))
    unit = x / np.linalg.norm(x, axis=1, keepdims=True)
    pairs = [np.exp(-2 * ((unit[i] - unit[j]) ** 2).sum()) for i in range(20) for j in range(i)]
    assert uniformity(x) == pytest.approx(np.log(np.mean(pairs)))
    assert uniformity(np.outer(np.arange(1, 9), [1.0, 2.0, 3.0])) == pytest.approx(0, abs=1e-12)
    even = np.random.default_rng(1).standard_normal((1500, 40))
    assert uniformity(even) == pytest.approx(-4 + 8 / 40, abs=0.02)


def test_the_effective_rank_counts_directions():
    rng = np.random.default_rng(2)
    assert effective_rank(singular_values(np.vstack([np.eye(4), -np.eye(4)]))) == pytest.approx(4)
    assert effective_rank(singular_values(rng.standard_normal((50, 1)) * np.ones((1, 4)))) == pytest.approx(1)
    assert effective_rank(singular_values(np.ones((5, 4)))) == 0
    two = rng.standard_normal((400, 2)) @ np.linalg.qr(rng.standard_normal((6, 6)))[0][:2]
    assert effective_rank(singular_values(two)) == pytest.approx(2, abs=0.05)
    few = singular_values(rng.standard_normal((3, 6)))
    assert few.shape == (6,)
    assert few[0] == 1


def test_few_points_lie_further_apart_than_many_can():
    assert uniformity(np.array([[1.0, 0.0], [-2.0, 0.0]])) == pytest.approx(-8)
    simplex = np.eye(5) - 1 / 5
    assert uniformity(simplex) == pytest.approx(-4 * 5 / 4)
