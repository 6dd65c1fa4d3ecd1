"""SASRec: the state after a history, by causal self-attention over its items."""

from __future__ import annotations

from typing import Any, Literal

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from adar_viz.backbones.history import encode_by_length, move_left, sequential_l2
from adar_viz.core import Batch, Encoded


class SASRec(nn.Module):
    """Self-attentive sequential recommendation (Kang and McAuley 2018, ICDM).

    Parameters
    ----------
    num_users, num_items : int
        Sizes, each at least 1; users have no vector here.
    dim : int
        Of items and states; a multiple of ``num_heads``.
    history_length : int
        Most past items that a state is made from, at least 1; each place among them has a learnt vector.
    num_blocks, num_heads : int
        Of self-attention, each at least 1.
    dropout : float
        In [0, 1), on the input, the attention and each block's output. It draws from torch's
        global generator, which `adar_viz.training.fit` seeds anew in each epoch.
    std : float
        Standard deviation of the normal initialisation of items and positions, above 0; with ``bert`` of all matrices.
    form : str
        Of a block: ``pre_norm``, or ``bert``, that of the SASRec released with S3-Rec (Zhou et al. 2020, CIKM):
        layer norm after each sum and on the input, GELU, a feed-forward part four times as wide.
    generator : torch.Generator, optional
        Random source of the initialisation; torch's global one when None.

    Notes
    -----
    Departures of ``pre_norm`` from the paper: layer norm before attention also for keys and values, and
    before the output (the usual pre-norm transformer, more stable). In both forms one item table serves
    input and output, as in the paper, without a padding row. The newest item of a batch always has the last position.
    A step costs O(sequences x length x dim x (length + dim)) for each block.
    """

    def __init__(
        self,
        num_users: int,
        num_items: int,
        dim: int = 64,
        *,
        history_length: int = 50,
        num_blocks: int = 2,
        num_heads: int = 1,
        dropout: float = 0.2,
        std: float = 0.02,
        form: Literal["pre_norm", "bert"] = "pre_norm",
        generator: torch.Generator | None = None,
    ) -> None:
        super().__init__()
        sizes = {"num_users": num_users, "num_items": num_items, "dim": dim, "history_length": history_length}
        for name, size in (sizes | {"num_blocks": num_blocks, "num_heads": num_heads}).items():
            if size < 1:
                raise ValueError(f"{name} must be at least 1; got {size}")
        if dim % num_heads:
            raise ValueError(f"dim must be a multiple of num_heads = {num_heads}; got {dim}")
        if not 0 <= dropout < 1:
            raise ValueError(f"dropout must lie in [0, 1); got {dropout}")
        if not std > 0:
            raise ValueError(f"std must be above 0; got {std}")
        if form not in ("pre_norm", "bert"):
            raise ValueError(f"form must be 'pre_norm' or 'bert'; got {form!r}")
        self.num_users, self.num_items, self.dim = num_users, num_items, dim
        self.history_length: int | None = history_length
        self.num_blocks, self.num_heads = num_blocks, num_heads
        self.item = nn.Embedding(num_items, dim)
        self.position = nn.Embedding(history_length, dim)
        self.dropout, self.std, self.form = dropout, std, form
        self.drop = nn.Dropout(dropout)
        bert = form == "bert"
        self.scale = 1.0 if bert else dim**0.5
        self.input_norm: nn.Module = nn.LayerNorm(dim, eps=1e-12) if bert else nn.Identity()
        shape: dict[str, Any] = {"dim_feedforward": dim, "norm_first": True}
        if bert:
            shape = {"dim_feedforward": 4 * dim, "activation": "gelu", "layer_norm_eps": 1e-12}
        block = nn.TransformerEncoderLayer(dim, num_heads, dropout=dropout, batch_first=True, **shape)
        if bert:
            block.dropout.p = 0.0  # none between the two layers of the feed-forward part
        last = None if bert else nn.LayerNorm(dim)
        self.blocks = nn.TransformerEncoder(block, num_blocks, norm=last, enable_nested_tensor=False)
        self._initialise(std, generator)

    def _initialise(self, std: float, generator: torch.Generator | None) -> None:
        """Draw all weights anew: the encoder copies its blocks, which would start alike."""
        for table in (self.item, self.position):
            nn.init.normal_(table.weight, std=std, generator=generator)
        for name, parameter in self.blocks.named_parameters():
            if parameter.ndim > 1 and self.form == "bert":
                nn.init.normal_(parameter, std=std, generator=generator)
            elif parameter.ndim > 1:
                nn.init.xavier_uniform_(parameter, generator=generator)
            elif name.endswith("bias"):
                nn.init.zeros_(parameter)

    def forward(self, batch: Batch) -> Encoded:
        """Encode every unpadded position of the histories by the state after it."""
        assert self.history_length is not None
        item, is_row = move_left(batch.history, self.history_length)
        query = encode_by_length(self.item, self._states, item, is_row)
        return Encoded(query=query, lookup=self.item, table=lambda: self.item.weight)

    def _states(
        self, vector: Float[Tensor, "sequence length dim"], count: Int[Tensor, " sequence"]
    ) -> Float[Tensor, "sequence length dim"]:
        assert self.history_length is not None
        place = torch.arange(vector.shape[1], device=vector.device)
        position = (place + self.history_length - count.unsqueeze(1)).clamp(max=self.history_length - 1)
        state = self.drop(self.input_norm(vector * self.scale + self.position(position)))
        causal = nn.Transformer.generate_square_subsequent_mask(len(place), device=state.device, dtype=state.dtype)
        states: Tensor = self.blocks(state, mask=causal, is_causal=True)
        return states

    def l2(self, batch: Batch, negative: Int[Tensor, "#row k"]) -> Float[Tensor, ""]:
        """Half the squared norm of the item embeddings that a row uses, averaged over rows."""
        return sequential_l2(self.item, batch, negative)
