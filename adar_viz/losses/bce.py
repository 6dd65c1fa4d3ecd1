"""Binary cross-entropy: whether an item is a positive."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from adar_viz.losses.reduction import count_negatives, weighted_mean


@dataclass(frozen=True)
class BCE:
    """``-(log sigmoid(s_pos) + sum of log(1 - sigmoid(s_neg))) / (1 + K)``, with K negatives a row.

    The loss of SASRec (Kang and McAuley 2018, with K = 1), averaged over its terms as in gSASRec
    (Petrov and Macdonald 2023), so that L2 means the same for every K. A score is a calibrated
    log-odds only for the share of positives that training sees, 1 / (1 + K).

    Notes
    -----
    Weights share out K among the negatives: one with weight ``lambda`` beside one with weight 1
    counts ``lambda`` times as much, and one with weight 0 is not there, nor counted in K.
    """

    def __call__(
        self,
        positive: Float[Tensor, " row"],
        negative: Float[Tensor, "row k"],
        weight: Float[Tensor, "row k"] | None = None,
        log_prob: Float[Tensor, "row k"] | None = None,
    ) -> Float[Tensor, " row"]:
        """Return one loss value for each row; ``log_prob`` is not used."""
        count = count_negatives(negative, weight)
        total = softplus(-positive) + count * weighted_mean(softplus(negative), weight)
        return (total / (1 + count)).where(count > 0, 0)
