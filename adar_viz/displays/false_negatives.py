"""How many of the drawn negatives are truly liked: over the epochs, in the gradient, and for whom."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator, PercentFormatter

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, best_epoch, name_runs

COLOURS = (style.BLUE, style.RUST, style.GREEN, style.PURPLE)
MOST = len(COLOURS)
GROUPS = {
    "activity": ("user_group_activity", "users, by activity"),
    "popularity": ("item_group_popularity", "items, by popularity"),
}


@dataclass(frozen=True)
class FalseRun:
    """One run: shares over the epochs, and by group with their intervals."""

    name: str
    epoch: Int[np.ndarray, " epoch"]
    best: int
    share: Float[np.ndarray, " epoch"]
    interval: Float[np.ndarray, "epoch 2"]
    gradient: Float[np.ndarray, " epoch"]
    by_group: Mapping[str, Float[np.ndarray, "epoch group"]]
    bounds: Mapping[str, Float[np.ndarray, "epoch group 2"]]
    distance: Float[np.ndarray, " epoch"]
    own: Float[np.ndarray, " epoch"]


class FalseNegatives(Display):
    """Share of false negatives: of the draws and of their gradient weight over the epochs, and by group.

    Groups are thirds of the users by their number of training interactions, and of the items by theirs.
    They are shown at the epoch whose weights the run kept. Bands and bars are the recorded 95 %
    intervals; where the truth of every cell is known they have no width. A synthetic negative counts
    as its nearest real item, which is often the positive that it was made from: ``frame`` gives how
    often (``synthetic_own``), and the mean distance.

    Attributes
    ----------
    runs : list of FalseRun
    ranges : dict of str to Float[ndarray, "group 2"]
        Fewest and most training interactions in each group.
    share_, gradient_ : list of Line2D
    interval_ : list of PolyCollection
    group_ : dict of str to list of ErrorbarContainer
    """

    rows = 2
    columns = 2
    size = (6.8, 4.6)

    def __init__(
        self, runs: Sequence[FalseRun], ranges: Mapping[str, Float[np.ndarray, "group 2"]], stamp: Mapping[str, Any]
    ) -> None:
        super().__init__(stamp)
        self.runs, self.ranges = list(runs), dict(ranges)

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Show one run alone."""
        return cls.from_traces([trace])

    @classmethod
    def from_traces(cls, traces: Sequence[Trace], names: list[str] | None = None) -> Self:
        """Compare runs on the same data, whose truth is known.

        Parameters
        ----------
        traces
            At most four.
        names
            Of the runs; None takes what tells them apart, see `adar_viz.trace.run_names`.
        """
        names = name_runs(traces, names, MOST)
        ranges = {}
        for kind, (array, _) in GROUPS.items():
            for trace in traces:
                trace.require("epoch", "false_negative", array)
                if not np.array_equal(trace[array], traces[0][array], equal_nan=True):
                    raise ValueError(
                        f"runs must share their groups by {kind}; {traces[0].meta['run']!r} has "
                        f"{traces[0][array].tolist()} and {trace.meta['run']!r} {trace[array].tolist()}"
                    )
            ranges[kind] = traces[0][array]
        return cls([_run(t, name) for t, name in zip(traces, names, strict=True)], ranges, traces[0].meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        colours = (color, *COLOURS[1:])
        self.share_, self.gradient_, self.interval_ = [], [], []
        self.group_: dict[str, list[Any]] = {}
        for i, run in enumerate(self.runs):
            look: dict[str, Any] = {"color": colours[i], "ls": style.LINES[i]}
            self.share_ += axes[0].plot(run.epoch, run.share, **look)
            self.interval_.append(axes[0].fill_between(run.epoch, *run.interval.T, color=colours[i], alpha=0.15, lw=0))
            self.gradient_ += axes[1].plot(run.epoch, run.gradient, **look)
        for ax, kind in zip(axes[2:], GROUPS, strict=True):
            self.group_[kind] = [self._points(ax, i, kind, colours[i]) for i in range(len(self.runs))]
            self._name_groups(ax, kind)
        titles = (
            "Of the drawn negatives",
            "Of their gradient weight",
            "By who they were drawn for",
            "By what was drawn",
        )
        top = 1.08 * max(ax.get_ylim()[1] for ax in axes)
        for ax, title in zip(axes, titles, strict=True):
            ax.set(title=title, ylim=(0, top))
            ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
        for ax in axes[:2]:
            ax.set_xlabel("epoch")
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))
        for ax in axes[::2]:
            ax.set_ylabel("false negatives")
        ends = [float(run.gradient[-1]) for run in self.runs]
        style.label_ends(axes[1], 1, ends, [run.name for run in self.runs], colours[: len(ends)], gap=0.11)

    def _points(self, ax: Axes, i: int, kind: str, colour: str) -> Any:
        run = self.runs[i]
        share, bounds = run.by_group[kind][run.best], run.bounds[kind][run.best]
        apart = 0.12 * (i - (len(self.runs) - 1) / 2)
        length = np.abs(bounds.T - share)
        return ax.errorbar(
            np.arange(len(share)) + apart,
            share,
            length,
            color=colour,
            marker=style.MARKERS[i],
            ms=5,
            mec="white",
            ls=style.LINES[i],
            lw=0.9,
            elinewidth=1.2,
        )

    def _name_groups(self, ax: Axes, kind: str) -> None:
        words = ("few", "some", "many")
        ranges = [f"{low:.0f} to {high:.0f}" if np.isfinite(low) else "none" for low, high in self.ranges[kind]]
        ax.set_xticks(range(len(ranges)), [f"{w}\n{r}" for w, r in zip(words, ranges, strict=True)])
        ax.set_xlim(-0.4, len(ranges) - 0.6)
        ax.set_xlabel(f"{GROUPS[kind][1]} (training interactions)")

    def frame(self) -> pd.DataFrame:
        """One row for each run and epoch: shares, their intervals, the groups, the distance of synthetic negatives."""
        parts = []
        for run in self.runs:
            low, high = run.interval.T
            columns = {"share": run.share, "low": low, "high": high, "gradient_share": run.gradient}
            groups = {f"{kind}_{g + 1}": x[:, g] for kind, x in run.by_group.items() for g in range(x.shape[1])}
            rest = {
                "synthetic_distance": run.distance,
                "synthetic_own": run.own,
                "kept": np.arange(len(run.epoch)) == run.best,
            }
            parts.append(pd.DataFrame({"run": run.name, "epoch": run.epoch, **columns, **groups, **rest}))
        return pd.concat(parts, ignore_index=True)

    def describe(self) -> str:
        """Say for each run how many are false, of the draws and of the gradient, at the epoch it kept."""
        at = [(run.name, run.share[run.best], run.gradient[run.best]) for run in self.runs]
        shares = [f"{name} {share:.0%} of the draws, {pull:.0%} of their gradient weight" for name, share, pull in at]
        return f"False negatives at the kept epoch: {'; '.join(shares)}."


def _run(trace: Trace, name: str) -> FalseRun:
    names = [f"false_negative_by_{kind}" for kind in GROUPS]
    trace.require(*names, *(f"{n}_interval" for n in names), "false_negative_gradient", "false_negative_interval")
    return FalseRun(
        name,
        trace["epoch"],
        best_epoch(trace),
        trace["false_negative"],
        trace["false_negative_interval"],
        trace["false_negative_gradient"],
        {kind: trace[n] for kind, n in zip(GROUPS, names, strict=True)},
        {kind: trace[f"{n}_interval"] for kind, n in zip(GROUPS, names, strict=True)},
        *(
            trace[n] if n in trace else np.full(len(trace["epoch"]), np.nan)
            for n in ("synthetic_distance", "synthetic_own")
        ),
    )
