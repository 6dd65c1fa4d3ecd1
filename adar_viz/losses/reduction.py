"""From one value for each negative to one value for each row, and how many negatives a row has."""

from __future__ import annotations

from jaxtyping import Float
from torch import Tensor


def weighted_mean(value: Float[Tensor, "row k"], weight: Float[Tensor, "row k"] | None) -> Float[Tensor, " row"]:
    """Average over a row's negatives in proportion to ``weight`` (at least 0; None means equal).

    A row whose weights are all 0 has the value 0: it takes no part.
    """
    if weight is None:
        return value.mean(-1)
    total = weight.sum(-1)
    return (weight * value).sum(-1) / total.where(total > 0, 1)


def count_negatives(negative: Float[Tensor, "row k"], weight: Float[Tensor, "row k"] | None) -> Float[Tensor, " row"]:
    """Count the negatives of each row that have a weight above 0 (None: all of them)."""
    if weight is None:
        return negative.new_full((len(negative),), negative.shape[1])
    return (weight > 0).sum(-1).to(negative.dtype)
