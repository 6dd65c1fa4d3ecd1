"""How embeddings use their space: alignment, uniformity, norms, singular values; collapse shows in all four."""

from __future__ import annotations

import numpy as np
from jaxtyping import Bool, Float
from numpy.typing import NDArray


def alignment(
    user: Float[np.ndarray, "user dim"], item: Float[np.ndarray, "item dim"], observed: Bool[np.ndarray, "user item"]
) -> float:
    """Mean squared distance of users from their observed items, all of length 1; in [0, 4], lower is closer.

    nan where nothing is observed. O(user x item x dim).

    Notes
    -----
    Wang and Isola (2020), equation 4 with exponent 2; for recommenders Wang et al. (2022, DirectAU).
    """
    cosine = unit(user) @ unit(item).T
    return float((2 - 2 * cosine[observed]).mean()) if observed.any() else float("nan")


def uniformity(x: Float[np.ndarray, "point dim"]) -> float:
    """Logarithm of the mean Gaussian potential ``exp(-2 |x - y|^2)`` of all pairs, all of length 1.

    0 where all points are one, the collapse; about ``-4 + 8 / dim`` where many points fill the sphere
    evenly. Few points can lie further apart: n corners of a simplex give ``-4 n / (n - 1)``, and two
    opposite points -8, the least there is. O(point^2 x dim).

    Notes
    -----
    Wang and Isola (2020), equation 5 with t = 2, over pairs of different points.
    """
    from scipy.spatial.distance import pdist  # here, because it is slow to load

    return float(np.log(np.exp(-2 * pdist(unit(x), "sqeuclidean")).mean()))


def singular_values(x: Float[np.ndarray, "point dim"]) -> Float[np.ndarray, " dim"]:
    """Singular values of the centred points, the largest first, with the largest being 1."""
    centred = np.asarray(x, dtype=np.float64) - np.mean(x, axis=0, dtype=np.float64)
    values = np.zeros(x.shape[1])
    found = np.linalg.svd(centred, compute_uv=False)
    values[: len(found)] = found / found[0] if found[0] else found
    return values


def effective_rank(values: Float[np.ndarray, " dim"]) -> float:
    """Count the directions in use: exponential of the entropy of the singular values' shares.

    ``dim`` where all are equal, 1 where one direction is left, 0 where nothing is.

    Notes
    -----
    Roy and Vetterli (2007).
    """
    share = values[values > 0] / values.sum() if values.any() else values[:0]
    return float(np.exp(-(share * np.log(share)).sum())) if len(share) else 0.0


def unit(x: Float[np.ndarray, "point dim"]) -> Float[np.ndarray, "point dim"]:
    """Scale every point to length 1; a point of length 0 stays."""
    x = np.asarray(x, dtype=np.float64)
    length = np.linalg.norm(x, axis=1, keepdims=True)
    scaled: NDArray[np.float64] = np.divide(x, length, out=np.zeros_like(x), where=length > 0)
    return scaled
