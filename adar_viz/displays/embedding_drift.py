"""How items moved over training, on one map for all snapshots."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import (
    NULL_JITTER,
    Trace,
    aligned,
    item_names,
    joint_map,
    map_drift,
    map_quality,
    neighbour_overlap,
    neighbours,
    null_drift,
    popular_members,
    snapshots_since,
)


class EmbeddingDrift(Display):
    """Trails of chosen items, or of those whose neighbourhood changed most, over the places where all ended.

    Every snapshot is turned onto the last one, and all share one principal plane.
    Which items changed most is judged in the original space, not on the map.

    Attributes
    ----------
    epoch : Int[ndarray, "snapshot"]
    item : Int[ndarray, "item"]
        Ids of the items in the snapshots; ``name`` has the same shape.
    xy : Float[ndarray, "snapshot item 2"]
        Places on the map.
    change : Float[ndarray, "item"]
        Share of the nearest items at the first snapshot that are no longer so at the last; ``chance`` is what it
        would be for two spaces that have nothing in common.
    way : Float[ndarray, "item"]
        How far each item went in the original space.
    most : Int[ndarray, "trail"]
        Positions along ``item`` of those with a trail; those that changed most, the first one most, unless chosen.
    method : str
        ``pca``, or ``stored`` for the AlignedUMAP of the trace.
    explained : float
        Share of the variance that the map holds; nan for a stored one.
    trustworthiness, overlap : float
        Quality of the map at the last snapshot: whether those near on it are near (chance: one half), and the
        share of an item's nearest items that it keeps.
    drift, null : float
        How far items moved on the map, and how far they would seem to where nothing moved but a random turn and
        added noise of `adar_viz.trace.NULL_JITTER`; in units of the spread of the map.
    all_, ends_ : PathCollection
    trails_ : list of Line2D
    labels_ : list of Text
    """

    size = (7.2, 4.2)

    def __init__(
        self,
        epoch: Int[np.ndarray, " snapshot"],
        item: tuple[Int[np.ndarray, " item"], np.ndarray],
        xy: Float[np.ndarray, "snapshot item 2"],
        space: tuple[Float[np.ndarray, "item dim"], Float[np.ndarray, "item dim"]],
        trails: tuple[Int[np.ndarray, " chosen"] | None, int, int],
        quality: tuple[str, float, float],
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.epoch, (self.item, self.name), self.xy = epoch, item, xy
        (self.first, self.last), (chosen, most, self.k) = space, trails
        self.change = 1 - neighbour_overlap(self.first, self.last, self.k)
        self.chance = 1 - self.k / (len(self.item) - 1)
        self.way = np.linalg.norm(self.last - self.first, axis=1)
        self.order = np.lexsort((-self.way, -self.change))
        self.chosen, self.most = chosen is not None, self.order[:most] if chosen is None else chosen
        self.method, self.explained, self.null = quality
        self.trustworthiness, self.overlap = map_quality(self.last, xy[-1], self.k)
        self.drift = map_drift(xy)

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        most: int = 12,
        k: int = 10,
        since: int | None = None,
        items: Sequence[int] | None = None,
        popular: int = 150,
        method: str = "pca",
    ) -> Self:
        """Compute from the snapshots of a trace.

        Parameters
        ----------
        trace
            With at least two snapshots of item embeddings from ``since`` on.
        most
            How many items get a trail: those whose neighbourhood changed most; of equal ones, those that moved
            furthest.
        k
            How many nearest items make a neighbourhood, by distance, among the items that are looked at.
        since
            First epoch that is looked at; 0 is before training, None takes `adar_viz.trace.settled_epoch`: before
            it neighbourhoods change as much as expected by chance.
        items
            Ids of items that get a trail instead; they are looked at even where they are not popular.
        popular
            How many of the followed items are looked at: the most popular ones, since the others hardly learn.
        method
            ``pca``, the joint principal plane; or ``stored``, the AlignedUMAP of `adar_viz.trace.with_maps`: a
            second opinion, which moves items where nothing moved.
        """
        epoch, chosen = snapshots_since(trace, since)
        members = np.union1d(popular_members(trace, popular), _places(trace, items or ())).astype(int)
        number, limit = most if items is None else len(items), min(len(members), 24)
        if not 1 <= number <= limit:
            raise ValueError(f"most, or the number of items, must lie in [1, {limit}]; got {number}")
        if method not in ("pca", "stored"):
            raise ValueError(f"method must be pca or stored; got {method!r}")
        x = aligned(np.asarray(trace["snapshot_item_embedding"], dtype=np.float64)[chosen][:, members])
        if method == "pca":
            (xy, explained), null = joint_map(x), null_drift(x[-1], NULL_JITTER)
        else:
            xy, explained = trace["snapshot_item_map"][chosen][:, members].astype(np.float64), float("nan")
            null = float(trace.meta["maps"]["null_drift"])
            if np.isnan(xy).any():
                missing = trace["snapshot_item"][members[np.isnan(xy[0, :, 0])]]
                raise ValueError(f"items must be on the stored map; got {missing.tolist()}")
        trail = None if items is None else np.searchsorted(members, _places(trace, items))
        item = trace["snapshot_item"][members]
        return cls(
            epoch,
            (item, item_names(trace)[item]),
            xy,
            (x[0], x[-1]),
            (trail, most, k),
            (method, explained, null),
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        (ax,) = axes
        scale = style.CONTEXTS[self._context][1]
        sizes = np.linspace(1.5, 12, len(self.epoch)) * scale
        (x, y), ends = np.moveaxis(self.xy, -1, 0), self.xy[-1, self.most]
        self.all_ = ax.scatter(x[-1], y[-1], s=9 * scale, c=style.GREY, alpha=0.35, lw=0)
        self.trails_ = []
        for i in self.most:
            self.trails_ += ax.plot(x[:, i], y[:, i], color=color, lw=0.8 * scale, alpha=0.75)
            ax.scatter(x[:, i], y[:, i], s=sizes, c=color, lw=0, zorder=3)
        self.ends_ = ax.scatter(
            ends[:, 0], ends[:, 1], s=42 * scale, marker="*", c=style.ORANGE, ec=style.BLACK, lw=0.5, zorder=4
        )
        # One unit for both directions; the room that this leaves on both sides is for the titles.
        low, high = self.xy.min(axis=(0, 1)), self.xy.max(axis=(0, 1))
        middle, half = (low + high) / 2, 0.56 * float((high - low).max())
        ax.set_xlim(middle[0] - half, middle[0] + half, auto=True)
        ax.set_ylim(middle[1] - half, middle[1] + half, auto=True)
        ax.set(xticks=[], yticks=[])
        ax.set_aspect("equal", adjustable="datalim")
        ax.spines[["left", "bottom"]].set_visible(False)
        which = "chosen" if self.chosen else "most-changed"
        ax.set_title(f"Where the {which} items went, from epoch {self.epoch[0]} to {self.epoch[-1]}")
        ax.set_xlabel(
            f"Dots grow with the epoch, up to the star. Grey: where the other items ended.\n{self._quality()}\n"
            f"Drift {self.drift:.2f} of its spread (where nothing moved: {self.null:.2f}); "
            f"nearest items changed: {self.change.mean():.0%} (chance: {self.chance:.0%})."
        )
        names = [textwrap.shorten(str(self.name[i]), 30, placeholder=" …") for i in self.most]
        gap, colours = min(0.09, 1.8 / len(names)), [style.BLACK] * len(names)
        self.labels_ = style.label_sides(ax, ends, names, colours, gap=gap, edges=(0.245, 0.755), fontsize="small")

    def _quality(self) -> str:
        held = "AlignedUMAP" if np.isnan(self.explained) else f"{self.explained:.0%} of the variance"
        return (
            f"One map for all: {held}, {self.overlap:.0%} of the {self.k} nearest, "
            f"trustworthiness {self.trustworthiness:.2f} (chance: 0.5)."
        )

    def ranking(self, number: int = 10, near: int = 3) -> pd.DataFrame:
        """Rank items by the change of their neighbourhood in the original space, not on the map.

        One row for each of the first ``number`` items: change, way, and the titles of the ``near`` nearest
        items at the first snapshot and at the last.
        """
        top = self.order[:number]
        titles = [self.name[neighbours(x, near)[top]] for x in (self.first, self.last)]
        return pd.DataFrame(
            {
                "item": self.item[top],
                "title": self.name[top],
                "change": self.change[top],
                "way": self.way[top],
                f"near at epoch {self.epoch[0]}": [", ".join(row) for row in titles[0]],
                f"near at epoch {self.epoch[-1]}": [", ".join(row) for row in titles[1]],
            },
            index=pd.RangeIndex(1, len(top) + 1, name="rank"),
        )

    def frame(self) -> pd.DataFrame:
        """One row for each item and epoch: place on the map, change, and whether the item has a trail."""
        snapshots, items = self.xy.shape[:2]
        return pd.DataFrame(
            {
                "item": np.repeat(self.item, snapshots),
                "title": np.repeat(self.name, snapshots),
                "epoch": np.tile(self.epoch, items),
                "x": self.xy[..., 0].T.ravel(),
                "y": self.xy[..., 1].T.ravel(),
                "change": np.repeat(self.change, snapshots),
                "trail": np.repeat(np.isin(np.arange(items), self.most), snapshots),
            }
        )

    def describe(self) -> str:
        """Say which item changed most, how far items moved, and how far to trust the map."""
        first = self.order[0]
        return (
            f"{len(self.item)} items moved by {self.drift:.2f} of the map's spread from epoch {self.epoch[0]} to "
            f"{self.epoch[-1]} (where nothing moved: {self.null:.2f}) and changed {self.change.mean():.0%} of their "
            f"{self.k} nearest items (by chance: {self.chance:.0%}); {self.name[first]} changed most, "
            f"{self.change[first]:.0%}. {self._quality()}"
        )


def _places(trace: Trace, items: Sequence[int]) -> Int[np.ndarray, " chosen"]:
    """Find the positions of items among those of the snapshots."""
    followed = trace["snapshot_item"]
    if unknown := sorted(set(items) - set(followed.tolist())):
        raise ValueError(f"items must be followed in the snapshots; got {unknown}")
    order = np.argsort(followed, kind="stable")
    return order[np.searchsorted(followed, np.asarray(items, dtype=int), sorter=order)]
