"""Matrix factorisation: a vector for each user and each item, matched by inner product."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from adar_viz.backbones.regularisation import half_squared_norm, without_synthetic
from adar_viz.core import Batch, Encoded


class MF(nn.Module):
    """Matrix factorisation (Koren, Bell and Volinsky 2009), without biases.

    Parameters
    ----------
    num_users, num_items, dim : int
        Sizes, each at least 1.
    std : float
        Standard deviation of the normal initialisation, above 0; LightGCN's 0.1 by default.
    sparse : bool
        Give sparse gradients: with an optimiser that takes them (``SparseAdam``, ``SGD``, ``Adagrad``)
        a training step costs what its rows use, whatever the number of items. Note that
        ``SparseAdam`` moves only the embeddings of the step, where Adam moves all by momentum.
    generator : torch.Generator, optional
        Random source of the initialisation; torch's global one when None.
    """

    history_length: int | None = None

    def __init__(
        self,
        num_users: int,
        num_items: int,
        dim: int = 64,
        *,
        std: float = 0.1,
        sparse: bool = False,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        for name, size in (("num_users", num_users), ("num_items", num_items), ("dim", dim)):
            if size < 1:
                raise ValueError(f"{name} must be at least 1; got {size}")
        if not std > 0:
            raise ValueError(f"std must be above 0; got {std}")
        self.num_users, self.num_items, self.dim = num_users, num_items, dim
        self.user = nn.Embedding(num_users, dim, sparse=sparse)
        self.item = nn.Embedding(num_items, dim, sparse=sparse)
        for embedding in (self.user, self.item):
            nn.init.normal_(embedding.weight, std=std, generator=generator)

    def forward(self, batch: Batch) -> Encoded:
        """Encode each row by its user's vector; O(row x dim)."""
        return Encoded(query=self.user(batch.user), lookup=self.item, table=lambda: self.item.weight)

    def l2(self, batch: Batch, negative: Int[Tensor, "#row k"]) -> Float[Tensor, ""]:
        """Half the squared norm of the embeddings that a row uses, averaged over rows."""
        negative = without_synthetic(negative)
        return half_squared_norm(
            self.user(batch.user), self.item(batch.positive), self.item(negative.clamp(min=0)), negative >= 0
        )
