"""Every sampler as a point: how hard its negatives are, and how many of them are false ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import PercentFormatter

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, best_epoch, name_runs

COLOURS = (style.BLUE, style.VERMILLION, style.GREEN, style.PURPLE, style.ORANGE, style.BLACK, style.SKY, style.GREY)
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "<")
SCALES = {
    "hardness": "hardness: median of s_neg − s_pos →",
    "negative_percentile": "rank: median share of all items below it →",
}
"""The two horizontal axes: in units of each model's scores, and in the order of each user's catalogue."""
Z = 1.96


@dataclass(frozen=True)
class SamplerRun:
    """One sampler over the epochs: how hard by either scale, how many are false, with bounds that hold 95 %."""

    name: str
    epoch: Int[np.ndarray, " epoch"]
    best: int
    hard: Mapping[str, Float[np.ndarray, " epoch"]]
    rate: Float[np.ndarray, " epoch"]
    low: Float[np.ndarray, " epoch"]
    high: Float[np.ndarray, " epoch"]

    def point(self, scale: str) -> tuple[float, float]:
        """Place at the epoch whose weights the run kept."""
        return float(self.hard[scale][self.best]), float(self.rate[self.best])


class HardnessPlane(Display):
    """How hard the drawn negatives are against the share of false ones: a point for each sampler.

    Left, hardness is in units of the model's scores, which grow in training and differ between models;
    right, it is the negative's rank in its user's catalogue, which can be compared. The point is the epoch
    whose weights the run kept; the thin line leads there from the first epoch. Bars hold 95 %: of the
    chance of which rows were looked at and, where only some cells are judged, of which these are.

    Attributes
    ----------
    runs : list of SamplerRun
    point_ : list of Line2D
        By panel, then by run; so are the others.
    bar_ : list of LineCollection
    trail_ : list of Line2D
    labels_ : list of Text
    """

    columns = 2
    size = (7.4, 3.4)

    def __init__(self, runs: Sequence[SamplerRun], stamp: Mapping[str, Any]) -> None:
        super().__init__(stamp)
        self.runs = list(runs)

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Show one sampler alone."""
        return cls.from_traces([trace])

    @classmethod
    def from_traces(cls, traces: Sequence[Trace], names: list[str] | None = None) -> Self:
        """Compare samplers.

        Parameters
        ----------
        traces
            At most eight, with hardness and false negatives: their truth must be known.
        names
            Of the runs; None takes what tells them apart, see `adar_viz.trace.run_names`.
        """
        names = name_runs(traces, names, len(MARKERS))
        return cls([_run(trace, name) for trace, name in zip(traces, names, strict=True)], traces[0].meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        self.point_, self.bar_, self.trail_, self.labels_ = [], [], [], []
        size = style.CONTEXTS[self._context][1]
        colours = (color, *COLOURS[1:])
        top = max(0.1, max(float(np.nanmax(run.high)) for run in self.runs))
        for ax, scale in zip(axes, SCALES, strict=True):
            for run, colour, marker in zip(self.runs, colours, MARKERS, strict=False):
                way, (x, y) = slice(run.best + 1), run.point(scale)
                self.trail_ += ax.plot(run.hard[scale][way], run.rate[way], color=colour, lw=0.7 * size, alpha=0.45)
                self.bar_.append(ax.vlines(x, run.low[run.best], run.high[run.best], color=colour, lw=1.4 * size))
                self.point_ += ax.plot(x, y, marker, color=colour, mec="white", ms=8 * size, zorder=4)
            ax.yaxis.set_major_formatter(PercentFormatter(1, decimals=0))
            ax.set_ylim(0, 1.08 * top)
            ax.margins(x=0.12)
            ax.tick_params(axis="x", pad=7 * size)  # clear of the 0 % of the other axis
            ax.set(xlabel=SCALES[scale])
        axes[0].set(ylabel="false among the drawn negatives", title=self._title())
        axes[1].tick_params(labelleft=False)
        for ax, scale in zip(axes, SCALES, strict=True):
            points = np.array([run.point(scale) for run in self.runs])
            self.labels_ += style.label_points(ax, points, [run.name for run in self.runs])

    def _title(self) -> str:
        order = self.order()
        if abs(order) > 0.7:
            return f"Harder negatives are {'more' if order > 0 else 'less'} often false"
        return "Hardness and false negatives"

    def order(self, scale: str = "negative_percentile") -> float:
        """Rank correlation of hardness and false negatives over the samplers; nan for fewer than three."""
        if len(self.runs) < 3:
            return float("nan")
        from scipy.stats import spearmanr  # here, because it is slow to load

        return float(spearmanr(*np.array([run.point(scale) for run in self.runs]).T).statistic)

    def frame(self) -> pd.DataFrame:
        """One row for each sampler and epoch; ``kept`` marks the epoch that is the point."""
        parts = [
            pd.DataFrame(
                {
                    "sampler": run.name,
                    "epoch": run.epoch,
                    **run.hard,
                    "false_negative": run.rate,
                    "low": run.low,
                    "high": run.high,
                    "kept": np.arange(len(run.epoch)) == run.best,
                }
            )
            for run in self.runs
        ]
        return pd.concat(parts, ignore_index=True)

    def describe(self) -> str:
        """Give each sampler's place, from the fewest false negatives to the most."""
        runs = sorted(self.runs, key=lambda run: run.rate[run.best])
        places = "; ".join(
            f"{r.name} {r.rate[r.best]:.0%} at hardness {r.point('hardness')[0]:z.2f}, "
            f"rank {r.point('negative_percentile')[0]:.2f}"
            for r in runs
        )
        return f"False negatives among the drawn, at the epoch each sampler's run kept: {places}."


def _run(trace: Trace, name: str) -> SamplerRun:
    trace.require("epoch", "quantile", *SCALES, "false_negative", "false_negative_interval", "judged_draws")
    rate, (low, high) = trace["false_negative"], trace["false_negative_interval"].T
    number = np.maximum(trace["judged_draws"], 1)
    # Which rows were looked at is chance, too: Wilson's interval of that, where it is the wider one.
    middle = (rate + Z**2 / (2 * number)) / (1 + Z**2 / number)
    half = Z / (1 + Z**2 / number) * np.sqrt(rate * (1 - rate) / number + Z**2 / (4 * number**2))
    hard = {scale: trace[scale][:, len(trace["quantile"]) // 2] for scale in SCALES}
    bounds = np.fmin(low, middle - half), np.fmax(high, middle + half)
    return SamplerRun(name, trace["epoch"], best_epoch(trace), hard, rate, *bounds)
