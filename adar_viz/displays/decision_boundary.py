"""One user's decision boundary, in the plane where it is an exact straight line."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, UserPlane, boundaries, clearest_pair, first_below, item_names, walk_scores, walks_of


class DecisionBoundary(Display):
    """The catalogue, a user's positives and one of them on its walk, on both sides of the user's boundary.

    The plane is `adar_viz.trace.UserPlane`: what is drawn to the left of the boundary scores below
    it, without exception. Distances across the plane are a projection, and mislead.

    Attributes
    ----------
    user : str
        The data set's own id.
    name : str
        Title of the positive that walks.
    boundary : float
    transition : int
        t* of that positive.
    item, positive, walk : Float[ndarray, "point 2"]
        Coordinates (score, position across) of all items, of the recorded positives, and of x_t.
    stop : Int[ndarray, "stop"]
        Timesteps at which x_t is marked; t* is one of them.
    right_side : float
        Share of all points whose side on the picture is that of their score, counted.
    explained : float
        Share of the catalogue's variance that lies in the plane.
    item_, positive_, path_, walk_, transition_ : artists of the points
    boundary_ : Line2D
    negative_side_ : Rectangle
    labels_ : list of Text
    """

    size = (7.2, 3.7)

    def __init__(
        self,
        who: tuple[str, str, Int[np.ndarray, " positive"], int],
        points: tuple[Float[np.ndarray, "item 2"], Float[np.ndarray, "positive 2"], Float[np.ndarray, "timestep 2"]],
        boundary: float,
        transition: int,
        stop: Int[np.ndarray, " stop"],
        right_side: float,
        explained: float,
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.user, self.name, self.positive_id, self.walker = who
        self.item, self.positive, self.walk = points
        self.boundary, self.transition, self.stop = boundary, transition, stop
        self.right_side, self.explained = right_side, explained

    @classmethod
    def from_trace(cls, trace: Trace, user: int | None = None, source: str = "forward") -> Self:
        """Compute for one user of whom a walk was recorded.

        Parameters
        ----------
        trace
            With walks and the catalogue's embeddings.
        user
            Row of `user_label`; None takes the user of the clearest pair, see `adar_viz.trace.clearest_pair`.
        source
            ``forward``, ``reverse`` or ``renoise``: the walk that is shown.
        """
        trace.require("walk", "walk_query", "item_embedding", "pair_user", "pair_item", "transition_timestep")
        trace.require("user_label", "pair_score")
        w = _walk_of(trace, user, source)
        pair = int(trace["walk_pair"][w])
        pairs = np.flatnonzero(trace["pair_user"] == trace["pair_user"][pair])
        item, T = trace["item_embedding"].astype(np.float64), trace.num_timesteps
        plane = UserPlane.of(trace["walk_query"][w], item)
        points = tuple(plane.project(x) for x in (item, item[trace["pair_item"][pairs]], trace["walk"][w]))
        boundary, transition = float(boundaries(trace)[pair]), int(trace["transition_timestep"][pair])
        scores = [(item * plane.query).sum(axis=1), trace["pair_score"][pairs], walk_scores(trace)[w]]
        return cls(
            (
                str(trace["user_label"][trace["pair_user"][pair]]),
                str(item_names(trace)[trace["pair_item"][pair]]),
                trace["pair_item"][pairs],
                int(trace["pair_item"][pair]),
            ),
            (points[0], points[1], points[2]),
            boundary,
            transition,
            np.unique([*np.round(np.linspace(0, T, 6)).astype(int), transition]),
            _agreement(np.vstack(points)[:, 0] < boundary, np.concatenate(scores) < boundary),
            plane.explained,
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        (ax,) = axes
        scale = style.CONTEXTS[self._context][1]
        (self.path_,) = ax.plot(*self.walk.T, color=color, lw=0.7 * scale, alpha=0.6)
        (self.walk_,) = ax.plot(*self.walk[self.stop].T, "o", color=color, mec="white", ms=6 * scale)
        (self.transition_,) = ax.plot(
            *self.walk[[self.transition]].T, "D", color=style.PURPLE, mec="white", ms=8 * scale
        )
        self._draw_plane(ax, 1.0)
        ax.set(yticks=[])
        ax.spines["left"].set_visible(False)
        ax.set_xlabel(
            "score for this user\n"
            f"(height: the widest direction the user does not see; both hold {self.explained:.0%} of the variance)"
        )
        ax.set_title(
            f"One user's boundary, a straight line, separates {_percent(self.right_side)} of points correctly",
            pad=2.2 * style.CONTEXTS[self._context][0],
        )
        self._label(ax, color)

    def _draw_plane(self, ax: Axes, size: float) -> None:
        """Draw what stands still: items, positives, the boundary and its negative side; marks as large as ``size``."""
        scale = style.CONTEXTS[self._context][1]
        self.item_ = ax.scatter(self.item[:, 0], self.item[:, 1], s=7 * size * scale, c=style.GREY, alpha=0.3, lw=0)
        (self.positive_,) = ax.plot(
            *self.positive.T, "*", color=style.ORANGE, mec=style.BLACK, mew=0.6 * scale, ms=11 * size * scale
        )
        ax.margins(0.04)
        left, right = ax.get_xlim()
        # A boundary beyond all items is shown, too, with both of its sides.
        room = 0.05 * (right - left)
        left, right = min(left, self.boundary - room), max(right, self.boundary + room)
        self.negative_side_ = style.negative_side(ax, left, self.boundary, along="x", alpha=0.35, zorder=0)
        self.boundary_ = ax.axvline(self.boundary, color=style.VERMILLION, lw=1.8 * size * scale)
        ax.set_xlim(left, right)

    def moments(self) -> range:
        """Return all timesteps of the walk."""
        return range(len(self.walk))

    def _draw_moments(self, axes: tuple[Axes, ...], moments: Sequence[int], color: str) -> None:
        """Draw the plane once for each moment, with the walk as far as it has come."""
        scale = style.CONTEXTS[self._context][1]
        self.paths_, self.points_ = [], []
        for ax, moment in zip(axes, moments, strict=True):
            self._draw_plane(ax, 0.6)
            self.paths_ += ax.plot(*self.walk[: moment + 1].T, color=color, lw=1.2 * scale, zorder=1.9)
            self.points_ += ax.plot(*self.walk[[moment]].T, "o", color=color, mec="white", ms=7 * scale)
            side = "negative" if self.walk[moment, 0] < self.boundary else "positive"
            ax.set(yticks=[], title=f"t = {moment}: {side}", xlabel="score for this user")
            ax.label_outer()
        self.figure_.suptitle(f"{self.name} on its walk, before the boundary of one user", weight="bold")

    def _label(self, ax: Axes, color: str) -> None:
        for words, align, shift in (("negative side", "right", -4), ("positive side", "left", 4)):
            ax.annotate(
                words,
                (self.boundary, 1.0),
                xycoords=("data", "axes fraction"),
                xytext=(shift, 3),
                textcoords="offset points",
                ha=align,
                color=style.RUST,
            )
        T, lowest = len(self.walk) - 1, self.item[self.item[:, 1].argmin()]
        others = np.flatnonzero(self.positive_id != self.walker)
        name = "\n".join(textwrap.wrap(self.name, 20, max_lines=2, placeholder=" …"))
        marks = [
            (self.walk[0], f"t = 0:\n{name}", style.BLACK),
            (self.walk[T], f"x_t at t = {T}", color),
            (self.walk[self.transition], f"t* = {self.transition}", style.PURPLE),
            (lowest, "an item of\nthe catalogue", style.GREY),
        ]
        if len(others):
            marks.append((self.positive[others[0]], "another positive\nof this user", style.BLACK))
        points, labels, colours = zip(*marks, strict=True)
        self.labels_ = style.label_sides(ax, np.stack(points), labels, colours, gap=0.2)

    def frame(self) -> pd.DataFrame:
        """One row for each item, recorded positive and x_t: where it is drawn and on which side; items have t = 0."""
        kinds = {"item": self.item, "positive": self.positive, "walk": self.walk}
        xy = np.vstack(list(kinds.values()))
        ids = [np.arange(len(self.item)), self.positive_id, np.full(len(self.walk), self.walker)]
        still = np.zeros(len(self.item) + len(self.positive), dtype=int)
        return pd.DataFrame(
            {
                "kind": np.repeat(list(kinds), [len(points) for points in kinds.values()]),
                "item": np.concatenate(ids),
                "t": np.concatenate([still, np.arange(len(self.walk))]),
                "score": xy[:, 0],
                "across": xy[:, 1],
                "side": np.where(xy[:, 0] < self.boundary, "negative", "positive"),
            }
        )

    def describe(self) -> str:
        """Say how many points lie on the side of their score, who is above the boundary, and what the walk does."""
        turned = int(first_below(self.walk[None, :, 0], np.array([self.boundary]))[0])
        crossing = f"first falls below it at t = {turned}" if turned >= 0 else "never falls below it"
        points = len(self.item) + len(self.positive) + len(self.walk)
        above = int((self.positive[:, 0] >= self.boundary).sum())
        return (
            f"For user {self.user} the boundary is the straight line at score {self.boundary:z.2f}: "
            f"{_percent(self.right_side)} of the {points} points lie on the side that their score says. "
            f"{(self.item[:, 0] >= self.boundary).mean():.0%} of all items and {above} of {len(self.positive)} "
            f"recorded positives lie on the positive side; {self.name} starts at {self.walk[0, 0]:z.2f}, {crossing} "
            f"and ends at {self.walk[-1, 0]:z.2f}, with t* = {self.transition}."
        )


def _walk_of(trace: Trace, user: int | None, source: str) -> int:
    """Index of the walk to show: the clearest one of all, or the first one of the user."""
    of_source = trace["walk_source"] == source
    if user is None:
        return int(walks_of(trace, clearest_pair(trace, source), source)[0])
    walker = trace["pair_user"][trace["walk_pair"]]
    walks = np.flatnonzero((walker == user) & of_source)
    if not len(walks):
        known = sorted(set(walker[of_source].tolist()))
        raise ValueError(f"user must be one of whom a {source} walk was recorded, {known}; got {user}")
    return int(walks[0])


def _agreement(drawn: Bool[np.ndarray, " point"], scored: Bool[np.ndarray, " point"]) -> float:
    return float((drawn == scored).mean())


def _percent(share: float) -> str:
    """Write a share so that only all of them are 100 %."""
    return "100 %" if share == 1 else f"{np.floor(share * 1000) / 10:.1f} %"
