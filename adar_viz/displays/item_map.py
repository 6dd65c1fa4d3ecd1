"""A user's exact plane beside a UMAP of the same items, and why only one of them has a boundary."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import TOP_TENTH, Trace, UserMoment, map_quality, neighbours, user_moments


class ItemMap(Display):
    """The same items twice: in one user's plane, and on the stored map that knows no user.

    On the map the items above the user's boundary lie scattered among the others, so no line could
    be drawn there. How scattered is counted: for how many of them are most of the nearest items on
    the map above the boundary, too?

    Attributes
    ----------
    moment : UserMoment
        The user at the last snapshot.
    xy : Float[ndarray, "item 2"]
        Places on the map.
    user : str
        The data set's own id.
    right_plane : float
        Share of items whose side in the plane is that of their score, counted.
    right_map : float
        Share of the items above the boundary most of whose ``k`` nearest on the map are above it, too.
    trustworthiness, overlap : float
        Quality of the map: whether those near on it are near (chance: one half), and the share of the ``k``
        nearest items that it keeps.
    boundary_ : Line2D
    below_, above_, positive_ : list of Line2D, in the plane and on the map
    """

    columns = 2
    size = (7.2, 4.0)

    below_: list[Line2D]
    above_: list[Line2D]
    positive_: list[Line2D]

    def __init__(
        self,
        moment: UserMoment,
        user: str,
        xy: Float[np.ndarray, "item 2"],
        k: int,
        quality: tuple[float, float],
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.moment, self.user, self.xy, self.k = moment, user, xy, k
        self.trustworthiness, self.overlap = quality
        self.above = moment.score >= moment.boundary
        self.right_plane = float(((moment.xy[:, 0] >= moment.boundary) == self.above).mean())
        near = self.above[neighbours(xy, k)].mean(axis=1)
        self.right_map = float((near[self.above] > 0.5).mean()) if self.above.any() else 0.0

    @classmethod
    def from_trace(cls, trace: Trace, user: int | None = None, k: int = 10, z: float = TOP_TENTH) -> Self:
        """Compute for one followed user.

        Parameters
        ----------
        trace
            With snapshots of users and items, and with maps: see `adar_viz.trace.with_maps`.
        user
            Row of ``user_label``; None takes `adar_viz.trace.typical_user`.
        k
            How many nearest items are asked.
        z
            Boundary: ``mean + z sd`` of the user's scores of all items.
        """
        trace.require("item_map", "item_embedding")
        moment = user_moments(trace, user, z)[-1]
        xy = np.asarray(trace["item_map"], dtype=np.float64)
        return cls(
            moment,
            str(trace["user_label"][moment.user]),
            xy[moment.item],
            k,
            map_quality(trace["item_embedding"], xy, k),
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        plane, chart = axes
        for name in ("below", "above", "positive"):
            setattr(self, f"{name}_", [])
        self._draw_items(plane, self.moment.xy, color)
        self._draw_items(chart, self.xy, color)
        scale = style.CONTEXTS[self._context][1]
        left, right = plane.get_xlim()
        style.negative_side(plane, left, self.moment.boundary, along="x", alpha=0.3)
        self.boundary_ = plane.axvline(self.moment.boundary, color=style.VERMILLION, lw=1.8 * scale)
        plane.set_xlim(left, right)
        plane.set(yticks=[])
        chart.set(xticks=[], yticks=[])
        chart.spines[["left", "bottom"]].set_visible(False)
        plane.spines["left"].set_visible(False)
        plane.set_title(f"The user's plane separates {self.right_plane:.0%} correctly")
        chart.set_title(f"UMAP: {self.right_map:.0%} of ▲ among mostly ▲")
        plane.set_xlabel(
            f"score for user {self.user}\n(plane: {self.moment.plane.explained:.0%} of the variance)\n"
            "★ known positive   ▲ above the boundary   ● below"
        )
        chart.set_xlabel(
            f"by the {self.k} nearest on the map: no line could be right\n"
            f"(trustworthiness {self.trustworthiness:.2f}, by chance 0.5;\n"
            f"the map keeps {self.overlap:.0%} of the nearest items)"
        )

    def _draw_items(self, ax: Axes, xy: Float[np.ndarray, "item 2"], color: str) -> None:
        scale, observed = style.CONTEXTS[self._context][1], self.moment.observed
        look: dict[str, Any] = {"ls": "", "mew": 0}
        self.below_ += ax.plot(*xy[~self.above].T, "o", color=style.GREY, alpha=0.35, ms=2.6 * scale, **look)
        self.above_ += ax.plot(*xy[self.above].T, "^", color=color, alpha=0.9, ms=4.2 * scale, **look)
        self.positive_ += ax.plot(
            *xy[observed].T, "*", color=style.ORANGE, mec=style.BLACK, mew=0.5 * scale, ms=8 * scale
        )

    def frame(self) -> pd.DataFrame:
        """One row for each item: score, side, place in the plane and on the map."""
        return pd.DataFrame(
            {
                "item": self.moment.item,
                "score": self.moment.xy[:, 0],
                "across": self.moment.xy[:, 1],
                "side": np.where(self.above, "positive", "negative"),
                "observed": self.moment.observed,
                "map_x": self.xy[:, 0],
                "map_y": self.xy[:, 1],
            }
        )

    def describe(self) -> str:
        """Say how far each of the two pictures can be trusted about the boundary."""
        return (
            f"For user {self.user} the plane shows {self.right_plane:.0%} of {len(self.xy)} items on the side "
            f"of their score. On the map, {self.right_map:.0%} of the {int(self.above.sum())} items above the boundary "
            f"have mostly such items among their {self.k} nearest, so none is drawn there; the map's trustworthiness "
            f"is {self.trustworthiness:.2f} (chance: 0.5) and it keeps {self.overlap:.0%} of the nearest items."
        )
