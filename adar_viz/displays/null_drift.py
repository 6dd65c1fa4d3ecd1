"""The control of the drift picture: what it shows where nothing moved."""

from __future__ import annotations

from collections.abc import Mapping
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
    joint_map,
    map_drift,
    neighbour_overlap,
    null_snapshots,
    popular_members,
    snapshots_since,
)

_PANELS = ("nothing moved, as it comes", "nothing moved, turned back", "the run, turned back")


class NullDrift(Display):
    """Trails of the same items three times: in snapshots in which nothing moved, and in the run's own.

    The null takes the last snapshot, turns copies of it at random and adds a little noise. As it
    comes, it seems to drift far; turned back (Procrustes), only the noise is left. What the run
    shows beyond that, it learnt.

    Attributes
    ----------
    epoch : Int[ndarray, "snapshot"]
    item : Int[ndarray, "trail"]
        Ids of the items with a trail.
    xy : list of Float[ndarray, "snapshot item 2"]
        Places on the joint map of each panel.
    drift : Float[ndarray, "panel"]
        Way from the first to the last snapshot on each map, in units of its spread.
    change : Float[ndarray, "panel"]
        Share of the ``k`` nearest items that were others at first, in the original space.
    explained : Float[ndarray, "panel"]
        Share of the variance that each map holds.
    trails_ : list of list of Line2D
    """

    columns = 3
    size = (7.2, 3.0)

    def __init__(
        self,
        epoch: Int[np.ndarray, " snapshot"],
        item: tuple[Int[np.ndarray, " item"], Int[np.ndarray, " trail"]],
        xy: list[Float[np.ndarray, "snapshot item 2"]],
        found: tuple[Float[np.ndarray, " panel"], Float[np.ndarray, " panel"]],
        jitter: float,
        k: int,
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.epoch, (self.all, self.trail), self.xy = epoch, item, xy
        self.item, self.jitter, self.k = self.all[self.trail], jitter, k
        self.change, self.explained = found
        self.drift = np.array([map_drift(places) for places in xy])

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        since: int | None = None,
        jitter: float = NULL_JITTER,
        trails: int = 30,
        popular: int = 150,
        k: int = 10,
        seed: int = 0,
    ) -> Self:
        """Compute from the snapshots of a trace.

        Parameters
        ----------
        trace
            With at least two snapshots of item embeddings from ``since`` on.
        since
            First epoch that is looked at; 0 is before training, None takes `adar_viz.trace.settled_epoch`: before
            it neighbourhoods change as much as expected by chance.
        jitter
            How much noise is added to the copies, in units of the spread of the items.
        trails
            How many items get a trail: evenly spaced among those that are looked at.
        popular
            How many of the followed items are looked at, the most popular ones.
        k
            How many nearest items make a neighbourhood.
        seed
            Of the turns and of the noise.
        """
        epoch, chosen = snapshots_since(trace, since)
        members = popular_members(trace, popular)
        real = np.asarray(trace["snapshot_item_embedding"], dtype=np.float64)[chosen][:, members]
        null = null_snapshots(real[-1], len(real), jitter, seed)
        spaces = [null, aligned(null), aligned(real)]
        maps = [joint_map(x) for x in spaces]
        change = np.array([1 - neighbour_overlap(x[0], x[-1], k).mean() for x in spaces])
        trail = np.unique(np.linspace(0, len(members) - 1, min(trails, len(members))).astype(int))
        return cls(
            epoch,
            (trace["snapshot_item"][members], trail),
            [xy for xy, _ in maps],
            (change, np.array([explained for _, explained in maps])),
            jitter,
            k,
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        scale = style.CONTEXTS[self._context][1]
        self.trails_ = []
        for panel, (ax, xy) in enumerate(zip(axes, self.xy, strict=True)):
            ax.plot(*xy[-1].T, "o", color=style.GREY, alpha=0.3, ms=2.4 * scale, mew=0)
            self.trails_.append(
                [ax.plot(*xy[:, i].T, color=color, lw=0.7 * scale, alpha=0.8)[0] for i in self.trail.tolist()]
            )
            ax.plot(*xy[-1, self.trail].T, "*", color=style.ORANGE, mec=style.BLACK, mew=0.4 * scale, ms=6 * scale)
            ax.set(xticks=[], yticks=[])
            ax.set_aspect("equal", adjustable="datalim")
            ax.spines[["left", "bottom"]].set_visible(False)
            ax.set_title(f"{_PANELS[panel]}\ndrift {self.drift[panel]:.2f} of the spread", weight="bold")
            ax.set_xlabel(
                f"{self.change[panel]:.0%} of the nearest changed\nmap: {self.explained[panel]:.0%} of the variance"
            )

    def frame(self) -> pd.DataFrame:
        """One row for each panel, trail and epoch: place on the map."""
        return pd.concat(
            pd.DataFrame(
                {
                    "panel": name,
                    "item": np.repeat(self.item, len(self.epoch)),
                    "epoch": np.tile(self.epoch, len(self.item)),
                    "x": xy[:, self.trail, 0].T.ravel(),
                    "y": xy[:, self.trail, 1].T.ravel(),
                }
            )
            for name, xy in zip(_PANELS, self.xy, strict=True)
        ).reset_index(drop=True)

    def describe(self) -> str:
        """Say how far items seem to drift where nothing moved, before and after the turn, and in the run."""
        raw, null, real = self.drift
        return (
            f"Where nothing moved but a random turn and added noise of {self.jitter:.2f} of the spread, "
            f"{len(self.all)} items seem to drift by {raw:.2f} of the map's spread; turned back, by {null:.2f}, with "
            f"{self.change[1]:.0%} of the {self.k} nearest items changed. In the run they drift by {real:.2f}, with "
            f"{self.change[2]:.0%} changed, from epoch {self.epoch[0]} to {self.epoch[-1]}."
        )
