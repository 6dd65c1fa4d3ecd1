"""How embeddings moved over training, with the turn that means nothing taken out.

Factors of a dot product are known up to a rotation only: two snapshots can give every score alike
and still lie elsewhere. So each snapshot is first turned onto the last one.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray
from scipy.linalg import orthogonal_procrustes
from scipy.spatial.distance import cdist


def aligned(snapshot: Float[np.ndarray, "snapshot item dim"]) -> Float[np.ndarray, "snapshot item dim"]:
    """Turn every snapshot onto the last one by the best rotation or reflection about the origin.

    Notes
    -----
    Orthogonal Procrustes (Schönemann, 1966); O(snapshot x (item x dim^2 + dim^3)). Nothing is
    moved or scaled: both would change scores.
    """
    x = np.asarray(snapshot, dtype=np.float64)
    return np.stack([one @ orthogonal_procrustes(one, x[-1])[0] for one in x])


def joint_map(x: Float[np.ndarray, "snapshot item dim"]) -> tuple[Float[np.ndarray, "snapshot item 2"], float]:
    """Lay all snapshots on one plane, that of their first two principal components.

    Returns
    -------
    xy : Float[ndarray, "snapshot item 2"]
    explained : float
        Share of the variance of all snapshots together that lies in the plane.
    """
    flat = x.reshape(-1, x.shape[-1])
    centred = flat - flat.mean(axis=0)
    variance, vectors = np.linalg.eigh(centred.T @ centred)
    axes = vectors[:, [-1, -2]]
    # The sign of an eigenvector is free: fix it, so that two machines draw the same picture.
    axes = axes * np.sign(axes[np.abs(axes).argmax(axis=0), [0, 1]])
    return (centred @ axes).reshape(*x.shape[:2], 2), float(variance[-2:].sum() / variance.sum())


def neighbours(x: Float[np.ndarray, "item dim"], k: int) -> Int[np.ndarray, "item k"]:
    """Find the ``k`` other items closest to each item by distance; O(item^2 x dim) and item^2 numbers of memory."""
    if not 1 <= k < len(x):
        raise ValueError(f"k must lie in [1, {len(x) - 1}], below the number of items; got {k}")
    distance = cdist(x, x)
    np.fill_diagonal(distance, np.inf)
    nearest: NDArray[np.int64] = np.argsort(distance, axis=1, kind="stable")[:, :k]
    return nearest


def neighbour_overlap(
    one: Float[np.ndarray, "item dim"], other: Float[np.ndarray, "item other"], k: int
) -> Float[np.ndarray, " item"]:
    """Share of each item's ``k`` neighbours that are the same in two spaces; k / (item - 1) by chance."""
    a, b = neighbours(one, k), neighbours(other, k)
    share: NDArray[np.float64] = (a[:, :, None] == b[:, None, :]).any(axis=2).mean(axis=1)
    return share


def map_drift(xy: Float[np.ndarray, "snapshot item 2"]) -> float:
    """Length of the way from the first to the last snapshot on a map, in units of the last one's spread.

    Both are root mean squares over the items; the spread is measured from their mean.
    """
    way = np.sqrt(((xy[-1] - xy[0]) ** 2).sum(axis=-1).mean())
    return float(way / np.sqrt(((xy[-1] - xy[-1].mean(axis=0)) ** 2).sum(axis=-1).mean()))


def null_drift(last: Float[np.ndarray, "item dim"], seed: int = 0) -> float:
    """Drift that a map shows where nothing moved: `map_drift` from a randomly turned copy; 0 up to rounding."""
    dim = last.shape[1]
    turn, _ = np.linalg.qr(np.random.default_rng(seed).standard_normal((dim, dim)))
    return map_drift(joint_map(aligned(np.stack([last @ turn, last])))[0])
