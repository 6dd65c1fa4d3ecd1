"""Uniform negatives: every item that the user is not known to like, equally likely."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from adar_viz.core import Context, Negatives, Observer, ignore
from adar_viz.events import Pool

_WIDE = 2**62
"""Range of the raw integers; taking them modulo n items is uneven by less than n / 2**62."""


@dataclass(frozen=True)
class Uniform:
    """Draw uniformly from the items that the user is not known to like, with replacement.

    Known positives are stepped over, not rejected: one draw always suffices, O(log pairs) each.

    Parameters
    ----------
    num_negatives : int
        Negatives for each row, at least 1.
    """

    num_negatives: int = 1

    def __post_init__(self) -> None:
        if self.num_negatives < 1:
            raise ValueError(f"num_negatives must be at least 1; got {self.num_negatives}")

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Draw the negatives; announces a `Pool` of all of them.

        Raises
        ------
        ValueError
            A user of the batch is known to like every item.
        """
        known, user = context.known, context.user[:, None]
        unknown = known.num_items - known.count(user)
        if bool((unknown == 0).any()):
            full = int(context.user[(unknown == 0).flatten()][0])
            raise ValueError(
                f"each user needs an item not known to be liked; user {full} likes all {known.num_items} items"
            )
        shape = (len(user), self.num_negatives)
        raw = torch.randint(_WIDE, shape, generator=context.generator, device=user.device)
        item = known.nth_unknown(user.expand(shape), raw % unknown)
        embedding = context.encoded.lookup(item)
        if observe is not ignore:
            with torch.no_grad():
                observe(Pool(item, context.encoded.score(embedding)))
        return Negatives(embedding, item, log_prob=-unknown.to(embedding.dtype).log().expand(shape))
