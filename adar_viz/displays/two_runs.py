"""Any two runs on the same axes, and what lies between them."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, boundaries, counted_probability, name_runs, quantile_bands

_MIDDLE_HALF = (0.25, 0.5, 0.75)


@dataclass(frozen=True)
class Curve:
    """One quantity of both runs along one axis, ``t`` or ``epoch``: low, middle and high of each."""

    what: str
    axis: str
    x: Int[np.ndarray, " x"]
    first: Float[np.ndarray, "3 x"]
    second: Float[np.ndarray, "3 x"]

    @property
    def difference(self) -> Float[np.ndarray, " x"]:
        """Second run less the first."""
        difference: Float[np.ndarray, " x"] = self.second[1] - self.first[1]
        return difference


class TwoRuns(Display):
    """Score and P(t) along the timesteps, hardness and metric over the epochs: two runs, and their difference.

    Top: both runs; bands hold the middle half (of pairs and noise draws, or of drawn negatives), lines are
    medians; P(t) is the share of noise draws below the boundary, over the pairs that start above it. Bottom:
    the second run less the first, over the epochs that both have. One run each: a difference has no interval.

    Attributes
    ----------
    names : list of str
    curves : list of Curve
    t, epoch : int or None
        Where the runs are compared by number; None marks nothing.
    first_, second_, difference_ : list of Line2D
    mark_ : list of Line2D
    """

    rows = 2
    columns = 4
    size = (9.6, 3.9)

    def __init__(
        self, names: Sequence[str], curves: Sequence[Curve], at: Mapping[str, int | None], stamp: Mapping[str, Any]
    ) -> None:
        super().__init__(stamp)
        self.names, self.curves = list(names), list(curves)
        self.t, self.epoch = at["t"], at["epoch"]

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Compare a run with itself: every difference is 0."""
        return cls.from_traces([trace, trace])

    @classmethod
    def from_traces(
        cls, traces: Sequence[Trace], names: list[str] | None = None, t: int | None = None, epoch: int | None = None
    ) -> Self:
        """Compare two runs.

        Parameters
        ----------
        traces
            Two, with pairs and their training record; of the same T, and with one metric that selects.
        names
            Of the runs; None takes what tells them apart, see `adar_viz.trace.run_names`.
        t, epoch
            Where to mark and to state the difference.

        Raises
        ------
        ValueError
            The runs do not share an axis, or ``t`` or ``epoch`` is not on it.
        """
        if len(traces) != 2:
            raise ValueError(f"traces must be two; got {len(traces)}")
        for trace in traces:
            trace.require("alpha_bar", "score", "boundary", "pair_score")
            trace.require("epoch", "quantile", "hardness", "metric", "metric_name")
        _check_shared(traces)
        curves = [*_along_t(traces), *_over_epochs(traces)]
        for curve in curves:
            if not np.isfinite(curve.difference).any():
                raise ValueError(f"runs must share some {curve.axis} at which both have {curve.what}; they share none")
        for axis, value in (("t", t), ("epoch", epoch)):
            x = next(curve.x for curve in curves if curve.axis == axis)
            if value is not None and value not in x:
                raise ValueError(f"{axis} must be one that both runs have, {x[0]} to {x[-1]}; got {value}")
        return cls(name_runs(traces, names, 2), curves, {"t": t, "epoch": epoch}, traces[0].meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        self.first_: list[Any] = []
        self.second_: list[Any] = []
        self.difference_: list[Any] = []
        self.mark_: list[Any] = []
        for i, curve in enumerate(self.curves):
            top, bottom = axes[i], axes[self.columns + i]
            for line, run, colour, dash in (
                (self.first_, curve.first, color, "-"),
                (self.second_, curve.second, style.RUST, "--"),
            ):
                top.fill_between(curve.x, run[0], run[2], color=colour, alpha=0.18, lw=0)
                seen = np.isfinite(run[1])
                line += top.plot(curve.x[seen], run[1][seen], color=colour, ls=dash)
            seen = np.isfinite(curve.difference)
            self.difference_ += bottom.plot(curve.x[seen], curve.difference[seen], color=style.BLACK)
            bottom.axhline(0, color=style.GREY, lw=0.8)
            self._frame(top, bottom, curve)
        axes[self.columns].set_ylabel("\n".join(textwrap.wrap(f"difference: {self.names[1]} − {self.names[0]}", 26)))
        last = self.curves[-1]
        ends = [float(run[1][np.isfinite(run[1])][-1]) for run in (last.first, last.second)]
        style.label_ends(axes[self.columns - 1], 1, ends, self.names, [color, style.RUST], gap=0.12)
        style.label_ends(axes[-1], 1, [0.0], ["equal"], [style.GREY])

    def _frame(self, top: Axes, bottom: Axes, curve: Curve) -> None:
        top.set_title(curve.what)
        bottom.set_xlabel({"t": "timestep t", "epoch": "epoch"}[curve.axis])
        reach = 1.15 * float(np.nanmax(np.abs(curve.difference))) or 1.0
        bottom.set_ylim(-reach, reach)
        at = self.t if curve.axis == "t" else self.epoch
        for ax in (top, bottom):
            ax.set_xlim(curve.x[0], curve.x[-1])
            ax.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
            if at is not None:
                self.mark_.append(ax.axvline(at, color=style.PURPLE, lw=1, ls=":"))
        top.tick_params(labelbottom=False)

    def frame(self) -> pd.DataFrame:
        """One row for each quantity and place on its axis: both runs (median or mean), and the difference."""
        parts = [
            pd.DataFrame(
                {
                    "what": curve.what,
                    "axis": curve.axis,
                    "x": curve.x,
                    "first": curve.first[1],
                    "second": curve.second[1],
                    "difference": curve.difference,
                }
            )
            for curve in self.curves
        ]
        return pd.concat(parts, ignore_index=True)

    def at(self, t: int, epoch: int) -> dict[str, tuple[float, float, float]]:
        """Return first, second and difference of each quantity at a timestep and an epoch."""
        found = {}
        for curve in self.curves:
            i = int(np.searchsorted(curve.x, t if curve.axis == "t" else epoch))
            found[curve.what] = (float(curve.first[1, i]), float(curve.second[1, i]), float(curve.difference[i]))
        return found

    def describe(self) -> str:
        """Say where the runs differ most in each quantity, or how they differ at the marked places."""
        first, second = self.names
        said = []
        for curve in self.curves:
            at = self.t if curve.axis == "t" else self.epoch
            i = int(np.nanargmax(np.abs(curve.difference))) if at is None else int(np.searchsorted(curve.x, at))
            gap = curve.difference[i]
            amount = "not known" if np.isnan(gap) else f"{gap:+.2g}"
            said.append(f"{curve.what} {amount} at {curve.axis} = {curve.x[i]}")
        most = "" if self.t is not None or self.epoch is not None else " where they differ most"
        return f"{second} minus {first}{most}: {'; '.join(said)}."


def _check_shared(traces: Sequence[Trace]) -> None:
    (one, other), runs = traces, [trace.meta["run"] for trace in traces]
    if one.num_timesteps != other.num_timesteps:
        raise ValueError(
            f"runs must have the same timesteps to be compared at one t; "
            f"T is {one.num_timesteps} in {runs[0]!r} and {other.num_timesteps} in {runs[1]!r}"
        )
    if one["metric_name"][0] != other["metric_name"][0]:
        raise ValueError(
            f"runs must be selected by the same metric; it is {one['metric_name'][0]} in {runs[0]!r} "
            f"and {other['metric_name'][0]} in {runs[1]!r}"
        )
    if not len(np.intersect1d(one["epoch"], other["epoch"])):
        raise ValueError(f"runs must share some epochs; {runs[0]!r} and {runs[1]!r} have none in common")


def _along_t(traces: Sequence[Trace]) -> list[Curve]:
    t = np.arange(traces[0].num_timesteps + 1)
    score = [quantile_bands(trace["score"], _MIDDLE_HALF, axis=(0, 2)) for trace in traces]
    probability = []
    for trace in traces:
        b = boundaries(trace)
        above = trace["pair_score"] > b
        if not above.any():
            raise ValueError(f"some pair of {trace.meta['run']!r} must start above its boundary; none does")
        probability.append(np.tile(counted_probability(trace, b)[above].mean(axis=0), (3, 1)))
    return [Curve("score of x_t", "t", t, *score), Curve("P(t): x_t is negative", "t", t, *probability)]


def _over_epochs(traces: Sequence[Trace]) -> list[Curve]:
    epochs = np.intersect1d(traces[0]["epoch"], traces[1]["epoch"])
    hardness, metric = [], []
    for trace in traces:
        rows, half = np.searchsorted(trace["epoch"], epochs), len(trace["quantile"]) // 2
        hardness.append(trace["hardness"][rows, half - 1 : half + 2].T)
        metric.append(np.tile(trace["metric"][rows, 0], (3, 1)))
    name = str(traces[0]["metric_name"][0])
    return [
        Curve("hardness of the drawn", "epoch", epochs, *hardness),
        Curve(f"validation {name}", "epoch", epochs, *metric),
    ]
