"""From interactions to shuffled batches of rows, for both kinds of backbone."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import torch
from jaxtyping import Int
from torch import Tensor

from adar_viz.core import NO_ITEM, Batch


@dataclass(frozen=True)
class PairRows:
    """Rows of collaborative filtering: one for each (user, item) pair."""

    user: Int[Tensor, " pair"]
    item: Int[Tensor, " pair"]
    usual_batch_size: ClassVar[int] = 2048

    def __len__(self) -> int:
        return len(self.user)

    def batch(self, index: Int[Tensor, " row"]) -> Batch:
        """Return the chosen pairs."""
        return Batch(self.user[index], self.item[index])

    def to(self, device: torch.device | str) -> PairRows:
        """Return the same rows on a device."""
        return PairRows(self.user.to(device), self.item.to(device))


@dataclass(frozen=True)
class SequenceRows:
    """Rows of sequential recommendation: one for each step of each user's sequence."""

    user: Int[Tensor, " sequence"]
    items: Int[Tensor, "sequence length_plus_1"]
    usual_batch_size: ClassVar[int] = 256

    def __len__(self) -> int:
        return len(self.user)

    def batch(self, index: Int[Tensor, " chosen"]) -> Batch:
        """Return every unpadded step of the chosen sequences, in row-major order."""
        items = self.items[index]
        items = items[:, (items != NO_ITEM).any(0)]  # no longer than the longest one chosen
        history, target = items[:, :-1], items[:, 1:]
        is_row = history != NO_ITEM
        user = self.user[index].unsqueeze(1).expand_as(history)
        return Batch(user[is_row], target[is_row], history)

    def to(self, device: torch.device | str) -> SequenceRows:
        """Return the same rows on a device."""
        return SequenceRows(self.user.to(device), self.items.to(device))


def make_rows(
    user: Int[np.ndarray, " pair"],
    item: Int[np.ndarray, " pair"],
    timestamp: np.ndarray | None,
    history_length: int | None,
) -> PairRows | SequenceRows:
    """Arrange training interactions as rows.

    Parameters
    ----------
    timestamp
        Any sortable time; None takes the given order as the order in time.
    history_length
        `Backbone.history_length`: None makes one row of each pair; otherwise each user's last
        ``history_length + 1`` items make one sequence, and users with fewer than two items none.

    Raises
    ------
    ValueError
        Nothing is left to train on.
    """
    if history_length is None:
        rows: PairRows | SequenceRows = PairRows(torch.as_tensor(user), torch.as_tensor(item))
    else:
        users, items = last_items(user, item, timestamp, history_length + 1)
        keep = (items != NO_ITEM).sum(1) > 1
        rows = SequenceRows(torch.as_tensor(users[keep]), torch.as_tensor(items[keep]))
    if not len(rows):
        raise ValueError("training needs at least one row; got none (is the training split empty?)")
    return rows


def last_items(
    user: Int[np.ndarray, " pair"], item: Int[np.ndarray, " pair"], timestamp: np.ndarray | None, length: int
) -> tuple[Int[np.ndarray, " sequence"], Int[np.ndarray, "sequence length"]]:
    """Return each user's last ``length`` items in time order, padded on the left; O(pairs log pairs)."""
    order = np.argsort(user, kind="stable") if timestamp is None else np.lexsort((timestamp, user))
    user, item = user[order], item[order]
    users, start, count = np.unique(user, return_index=True, return_counts=True)
    place = (start + count)[:, None] - length + np.arange(length)
    return users, np.where(place >= start[:, None], item[np.maximum(place, 0)], NO_ITEM)


def shuffled(
    rows: PairRows | SequenceRows, batch_size: int, *, generator: torch.Generator, rank: int = 0, world_size: int = 1
) -> Iterator[Batch]:
    """Yield one epoch of batches; each of ``world_size`` processes takes its share of every batch.

    All processes must pass generators in the same state. The last batch is filled from the
    start of the permutation only as far as the processes need to take equally many steps.
    """
    device = rows.user.device
    order = torch.randperm(len(rows), generator=generator, device=generator.device).to(device)
    even = -(-len(order) // world_size) * world_size
    order = order.repeat(-(-even // len(order)))[:even][rank::world_size]
    for index in torch.split(order, max(1, batch_size // world_size)):
        yield rows.batch(index)
