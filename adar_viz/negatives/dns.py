"""Dynamic negative sampling: the item of a random pool that the recommender scores highest."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from adar_viz.core import Context, Negatives, NegativeSampler, Observer, ignore
from adar_viz.events import Pool
from adar_viz.negatives import candidates
from adar_viz.negatives.uniform import Uniform


@dataclass(frozen=True)
class DNS:
    """Draw a pool of M candidates and keep a hard one (Zhang et al. 2013, SIGIR; Shi et al. 2023).

    Scoring takes O(row x M x dim); only the chosen items carry gradient.

    Parameters
    ----------
    pool : NegativeSampler
        Where candidates come from: M = the negatives that it gives for each row. They must be items.
    n : int
        1 keeps the highest-scoring candidate (Zhang et al.); n in [1, M] keeps a uniformly random one of
        the n highest-scoring: DNS(M, N) of Shi et al., where larger n is less hard.

    Notes
    -----
    `Uniform` draws with replacement, so one item may fill several of the n places; it then counts as often.
    The probability of a draw depends on the scores of the whole catalogue, so ``log_prob`` is None.
    """

    pool: NegativeSampler = Uniform(num_negatives=16)
    n: int = 1

    def __post_init__(self) -> None:
        if self.n < 1:
            raise ValueError(f"n must be at least 1; got {self.n}")

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Draw one negative for each row; announces the `Pool` that it chose from.

        Raises
        ------
        ValueError
            The pool gives fewer than n candidates, or is none: see `adar_viz.negatives.candidates`.
        """
        # Without gradient, then a second look-up of the chosen alone: with gradient through the pool,
        # backward would scatter M rows of which M - 1 are zeros (and SparseAdam would move them all).
        with torch.no_grad():
            candidate = candidates.draw(self.pool, context)
            score = context.encoded.score(candidate.embedding)
        item = candidate.item
        if item.shape[1] < self.n:
            raise ValueError(f"n must lie in [1, {item.shape[1]}], the size of the pool; got {self.n}")
        place = score.topk(self.n, dim=1).indices
        if self.n > 1:
            rank = torch.randint(self.n, (len(place), 1), generator=context.generator, device=place.device)
            place = place.gather(1, rank)
        observe(Pool(item, score))
        chosen = item.gather(1, place)
        return Negatives(context.encoded.lookup(chosen), chosen)
