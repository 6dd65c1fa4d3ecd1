from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adar_viz.core import NO_ITEM
from adar_viz.known import KnownPositives

Pairs = list[tuple[int, int]]


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, int, Pairs]:
    """Sizes, and pairs in any order with duplicates."""
    users, items = draw(st.integers(1, 6)), draw(st.integers(1, 9))
    pair = st.tuples(st.integers(0, users - 1), st.integers(0, items - 1))
    return users, items, draw(st.lists(pair, max_size=40))


def build(users: int, items: int, pairs: Pairs) -> KnownPositives:
    user, item = torch.tensor(pairs, dtype=torch.long).view(-1, 2).T
    return KnownPositives.from_pairs(user, item, num_users=users, num_items=items)


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_every_answer_is_that_of_plain_sets(world: tuple[int, int, Pairs]) -> None:
    users, items, pairs = world
    known, naive = build(*world), [{i for u, i in pairs if u == user} for user in range(users)]
    assert known.count(torch.arange(users)).tolist() == [len(liked) for liked in naive]
    user, item = torch.arange(users)[:, None], torch.arange(items)[None]
    contains = known.contains(user.expand(users, items), item.expand(users, items))
    assert contains.tolist() == [[i in naive[u] for i in range(items)] for u in range(users)]
    for u, liked in enumerate(naive):
        unknown = [i for i in range(items) if i not in liked]
        rank = torch.arange(len(unknown))
        assert known.nth_unknown(torch.full_like(rank, u), rank).tolist() == unknown
        assert known.item[known.start[u] : known.start[u + 1]].tolist() == sorted(liked)


@settings(max_examples=50, deadline=None)
@given(worlds())
def test_no_item_is_never_known(world: tuple[int, int, Pairs]) -> None:
    """Not even where its key is that of the last item of the user before."""
    users, items, _ = world
    everything = build(users, items, [(u, i) for u in range(users) for i in range(items)])
    user = torch.arange(users)
    for known in (everything, build(*world)):
        assert not bool(known.contains(user, torch.full_like(user, NO_ITEM)).any())


def test_any_shape_is_answered_in_its_shape() -> None:
    known = build(3, 4, [(0, 1), (2, 3)])
    user, item = torch.tensor([[[0], [2]]]), torch.tensor([[[1], [1]]])
    assert known.contains(user, item).tolist() == [[[True], [False]]]
    assert known.count(user).shape == known.nth_unknown(user, item).shape == (1, 2, 1)


def test_ids_of_32_bits_do_not_overflow_on_a_large_catalogue() -> None:
    user, item = torch.tensor([59_999, 59_999]), torch.tensor([7, 49_999])
    known = KnownPositives.from_pairs(user, item, num_users=60_000, num_items=50_000)
    assert known.contains(user.int(), item.int()).all()
    assert known.nth_unknown(user.int(), torch.tensor([7, 8], dtype=torch.int32)).tolist() == [8, 9]


def test_numpy_is_welcome_and_each_user_needs_an_item() -> None:
    known = KnownPositives.from_pairs(np.array([0, 1]), np.array([2, 1]), num_users=2, num_items=3)
    assert known.item.tolist() == [2, 1]
    # Where shapes are checked while testing, that check speaks first, with a TypeError.
    with pytest.raises((ValueError, TypeError), match=r"one item for each user of a pair; got 2 and 1|type-?check"):
        KnownPositives.from_pairs(np.array([0, 1]), np.array([2]), num_users=2, num_items=3)


def test_a_copy_on_a_device_answers_alike() -> None:
    known = build(3, 4, [(0, 1), (2, 3)])
    copy = known.to("cpu")
    assert (copy.num_users, copy.num_items) == (3, 4)
    assert torch.equal(copy.item, known.item)
    assert copy.contains(torch.tensor([2]), torch.tensor([3])).tolist() == [True]


@pytest.mark.parametrize(
    ("pair", "message"),
    [
        ((3, 0), r"user ids must lie in \[0, 3\); got 0 to 3"),
        ((-1, 0), r"user ids must lie in \[0, 3\); got -1 to 0"),
        ((0, 4), r"item ids must lie in \[0, 4\); got 0 to 4"),
        ((0, -1), r"item ids must lie in \[0, 4\); got -1 to 0"),
    ],
)
def test_ids_out_of_range_are_refused(pair: tuple[int, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        build(3, 4, [(0, 0), pair])
