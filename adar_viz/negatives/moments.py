"""What ADAR knows of the catalogue as a whole: its mean, covariance and scale, measured once an epoch."""

from __future__ import annotations

import weakref

import torch
from jaxtyping import Float
from torch import Tensor, nn

from adar_viz.core import Context
from adar_viz.transition import catalogue_moments

MOMENT_ITEMS = 10_000
"""Catalogues up to this size give exact moments; larger ones are estimated from so many items."""
SCORED_ITEMS = 256
"""Items whose scores stand for the catalogue's, in each row, where the scorer leaves no closed form."""


class CatalogueMoments(nn.Module):
    """Moments of the items' embeddings, and from them those of each user's scores.

    Attributes
    ----------
    mean : Float[Tensor, "dim"]
    covariance : Float[Tensor, "dim dim"]
        Divided by the number of items.
    rms : Float[Tensor, ""]
        Root mean square of all entries, above 0.
    """

    mean: Tensor
    covariance: Tensor
    rms: Tensor

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(dim))
        self.register_buffer("covariance", torch.eye(dim))
        self.register_buffer("rms", torch.ones(()))
        self._measured: tuple[int, weakref.ref[torch.Generator]] | None = None

    def refresh(self, context: Context) -> None:
        """Measure the catalogue, once an epoch: every epoch of every training has a generator of its own."""
        if self._measured is None or self._measured != (context.epoch, weakref.ref(context.generator)):
            self.measure(context)

    @torch.no_grad()
    def measure(self, context: Context) -> None:
        """Measure the catalogue as it is now; O(items x dim^2), for at most `MOMENT_ITEMS` items."""
        device, num_items = context.positive.device, context.known.num_items
        item = torch.arange(num_items, device=device)
        if num_items > MOMENT_ITEMS:
            item = torch.randint(num_items, (MOMENT_ITEMS,), generator=context.generator, device=device)
        embedding = context.encoded.lookup(item)
        self.mean.copy_(embedding.mean(0))
        centred = embedding - self.mean
        self.covariance.copy_(centred.T @ centred / len(item))
        self.rms.copy_(embedding.square().mean().sqrt().clamp(min=1e-12))
        self._measured = context.epoch, weakref.ref(context.generator)

    @torch.no_grad()
    def of_scores(self, context: Context) -> tuple[Float[Tensor, " row"], Float[Tensor, " row"]]:
        """Return mean and standard deviation of each row's scores over the catalogue; O(row x dim^2)."""
        encoded = context.encoded
        if encoded.scorer is None:
            mean, sd = catalogue_moments(encoded.query, self.mean, self.covariance)
        else:  # no closed form for a general scorer: the moments come from a uniform sample
            shape, device = (len(encoded.query), SCORED_ITEMS), encoded.query.device
            item = torch.randint(context.known.num_items, shape, generator=context.generator, device=device)
            score = encoded.score(encoded.lookup(item))
            sd, mean = torch.std_mean(score, dim=1, correction=0)
        return mean, sd
