"""LightGCN: vectors smoothed over the graph of who likes what."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn.functional import embedding, embedding_bag

from adar_viz.backbones.regularisation import half_squared_norm, without_synthetic
from adar_viz.core import Batch, Encoded


class LightGCN(nn.Module):
    """Light graph convolution (He et al. 2020, SIGIR): the mean of layers 0 to ``num_layers``.

    A layer is the one before it, averaged over neighbours: ``E[l+1] = D^-1/2 A D^-1/2 E[l]``.
    With ``num_layers=0`` this is `MF`. The final embeddings are looked up, scored and
    diffused; L2 is on layer 0, the only parameters.

    Parameters
    ----------
    num_users, num_items : int
        Sizes of the id ranges, each at least 1.
    user, item : array or tensor of int
        The training pairs (never validation or test pairs); one given twice counts once.
    dim : int
        At least 1.
    num_layers : int
        At least 0.
    std : float
        Standard deviation of the normal initialisation, above 0.
    generator : torch.Generator, optional
        Random source of the initialisation; torch's global one when None.

    Notes
    -----
    A training step costs O(num_layers x pairs x dim), whatever the batch, forwards and again
    backwards. In evaluation mode and without gradients the propagated table is kept until a
    weight changes: further batches cost one comparison of the weights and what they look up.
    """

    history_length: int | None = None
    neighbour: Tensor
    start: Tensor
    share: Tensor

    def __init__(
        self,
        num_users: int,
        num_items: int,
        user: Int[Tensor, " _"] | Int[np.ndarray, " _"],
        item: Int[Tensor, " _"] | Int[np.ndarray, " _"],
        dim: int = 64,
        num_layers: int = 3,
        *,
        std: float = 0.1,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("num_users", num_users), ("num_items", num_items), ("dim", dim)):
            if size < 1:
                raise ValueError(f"{name} must be at least 1; got {size}")
        if num_layers < 0:
            raise ValueError(f"num_layers must be at least 0; got {num_layers}")
        if not std > 0:
            raise ValueError(f"std must be above 0; got {std}")
        self.num_users, self.num_items, self.dim = num_users, num_items, dim
        self.num_layers, self.std = num_layers, std
        self.users = nn.Embedding(num_users, dim)
        self.items = nn.Embedding(num_items, dim)
        for table in (self.users, self.items):
            nn.init.normal_(table.weight, std=std, generator=generator)
        graph = _normalised_graph(torch.as_tensor(user), torch.as_tensor(item), num_users, num_items)
        for name, value in zip(("neighbour", "start", "share"), graph, strict=True):
            self.register_buffer(name, value, persistent=False)  # it is data, not a weight
        self._kept: list[Tensor] | None = None

    def forward(self, batch: Batch) -> Encoded:
        """Encode each row by its user's final vector; propagates over the whole graph."""
        *layers, final = self._propagated()
        users, items = final[: self.num_users], final[self.num_users :]

        def by_layer(user: Tensor | None, item: Tensor | None) -> Tensor:
            if user is not None and item is None:
                node = user
            elif item is not None and user is None:
                node = item + self.num_users
            else:
                raise ValueError(f"layers takes user ids or item ids; got {'neither' if user is None else 'both'}")
            return torch.stack([embedding(node, layer) for layer in layers], -2)

        return Encoded(
            query=embedding(batch.user, users),
            lookup=lambda ids: embedding(ids, items),
            table=lambda: items,
            layers=by_layer,
        )

    def l2(self, batch: Batch, negative: Int[Tensor, "#row k"]) -> Float[Tensor, ""]:
        """Half the squared norm of the layer-0 embeddings that a row uses, averaged over rows."""
        negative = without_synthetic(negative)
        return half_squared_norm(
            self.users(batch.user), self.items(batch.positive), self.items(negative.clamp(min=0)), negative >= 0
        )

    def _propagated(self) -> list[Float[Tensor, "node dim"]]:
        if self.training or torch.is_grad_enabled():
            self._kept = None
            return self._propagate()
        if self._kept is None or not self._is_made_from_weights(self._kept[0]):
            self._kept = self._propagate()
        return self._kept

    def _is_made_from_weights(self, layer_0: Float[Tensor, "node dim"]) -> bool:
        # Compared value by value: torch's count of in-place writes misses those of a fused optimiser.
        parts = layer_0[: self.num_users], layer_0[self.num_users :]
        for kept, weight in zip(parts, (self.users.weight, self.items.weight), strict=True):
            if kept.device != weight.device or kept.dtype != weight.dtype or not torch.equal(kept, weight):
                return False
        return True

    def _propagate(self) -> list[Float[Tensor, "node dim"]]:
        """Return every layer, and their mean as the last of the list."""
        layers = [torch.cat([self.users.weight, self.items.weight])]
        total = layers[0]
        for _ in range(self.num_layers):
            layers.append(_smooth(layers[-1], self.neighbour, self.start, self.share))
            total = total + layers[-1]
        return [*layers, total / len(layers)]


class _Smooth(torch.autograd.Function):
    """Multiply by a symmetric sparse matrix, which is then its own gradient.

    On a CPU `embedding_bag` did this in half the time of a product with a torch CSR matrix, and
    its gradient in a tenth.
    """

    @staticmethod
    def forward(ctx: Any, value: Tensor, neighbour: Tensor, start: Tensor, share: Tensor) -> Tensor:
        ctx.save_for_backward(neighbour, start, share)
        return embedding_bag(
            neighbour, value, start, mode="sum", per_sample_weights=share.to(value.dtype), include_last_offset=True
        )

    @staticmethod
    def backward(ctx: Any, *gradient: Tensor) -> tuple[Tensor, None, None, None]:
        return _smooth(gradient[0].contiguous(), *ctx.saved_tensors), None, None, None


def _smooth(value: Tensor, neighbour: Tensor, start: Tensor, share: Tensor) -> Tensor:
    smoothed: Tensor = _Smooth.apply(value, neighbour, start, share)  # type: ignore[no-untyped-call]
    return smoothed


def _normalised_graph(
    user: Int[Tensor, " _"], item: Int[Tensor, " _"], num_users: int, num_items: int
) -> tuple[Int[Tensor, " edge"], Int[Tensor, " bound"], Float[Tensor, " edge"]]:
    """Return the neighbours of every node in order, where each node's begin, and their shares.

    Nodes are the users, then the items. The share of an edge is one over the square root of the
    product of its two degrees.
    """
    if user.shape != item.shape:
        raise ValueError(f"user and item must be equally long; got {len(user)} and {len(item)}")
    for name, ids, size in (("user", user, num_users), ("item", item, num_items)):
        if len(ids) and (int(ids.min()) < 0 or int(ids.max()) >= size):
            raise ValueError(f"{name} ids must lie in [0, {size}); got {int(ids.min())} to {int(ids.max())}")
    num_nodes = num_users + num_items
    user, item = user.long(), item.long() + num_users
    edge = torch.unique(torch.cat([user * num_nodes + item, item * num_nodes + user]))
    node, neighbour = edge // num_nodes, edge % num_nodes
    degree = torch.bincount(node, minlength=num_nodes)
    start = torch.cat([degree.new_zeros(1), degree.cumsum(0)])
    share = (degree[node].double() * degree[neighbour]).rsqrt().float()
    return neighbour, start, share
