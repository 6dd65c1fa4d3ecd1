from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from adar_viz.core import NO_ITEM, Context, Encoded
from adar_viz.datasets import Truth
from adar_viz.evaluation import false_negative_rate, nearest_items
from adar_viz.known import KnownPositives
from adar_viz.negatives import Uniform

LIKED = np.array([[1, 1, 0, 0], [0, 1, 0, 1]], dtype=bool)
TRUTH = Truth(LIKED, np.ones_like(LIKED), "planted")


def test_a_known_truth_is_counted_exactly() -> None:
    found = false_negative_rate(torch.tensor([[0, 2], [2, 3], [1, 1]]), torch.tensor([0, 0, 1]), TRUTH)
    assert (found.rate, found.low, found.high) == (0.5, 0.5, 0.5)
    assert (found.num_drawn, found.num_judged, found.num_synthetic, found.distance) == (6, 6, 0, None)


def test_uniform_negatives_are_false_as_often_as_hidden_likes_are_left() -> None:
    """User 0 likes items 0 to 9 of 40 and is known to like 0 to 3: 6 of the 36 others are liked."""
    liked = (np.arange(40) < 10)[None]
    known = KnownPositives.from_pairs(torch.zeros(4).long(), torch.arange(4), num_users=1, num_items=40)
    user, table = torch.zeros(20_000).long(), torch.eye(40)
    encoded = Encoded(torch.ones(20_000, 40), lookup=lambda i: table[i], table=lambda: table)
    drawn = Uniform().sample(Context(user, user, encoded, known, torch.Generator().manual_seed(0)))
    found = false_negative_rate(drawn.item, user, Truth(liked, np.ones_like(liked), "planted"))
    assert binomtest(round(found.rate * 20_000), 20_000, 6 / 36).pvalue > 1e-3


def test_unjudged_draws_do_not_count_and_the_interval_is_wilson_s() -> None:
    judged = np.array([[1, 0, 1, 0], [1, 1, 1, 0]], dtype=bool)
    item, user = torch.tensor([[0], [1], [2], [0], [1], [2], [3]]), torch.tensor([0, 0, 0, 1, 1, 1, 1])
    found = false_negative_rate(item, user, Truth(LIKED, judged, "part"))
    wilson = binomtest(2, 5).proportion_ci(0.95, method="wilson")
    assert found.rate == pytest.approx(2 / 5)
    assert (found.low, found.high) == pytest.approx((wilson.low, wilson.high))
    assert (found.num_drawn, found.num_judged) == (7, 5)


def test_a_cell_drawn_many_times_is_one_answer() -> None:
    judged = np.array([[1, 0, 1, 0], [0, 0, 0, 0]], dtype=bool)
    truth = Truth(LIKED, judged, "part")
    few = false_negative_rate(torch.tensor([[0, 2, 1]]), torch.tensor([0]), truth)
    many = false_negative_rate(torch.tensor([[0, 2, 1]] * 100), torch.zeros(100).long(), truth)
    assert (few.rate, few.low, few.high) == pytest.approx((many.rate, many.low, many.high))


def test_the_interval_covers_the_rate_over_all_cells_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    liked = rng.random((40, 60)) < 0.3
    item, user = torch.as_tensor(rng.integers(60, size=(400, 3))), torch.as_tensor(rng.integers(40, size=400))
    whole = false_negative_rate(item, user, Truth(liked, np.ones_like(liked), "all")).rate
    covered = 0
    for _ in range(400):
        found = false_negative_rate(item, user, Truth(liked, rng.random(liked.shape) < 0.1, "sample"))
        covered += found.low <= whole <= found.high
    assert 0.91 <= covered / 400 <= 0.99


def test_nothing_judged_leaves_everything_possible() -> None:
    found = false_negative_rate(torch.tensor([[0]]), torch.tensor([0]), Truth(LIKED, np.zeros_like(LIKED), "none"))
    assert math.isnan(found.rate)
    assert (found.low, found.high, found.num_judged) == (0.0, 1.0, 0)


TABLE = torch.tensor([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.0], [0.0, -3.0]])


def test_synthetic_negatives_stand_for_the_nearest_item() -> None:
    item = torch.tensor([[NO_ITEM, 2], [1, NO_ITEM]])
    embedding = torch.zeros(2, 2, 2)
    embedding[0, 0], embedding[1, 1] = torch.tensor([5.0, 0.0]), torch.tensor([0.6, -0.8])
    found = false_negative_rate(item, torch.tensor([0, 1]), TRUTH, embedding=embedding, table=TABLE)
    assert found.rate == pytest.approx(3 / 4)  # items 0 and 2 for user 0, 1 and 3 for user 1
    assert found.num_synthetic == 2
    assert found.distance == pytest.approx((0 + 0.2) / 2, abs=1e-6)
    assert item[0, 0] == NO_ITEM


def test_by_score_the_direction_of_the_query_decides() -> None:
    vector, query = torch.tensor([[0.9, -2.6]]), torch.tensor([[0.0, 1.0]])
    by_score, apart = nearest_items(vector, TABLE, query=query)
    assert by_score.tolist() == [3]
    torch.testing.assert_close(apart, torch.tensor([0.4]))


def test_many_vectors_are_compared_in_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = torch.randn(50, 2)
    whole = nearest_items(vectors, TABLE)
    monkeypatch.setattr("adar_viz.evaluation.false_negatives._CELLS", 12)
    blocks = nearest_items(vectors, TABLE)
    assert torch.equal(whole[0], blocks[0])
    torch.testing.assert_close(whole[1], blocks[1])


def test_synthetic_negatives_without_embeddings_are_refused() -> None:
    with pytest.raises(ValueError, match="1 negatives belong to no item"):
        false_negative_rate(torch.tensor([[NO_ITEM]]), torch.tensor([0]), TRUTH)


def test_an_impossible_confidence_is_refused() -> None:
    with pytest.raises(ValueError, match=r"confidence must lie in \(0, 1\); got 95.0"):
        false_negative_rate(torch.tensor([[0]]), torch.tensor([0]), TRUTH, confidence=95.0)
