"""What is already known of a user when a part of a split is ranked."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from jaxtyping import Int

from adar_viz.datasets import Interactions, Split
from adar_viz.datasets.interactions import pair_keys


def seen_before(split: Split, part: str) -> Interactions:
    """Return the training pairs; for the test joined, in time order, by those validation pairs that are not targets.

    In a split that is used "as published", validation is the test: then all of them are targets.
    """
    if part == "validation":
        return split.train
    train = split.train
    rest = split.validation.select(~np.isin(pair_keys(split.validation), pair_keys(split.test)))
    user, item = np.concatenate([train.user, rest.user]), np.concatenate([train.item, rest.item])
    if train.timestamp is None or rest.timestamp is None:
        order, timestamp = np.argsort(user, kind="stable"), None
    else:
        timestamp = np.concatenate([train.timestamp, rest.timestamp])
        order = np.lexsort((timestamp, user))
        timestamp = timestamp[order]
    return replace(train, user=user[order], item=item[order], timestamp=timestamp, rating=None)


def first_time(targets: Interactions, user: Int[np.ndarray, " judged"]) -> np.ndarray | None:
    """Time of each user's first target; ``user`` ascending, each with a target."""
    if targets.timestamp is None:
        return None
    first = np.full(len(user), targets.timestamp.max())
    np.minimum.at(first, np.searchsorted(user, targets.user), targets.timestamp)
    return first
