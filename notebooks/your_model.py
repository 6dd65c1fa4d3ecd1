"""A model from elsewhere (embedding tables and an MLP that scores), and its adapter."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from adar_viz.backbones.regularisation import half_squared_norm
from adar_viz.core import Batch, Encoded


class TwoTables(nn.Module):
    """Your model, as it is."""

    def __init__(self, num_users: int, num_items: int, dim: int = 32) -> None:
        super().__init__()
        self.user, self.item = nn.Embedding(num_users, dim), nn.Embedding(num_items, dim)
        self.mlp = nn.Sequential(nn.Linear(2 * dim, dim), nn.ReLU(), nn.Linear(dim, 1, bias=False))

    def match(self, user: Tensor, item: Tensor) -> Tensor:
        """Score user vectors against item vectors of the same leading shape."""
        return self.mlp(torch.cat([user, item], -1)).squeeze(-1)


class Adapter(nn.Module):
    """The whole adapter: where queries, item vectors and scores come from."""

    history_length = None

    def __init__(self, model: TwoTables) -> None:
        super().__init__()
        self.model, self.num_users = model, model.user.num_embeddings
        self.num_items, self.dim = model.item.weight.shape

    def score(self, query: Float[Tensor, "row dim"], item: Float[Tensor, "row k dim"]) -> Float[Tensor, "row k"]:
        """Give every item vector its row's query."""
        return self.model.match(query.unsqueeze(1).expand_as(item), item)

    def forward(self, batch: Batch) -> Encoded:
        """Encode each row by its user's vector."""
        item = self.model.item
        return Encoded(self.model.user(batch.user), lookup=item, table=lambda: item.weight, scorer=self.score)

    def l2(self, batch: Batch, negative: Int[Tensor, "row k"]) -> Float[Tensor, ""]:
        """Half the squared norm of the embeddings that a row uses, averaged over rows."""
        user, item = self.model.user, self.model.item
        return half_squared_norm(user(batch.user), item(batch.positive), item(negative.clamp(min=0)), negative >= 0)
