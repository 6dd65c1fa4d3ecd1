"""How many pairs get which transition timestep, and how many of them had a choice."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, already_negative

_KINDS = ("chosen", "clamped", "already negative")


class TransitionHistogram(Display):
    """Pairs by their transition timestep t*, apart for those whose t* the rule could not choose freely.

    A pair that is negative before any noise counts as that, whether or not its t* was clamped, too.

    Attributes
    ----------
    count : Int[ndarray, "kind timestep"]
        Pairs that chose freely, that were clamped, and that were negative already.
    both : int
        Of the last, those that were clamped, too.
    median : float
        Median of t* over all pairs.
    bars_ : list of BarContainer
    median_ : Line2D
    """

    size = (5.4, 2.7)

    def __init__(
        self, count: Int[np.ndarray, "kind timestep"], both: int, median: float, stamp: Mapping[str, Any]
    ) -> None:
        super().__init__(stamp)
        self.count, self.both, self.median = count, both, median

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Count.

        Parameters
        ----------
        trace
            With the pairs' score, boundary and transition; `adar_viz.trace.what_if` gives one for
            other settings.
        """
        trace.require("alpha_bar", "transition_timestep", "clamped", "pair_score")
        already: Bool[np.ndarray, " pair"] = already_negative(trace)
        clamped = trace["clamped"] & ~already
        t, length = trace["transition_timestep"], trace.num_timesteps + 1
        parts = [np.bincount(t[part], minlength=length) for part in (~clamped & ~already, clamped, already)]
        both = int((trace["clamped"] & already).sum())
        return cls(np.stack(parts), both, float(np.median(t)), trace.meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        (ax,) = axes
        t, bottom = np.arange(self.count.shape[1]), np.zeros(self.count.shape[1])
        self.bars_ = []
        looks: list[dict[str, Any]] = [
            {"color": color},
            {"color": style.ORANGE, "hatch": "////", "edgecolor": style.BLACK, "lw": 0},
            {"color": "#F6DCCB", "hatch": "....", "edgecolor": style.VERMILLION, "lw": 0},
        ]
        for part, look in zip(self.count, looks, strict=True):
            self.bars_.append(ax.bar(t, part, bottom=bottom, width=0.9, **look))
            bottom = bottom + part
        self.median_ = ax.axvline(self.median, color=style.PURPLE, ls="-.", lw=1.3)
        ax.set(xlim=(-0.5, t[-1] + 0.5), ylim=(0, 1.25 * bottom.max()), ylabel="pairs")
        ax.set_xlabel("transition timestep t*")
        free, total = int(self.count[0].sum()), int(self.count.sum())
        ax.set_title(f"{free / total:.0%} of {total} pairs: positive at first, t* chosen freely")
        numbers = [str(int(part.sum())) for part in self.count]
        numbers[-1] += f", {self.both} of them clamped"
        names = [f"{kind} ({number})" for kind, number in zip(_KINDS, numbers, strict=True)]
        self.legend_ = ax.legend(self.bars_, names, loc="upper right", frameon=False)
        right = self.median > 0.5 * t[-1]
        ax.annotate(
            f"median {self.median:g}",
            (self.median, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(-4 if right else 4, -2),
            textcoords="offset points",
            ha="right" if right else "left",
            va="top",
            color=style.PURPLE,
        )

    def frame(self) -> pd.DataFrame:
        """One row for each timestep: t, and the pairs of each kind."""
        columns = {kind.replace(" ", "_"): part for kind, part in zip(_KINDS, self.count, strict=True)}
        return pd.DataFrame({"t": np.arange(self.count.shape[1]), **columns})

    def describe(self) -> str:
        """Say how many pairs chose freely, and where the others stand."""
        free, clamped, already = (int(part.sum()) for part in self.count)
        total = int(self.count.sum())
        return (
            f"A histogram of the transition timestep t* of {total} pairs, median {self.median:g}: {free} chose it "
            f"freely, {clamped} were clamped to the allowed range, and {already} are negative before any noise "
            f"({self.both} of them clamped, too)."
        )
