"""How items moved over training, on one map for all snapshots."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, aligned, item_names, joint_map, map_drift, neighbour_overlap, null_drift


class EmbeddingDrift(Display):
    """Trails of the items whose neighbourhood changed most, over the places where all items ended.

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
    most : Int[ndarray, "trail"]
        Positions along ``item`` of those that changed most, the first one most.
    explained : float
        Share of the variance that the map holds.
    overlap : float
        Share of an item's nearest items that are so on the map, too, at the last snapshot.
    drift, null : float
        How far items moved on the map, and how far they would seem to if they had only been turned; in units
        of the spread of the map.
    all_, ends_ : PathCollection
    trails_ : list of Line2D
    labels_ : list of Text
    """

    size: ClassVar[tuple[float, float]] = (7.2, 4.2)

    def __init__(
        self,
        epoch: Int[np.ndarray, " snapshot"],
        item: tuple[Int[np.ndarray, " item"], np.ndarray],
        xy: Float[np.ndarray, "snapshot item 2"],
        change: tuple[Float[np.ndarray, " item"], Int[np.ndarray, " trail"], int],
        quality: tuple[float, float, float, float],
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.epoch, (self.item, self.name), self.xy = epoch, item, xy
        self.change, self.most, self.k = change
        self.chance = 1 - self.k / (len(self.item) - 1)
        self.explained, self.overlap, self.drift, self.null = quality

    @classmethod
    def from_trace(cls, trace: Trace, most: int = 12, k: int = 10, since: int = 1) -> Self:
        """Compute from the snapshots of a trace.

        Parameters
        ----------
        trace
            With at least two snapshots of item embeddings from ``since`` on.
        most
            How many items get a trail: those whose neighbourhood changed most; of equal ones, those that moved
            furthest.
        k
            How many nearest items make a neighbourhood, by distance, among the items of the snapshots.
        since
            First epoch that is looked at; 0 is before training. Where the early epochs are noise, every
            neighbourhood changes as much as chance has it, and a later start ranks better.
        """
        trace.require("snapshot_epoch", "snapshot_item", "snapshot_item_embedding", "item_label")
        epochs = trace["snapshot_epoch"]
        chosen = np.flatnonzero(epochs >= since)
        if len(chosen) < 2:
            raise ValueError(f"since must leave two of the snapshots at epochs {epochs.tolist()}; got {since}")
        item = trace["snapshot_item"]
        if not 1 <= most <= min(len(item), 24):
            raise ValueError(f"most must lie in [1, {min(len(item), 24)}]; got {most}")
        x = aligned(trace["snapshot_item_embedding"][chosen])
        xy, explained = joint_map(x)
        change = 1 - neighbour_overlap(x[0], x[-1], k)
        order = np.lexsort((-np.linalg.norm(x[-1] - x[0], axis=1), -change))
        overlap = float(neighbour_overlap(x[-1], xy[-1], k).mean())
        return cls(
            epochs[chosen],
            (item, item_names(trace)[item]),
            xy,
            (change, order[:most], k),
            (explained, overlap, map_drift(xy), null_drift(x[-1])),
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
        ax.set_title(f"Where the most-changed items went, from epoch {self.epoch[0]} to {self.epoch[-1]}")
        ax.set_xlabel(
            "Dots grow with the epoch, up to the star. Grey: where the other items ended.\n"
            f"One map for all epochs: it holds {self.explained:.0%} of the variance and {self.overlap:.0%} "
            f"of the {self.k} nearest items.\n"
            f"Items moved by {self.drift:.2f} of its spread (a mere rotation: {self.null:.2f}) and changed "
            f"{self.change.mean():.0%} of their nearest (chance: {self.chance:.0%})."
        )
        names = [textwrap.shorten(str(self.name[i]), 30, placeholder=" …") for i in self.most]
        gap, colours = min(0.09, 1.8 / len(names)), [style.BLACK] * len(names)
        self.labels_ = style.label_sides(ax, ends, names, colours, gap=gap, edges=(0.245, 0.755), fontsize="small")

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
        first = self.most[0]
        return (
            f"From epoch {self.epoch[0]} to {self.epoch[-1]} {len(self.item)} items moved by {self.drift:.2f} of "
            f"the map's spread (a mere rotation: {self.null:.2f}) and changed {self.change.mean():.0%} of their "
            f"{self.k} nearest items (by chance: {self.chance:.0%}); {self.name[first]} changed most, "
            f"{self.change[first]:.0%}. The map holds {self.explained:.0%} of the variance and {self.overlap:.0%} "
            "of the nearest items."
        )
