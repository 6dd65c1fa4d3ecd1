"""Intervals from users and seeds, both drawn anew."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def bootstrap(
    values: Float[np.ndarray, "arm seed user"], draws: int, rng: np.random.Generator
) -> Float[np.ndarray, "arm draw"]:
    """Resample users and seeds, each with replacement, and take the mean of every draw.

    Users and seeds are crossed, so both are resampled in every draw (Owen 2007, the pigeonhole
    bootstrap). Of the spread of S seeds that alone would keep (S - 1) / S, too little for few of them,
    so their weights are stretched by the root of S / (S - 1) (Rao and Wu 1988). What seeds do to all
    users alike then counts in full; what they do to single users counts up to three times, so intervals
    are rather wide where that is most of the noise. One seed says nothing of others: see `basis`.
    O(arm x seed x user x draw).
    """
    _, num_seeds, num_users = values.shape
    seed = rng.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), draws) / num_seeds
    if num_seeds > 1:
        seed = 1 / num_seeds + (seed - 1 / num_seeds) * (num_seeds / (num_seeds - 1)) ** 0.5
    means = []
    for part in np.array_split(seed, -(-draws * num_users // 2**23)):  # 64 MB of weights at a time
        user = rng.multinomial(num_users, np.full(num_users, 1 / num_users), len(part)) / num_users
        means.append(np.einsum("asd,ds->ad", values @ user.T, part))
    return np.concatenate(means, axis=1)


def basis(num_seeds: int) -> str:
    """Say what the intervals of so many seeds hold."""
    if num_seeds == 1:
        return "a bootstrap over users; one seed does not show what another would change"
    return "a bootstrap over users and seeds"
