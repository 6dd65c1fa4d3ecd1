"""What the arrays of a trace say: shares, quantiles and neighbours, counted and not modelled."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from adar_viz.trace.space import unit
from adar_viz.trace.table import Trace, TraceError
from adar_viz.transition import Quantile, probability_negative

TOP_TENTH = Quantile.z
"""About one item in ten scores above ``mean + 1.28 sd``: exactly that many where scores are normal."""


def boundaries(trace: Trace) -> Float[np.ndarray, " pair"]:
    """Decision boundary of each pair, as it was recorded; where none was (nan), that of `Quantile`.

    The runs of this package record one for every pair. Another one is asked for by
    ``what_if(trace, boundary=Quantile(z))``.
    """
    recorded = np.asarray(trace["boundary"], dtype=np.float64)
    if not len(recorded):
        raise TraceError(f"trace of run {trace.meta['run']!r} must hold pairs; got none")
    if not np.isnan(recorded).any():
        return recorded
    trace.require("mean", "sd")
    return np.where(np.isnan(recorded), Quantile().of(trace["mean"], trace["sd"]), recorded)


def already_negative(trace: Trace) -> Bool[np.ndarray, " pair"]:
    """Whether the pair counts as negative before any noise: ``s <= max(b, 0)``."""
    found: NDArray[np.bool_] = trace["pair_score"] <= np.maximum(boundaries(trace), 0)
    return found


def law_probability(trace: Trace) -> Float[np.ndarray, "pair timestep"]:
    """P(t) of each pair by the law of the score; nothing is counted, nothing fitted."""
    pair = (trace["pair_score"], trace["noise"], boundaries(trace))
    s, n, b = (np.asarray(v, dtype=np.float64)[:, None] for v in pair)
    share: NDArray[np.float64] = probability_negative(s, trace["alpha_bar"][None, :], n, b)
    return share


def counted_probability(
    trace: Trace, boundary: Float[np.ndarray, " pair"] | None = None
) -> Float[np.ndarray, "pair timestep"]:
    """Share of the recorded noise draws in which x_t scores below the pair's boundary.

    ``boundary`` defaults to the recorded one; pairs without a boundary (nan) give nan.
    """
    b = np.asarray(trace["boundary"] if boundary is None else boundary, dtype=np.float64)
    share: NDArray[np.float64] = (trace["score"] < b[:, None, None]).mean(axis=-1)
    return np.where(np.isnan(b)[:, None], np.nan, share)


def quantile_bands(
    values: Float[np.ndarray, "*any"],
    levels: Sequence[float] | Float[np.ndarray, " quantile"],
    *,
    axis: int | tuple[int, ...] = -1,
) -> Float[np.ndarray, "quantile ..."]:
    """Quantiles of ``values`` along ``axis``, nan ignored; the levels become the first axis."""
    given = np.asarray(levels, dtype=np.float64)
    if given.size and (given.min() < 0 or given.max() > 1):
        raise ValueError(f"levels must lie in [0, 1]; got {given.min()} to {given.max()}")
    bands: NDArray[np.float64] = np.nanquantile(np.asarray(values, dtype=np.float64), given, axis=axis)
    return bands


def nearest_items(
    points: Float[np.ndarray, "point dim"],
    embedding: Float[np.ndarray, "item dim"],
    k: int,
    *,
    chunk: int = 65536,
) -> tuple[Int[np.ndarray, "point k"], Float[np.ndarray, "point k"]]:
    """Find the ``k`` real items closest to each point by cosine, the closest first.

    Items are read ``chunk`` at a time, so memory stays at ``point x chunk``, whatever the size of
    the catalogue; time is O(point x item x dim). Ties go to the smaller id; an item or a point of
    length 0 has cosine 0.

    Returns
    -------
    item : Int[ndarray, "point k"]
    cosine : Float[ndarray, "point k"]
    """
    if not 1 <= k <= len(embedding):
        raise ValueError(f"k must lie in [1, {len(embedding)}], the number of items; got {k}")
    direction = unit(points)
    item = np.empty((len(points), 0), dtype=np.int64)
    cosine = np.empty((len(points), 0), dtype=direction.dtype)
    for start in range(0, len(embedding), chunk):
        near = direction @ unit(embedding[start : start + chunk]).T
        ids = np.broadcast_to(np.arange(start, start + near.shape[1]), near.shape)
        item, cosine = np.hstack([item, ids]), np.hstack([cosine, near])
        best = np.argsort(-cosine, axis=1, kind="stable")[:, :k]
        item, cosine = np.take_along_axis(item, best, axis=1), np.take_along_axis(cosine, best, axis=1)
    return item, cosine


def clearest_pair(trace: Trace, source: str = "forward") -> int:
    """Choose a pair to explain with, not to conclude from.

    Of the walks from ``source`` that end below their boundary (of all, where none does) it is the
    one that starts furthest above it, in units of its noise.
    """
    trace.require("walk_pair", "walk_source", "pair_score", "noise")
    walks = np.flatnonzero(trace["walk_source"] == source)
    if not len(walks):
        raise ValueError(f"source must be one of {sorted(set(trace['walk_source'].tolist()))}; got {source!r}")
    boundary = boundaries(trace)
    turned = walk_scores(trace)[walks, -1] < boundary[trace["walk_pair"][walks]]
    pairs = trace["walk_pair"][walks[turned] if turned.any() else walks]
    height = (trace["pair_score"] - boundary) / trace["noise"]
    return int(pairs[np.argmax(height[pairs])])


def walks_of(trace: Trace, pair: int, source: str | None) -> Int[np.ndarray, " walk"]:
    """Find the walks of a pair from one source, or from any (None); where there is none, say which there are."""
    walks = np.flatnonzero((trace["walk_pair"] == pair) & (source is None or trace["walk_source"] == source))
    if not len(walks):
        known = sorted(set(zip(trace["walk_pair"].tolist(), trace["walk_source"].tolist(), strict=True)))
        raise ValueError(f"pair and source must be one of the walks {known}; got {pair}, {source!r}")
    return walks


def first_below(score: Float[np.ndarray, "walk timestep"], boundary: Float[np.ndarray, " walk"]) -> NDArray[np.int64]:
    """Timestep at which each walk first scores below its boundary; -1 where it never does."""
    below = score < np.asarray(boundary)[:, None]
    return np.where(below.any(axis=1), below.argmax(axis=1), -1)


def walk_scores(trace: Trace) -> Float[np.ndarray, "walk timestep"]:
    """Score of x_t for its own user along each walk."""
    scores: NDArray[np.float64] = np.einsum(
        "wtd,wd->wt", trace["walk"], trace["walk_query"], dtype=np.float64, casting="same_kind"
    )
    return scores


def walk_identity(trace: Trace, walk: int) -> Float[np.ndarray, " timestep"]:
    """Log-ratio of "x_t was made from the positive" against the likeliest other item, along one walk, in nats.

    Made means noised: ``x_t ~ Normal(sqrt(alpha_bar) e, (1 - alpha_bar) sigma^2 I)``. Above 0 no item of
    the catalogue explains x_t better than the positive does. At t = 0, without noise, the ratio is
    infinite, whichever side it is on, or 0 where another item has the same vector. O(item x timestep x dim).
    """
    trace.require("walk", "walk_pair", "pair_item", "item_embedding")
    item, positive = trace["item_embedding"].astype(np.float64), trace["pair_item"][trace["walk_pair"][walk]]
    x, a, sigma = trace["walk"][walk].astype(np.float64), trace["alpha_bar"][:, None], float(trace.fact("sigma"))
    # |x_t|^2 is the same for all items, and cancels.
    closeness = np.sqrt(a) * (x @ item.T) - a * (item**2).sum(axis=1) / 2
    own = closeness[:, positive].copy()
    closeness[:, positive] = -np.inf
    lead, spread = own - closeness.max(axis=1), (1 - a[:, 0]) * sigma**2
    noiseless = np.where(lead == 0, 0, np.copysign(np.inf, lead))
    ratio: NDArray[np.float64] = np.where(spread > 0, lead / np.where(spread > 0, spread, 1), noiseless)
    return ratio


def item_names(trace: Trace) -> NDArray[np.str_]:
    """Name of each item: its title; where that is unknown, the data set's own id."""
    trace.require("item_label")
    label = trace["item_label"]
    return np.where(trace["item_title"] != "", trace["item_title"], label) if "item_title" in trace else label
