"""Maps of the catalogue that take long to make: made once, stored in the trace, for looking only.

UMAP keeps neighbourhoods as well as it can and nothing else: distances, directions and empty space on
its maps mean little, and it moves points where nothing moved. So the displays measure in the original
space, print how good a map is, and draw no boundary on it.
"""

from __future__ import annotations

import warnings
from importlib.metadata import version
from typing import Any

import numpy as np
from jaxtyping import Float

from adar_viz.trace.drift import NULL_JITTER, aligned, map_drift, neighbour_overlap, null_snapshots, popular_members
from adar_viz.trace.table import Trace

POPULAR = 300
"""Followed items on the joint map of the snapshots, at most."""
_MEASURED = 2000
"""Items that the quality of a map is measured on, at most: it takes the distances of all pairs."""


def with_maps(
    trace: Trace, *, num_neighbors: int = 15, min_dist: float = 0.1, popular: int = POPULAR, seed: int = 0
) -> Trace:
    """Add a UMAP of all items, and an AlignedUMAP of the snapshots, to a trace that has their embeddings.

    Parameters
    ----------
    trace
        With ``item_embedding``; the snapshots are optional.
    num_neighbors, min_dist
        UMAP's own: how many neighbours count, and how close points may lie.
    popular
        How many of the followed items are on the joint map of the snapshots, the most popular ones.
    seed
        Of UMAP. On one machine the same seed gives the same map; on another it may not.

    Notes
    -----
    Needs umap-learn (McInnes et al., 2018), which compiles itself with numba at the first fit of every
    process: about half a minute. Then, on one core, a UMAP of 1,000 items takes some seconds, and an
    AlignedUMAP of 300 items and 13 snapshots about half a minute; it is made twice, the second time of
    snapshots in which nothing moved, and ``meta["maps"]["null_drift"]`` says how far it moves their items.
    """
    # Imported here: numba takes seconds to load, and nothing else in this package needs it.
    from umap import UMAP

    trace.require("item_embedding")
    options: dict[str, Any] = {"n_neighbors": num_neighbors, "min_dist": min_dist, "random_state": seed}
    item = np.asarray(trace["item_embedding"], dtype=np.float32)
    arrays = {"item_map": UMAP(n_jobs=1, **options).fit_transform(item).astype(np.float32)}
    facts = {"method": "UMAP", "version": version("umap-learn"), "num_neighbors": num_neighbors, "min_dist": min_dist}
    facts["seed"] = seed
    if "snapshot_item_embedding" in trace:
        members = popular_members(trace, popular)
        snapshots = aligned(trace["snapshot_item_embedding"])[:, members]
        joint = np.full((*trace["snapshot_item_embedding"].shape[:2], 2), np.nan, dtype=np.float16)
        joint[:, members] = _aligned_umap(snapshots, options)
        arrays["snapshot_item_map"] = joint
        null = null_snapshots(snapshots[-1], len(snapshots), NULL_JITTER, seed)
        facts["null_drift"] = round(map_drift(_aligned_umap(null, options)), 3)
    return Trace({**trace.meta, "maps": facts}, {**trace.arrays, **arrays})


def _aligned_umap(
    snapshots: Float[np.ndarray, "snapshot item dim"], options: dict[str, Any]
) -> Float[np.ndarray, "snapshot item 2"]:
    from umap import AlignedUMAP

    same = [{i: i for i in range(snapshots.shape[1])}] * (len(snapshots) - 1)
    with warnings.catch_warnings():
        # A seed means one core; UMAP warns of that once for each snapshot.
        warnings.filterwarnings("ignore", message="n_jobs value 1 overridden")
        fitted = AlignedUMAP(**options).fit(list(snapshots.astype(np.float32)), relations=same)
    return np.stack([np.asarray(xy, dtype=np.float64) for xy in fitted.embeddings_])


def map_quality(x: Float[np.ndarray, "item dim"], xy: Float[np.ndarray, "item plane"], k: int) -> tuple[float, float]:
    """Measure how far a map can be believed about who is near whom.

    Of more than 2,000 items as many, evenly spaced, are measured: O(item^2 x dim).

    Returns
    -------
    trustworthiness : float
        Whether the ``k`` nearest on the map are near, in [0, 1]: about one half by chance (Venna and
        Kaski, 2001, as scikit-learn computes it; ``k`` must be below half of the items).
    overlap : float
        Share of the ``k`` nearest items that are so on the map, too.
    """
    # Imported here: it takes a second to load, and only maps need it.
    from sklearn.manifold import trustworthiness

    some = np.unique(np.linspace(0, len(x) - 1, min(len(x), _MEASURED)).astype(int))
    space, plane = np.asarray(x, dtype=np.float64)[some], np.asarray(xy, dtype=np.float64)[some]
    overlap = float(neighbour_overlap(space, plane, k).mean())
    return float(trustworthiness(space, plane, n_neighbors=k)), overlap
