"""Known positives: which items a user is already known to like, and which remain."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Int
from torch import Tensor


@dataclass(frozen=True)
class KnownPositives:
    """The (user, item) pairs that must never be drawn as negatives.

    Pairs are kept as one sorted array, so that every question is a binary search over all
    pairs: O(log pairs) for each element asked, whatever the size of the catalogue.

    Attributes
    ----------
    num_users, num_items : int
        Sizes of the two id ranges.
    item : Int[Tensor, "pair"]
        Items sorted by user, then by item, without duplicates.
    start : Int[Tensor, "user+1"]
        ``item[start[u]:start[u + 1]]`` are the known positives of user ``u``.
    """

    num_users: int
    num_items: int
    item: Int[Tensor, " pair"]
    start: Int[Tensor, " bound"]
    _key: Int[Tensor, " pair"]
    _gap: Int[Tensor, " pair"]

    @classmethod
    def from_pairs(
        cls,
        user: Int[Tensor, " pair"] | Int[np.ndarray, " pair"],
        item: Int[Tensor, " pair"] | Int[np.ndarray, " pair"],
        *,
        num_users: int,
        num_items: int,
    ) -> KnownPositives:
        """Build from pairs in any order, duplicates allowed; O(pairs log pairs)."""
        users, items = torch.as_tensor(user).long(), torch.as_tensor(item).long()
        if users.shape != items.shape:
            raise ValueError(f"there must be one item for each user of a pair; got {len(users)} and {len(items)}")
        for what, ids, size in (("user", users, num_users), ("item", items, num_items)):
            if len(ids) and (int(ids.min()) < 0 or int(ids.max()) >= size):
                raise ValueError(f"{what} ids must lie in [0, {size}); got {int(ids.min())} to {int(ids.max())}")
        key = torch.unique(users * num_items + items)
        users, items = key // num_items, key % num_items
        count = torch.bincount(users, minlength=num_users)
        start = torch.cat([count.new_zeros(1), count.cumsum(0)])
        rank = torch.arange(len(key)) - start[users]
        # item - rank counts the unknown items before each known one: with items 2 and 5 known, 2 and 4. The
        # unknown item of rank 3 has one known item before it (2 <= 3 < 4), so it is 3 + 1 = 4. The count never
        # falls within a user, so adding a stride for each user makes one sorted array for all of them.
        gap = items - rank + users * (num_items + 1)
        return cls(num_users, num_items, items, start, key, gap)

    def to(self, device: torch.device | str) -> KnownPositives:
        """Return the same pairs on another device."""
        moved = (t.to(device) for t in (self.item, self.start, self._key, self._gap))
        return KnownPositives(self.num_users, self.num_items, *moved)

    def count(self, user: Int[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
        """Count the known positives of each user."""
        return self.start[user + 1] - self.start[user]

    def contains(self, user: Int[Tensor, "*shape"], item: Int[Tensor, "*shape"]) -> Bool[Tensor, "*shape"]:
        """Whether each (user, item) is a known positive; items below 0 (no item) never are."""
        if not len(self._key):
            return torch.zeros_like(item, dtype=torch.bool)
        key = user.long() * self.num_items + item  # 32 bits overflow on a large catalogue
        place = torch.searchsorted(self._key, key).clamp_(max=len(self._key) - 1)
        return (self._key[place] == key) & (item >= 0)

    def nth_unknown(self, user: Int[Tensor, "*shape"], rank: Int[Tensor, "*shape"]) -> Int[Tensor, "*shape"]:
        """Return the ``rank``-th smallest item that ``user`` is not known to like, counted from 0.

        With ``rank`` uniform on ``[0, num_items - count(user))`` this draws exactly uniformly
        from the unknown items, without rejection.
        """
        before = torch.searchsorted(self._gap, rank + user.long() * (self.num_items + 1), right=True)
        return rank + (before - self.start[user])
