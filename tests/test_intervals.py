"""Intervals of a comparison: how often they hold a truth that is known, because it was made."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.comparison.bootstrap import bootstrap, intervals, widen

REPEATS, USERS = 1000, 150


def coverage(num_seeds: int, of_users: float, of_seeds: float) -> tuple[float, float]:
    """Share of repeats in which plain quantiles, and the intervals, hold the mean of 0."""
    rng, plain, stretched = np.random.default_rng(1), 0, 0
    for _ in range(REPEATS):
        of_user = rng.normal(0, of_users * USERS**0.5, USERS)
        values = of_user + rng.normal(0, of_seeds * num_seeds**0.5, (1, num_seeds, 1))
        drawn = bootstrap(values, 400, rng)
        least, most = np.quantile(drawn[0], (0.025, 0.975))
        (low,), (high,) = intervals(drawn, values.mean(2))
        plain, stretched = plain + (least <= 0 <= most), stretched + (low <= 0 <= high)
    return plain / REPEATS, stretched / REPEATS


@pytest.mark.slow
@pytest.mark.parametrize(("num_seeds", "plain"), [(2, 0.70), (3, 0.83), (5, 0.90)])
def test_few_seeds_that_alone_matter_are_covered(num_seeds: int, plain: float) -> None:
    quantiles, found = coverage(num_seeds, of_users=0, of_seeds=1)
    assert quantiles < plain
    assert 0.91 < found < 0.98


@pytest.mark.slow
@pytest.mark.parametrize("of_seeds", [0.1, 1.0])
def test_users_and_seeds_together_are_covered(of_seeds: float) -> None:
    quantiles, found = coverage(3, of_users=1, of_seeds=of_seeds)
    assert found >= quantiles
    assert 0.92 < found < 0.985


def test_one_seed_and_no_spread_stay_as_they_are() -> None:
    low, high = np.array([0.0, -1.0]), np.array([0.0, 1.0])
    for by_seed in (np.zeros((2, 1)), np.zeros((2, 3))):
        np.testing.assert_allclose(widen(low, high, by_seed), (low, high), atol=1e-9)
