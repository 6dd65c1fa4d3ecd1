"""Followed users and items: their embeddings at several epochs, and what was drawn as negatives in between."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from adar_viz.core import NO_ITEM, Backbone, Batch
from adar_viz.datasets import Interactions, Truth
from adar_viz.evaluation import device_of, evaluating
from adar_viz.events import Drawn

NEGATIVES = 16
"""Negatives of a followed user that are kept of each epoch, the first ones: the rows are shuffled already."""


class Snapshots:
    """Copies of embeddings over training, for a chosen few users and items.

    Vectors of items are kept in half precision (a relative error of at most 1/2048), so that a
    whole small catalogue can be followed.

    Parameters
    ----------
    users, items : sequence of int
        Who is followed.
    """

    def __init__(self, users: Sequence[int], items: Sequence[int]) -> None:
        self.users, self.items = (torch.as_tensor(ids, dtype=torch.long) for ids in (users, items))
        self.taken: list[dict[str, Any]] = []
        self._drawn: list[tuple[Tensor, Tensor]] = []
        self._place = torch.full((max(users, default=-1) + 2,), -1)
        self._place[self.users] = torch.arange(len(self.users))

    def see(self, event: Drawn) -> None:
        """Keep the negatives of the followed users; O(row). What all rows share was not drawn for any of them."""
        if len(event.embedding) != len(event.user):
            return
        user, item = event.user.cpu(), event.item.cpu()
        if event.weight is not None:
            item = item.masked_fill(event.weight.cpu() == 0, NO_ITEM)
        # One place behind the last followed user stands for all users behind.
        place = self._place[user.clamp(max=len(self._place) - 1)]
        followed = place >= 0
        self._drawn.append((place[followed], item[followed][:, :NEGATIVES].clone()))

    def take(self, epoch: int, backbone: Backbone) -> None:
        """Copy the embeddings as they are now, with what they say of the users; O(user x item x dim)."""
        with torch.no_grad(), evaluating(backbone):
            table = table_of(backbone)
            kept = {"epoch": epoch, "item": table[self.items].half().cpu(), "rms": table.square().mean().sqrt().cpu()}
            alone = backbone.history_length is None
            users = self.users.to(device_of(backbone))
            encoded = backbone(Batch(users, torch.zeros_like(users))) if alone else None
            # A vector stands for a user only where the score is an inner product with it.
            if encoded is not None and encoded.scorer is None:
                sd, mean = torch.std_mean(encoded.score(table[None]), dim=1, correction=0)
                kept |= {"user": encoded.query.cpu().clone(), "mean": mean.cpu(), "sd": sd.cpu()}
                kept["negative"] = self._first_drawn()
        self.taken.append(kept)
        self.forget()

    def forget(self) -> None:
        """Let go of the negatives that were seen since the last snapshot or `forget`."""
        self._drawn = []

    def _first_drawn(self) -> Tensor:
        """Return the first negatives of each followed user, (user, NEGATIVES), filled up with `NO_ITEM`."""
        found = torch.full((len(self.users), NEGATIVES), NO_ITEM)
        for user in range(len(self.users)):
            own = torch.cat([item[place == user].flatten() for place, item in self._drawn] or [found[0, :0]])
            found[user, : len(own)] = own[:NEGATIVES]
        return found

    def arrays(self) -> dict[str, np.ndarray]:
        """Return what was taken, as arrays of a trace."""
        if not self.taken:
            return {}
        arrays = {
            "snapshot_epoch": np.array([s["epoch"] for s in self.taken]),
            "snapshot_item": self.items.numpy(),
            "snapshot_item_embedding": self._stack("item"),
            "snapshot_rms": self._stack("rms"),
        }
        if "user" in self.taken[0]:
            arrays |= {
                "snapshot_user": self.users.numpy(),
                "snapshot_user_embedding": self._stack("user"),
                "snapshot_user_mean": self._stack("mean"),
                "snapshot_user_sd": self._stack("sd"),
                "snapshot_user_negative": self._stack("negative").astype(np.int32),
            }
        return arrays

    def _stack(self, name: str) -> np.ndarray:
        stacked: np.ndarray = torch.stack([s[name] for s in self.taken]).numpy()
        return stacked

    def likes(self, train: Interactions, truth: Truth | None) -> dict[str, np.ndarray]:
        """Return which items the followed users are known to like from training, and which they truly like."""
        users = self.users.numpy()
        row = np.full(train.num_users, -1)
        row[users] = np.arange(len(users))
        own = row[train.user] >= 0
        observed = np.zeros((len(users), train.num_items), dtype=bool)
        observed[row[train.user[own]], train.item[own]] = True
        arrays = {"snapshot_user": users, "snapshot_user_observed": observed}
        if truth is not None:
            arrays["snapshot_user_liked"] = truth.liked[users] & truth.judged[users]
        return arrays

    def restore(self, taken: Sequence[Mapping[str, Any]], num_epochs: int) -> None:
        """Take back snapshots, as far as ``num_epochs`` finished epochs."""
        self.taken = [dict(s) for s in taken if s["epoch"] <= num_epochs]


def table_of(backbone: Backbone) -> Tensor:
    """Vectors of all items as they are now, (item, dim)."""
    nobody = torch.zeros(1, dtype=torch.long, device=device_of(backbone))
    history = None if backbone.history_length is None else nobody[:, None]
    table: Tensor = backbone(Batch(nobody, nobody, history)).table().detach()
    return table
