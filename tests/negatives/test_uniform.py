from __future__ import annotations

import pytest
import torch
from scipy.stats import chisquare

from adar_viz.core import Context, Encoded
from adar_viz.known import KnownPositives
from adar_viz.negatives import Uniform

ITEMS = 12
LIKED = {0: [0, 1, 11], 1: [], 2: [i for i in range(ITEMS) if i != 6]}


def context_for(users: list[int], seed: int = 0) -> Context:
    pairs = [(u, i) for u, items in LIKED.items() for i in items]
    user, item = torch.tensor(pairs).T
    known = KnownPositives.from_pairs(user, item, num_users=3, num_items=ITEMS)
    table = torch.eye(ITEMS)
    rows = torch.tensor(users)
    encoded = Encoded(torch.ones(len(rows), ITEMS), lookup=lambda ids: table[ids], table=lambda: table)
    return Context(rows, torch.zeros_like(rows), encoded, known, torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("user", [0, 1])
def test_every_unknown_item_is_equally_likely(user: int) -> None:
    drawn = Uniform(num_negatives=20).sample(context_for([user] * 1000))
    count = torch.bincount(drawn.item.flatten(), minlength=ITEMS)
    unknown = [i for i in range(ITEMS) if i not in LIKED[user]]
    assert count[LIKED[user]].sum() == 0
    assert chisquare(count[unknown]).pvalue > 1e-3
    assert drawn.log_prob is not None
    torch.testing.assert_close(drawn.log_prob.exp(), torch.full((1000, 20), 1 / len(unknown)))


def test_the_one_item_left_is_always_drawn() -> None:
    assert Uniform(num_negatives=7).sample(context_for([2, 2])).item.unique().tolist() == [6]


def test_a_user_who_likes_everything_is_named() -> None:
    known = KnownPositives.from_pairs(torch.zeros(3).long(), torch.arange(3), num_users=1, num_items=3)
    rows = torch.zeros(2).long()
    encoded = Encoded(torch.ones(2, 3), lookup=lambda ids: torch.eye(3)[ids], table=lambda: torch.eye(3))
    context = Context(rows, rows, encoded, known, torch.Generator())
    with pytest.raises(ValueError, match="user 0 likes all 3 items"):
        Uniform().sample(context)


def test_no_negatives_are_refused() -> None:
    with pytest.raises(ValueError, match="num_negatives must be at least 1; got 0"):
        Uniform(num_negatives=0)
