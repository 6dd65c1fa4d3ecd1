"""Bayesian personalised ranking."""

from __future__ import annotations

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor
from torch.nn.functional import softplus

from adar_viz.losses.reduction import weighted_mean


@dataclass(frozen=True)
class BPR:
    """``-log sigmoid(s_pos - s_neg)``, averaged over a row's negatives (Rendle et al. 2009, BPR-Opt).

    Written as ``softplus(s_neg - s_pos)``, which neither overflows nor loses small values. The
    prior of the paper (L2) is the backbone's `l2`.
    """

    def __call__(
        self,
        positive: Float[Tensor, " row"],
        negative: Float[Tensor, "row k"],
        weight: Float[Tensor, "row k"] | None = None,
        log_prob: Float[Tensor, "row k"] | None = None,
    ) -> Float[Tensor, " row"]:
        """Return one loss value for each row; ``log_prob`` is not used."""
        return weighted_mean(softplus(negative - positive[:, None]), weight)
