"""The shape of interactions: their long tail, in numbers that data sets can be compared by."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Int

from adar_viz.datasets.interactions import Interactions


@dataclass(frozen=True)
class LongTail:
    """How unequally pairs are spread; users and items without a pair are not counted.

    Attributes
    ----------
    users, items, pairs : int
        Sizes.
    density : float
        Share of all cells that are pairs; sparsity is 1 minus this.
    item_gini, user_gini : float
        Gini coefficient of the pairs of an item and of a user: 0 is all equal, 1 all in one.
    top_decile : float
        Share of the pairs that the most popular tenth of the items has.
    median_activity, mean_activity : float
        Pairs of a user.
    reach : float
        Share of the users who have the most popular item.
    """

    users: int
    items: int
    pairs: int
    density: float
    item_gini: float
    top_decile: float
    user_gini: float
    median_activity: float
    mean_activity: float
    reach: float


def long_tail(interactions: Interactions) -> LongTail:
    """Measure the long tail; O(pairs + items log items)."""
    popularity = np.sort(interactions.popularity()[interactions.popularity() > 0])
    activity = interactions.activity()[interactions.activity() > 0]
    top = int(np.ceil(len(popularity) / 10))
    return LongTail(
        users=len(activity),
        items=len(popularity),
        pairs=len(interactions),
        density=len(interactions) / (len(activity) * len(popularity)),
        item_gini=gini(popularity),
        top_decile=float(popularity[-top:].sum() / popularity.sum()),
        user_gini=gini(activity),
        median_activity=float(np.median(activity)),
        mean_activity=float(activity.mean()),
        reach=float(popularity[-1] / len(activity)),
    )


def gini(count: Int[np.ndarray, " any"]) -> float:
    """Return the Gini coefficient of positive counts: half the relative mean difference."""
    ordered = np.sort(count)
    rank = np.arange(1, len(ordered) + 1)
    return float((2 * rank - len(ordered) - 1) @ ordered / (len(ordered) * ordered.sum()))
