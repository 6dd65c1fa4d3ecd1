"""From one value for each negative to one value for each row."""

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
