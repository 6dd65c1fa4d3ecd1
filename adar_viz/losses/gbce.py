"""Generalised binary cross-entropy: BCE that knows how few of the negatives it saw."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from adar_viz.losses.reduction import count_negatives, weighted_mean


@dataclass(frozen=True)
class GBCE:
    """BCE with the positive's sigmoid to the power beta (Petrov and Macdonald 2023, RecSys, gSASRec).

    Sampling shows few negatives for each positive, so `BCE` overestimates every probability. With
    sampling rate ``a = K / (num_items - 1)``, ``beta = a (t (1 - 1/a) + 1/a) = 1 - t (1 - a)``
    undoes this: wholly for t = 1, not at all (`BCE`) for t = 0.

    Parameters
    ----------
    num_items : int
        Size of the catalogue, at least 2.
    t : float
        Calibration, in [0, 1].

    Notes
    -----
    K is counted row by row, from the negatives with a weight above 0; a generated one counts like
    a sampled one. The rate is at most 1, should K (drawn with replacement) pass the catalogue.
    """

    num_items: int
    t: float = 0.75

    def __post_init__(self) -> None:
        if self.num_items < 2:
            raise ValueError(f"num_items must be at least 2; got {self.num_items}")
        if not 0 <= self.t <= 1:
            raise ValueError(f"t must lie in [0, 1]; got {self.t}")

    def __call__(
        self,
        positive: Float[Tensor, " row"],
        negative: Float[Tensor, "row k"],
        weight: Float[Tensor, "row k"] | None = None,
        log_prob: Float[Tensor, "row k"] | None = None,
    ) -> Float[Tensor, " row"]:
        """Return one loss value for each row; ``log_prob`` is not used."""
        count = count_negatives(negative, weight)
        rate = (count / (self.num_items - 1)).clamp(max=1)
        beta = 1 - self.t * (1 - rate)
        total = beta * softplus(-positive) + count * weighted_mean(softplus(negative), weight)
        return (total / (1 + count)).where(count > 0, 0)
