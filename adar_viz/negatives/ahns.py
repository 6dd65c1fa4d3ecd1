"""AHNS: the better a positive is liked already, the easier its negative."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from adar_viz.core import Context, Negatives, NegativeSampler, Observer, ignore
from adar_viz.events import Pool
from adar_viz.negatives import candidates
from adar_viz.negatives.uniform import Uniform


@dataclass(frozen=True)
class AHNS:
    """Adaptive hardness negative sampling (Lai et al. 2024, AAAI, arXiv 2401.05191), AHNS with p < 0.

    Of the pool's candidates it keeps the one whose score is nearest to ``beta (s + alpha)^(p + 1)``,
    where s is the positive's score. Scoring takes O(row x M x dim); only the chosen item carries
    gradient.

    Parameters
    ----------
    pool : NegativeSampler
        Where the M candidates come from; they must be items.
    alpha, beta : float
        Shift and scale of the target, each above 0.
    p : float
        Below 0. For p < -1 a higher positive score asks for a lower negative one; for p = -1 the
        target is ``beta`` for all; above, it grows with the positive's score, but more slowly.

    Notes
    -----
    The defaults are those of the released code. A score ``s <= -alpha`` has no target there (a power
    of a negative number, even NaN); here it has the limit of the formula as s falls to -alpha: the
    hardest candidate for p < -1, 0 above -1, and ``beta`` for p = -1.
    """

    pool: NegativeSampler = Uniform(num_negatives=32)
    alpha: float = 1.0
    beta: float = 0.1
    p: float = -2.0

    def __post_init__(self) -> None:
        for name, value in (("alpha", self.alpha), ("beta", self.beta)):
            if not value > 0:
                raise ValueError(f"{name} must be above 0; got {value}")
        if not self.p < 0:
            raise ValueError(f"p must be below 0; got {self.p}")

    def target(self, positive: Float[Tensor, " row"]) -> Float[Tensor, " row"]:
        """Return the score wanted of the negative; infinite where the hardest is wanted."""
        return self.beta * (positive + self.alpha).clamp(min=0).pow(self.p + 1)

    @torch.no_grad()
    def _choose(self, context: Context, observe: Observer) -> Tensor:
        encoded, candidate = context.encoded, candidates.draw(self.pool, context)
        score = encoded.score(candidate.embedding)
        target = self.target(context.positive_score).unsqueeze(1)
        # Moving a target beyond all candidates to the outermost one leaves the nearest as it is, and finite.
        target = target.clamp(score.amin(1, keepdim=True), score.amax(1, keepdim=True))
        observe(Pool(candidate.item, score))
        return candidate.item.gather(1, (score - target).abs().argmin(1, keepdim=True))

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Draw one negative for each row; announces the `Pool` that it chose from.

        Raises
        ------
        ValueError
            The pool is none: see `adar_viz.negatives.candidates`.
        """
        item = self._choose(context, observe)
        return Negatives(context.encoded.lookup(item), item)
