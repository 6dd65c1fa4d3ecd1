"""Truth about likes: what decides whether a drawn negative was a false one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from jaxtyping import Bool

from adar_viz.datasets.errors import DataError
from adar_viz.datasets.interactions import Interactions


@dataclass(frozen=True)
class Truth:
    """Which items each user likes, as far as that is known.

    Attributes
    ----------
    liked : Bool[np.ndarray, "user item"]
        Whether the user likes the item; means something only where ``judged`` is true.
    judged : Bool[np.ndarray, "user item"]
        Whether the truth of this cell is known.
    source : str
        How the likes are known, for captions.

    Notes
    -----
    Ids are those of the `Interactions` that the truth came with. A false negative is a drawn
    negative with ``judged & liked``; a rate is taken over the judged ones.
    """

    liked: Bool[np.ndarray, "user item"]
    judged: Bool[np.ndarray, "user item"]
    source: str

    def __post_init__(self) -> None:
        if self.liked.shape != self.judged.shape or self.liked.ndim != 2:
            raise ValueError(
                f"liked and judged must be (user, item) of one shape; got {self.liked.shape} and {self.judged.shape}"
            )

    def follow(self, before: Interactions, after: Interactions) -> Truth:
        """Renumber from the ids of ``before`` to those of ``after``, which has some of them."""
        users = pd.Index(before.user_label).get_indexer(pd.Index(after.user_label))
        items = pd.Index(before.item_label).get_indexer(pd.Index(after.item_label))
        if (users < 0).any() or (items < 0).any():
            raise DataError(after.name, f"users and items of {before.name}", "others")
        return Truth(self.liked[np.ix_(users, items)], self.judged[np.ix_(users, items)], self.source)


def complete_users(ratings: Interactions, *, min_rating: float) -> tuple[Interactions, Truth]:
    """Keep the users who rated every item: for them, what is not liked is truly not liked.

    Parameters
    ----------
    ratings : Interactions
        All ratings, low ones included (Jester: 1,473 of its users rated all 100 jokes).
    min_rating : float
        A rating of at least this much is a like (Jester: 5).

    Returns
    -------
    (Interactions, Truth)
        All ratings of these users, and their likes; ``judged`` is true everywhere.
    """
    if ratings.rating is None:
        raise DataError(ratings.name, "ratings to compare with min_rating", "pairs without ratings")
    complete = ratings.activity() == ratings.num_items
    if not complete.any():
        raise DataError(ratings.name, f"users who rated all {ratings.num_items} items", "none")
    kept = ratings.select(complete[ratings.user]).compact()
    return kept, from_ratings(kept, min_rating=min_rating, source="ratings of users who rated every item")


def from_ratings(ratings: Interactions, *, min_rating: float, source: str) -> Truth:
    """Judge the cells that have a rating: liked from ``min_rating`` on.

    Use it on ratings of items that the users did not choose themselves (Coat's random test
    cells); on chosen ones the judged cells are no fair sample of all.
    """
    if ratings.rating is None:
        raise DataError(ratings.name, "ratings to compare with min_rating", "pairs without ratings")
    judged = np.zeros((ratings.num_users, ratings.num_items), dtype=bool)
    liked = judged.copy()
    judged[ratings.user, ratings.item] = True
    liked[ratings.user, ratings.item] = ratings.rating >= min_rating
    return Truth(liked, judged, source)
