from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare

from adar_viz.core import Context, Encoded
from adar_viz.known import KnownPositives
from adar_viz.negatives import Popularity, popularity

COUNTS = torch.tensor([500.0, 40.0, 30.0, 20.0, 10.0, 5.0, 1.0, 0.0])
ITEMS = len(COUNTS)
LIKED = {0: [1, 3], 1: [], 2: [0], 3: [0, 1, 2, 3, 4, 5]}


def context_for(users: list[int], liked: dict[int, list[int]] = LIKED) -> Context:
    pairs = torch.tensor([(u, i) for u, items in liked.items() for i in items])
    known = KnownPositives.from_pairs(*pairs.T, num_users=len(liked), num_items=ITEMS)
    rows, table = torch.tensor(users), torch.eye(ITEMS)
    encoded = Encoded(torch.ones(len(rows), ITEMS), lookup=lambda ids: table[ids], table=lambda: table)
    return Context(rows, torch.zeros_like(rows), encoded, known, torch.Generator().manual_seed(3))


def expected(user: int, alpha: float) -> torch.Tensor:
    weight = COUNTS.double() ** alpha
    weight[LIKED[user]] = 0
    return weight / weight.sum()


@pytest.mark.parametrize("alpha", [0.0, 0.75, 1.0])
@pytest.mark.parametrize("user", [0, 1, 2])
def test_items_come_in_proportion_and_known_positives_never(user: int, alpha: float) -> None:
    drawn = Popularity(COUNTS, alpha, num_negatives=20).sample(context_for([user] * 1000))
    count, probability = torch.bincount(drawn.item.flatten(), minlength=ITEMS), expected(user, alpha)
    assert count[probability == 0].sum() == 0
    seen = probability > 0
    assert chisquare(count[seen], 20_000 * probability[seen]).pvalue > 1e-3
    assert drawn.log_prob is not None
    torch.testing.assert_close(drawn.log_prob.double().exp(), probability[drawn.item])


def test_rows_that_stay_unlucky_follow_the_same_distribution(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(popularity, "_ROUNDS", 0)  # known positives go straight to the exact draw
    drawn = Popularity(COUNTS, num_negatives=20).sample(context_for([2] * 1000))
    seen = expected(2, 0.75) > 0
    count = torch.bincount(drawn.item.flatten(), minlength=ITEMS)
    assert chisquare(count[seen], 20_000 * expected(2, 0.75)[seen]).pvalue > 1e-3


def test_a_user_with_one_rare_item_left_still_gets_it() -> None:
    counts = torch.full((ITEMS,), 1e12)
    counts[6] = 1.0
    drawn = Popularity(counts, 1.0).sample(context_for([0] * 50, {0: [0, 1, 2, 3, 4, 5, 7]}))
    assert drawn.item.unique().tolist() == [6]
    assert drawn.log_prob is not None
    torch.testing.assert_close(drawn.log_prob, torch.zeros(50, 1))


def test_the_probability_of_a_rare_item_does_not_cancel() -> None:
    counts = torch.ones(ITEMS)
    counts[0] = 1e4
    drawn = Popularity(counts, 5.0).sample(context_for([0], {0: [0]}))
    assert drawn.log_prob is not None
    torch.testing.assert_close(drawn.log_prob.exp(), torch.full((1, 1), 1 / (ITEMS - 1)))


def test_a_user_without_drawable_items_is_named() -> None:
    liked = {**LIKED, 1: [0, 1, 2, 3, 4, 5, 6]}  # item 7 was never chosen, so it cannot be drawn
    with pytest.raises(ValueError, match="user 1 has none"):
        Popularity(COUNTS).sample(context_for([0, 1], liked))


def test_new_known_positives_are_noticed() -> None:
    sampler = Popularity(COUNTS)
    sampler.sample(context_for([2]))
    assert 1 not in sampler.sample(context_for([0] * 500, {0: [1]})).item


@settings(max_examples=60, deadline=None)
@given(st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 1e6)), min_size=1, max_size=60).filter(any))
def test_the_alias_table_holds_exactly_the_distribution(weight: list[float]) -> None:
    probability = torch.tensor(weight, dtype=torch.float64)
    probability /= probability.sum()
    keep, alias = popularity.alias_table(probability)
    held = keep.index_add(0, alias, 1 - keep) / len(weight)
    assert bool(((keep >= 0) & (keep <= 1)).all())
    torch.testing.assert_close(held, probability, rtol=0, atol=1e-13)


@pytest.mark.parametrize("size", [3, 49, 1000])
def test_equal_weights_survive_rounding(size: int) -> None:
    keep, _ = popularity.alias_table(torch.full((size,), 1 / size, dtype=torch.float64))
    torch.testing.assert_close(keep, torch.ones(size, dtype=torch.float64))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"counts": torch.tensor([1.0, -1.0])}, "at least 0 for each item"),
        ({"counts": torch.zeros(3)}, "not all 0"),
        ({"counts": COUNTS, "alpha": -0.5}, "alpha must be at least 0; got -0.5"),
        ({"counts": COUNTS, "num_negatives": 0}, "num_negatives must be at least 1; got 0"),
    ],
)
def test_impossible_settings_are_refused(arguments: dict[str, torch.Tensor], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Popularity(**arguments)


def test_a_catalogue_of_another_size_is_refused() -> None:
    with pytest.raises(ValueError, match="counts must hold 8 items; got 3"):
        Popularity(torch.ones(3)).sample(context_for([0]))
