"""From hits on ranked lists to one value for each user."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float, Int

from adar_viz.evaluation.conventions import Conventions

PER_USER = ("recall", "ndcg", "hit", "mrr")
"""What `per_user_metrics` gives at each length of the list, in this order."""


def per_user_metrics(
    hit: Bool[np.ndarray, "user place"], number: Int[np.ndarray, " user"], conventions: Conventions
) -> dict[str, Float[np.ndarray, " user"]]:
    """Judge each user's list.

    Parameters
    ----------
    hit
        Whether the item at each place, best first, is a target.
    number
        How many targets each user has, at least 1.

    Notes
    -----
    ``hit@k`` is 1 where any target is among the first k; ``mrr@k`` is one over the place of the
    first of them, 0 without; NDCG discounts place r (from 1) by ``log2(r + 1)``.
    """
    place = np.arange(1, hit.shape[1] + 1)
    gain = 1 / np.log2(place + 1)
    ideal_gain = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, max(conventions.ks) + 2)))])
    values: dict[str, Float[np.ndarray, " user"]] = {}
    for k in conventions.ks:
        top = hit[:, :k]
        found, reachable = top.sum(axis=1), np.minimum(number, k)
        ideal = ideal_gain[reachable if conventions.ideal == "test" else np.maximum(found, 1)]
        first = np.where(top.any(axis=1), top.argmax(axis=1) + 1.0, np.inf)
        recall = found / (number if conventions.recall_over == "test" else reachable)
        at_k = (recall, top @ gain[:k] / ideal, (found > 0).astype(np.float64), 1 / first)
        values |= {f"{name}@{k}": value for name, value in zip(PER_USER, at_k, strict=True)}
    return values
