"""Easiest of a pool: the mirror image of dynamic negative sampling, for a gentle first lesson."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from adar_viz.core import Context, Negatives, NegativeSampler, Observer, ignore
from adar_viz.negatives import Uniform


@dataclass(frozen=True)
class Easiest:
    """Keep the candidate with the lowest score.

    Parameters
    ----------
    pool : NegativeSampler
        Where the candidates come from; every one must be a real item.
    """

    pool: NegativeSampler = field(default_factory=lambda: Uniform(num_negatives=8))

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Draw the pool and keep one candidate of each row; the pool announces itself."""
        pool = self.pool.sample(context, observe=observe)
        with torch.no_grad():
            place = context.encoded.score(pool.embedding).argmin(dim=1, keepdim=True)
        item = pool.item.gather(1, place)
        return Negatives(context.encoded.lookup(item), item)
