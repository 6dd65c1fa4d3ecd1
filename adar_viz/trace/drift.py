"""How embeddings moved over training, with the turn that means nothing taken out.

Factors of a dot product are known up to a rotation only: two snapshots can give every score alike
and still lie elsewhere. So each snapshot is first turned onto the last one.
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Float, Int
from numpy.typing import NDArray

from adar_viz.trace.table import Trace

NULL_JITTER = 0.1
"""How much noise is added to the snapshots of a control, in units of the spread of the items; see `null_snapshots`."""


def settled_epoch(trace: Trace, k: int = 10, number: int = 150, share: float = 0.8) -> int:
    """Find the first epoch after the start whose neighbourhoods say something about the final ones.

    Before it they change as much as expected by chance, and a ranking by their change means nothing. The
    rule: at most ``share`` of what chance changes, on average over the ``number`` most popular followed
    items with ``k`` neighbours each. Where no snapshot before the last one is so, it is the first.
    """
    trace.require("snapshot_epoch", "snapshot_item", "snapshot_item_embedding")
    members = popular_members(trace, number)
    x = np.asarray(trace["snapshot_item_embedding"], dtype=np.float64)[:, members]
    k = min(k, len(members) - 1)
    limit = share * (1 - k / (len(members) - 1))
    later = np.flatnonzero(trace["snapshot_epoch"] >= 1)[:-1].tolist()
    settled = (i for i in later if 1 - neighbour_overlap(x[i], x[-1], k).mean() <= limit)
    return int(trace["snapshot_epoch"][next(settled, later[0] if later else -1)])


def snapshots_since(
    trace: Trace, since: int | None
) -> tuple[Int[np.ndarray, " snapshot"], Int[np.ndarray, " snapshot"]]:
    """Return the epochs of the snapshots from ``since`` on, at least two of them, and their positions.

    None is the `settled_epoch`.
    """
    trace.require("snapshot_epoch", "snapshot_item", "snapshot_item_embedding", "item_label")
    epochs = trace["snapshot_epoch"]
    since = settled_epoch(trace) if since is None else since
    chosen = np.flatnonzero(epochs >= since)
    if len(chosen) < 2:
        raise ValueError(f"since must leave two of the snapshots at epochs {epochs.tolist()}; got {since}")
    return epochs[chosen], chosen


def popular_members(trace: Trace, number: int) -> Int[np.ndarray, " member"]:
    """Choose the followed items with most training interactions: those that were learnt, and not left to chance.

    Positions along ``snapshot_item``, in their order. Without popularity in the trace, or with no more
    than ``number`` items, it is all of them.
    """
    item = trace["snapshot_item"]
    if "item_popularity" not in trace or number >= len(item):
        return np.arange(len(item))
    return np.sort(np.argsort(-trace["item_popularity"][item], kind="stable")[:number])


def turns(snapshot: Float[np.ndarray, "snapshot item dim"]) -> Float[np.ndarray, "snapshot dim dim"]:
    """Find the rotation or reflection about the origin that brings each snapshot closest to the last one.

    Notes
    -----
    Orthogonal Procrustes (Schönemann, 1966); O(snapshot x (item x dim^2 + dim^3)). Nothing is
    moved or scaled: both would change scores.
    """
    from scipy.linalg import orthogonal_procrustes  # here, because it is slow to load

    x = np.asarray(snapshot, dtype=np.float64)
    return np.stack([orthogonal_procrustes(one, x[-1])[0] for one in x])


def aligned(snapshot: Float[np.ndarray, "snapshot item dim"]) -> Float[np.ndarray, "snapshot item dim"]:
    """Turn every snapshot onto the last one, see `turns`."""
    straight: NDArray[np.float64] = np.asarray(snapshot, dtype=np.float64) @ turns(snapshot)
    return straight


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
    from scipy.spatial.distance import cdist  # here, because it is slow to load

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


def null_snapshots(
    last: Float[np.ndarray, "item dim"], number: int = 2, jitter: float = 0.0, seed: int = 0
) -> Float[np.ndarray, "snapshot item dim"]:
    """Make snapshots in which nothing moved: copies of the last one, each but the last turned at random.

    ``jitter`` is noise on top, in units of the root mean square distance from the mean of the items:
    what a picture shows of it is what it would show of training that goes nowhere.
    """
    if number < 2 or jitter < 0:
        raise ValueError(f"number must be at least 2 and jitter at least 0; got {number} and {jitter}")
    rng, (items, dim) = np.random.default_rng(seed), last.shape
    turn = np.linalg.qr(rng.standard_normal((number - 1, dim, dim)))[0]
    spread = np.sqrt(((last - last.mean(axis=0)) ** 2).sum(axis=1).mean())
    noise = jitter * spread / np.sqrt(dim) * rng.standard_normal((number - 1, items, dim))
    return np.concatenate([(last + noise) @ turn, last[None].astype(np.float64)])


def null_drift(last: Float[np.ndarray, "item dim"], jitter: float = 0.0, seed: int = 0) -> float:
    """Drift that a map shows where nothing moved, see `null_snapshots`; 0 up to rounding without ``jitter``."""
    return map_drift(joint_map(aligned(null_snapshots(last, 2, jitter, seed)))[0])
