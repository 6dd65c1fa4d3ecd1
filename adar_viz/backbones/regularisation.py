"""The L2 penalty that every backbone shares: on layer-0 embeddings, row by row."""

from __future__ import annotations

from jaxtyping import Bool, Float, Int
from torch import Tensor


def half_squared_norm(
    user: Float[Tensor, "row dim"] | None,
    positive: Float[Tensor, "row dim"],
    negative: Float[Tensor, "#row k dim"],
    real: Bool[Tensor, "#row k"],
) -> Float[Tensor, ""]:
    """Average over rows of half the squared norm of what a row uses.

    Parameters
    ----------
    user, positive, negative
        Layer-0 embeddings; ``user`` is None for a backbone without user embeddings.
    real
        False where the negative is synthetic: it counts nothing, and the mean of a row's
        negatives is taken over the real ones alone.
    """
    norm = (negative.square().sum(-1) * real).sum(-1) / real.sum(-1).clamp(min=1)
    norm = norm + positive.square().sum(-1)
    if user is not None:
        norm = norm + user.square().sum(-1)
    return norm.mean() / 2


def without_synthetic(negative: Int[Tensor, "#row k"]) -> Int[Tensor, "#row real"]:
    """Drop the columns that belong to no item in any row: they count nothing, and looking them up costs."""
    return negative[:, (negative >= 0).any(0)]
