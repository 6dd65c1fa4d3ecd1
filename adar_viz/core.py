"""The nouns that every floor of the package shares: the seam.

A **row** is one (query, positive) pair. A backbone turns a `Batch` into an `Encoded`; a negative
sampler looks at a `Context` and returns `Negatives`; a loss sees only their scores.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Protocol, runtime_checkable

import torch
from jaxtyping import Float, Int
from torch import Tensor

from adar_viz.events import Event
from adar_viz.known import KnownPositives

NO_ITEM = -1
"""The item id of a negative that belongs to no item (a synthetic one), and of padding."""

MATRIX_PRODUCT_FROM = 16
"""From so many negatives per row on, ``bmm`` is quicker than ``vecdot`` on a CPU, forward and backward together."""

Observer = Callable[[Event], None]


def ignore(event: Event) -> None:
    """Observe nothing: the default observer."""


@dataclass(frozen=True)
class Batch:
    """What a backbone encodes: one user and one positive for each row.

    ``history`` is None for collaborative filtering. For a sequential backbone it holds item ids
    in time order, padded on the left with `NO_ITEM`; each unpadded position is one row, in
    row-major order, and its positive is the item that came next.
    """

    user: Int[Tensor, " row"]
    positive: Int[Tensor, " row"]
    history: Int[Tensor, "sequence length"] | None = None


@dataclass(frozen=True)
class Encoded:
    """What a backbone says about the rows of a batch.

    Attributes
    ----------
    query : Float[Tensor, "row dim"]
        The user (collaborative filtering) or the state after the history (sequential).
    lookup : callable
        Item ids of any shape to embeddings, one more axis ``dim``; costs what is asked for.
    table : callable
        Embeddings of all items, ``(item, dim)``; ask only when the whole catalogue is needed.
    scorer : callable or None
        ``(query (row, dim), embedding (row, k, dim)) -> (row, k)``; None is the inner product.
    layers : callable or None
        ``(user ids or None, item ids or None) -> (…, layer, dim)`` for methods that mix hop by hop.
    """

    query: Float[Tensor, "row dim"]
    lookup: Callable[[Tensor], Tensor]
    table: Callable[[], Tensor]
    scorer: Callable[[Tensor, Tensor], Tensor] | None = None
    layers: Callable[[Tensor | None, Tensor | None], Tensor] | None = None

    def score(self, embedding: Float[Tensor, "#row k dim"]) -> Float[Tensor, "row k"]:
        """Score of each embedding for its row's query; higher is a better match, always."""
        if self.scorer is not None:
            return self.scorer(self.query, embedding.expand(len(self.query), -1, -1))
        if len(embedding) == 1 != len(self.query):  # one row of candidates serves all
            return self.query @ embedding[0].T
        query = self.query.unsqueeze(1)
        if embedding.shape[1] < MATRIX_PRODUCT_FROM:
            few: Tensor = torch.linalg.vecdot(query, embedding)
            return few
        return torch.bmm(query, embedding.transpose(1, 2)).squeeze(1)

    def score_all(self) -> Float[Tensor, "row item"]:
        """Score of every item of the catalogue for every row; O(row x item x dim)."""
        table = self.table()
        if self.scorer is not None:
            return self.scorer(self.query, table.expand(len(self.query), *table.shape))
        return self.query @ table.T


@dataclass(frozen=True)
class Context:
    """All that a sampler may look at."""

    user: Int[Tensor, " row"]
    positive: Int[Tensor, " row"]
    encoded: Encoded
    known: KnownPositives
    generator: torch.Generator
    epoch: int = 0
    progress: float = 0.0
    """Share of the planned training that is over, in [0, 1]."""

    @cached_property
    def positive_embedding(self) -> Float[Tensor, "row dim"]:
        """Embedding of each row's positive, looked up once for all who ask; carries gradient where the query does."""
        with torch.set_grad_enabled(self.encoded.query.requires_grad):
            return self.encoded.lookup(self.positive)

    @cached_property
    def positive_score(self) -> Float[Tensor, " row"]:
        """Score of each row's positive, computed once for all who ask; carries gradient where the query does."""
        with torch.set_grad_enabled(self.encoded.query.requires_grad):
            return self.encoded.score(self.positive_embedding.unsqueeze(1)).squeeze(1)


@dataclass(frozen=True)
class Negatives:
    """``k`` negatives for each row; negatives that all rows share may come once, with a row axis of length 1.

    Attributes
    ----------
    embedding : Float[Tensor, "#row k dim"]
        Carries gradient to the items when it is an item's or mixed from items'; other synthetic ones
        are detached.
    item : Int[Tensor, "#row k"]
        Item ids; `NO_ITEM` where the negative is synthetic.
    log_prob : Float[Tensor, "row k"] or None
        Log-probability of the draw, where the method knows it.
    weight : Float[Tensor, "row k"] or None
        Share of each negative in the row's loss, relative to the others; None means equal.
    auxiliary : mapping of str to scalar tensor
        Named auxiliary losses, added to the recommender's loss.
    """

    embedding: Float[Tensor, "#row k dim"]
    item: Int[Tensor, "#row k"]
    log_prob: Float[Tensor, "row k"] | None = None
    weight: Float[Tensor, "row k"] | None = None
    auxiliary: Mapping[str, Tensor] = field(default_factory=dict)


@runtime_checkable
class Backbone(Protocol):
    """A recommender's encoder: an ``nn.Module`` that knows no negatives."""

    num_users: int
    num_items: int
    dim: int
    history_length: int | None
    """How many past items a query is made from; None for collaborative filtering (the user alone)."""

    def __call__(self, batch: Batch) -> Encoded:
        """Encode the rows of a batch."""
        ...

    def l2(self, batch: Batch, negative: Int[Tensor, "#row k"]) -> Float[Tensor, ""]:
        """Half the squared norm of the layer-0 embeddings that a row uses, averaged over rows.

        The negatives of a row count with their mean, so that a method with more of them is not
        regularised harder; `NO_ITEM` counts nothing.
        """
        ...


@runtime_checkable
class NegativeSampler(Protocol):
    """Anything that finds negatives for rows."""

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Draw the negatives of every row; watching must not change them."""
        ...


@runtime_checkable
class Updatable(Protocol):
    """A sampler that trains itself: called after each step of the recommender's optimiser."""

    def update(self, context: Context, negatives: Negatives) -> Mapping[str, Tensor | float]:
        """Take one step and return what is worth reporting, by name."""
        ...


@runtime_checkable
class Loss(Protocol):
    """Scores to one value for each row."""

    def __call__(
        self,
        positive: Float[Tensor, " row"],
        negative: Float[Tensor, "row k"],
        weight: Float[Tensor, "row k"] | None = None,
        log_prob: Float[Tensor, "row k"] | None = None,
    ) -> Float[Tensor, " row"]:
        """Return one loss value for each row; ``log_prob`` is `Negatives.log_prob`, for losses that use it."""
        ...
