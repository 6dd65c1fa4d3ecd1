"""One user's boundary over the training of one run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.lines import Line2D
from matplotlib.ticker import MaxNLocator

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import TOP_TENTH, Trace, UserMoment, user_moments

PATHS = 5
"""Positives whose x_t is shown: more would hide the rest."""


class MovingBoundary(Display):
    """A user's plane, once for each moment, with what training drew there and what the user truly likes.

    In each panel the horizontal axis is the score of that moment, so the boundary is an exact
    straight line. Heights are a projection.

    Attributes
    ----------
    label : list of str
        What each panel shows.
    moment : list of UserMoment
    user : str
        The data set's own id.
    timestep : int
        t of the synthetic negatives.
    synthetic : list of Float[ndarray, "path 2"]
        Place of x_t for a few of the positives, made in closed form; ``shown`` holds these positives.
    right_side : float
        Share of all items, over all panels, whose side on the picture is that of their score, counted.
    boundary_ : list of Line2D
    item_, unseen_, positive_, drawn_, false_, synthetic_ : list of Line2D, one for each panel
    """

    columns = 3
    boundary_: list[Line2D]
    item_: list[Line2D]
    unseen_: list[Line2D]
    positive_: list[Line2D]
    drawn_: list[Line2D]
    false_: list[Line2D]
    synthetic_: list[Line2D]
    path_: list[Line2D]
    own_scale: ClassVar[bool] = True
    """Whether each panel has axes of its own."""
    size = (7.2, 3.5)

    def __init__(
        self,
        label: Sequence[str],
        moment: Sequence[UserMoment],
        user: str,
        timestep: int,
        alpha_bar: Sequence[float],
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.label, self.moment, self.user, self.timestep = list(label), list(moment), user, timestep
        few = [np.sort(m.spread(PATHS)) for m in self.moment]
        self.shown = [np.flatnonzero(m.observed)[i] for m, i in zip(self.moment, few, strict=True)]
        self.synthetic = [m.noised(a)[i] for m, a, i in zip(self.moment, alpha_bar, few, strict=True)]
        sides = [(m.xy[:, 0] < m.boundary) == (m.score < m.boundary) for m in self.moment]
        self.right_side = float(np.concatenate(sides).mean())

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        user: int | None = None,
        epochs: Sequence[int] | None = None,
        timestep: int | None = None,
        z: float = TOP_TENTH,
    ) -> Self:
        """Compute for one followed user at three snapshots of a run.

        Parameters
        ----------
        trace
            With snapshots of users and items; draws and true likes are shown where they were kept.
        user
            Row of ``user_label``; None takes `adar_viz.trace.typical_user`.
        epochs
            Epochs of snapshots, one for each panel; None spaces them from the first after the start to the last.
        timestep
            t of the synthetic negatives; None takes half of T.
        z
            Boundary: ``mean + z sd`` of the user's scores of all items at that epoch.
        """
        moments = user_moments(trace, user, z)
        known = [m.epoch for m in moments]
        if epochs is None:
            later = [e for e in known if e > 0] or known
            epochs = [later[i] for i in np.linspace(0, len(later) - 1, cls.columns).round().astype(int)]
        if len(epochs) != cls.columns or not set(epochs) <= set(known):
            raise ValueError(f"epochs must be {cls.columns} of the snapshots at {known}; got {list(epochs)}")
        t = trace.num_timesteps // 2 if timestep is None else timestep
        return cls(
            [f"epoch {e}" for e in epochs],
            [moments[known.index(e)] for e in epochs],
            str(trace["user_label"][moments[0].user]),
            t,
            [signal_at(trace, t)] * len(epochs),
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        for name in ("boundary", "item", "unseen", "positive", "drawn", "false", "synthetic", "path"):
            setattr(self, f"{name}_", [])
        for panel, ax in enumerate(axes):
            self._draw_moment(ax, panel, color)
            left, right, low, high = self._limits([panel] if self.own_scale else range(len(axes)))
            style.negative_side(ax, left, self.moment[panel].boundary, along="x", alpha=0.3)
            held = self.moment[panel].plane.explained
            ax.set(xlim=(left, right), ylim=(low, high), yticks=[])
            ax.xaxis.set_major_locator(MaxNLocator(3))
            ax.set_xlabel(f"score at that moment\n(plane: {held:.0%} of the variance)")
            ax.spines["left"].set_visible(False)
            above = _summary("", self.moment[panel])["positives above"]
            ax.set_title(f"{self.label[panel]}: {above:.0%} of positives\nabove the boundary", weight="normal")
        self._explain_marks(axes)

    def _explain_marks(self, axes: tuple[Axes, ...]) -> None:
        names = ["known positive", f"its x_t, t = {self.timestep}", "negative drawn", "… a false one: truly liked"]
        marks = [self.positive_[0], self.synthetic_[0], self.drawn_[0], self.false_[0], self.unseen_[0]]
        # Below the panels where the figure makes room for it; a figure that was given may have none.
        roomy = self.figure_.get_layout_engine() is not None
        self.legend_ = self.figure_.legend(
            marks,
            [*names, "truly liked, unobserved"],
            loc="outside lower center" if roomy else "lower center",
            ncols=len(names) + 1,
            frameon=False,
            handletextpad=0.2,
            columnspacing=1.2,
        )

    def _draw_moment(self, ax: Axes, panel: int, color: str) -> None:
        m, scale = self.moment[panel], style.CONTEXTS[self._context][1]
        false = m.drawn & m.unseen

        def marks(where: np.ndarray, marker: str, size: float, **look: Any) -> Any:
            return ax.plot(*np.asarray(where).reshape(-1, 2).T, marker, ms=size * scale, **look)[0]

        self.item_.append(marks(m.xy, "o", 2.2, color=style.GREY, alpha=0.3, mew=0))
        edge = 0.9 * scale
        self.unseen_.append(marks(m.xy[m.unseen], "o", 4.2, mfc="none", mec=style.TEAL, mew=edge))
        for start, end in zip(m.xy[self.shown[panel]], self.synthetic[panel], strict=True):
            self.path_ += ax.plot(*np.stack([start, end]).T, color=color, lw=0.6 * scale)
        self.drawn_.append(marks(m.xy[m.drawn & ~false], "x", 5, color=style.BLACK, mew=1.2 * edge))
        self.false_.append(marks(m.xy[false], "X", 7.5, color=style.VERMILLION, mec="white", mew=0.5 * edge))
        self.positive_.append(marks(m.xy[m.observed], "*", 7, color=style.ORANGE, mec=style.BLACK, mew=0.4 * edge))
        self.synthetic_.append(marks(self.synthetic[panel], "s", 4.5, color=color, mec="white", mew=0.5 * edge))
        self.boundary_.append(ax.axvline(m.boundary, color=style.VERMILLION, lw=1.6 * scale))

    def _limits(self, panels: Sequence[int]) -> tuple[float, float, float, float]:
        """Frame of some panels, with all their items and both sides of every boundary."""
        points = np.concatenate([p for i in panels for p in (self.moment[i].xy, self.synthetic[i])])
        low, high = points.min(axis=0), points.max(axis=0)
        boundaries = [self.moment[i].boundary for i in panels]
        low[0], high[0] = min(low[0], *boundaries), max(high[0], *boundaries)
        room = 0.05 * (high - low)
        return float(low[0] - room[0]), float(high[0] + room[0]), float(low[1] - room[1]), float(high[1] + room[1])

    def frame(self) -> pd.DataFrame:
        """One row for each panel and item: score, place across, boundary, and what is known of the item."""
        return pd.concat(
            pd.DataFrame(
                {
                    "panel": label,
                    "epoch": m.epoch,
                    "item": m.item,
                    "score": m.xy[:, 0],
                    "across": m.xy[:, 1],
                    "boundary": m.boundary,
                    "observed": m.observed,
                    "liked": m.liked,
                    "drawn": m.drawn,
                }
            )
            for label, m in zip(self.label, self.moment, strict=True)
        ).reset_index(drop=True)

    def summary(self) -> pd.DataFrame:
        """One row for each panel: boundary, shares above it, and how many drawn negatives are false."""
        return pd.DataFrame([_summary(label, m) for label, m in zip(self.label, self.moment, strict=True)])

    def describe(self) -> str:
        """Say where the boundary is at the first and the last moment, and who stands above it."""
        parts = [
            f"{row['panel'].capitalize()}: boundary {row['boundary']:z.2f}, above it {row['positives above']:.0%} of "
            f"the {row['positives']} positives and {row['items above']:.0%} of the items; {row['false']} of "
            f"{row['drawn']} drawn negatives are truly liked"
            for row in (self.summary().iloc[i].to_dict() for i in (0, -1))
        ]
        return f"User {self.user}, {self.right_side:.0%} of items on the side of their score. {'. '.join(parts)}."


def _summary(label: str, m: UserMoment) -> dict[str, Any]:
    above = m.score >= m.boundary
    return {
        "panel": label,
        "boundary": m.boundary,
        "items above": float(above.mean()),
        "positives": int(m.observed.sum()),
        "positives above": float(above[m.observed].mean()) if m.observed.any() else 0.0,
        "unobserved likes above": float(above[m.unseen].mean()) if m.unseen.any() else 0.0,
        "drawn": int(m.drawn.sum()),
        "false": int((m.drawn & m.unseen).sum()),
    }


def signal_at(trace: Trace, timestep: int) -> float:
    """Return alpha_bar of a timestep, which must be one of the trace's."""
    if not 0 <= timestep <= trace.num_timesteps:
        raise ValueError(f"timestep must lie in [0, {trace.num_timesteps}]; got {timestep}")
    return float(trace["alpha_bar"][timestep])
