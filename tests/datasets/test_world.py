from __future__ import annotations

import numpy as np
import pytest

from adar_viz.datasets import World, load, long_tail, ratio


def test_a_seed_makes_one_world_and_another_seed_another():
    assert World().interactions.checksum() == World().interactions.checksum()
    assert np.array_equal(World().preference, World().preference)
    assert World(seed=1).interactions.checksum() != World().interactions.checksum()


def test_it_has_the_size_that_it_says():
    world = World()
    assert len(world.interactions) > 10_000
    assert world.preference.shape == world.liked.shape == (600, 1000)


def test_every_observed_pair_was_liked_when_it_happened():
    world = World()
    pairs = world.interactions
    assert world.liked[pairs.user, pairs.item].all()
    share = (pairs.timestamp - 946_684_800) / (world.days * 86_400)
    begin, end = world.utility_at(0.0)[pairs.user, pairs.item], world.utility_at(1.0)[pairs.user, pairs.item]
    assert ((1 - share) * begin + share * end > -1e-6).all()
    assert len(pairs) < 0.3 * world.liked.sum()  # most of what is liked was never met


def test_titles_are_readable_and_unique():
    pairs = World().interactions
    assert len(set(pairs.title.tolist())) == pairs.num_items
    assert all(title.startswith("The ") and title.endswith(")") for title in pairs.title)
    assert all(pairs.genre)


def test_exposure_drift_and_quality_do_what_they_say():
    even, tailed = long_tail(World(exposure=0.0).interactions), long_tail(World().interactions)
    assert even.item_gini < tailed.item_gini - 0.15
    world = World()
    likers = world.liked.sum(axis=0)
    known = likers > 50
    met = world.interactions.popularity()[known] / likers[known]
    assert np.corrcoef(np.log(world.exposed[known]), np.log(met + 1e-3))[0, 1] > 0.8
    still = World(drift=0.0)
    assert np.allclose(still.utility_at(0.0), still.utility_at(1.0))
    assert World(drift=2.0).liked.mean() > World().liked.mean() > still.liked.mean()
    assert still.liked.mean() == pytest.approx(still.liked_share, abs=0.002)


def test_a_factorisation_learns_far_more_than_popularity():
    parts = ratio(World().interactions)
    seen = np.zeros((parts.num_users, parts.num_items))
    seen[parts.train.user, parts.train.item] = 1
    popularity = seen.sum(axis=0)
    left, scale, right = np.linalg.svd(seen / np.maximum(popularity, 1) ** 0.25, full_matrices=False)

    def recall(score: np.ndarray) -> float:
        top = np.argsort(-np.where(seen > 0, -np.inf, score), axis=1)[:, :20]
        hit = (top[parts.test.user] == parts.test.item[:, None]).any(axis=1)
        count = parts.test.activity()
        return float((np.bincount(parts.test.user, hit, parts.num_users) / np.maximum(count, 1))[count > 0].mean())

    assert recall((left[:, :16] * scale[:16]) @ right[:16]) > 1.4 * recall(popularity + 0 * seen)


def test_its_long_tail_is_like_that_of_movielens(real_data):
    movielens = long_tail(load(real_data / "ml-latest-small", min_rating=4.0, k_core=(1, 3)).interactions)
    world = long_tail(World().interactions)
    print(f"\nMovieLens latest-small: {movielens}\nsynthetic world:        {world}")
    assert world.item_gini == pytest.approx(movielens.item_gini, abs=0.05)
    assert world.top_decile == pytest.approx(movielens.top_decile, abs=0.07)
    assert world.user_gini == pytest.approx(movielens.user_gini, abs=0.08)
    assert world.reach == pytest.approx(movielens.reach, abs=0.1)
    assert 0.5 * movielens.density < world.density < 2 * movielens.density


@pytest.mark.parametrize(
    ("knob", "message"),
    [
        ({"num_users": 0}, "num_users must be at least 1; got 0"),
        ({"liked_share": 1.0}, r"liked_share must lie in \(0, 1\); got 1.0"),
        ({"drift": -1.0}, "drift must be at least 0; got -1.0"),
        ({"exposure_quality": 2.0}, r"exposure_quality must lie in \[0, 1\]; got 2.0"),
        ({"days": 0.0}, "days must be above 0; got 0.0"),
    ],
)
def test_knobs_out_of_range_are_refused(knob, message):
    with pytest.raises(ValueError, match=message):
        World(**knob)
