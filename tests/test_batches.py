from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adar_viz.batches import PairRows, SequenceRows, last_items, make_rows, shuffled
from adar_viz.core import NO_ITEM, Batch

Log = list[tuple[int, int, int]]
LOGS: st.SearchStrategy[Log] = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 9), st.integers(0, 3)), min_size=1, max_size=40
)


def columns(log: Sequence[Sequence[int]]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    user, item, time = np.array(log, dtype=np.int64).T
    return user, item, time


def naive_sequences(log: Log, timed: bool) -> dict[int, list[int]]:
    """Each user's items in time order; equal times stay in the given order."""
    ordered = sorted(log, key=lambda row: row[2]) if timed else log
    return {user: [i for u, i, _ in ordered if u == user] for user in sorted({u for u, _, _ in log})}


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def pairs_of(batches: list[Batch]) -> list[tuple[int, int]]:
    return [pair for b in batches for pair in zip(b.user.tolist(), b.positive.tolist(), strict=True)]


@settings(max_examples=100, deadline=None)
@given(LOGS, st.integers(1, 6), st.booleans())
def test_last_items_are_those_of_a_loop(log: Log, length: int, timed: bool) -> None:
    user, item, time = columns(log)
    users, items = last_items(user, item, time if timed else None, length)
    naive = naive_sequences(log, timed)
    assert users.tolist() == list(naive)
    expected = [([NO_ITEM] * length + sequence)[-length:] for sequence in naive.values()]
    assert items.tolist() == expected


@settings(max_examples=100, deadline=None)
@given(LOGS, st.integers(1, 4))
def test_sequence_rows_are_those_of_a_loop(log: Log, history_length: int) -> None:
    naive = {u: s[-history_length - 1 :] for u, s in naive_sequences(log, True).items() if len(s) > 1}
    user, item, time = columns(log)
    if not naive:
        with pytest.raises(ValueError, match="training needs at least one row; got none"):
            make_rows(user, item, time, history_length)
        return
    rows = make_rows(user, item, time, history_length)
    batch = rows.batch(torch.arange(len(rows)))
    steps = [(u, now, then) for u, s in naive.items() for now, then in pairwise(s)]
    assert batch.history is not None
    found = zip(
        batch.user.tolist(), batch.history[batch.history != NO_ITEM].tolist(), batch.positive.tolist(), strict=True
    )
    assert list(found) == steps
    assert batch.history.shape == (len(naive), max(len(s) for s in naive.values()) - 1)


def test_a_batch_is_padded_no_further_than_its_longest_history() -> None:
    rows = SequenceRows(torch.tensor([7, 8]), torch.tensor([[1, 2, 3, 4, 5], [NO_ITEM, NO_ITEM, NO_ITEM, 6, 7]]))
    short = rows.batch(torch.tensor([1]))
    assert short.history is not None
    assert (short.user.tolist(), short.history.tolist(), short.positive.tolist()) == ([8], [[6]], [7])
    both = rows.batch(torch.tensor([1, 0]))
    assert both.history is not None
    assert both.history.tolist() == [[NO_ITEM] * 3 + [6], [1, 2, 3, 4]]
    assert both.user.tolist() == [8, 7, 7, 7, 7]
    assert both.positive.tolist() == [7, 2, 3, 4, 5]


def test_pairs_stay_as_they_are() -> None:
    rows = make_rows(np.array([3, 1, 3]), np.array([0, 2, 2]), None, None)
    assert isinstance(rows, PairRows)
    batch = rows.batch(torch.tensor([2, 0]))
    assert (batch.user.tolist(), batch.positive.tolist(), batch.history) == ([3, 3], [2, 0], None)


def test_no_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="training needs at least one row; got none"):
        make_rows(np.zeros(0, dtype=np.int64), np.zeros(0, dtype=np.int64), None, None)


ROWS = PairRows(torch.arange(23) % 5, torch.arange(23))


@pytest.mark.parametrize("batch_size", [1, 5, 23, 100])
def test_an_epoch_is_every_row_once(batch_size: int) -> None:
    batches = list(shuffled(ROWS, batch_size, generator=seeded()))
    found = pairs_of(batches)
    assert sorted(found) == sorted(zip(ROWS.user.tolist(), ROWS.item.tolist(), strict=True))
    assert [len(b.user) for b in batches[:-1]] == [batch_size] * (len(batches) - 1)
    assert len(batches) == -(-23 // batch_size)
    assert [item for _, item in found] != list(range(23))


def test_the_generator_decides_the_order() -> None:
    first, again, other = (pairs_of(list(shuffled(ROWS, 5, generator=seeded(s)))) for s in (1, 1, 2))
    assert first == again
    assert first != other


@pytest.mark.parametrize("world_size", [1, 2, 3, 4, 8])
@pytest.mark.parametrize("batch_size", [2, 8, 24])
def test_processes_share_every_batch(batch_size: int, world_size: int) -> None:
    """Together they see each row, as few as possible twice, in equally many steps of the same sizes."""
    shares = [
        list(shuffled(ROWS, batch_size, generator=seeded(), rank=rank, world_size=world_size))
        for rank in range(world_size)
    ]
    sizes = [[len(b.user) for b in share] for share in shares]
    assert all(size == sizes[0] for size in sizes)
    assert max(sizes[0]) == min(max(1, batch_size // world_size), -(-23 // world_size))
    seen = Counter(item for share in shares for _, item in pairs_of(share))
    assert sorted(seen) == list(range(23))
    assert sum(seen.values()) == 23 + (-23 % world_size)


def test_the_shares_make_up_the_batches_of_one_process() -> None:
    alone = list(shuffled(ROWS, 8, generator=seeded()))
    shares = [list(shuffled(ROWS, 8, generator=seeded(), rank=rank, world_size=2)) for rank in range(2)]
    for whole, *parts in zip(alone[:-1], *(share[:-1] for share in shares), strict=True):
        assert sorted(pairs_of([whole])) == sorted(pairs_of(parts))


def test_sequences_are_shuffled_whole() -> None:
    items = torch.arange(12).view(4, 3)
    batches = list(shuffled(SequenceRows(torch.arange(4), items), 2, generator=seeded()))
    histories = [h for b in batches if b.history is not None for h in b.history.tolist()]
    assert [len(b.user) for b in batches] == [4, 4]
    assert sorted(histories) == items[:, :2].tolist()
