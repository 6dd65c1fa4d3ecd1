"""The k best items of each row, exactly, equal scores included."""

from __future__ import annotations

from typing import Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor

Ties = Literal["descending", "ascending"]


def best_items(score: Float[Tensor, "row item"], k: int, ties: Ties) -> Int[Tensor, "row k"]:
    """Return the ids of the ``k`` highest scores, best first; equal scores by item id.

    ``topk`` promises nothing about equal scores. They are put in order within the list at the
    cost of the list; only where equal scores stand on both sides of its end is the row itself
    looked at again.
    """
    k = min(k, score.shape[1])
    value, item = score.topk(min(k + 1, score.shape[1]))
    value, item = _order_ties(value, item, ties)
    if value.shape[1] > k:
        cut = (value[:, k - 1] == value[:, k]).nonzero().squeeze(1)
        if len(cut):
            item[cut, :k] = _retake_last(score[cut], value[cut, :k], item[cut, :k], ties)
    return item[:, :k]


def _order_ties(value: Tensor, item: Tensor, ties: Ties) -> tuple[Tensor, Tensor]:
    """Sort by score, then by id; both sorts are as long as the list."""
    item, place = item.sort(dim=1, descending=ties == "descending")
    value, place = value.gather(1, place).sort(dim=1, descending=True, stable=True)
    return value, item.gather(1, place)


def _retake_last(score: Tensor, value: Tensor, item: Tensor, ties: Ties) -> Tensor:
    """Choose again, by id, which of the items with the last score of the list are on it."""
    k, num_items = value.shape[1], score.shape[1]
    last = value[:, -1:]
    ids = torch.arange(num_items, dtype=torch.int32, device=score.device)
    rank = ids if ties == "descending" else num_items - 1 - ids
    first = torch.where(score == last, rank, -1).topk(k).values.long()
    first = first if ties == "descending" else num_items - 1 - first
    above = (value > last).sum(dim=1, keepdim=True)
    place = torch.arange(k, device=score.device) - above
    return torch.where(place >= 0, first.gather(1, place.clamp(min=0)), item)
