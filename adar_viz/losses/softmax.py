"""Softmax cross-entropy: which of the items is the positive."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from adar_viz.losses.reduction import count_negatives


@dataclass(frozen=True)
class Softmax:
    """``-log(e^(s_pos/tau) / (e^(s_pos/tau) + sum of e^(s_neg/tau)))``.

    Over sampled negatives this is the sampled softmax, also called InfoNCE (van den Oord et al.
    2018); over `adar_viz.negatives.AllItems` it is the full cross-entropy over the catalogue.

    Parameters
    ----------
    temperature : float
        tau, above 0.
    log_q : bool
        Correct for how the negatives were drawn, by subtracting ``log(K q)`` from the logit of one that
        had probability q (Bengio and Senécal 2008): the sum then estimates that over all items that
        could be drawn, without bias. It needs the log-probability of every negative.

    Notes
    -----
    Weights are copies, scaled to average 1 over the negatives that have any: one with weight
    ``lambda`` beside one with weight 1 enters the sum as ``2 lambda / (1 + lambda)`` of itself. The
    positive is not corrected: our samplers never draw it, so that it enters the sum once, exactly.
    """

    temperature: float = 1.0
    log_q: bool = False

    def __post_init__(self) -> None:
        if not self.temperature > 0:
            raise ValueError(f"temperature must be above 0; got {self.temperature}")

    def __call__(
        self,
        positive: Float[Tensor, " row"],
        negative: Float[Tensor, "row k"],
        weight: Float[Tensor, "row k"] | None = None,
        log_prob: Float[Tensor, "row k"] | None = None,
    ) -> Float[Tensor, " row"]:
        """Return one loss value for each row; ``log_prob`` is read only with ``log_q``.

        Raises
        ------
        ValueError
            ``log_q`` without log-probabilities.
        """
        chosen, other = positive / self.temperature, negative / self.temperature
        count = count_negatives(negative, weight)
        if self.log_q:
            if log_prob is None:
                raise ValueError("log_q needs the log-probability of every negative; this sampler gives none")
            other = other - log_prob - count.clamp(min=1).log().unsqueeze(1)
        if weight is not None:
            total = weight.sum(-1)
            other = other + (weight * (count / total.where(total > 0, 1)).unsqueeze(1)).log()
        return torch.cat([chosen.unsqueeze(1), other], 1).logsumexp(1) - chosen
