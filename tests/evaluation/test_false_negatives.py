from __future__ import annotations

import math
import os

import numpy as np
import pytest
import torch
from scipy.stats import binomtest

from adar_viz.backbones import MF
from adar_viz.core import NO_ITEM, Batch, Context, Encoded, NegativeSampler
from adar_viz.datasets import Truth, load
from adar_viz.evaluation import false_negative_rate, nearest_items
from adar_viz.known import KnownPositives
from adar_viz.negatives import Popularity, Uniform

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


REAL = pytest.mark.skipif("ADAR_VIZ_DATA" not in os.environ, reason="needs real data: set ADAR_VIZ_DATA")


def draw(sampler: NegativeSampler, user: np.ndarray, item: np.ndarray, truth: Truth) -> tuple[torch.Tensor, ...]:
    """Negatives for every pair, which are all that is known."""
    users, items = truth.liked.shape
    rows = Batch(torch.as_tensor(user), torch.as_tensor(item))
    known = KnownPositives.from_pairs(rows.user, rows.positive, num_users=users, num_items=items)
    encoded = MF(users, items, 4)(rows)
    context = Context(rows.user, rows.positive, encoded, known, torch.Generator().manual_seed(0))
    return sampler.sample(context).item, rows.user


@REAL
def test_jester_s_complete_users_tell_how_often_hidden_likes_are_drawn() -> None:
    """Half of the likes of users with six or more are hidden. No training decides these rates.

    They were first measured with other code: uniform .307, by popularity (alpha 1) .345.
    """
    truth = load("jester-complete").truth
    assert truth is not None
    liked = truth.liked[truth.liked.sum(axis=1) >= 6]
    truth = Truth(liked, np.ones_like(liked), truth.source)
    user, item = np.nonzero(liked)
    shuffled = np.lexsort((np.random.default_rng(0).random(len(user)), user))
    rank = np.arange(len(user)) - np.searchsorted(user, user)
    shown = shuffled[rank < (np.bincount(user)[user] + 1) // 2]
    counts = np.bincount(item[shown], minlength=liked.shape[1])
    rates = []
    for sampler in (Uniform(num_negatives=4), Popularity(counts, alpha=1.0, num_negatives=4)):
        drawn, rows = draw(sampler, user[shown], item[shown], truth)
        rates.append(false_negative_rate(drawn, rows, truth).rate)
    assert rates == pytest.approx([0.307, 0.345], abs=0.005)


@REAL
def test_coat_s_random_cells_give_a_rate_with_an_interval() -> None:
    """Draws by popularity meet more likes than uniform ones, and of both only a sample is judged."""
    coat = load("coat")
    assert coat.truth is not None
    pairs, found = coat.interactions, []
    for sampler in (Uniform(num_negatives=16), Popularity(pairs.popularity(), alpha=1.0, num_negatives=16)):
        drawn, rows = draw(sampler, pairs.user, pairs.item, coat.truth)
        found.append(false_negative_rate(drawn, rows, coat.truth))
    for rate in found:
        assert 0 < rate.low < rate.rate < rate.high < 0.5
        assert rate.num_judged < 0.1 * rate.num_drawn
    free = coat.truth.judged.copy()
    free[pairs.user, pairs.item] = False
    # A user is drawn for once a pair: active users, who like more, weigh more.
    cells = coat.truth.liked[free], (free * pairs.activity()[:, None])[free]
    assert found[0].low < np.average(cells[0], weights=cells[1]) < found[0].high
    assert found[0].rate < found[1].rate
