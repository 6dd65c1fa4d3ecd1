"""The k best items of each row, exactly, equal scores included."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor

_CELLS = 2**20
"""Scores that are looked at again at once: if all of them are tied, each takes about 60 bytes."""


def best_items(score: Float[Tensor, "row item"], k: int, ties: str) -> Int[Tensor, "row k"]:
    """Return the ids of the ``k`` highest scores, best first; equal scores by item id.

    ``topk`` promises nothing about equal scores. They are put in order within the list at the
    cost of the list; only where equal scores stand on both sides of its end is the row itself
    looked at again.
    """
    k = min(k, score.shape[1])
    value, item = score.topk(min(k + 1, score.shape[1]))
    value, item = _order_ties(value, item, ties)
    if value.shape[1] > k:
        tied = (value[:, k - 1] == value[:, k]).nonzero().squeeze(1)
        for cut in torch.split(tied, max(1, _CELLS // score.shape[1])):
            item[cut, :k] = _retake_last(score[cut], value[cut, :k], item[cut, :k], ties)
    return item[:, :k]


def _order_ties(value: Tensor, item: Tensor, ties: str) -> tuple[Tensor, Tensor]:
    """Sort by score, then by id; both sorts are as long as the list."""
    item, place = item.sort(dim=1, descending=ties == "descending")
    value, place = value.gather(1, place).sort(dim=1, descending=True, stable=True)
    return value, item.gather(1, place)


def _retake_last(score: Tensor, value: Tensor, item: Tensor, ties: str) -> Tensor:
    """Choose again, by id, which of the items with the last score of the list are on it."""
    last = value[:, -1:]
    above = (value > last).sum(dim=1)
    row, tied = (score == last).nonzero(as_tuple=True)  # by row, then by id
    count = torch.bincount(row, minlength=len(score))
    nth = torch.arange(len(row), device=row.device) - (count.cumsum(0) - count)[row]
    place = above[row] + (count[row] - 1 - nth if ties == "descending" else nth)
    fits = place < value.shape[1]
    item = item.clone()
    item[row[fits], place[fits]] = tied[fits]
    return item
