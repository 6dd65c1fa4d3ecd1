"""Intervals from users and seeds, both drawn anew."""

from __future__ import annotations

import numpy as np
from jaxtyping import Float


def bootstrap(
    values: Float[np.ndarray, "arm seed user"], draws: int, rng: np.random.Generator
) -> Float[np.ndarray, "arm draw"]:
    """Resample users and seeds, each with replacement, and take the mean of every draw.

    Users and seeds are crossed, so both are resampled in every draw (Owen 2007, the pigeonhole
    bootstrap): never too narrow on average, somewhat wide for few seeds. O(arm x seed x user x draw).
    """
    _, num_seeds, num_users = values.shape
    seed = rng.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), draws) / num_seeds
    means = []
    for part in np.array_split(seed, -(-draws * num_users // 2**23)):  # 64 MB of weights at a time
        user = rng.multinomial(num_users, np.full(num_users, 1 / num_users), len(part)) / num_users
        means.append(np.einsum("asd,ds->ad", values @ user.T, part))
    return np.concatenate(means, axis=1)
