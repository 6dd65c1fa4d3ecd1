"""GRU4Rec: the state after a history, by a recurrent network that reads it item by item."""

from __future__ import annotations

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from adar_viz.backbones.history import encode_by_length, move_left, sequential_l2
from adar_viz.core import Batch, Encoded


class GRU4Rec(nn.Module):
    """Gated recurrent units over a user's items (Hidasi et al. 2016, ICLR).

    Parameters
    ----------
    num_users, num_items : int
        Sizes, each at least 1; users have no vector here.
    dim : int
        Of items and queries, at least 1.
    history_length : int
        Most items that a state is made from, at least 1.
    num_layers : int
        Recurrent layers, at least 1.
    hidden_dim : int, optional
        Of the recurrent state; ``dim`` when None.
    dropout : float
        In [0, 1), on the items read and between layers. It draws from torch's global generator,
        which `adar_viz.training.fit` seeds anew in each epoch.
    std : float
        Standard deviation of the normal initialisation of the items, above 0.
    generator : torch.Generator, optional
        Random source of the initialisation; torch's global one when None.

    Notes
    -----
    Departures from the paper: it reads items one-hot and has weights of its own for the output;
    here one item table serves both, a linear map takes the state to it, and sequences are users'
    histories, not sessions in parallel. A step costs O(rows x dim²) for each layer, one position
    after the other.
    """

    def __init__(
        self,
        num_users: int,
        num_items: int,
        dim: int = 64,
        *,
        history_length: int = 50,
        num_layers: int = 1,
        hidden_dim: int | None = None,
        dropout: float = 0.2,
        std: float = 0.02,
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        hidden_dim = dim if hidden_dim is None else hidden_dim
        sizes = {"num_users": num_users, "num_items": num_items, "dim": dim, "history_length": history_length}
        for name, size in (sizes | {"num_layers": num_layers, "hidden_dim": hidden_dim}).items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1; got {size}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1); got {dropout}")
        if not std > 0:
            raise ValueError(f"std must be above 0; got {std}")
        self.num_users, self.num_items, self.dim = num_users, num_items, dim
        self.history_length: int | None = history_length
        self.num_layers, self.hidden_dim = num_layers, hidden_dim
        self.item = nn.Embedding(num_items, dim)
        self.dropout, self.std = dropout, std
        self.drop = nn.Dropout(dropout)
        between = dropout if num_layers > 1 else 0.0  # torch warns of dropout between the layers of one
        self.gru = nn.GRU(dim, hidden_dim, num_layers, batch_first=True, dropout=between)
        self.output = nn.Linear(hidden_dim, dim)
        nn.init.normal_(self.item.weight, std=std, generator=generator)
        for parameter in (*self.gru.parameters(), *self.output.parameters()):
            nn.init.uniform_(parameter, -(hidden_dim**-0.5), hidden_dim**-0.5, generator=generator)

    def forward(self, batch: Batch) -> Encoded:
        """Encode every unpadded position of the histories by the state after it."""
        assert self.history_length is not None
        item, is_row = move_left(batch.history, self.history_length)
        state = encode_by_length(self.item, lambda vector, _: self.gru(self.drop(vector))[0], item, is_row)
        return Encoded(query=self.output(state), lookup=self.item, table=lambda: self.item.weight)

    def l2(self, batch: Batch, negative: Int[Tensor, "#row k"]) -> Float[Tensor, ""]:
        """Half the squared norm of the item embeddings that a row uses, averaged over rows."""
        return sequential_l2(self.item, batch, negative)
