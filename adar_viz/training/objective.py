"""One step: what backbone, sampler and loss make of a batch, and the optimiser that follows it."""

from __future__ import annotations

import inspect
from collections.abc import Callable

import torch
from torch import Tensor, nn

from adar_viz.core import Backbone, Batch, Context, Encoded, Loss, Negatives, NegativeSampler, Observer, ignore
from adar_viz.events import Drawn


class Objective(nn.Module):
    """One step's loss as a module, so that Fabric can wrap it for several processes.

    The sampler stays outside the module tree: it trains itself, apart from the recommender.
    """

    def __init__(self, backbone: Backbone, sampler: NegativeSampler, loss: Loss, l2: float) -> None:
        super().__init__()
        self.backbone = backbone
        self._unregistered = (sampler, loss)
        self._loss_takes_log_prob = "log_prob" in inspect.signature(loss).parameters
        self.l2 = l2
        self.seen: tuple[Context, Negatives, dict[str, Tensor]] | None = None

    def forward(self, batch: Batch, make_context: Callable[..., Context], observe: Observer) -> Tensor:
        """Return the sum of the loss's terms, and keep them with what they were made from in ``seen``."""
        sampler, loss = self._unregistered
        encoded = self.backbone(batch)
        context = make_context(user=batch.user, positive=batch.positive, encoded=encoded)
        negatives = sampler.sample(context, observe=observe)
        positive = context.positive_score
        _check_negatives(negatives, encoded)
        negative = encoded.score(negatives.embedding)
        known = {"log_prob": negatives.log_prob} if self._loss_takes_log_prob else {}
        value = loss(positive, negative, negatives.weight, **known)
        if value.shape != positive.shape:
            raise ValueError(f"a loss must give one value for each row, {_shape(positive)}; got {_shape(value)}")
        terms = {"loss": value.mean(), **negatives.auxiliary}
        if self.l2 > 0:
            terms["l2"] = self.l2 * self.backbone.l2(batch, negatives.item)
        if observe is not ignore:
            item = negatives.item.expand_as(negative)  # one row may serve all
            scores, vectors = (positive.detach(), negative.detach()), negatives.embedding.detach()
            weight, log_prob = negatives.weight, negatives.log_prob
            observe(Drawn(batch.user, batch.positive, item, *scores, weight, log_prob, vectors, encoded))
        self.seen = context, negatives, terms
        return torch.stack(list(terms.values())).sum()


def _check_negatives(negatives: Negatives, encoded: Encoded) -> None:
    """Refuse shapes that would broadcast to scores of one row's query with another row's negatives."""
    embedding, item, (rows, dim) = negatives.embedding, negatives.item, encoded.query.shape
    if embedding.dim() != 3 or len(embedding) not in (1, rows) or embedding.shape[2] != dim:
        expected = f"(row, k, dim) with {rows} rows, or 1 for all, and dim {dim}"
        raise ValueError(f"embeddings of negatives must be {expected}; got {_shape(embedding)}")
    if item.shape != embedding.shape[:2]:
        raise ValueError(f"negatives must have an item for each embedding, {_shape(embedding)[:2]}; got {_shape(item)}")


def _shape(tensor: Tensor) -> tuple[int, ...]:
    return tuple(tensor.shape)


def make_optimizer(backbone: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    """Return Adam, lazily sparse where the backbone's embeddings ask for sparse gradients."""
    sparse = any(isinstance(m, nn.Embedding) and m.sparse for m in backbone.modules())
    if sparse:
        return torch.optim.SparseAdam(backbone.parameters(), lr=learning_rate)
    return torch.optim.Adam(backbone.parameters(), lr=learning_rate, fused=True)
