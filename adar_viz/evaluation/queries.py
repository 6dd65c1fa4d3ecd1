"""One query for each user, made once, so that scoring in blocks costs a matrix product alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from adar_viz.batches import last_items
from adar_viz.core import NO_ITEM, Backbone, Batch, Encoded
from adar_viz.datasets import Interactions

ScoreFunction = Callable[[Int[Tensor, " user"]], Float[Tensor, "user item"]]
"""User ids to their scores of all items; higher is better."""

_COPIES = 32
"""Float copies of a (row, dim) activation that encoding is assumed to hold at once."""


@contextmanager
def evaluating(backbone: Backbone) -> Iterator[None]:
    """Switch dropout off, and every module back to what it was."""
    modules = list(backbone.modules()) if isinstance(backbone, nn.Module) else []
    was_training = [module.training for module in modules]
    try:
        for module in modules:
            module.training = False
        yield
    finally:
        for module, training in zip(modules, was_training, strict=True):
            module.training = training


def device_of(backbone: Backbone) -> torch.device:
    """Return where the weights of a backbone are; the CPU for one that has none."""
    weight = next(backbone.parameters(), None) if isinstance(backbone, nn.Module) else None
    return torch.device("cpu") if weight is None else weight.device


def encode_users(
    backbone: Backbone,
    user: Int[np.ndarray, " query"],
    seen: Interactions,
    before: np.ndarray | None,
    memory: int,
) -> Encoded:
    """Encode one row for each user.

    Parameters
    ----------
    user
        Ids, ascending.
    seen
        The interactions that a history may be made of.
    before
        For each user the time of the first target: the history ends there. None takes all of
        ``seen``.
    """
    device = device_of(backbone)
    length = backbone.history_length
    ids = torch.as_tensor(user, device=device)
    if length is None:
        history = None
        size = max(1, memory // (4 * _COPIES * backbone.dim))
    else:
        history = torch.as_tensor(histories(user, seen, before, length), device=device)
        size = max(1, memory // (4 * length * (_COPIES * backbone.dim + length)))
    parts = []
    for start, stop in pairwise([*range(0, len(user), size), len(user)]):
        encoded = backbone(_batch(ids[start:stop], None if history is None else history[start:stop]))
        last = slice(None) if history is None else (history[start:stop] != NO_ITEM).sum(1).cumsum(0) - 1
        parts.append(encoded.query[last])
    table = encoded.table()
    return replace(encoded, query=torch.cat(parts), lookup=lambda item: table[item], table=lambda: table)


def _batch(user: Int[Tensor, " query"], history: Int[Tensor, "query length"] | None) -> Batch:
    if history is None:
        return Batch(user, torch.zeros_like(user))
    history = history[:, (history != NO_ITEM).any(0)]
    user = user[:, None].expand_as(history)[history != NO_ITEM]
    return Batch(user, torch.zeros_like(user), history)


def histories(
    user: Int[np.ndarray, " query"], seen: Interactions, before: np.ndarray | None, length: int
) -> Int[np.ndarray, "query length"]:
    """Return each user's last items before the first target, padded on the left."""
    keep = np.isin(seen.user, user)
    if before is not None and seen.timestamp is not None:
        # Of pairs with equal times, those in `seen` came first: the split went by their order.
        keep[keep] = seen.timestamp[keep] <= before[np.searchsorted(user, seen.user[keep])]
    seen = seen.select(keep)
    users, history = last_items(seen.user, seen.item, seen.timestamp, length)
    missing = np.setdiff1d(user, users)
    if len(missing):
        raise ValueError(
            "a sequential backbone needs an item before each user's first target (leave-one-out and temporal "
            f"splits have one); got none for {len(missing)} users, {seen.user_label[missing[0]]} among them"
        )
    return history
