"""Samplers side by side: what they draw lies between the catalogue and the positives, and how much it pulls."""

from __future__ import annotations

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
from adar_viz.trace import Trace, best_epoch, name_runs

KINDS = {
    "positive_score": ("positives", style.BLUE, "-"),
    "negative_score": ("drawn\nnegatives", style.RUST, "--"),
    "catalogue_score": ("all items", style.GREY, ":"),
}
MOST = 4


@dataclass(frozen=True)
class DrawnRun:
    """One run's quantiles over the epochs, by the name of the array."""

    name: str
    epoch: Int[np.ndarray, " epoch"]
    marked: int
    quantiles: Mapping[str, Float[np.ndarray, "epoch quantile"]]
    pull: Float[np.ndarray, " epoch"]


class DrawnScores(Display):
    """Scores of drawn negatives, positives and all items over the epochs, and the negatives' gradient weight.

    Bands hold the middle half, lines are medians, for the same users in the same epoch. All runs share their
    axes. The gradient weight of a negative is ``|d loss / d s_neg|``: how much of the row's loss it carries.

    Attributes
    ----------
    runs : list of DrawnRun
    level : Float[ndarray, "quantile"]
    epoch : int or None
        The epoch that is marked; None: of each run the one whose weights it kept.
    median_, band_ : dict of str to list
        Line2D and PolyCollection of each array, by run; ``gradient_weight`` is among them.
    mean_ : list of Line2D
        Mean gradient weight.
    mark_ : list of Line2D
        The marked epoch.
    """

    rows = 2

    def __init__(
        self,
        runs: Sequence[DrawnRun],
        level: Float[np.ndarray, " quantile"],
        epoch: int | None,
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.runs, self.level, self.epoch = list(runs), level, epoch
        # A column for each run: this display alone has as many as it is given.
        self.columns = len(runs)
        self.size = (1.6 + 1.75 * len(runs) + (1.2 if len(runs) == 1 else 0), 3.9)

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Show one run alone."""
        return cls.from_traces([trace])

    @classmethod
    def from_traces(cls, traces: Sequence[Trace], names: list[str] | None = None, epoch: int | None = None) -> Self:
        """Set runs side by side.

        Parameters
        ----------
        traces
            At most four, recorded at the same quantiles.
        names
            Of the runs; None takes what tells them apart, see `adar_viz.trace.run_names`.
        epoch
            Epoch to mark and to describe, of runs that stopped before it their last; None takes the one whose
            weights each run kept.
        """
        names = name_runs(traces, names, MOST)
        wanted = [*KINDS, "gradient_weight"]
        for trace in traces:
            trace.require("epoch", "quantile", "gradient_weight_mean", *wanted)
            if not np.array_equal(trace["quantile"], traces[0]["quantile"]):
                raise ValueError(
                    f"runs must be recorded at the same quantiles; got {traces[0]['quantile']} and {trace['quantile']}"
                )
        runs = [
            DrawnRun(name, t["epoch"], _marked(t, epoch), {k: t[k] for k in wanted}, t["gradient_weight_mean"])
            for t, name in zip(traces, names, strict=True)
        ]
        return cls(runs, traces[0]["quantile"], epoch, traces[0].meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        number = len(self.runs)
        self.median_: dict[str, list[Any]] = {}
        self.band_: dict[str, list[Any]] = {}
        self.mean_, self.mark_ = [], []
        for i, run in enumerate(self.runs):
            top, bottom = axes[i], axes[number + i]
            for kind, (_, colour, dash) in KINDS.items():
                self._quantiles(top, run, kind, color if kind == "positive_score" else colour, dash)
            self._quantiles(bottom, run, "gradient_weight", style.RUST, "--")
            self.mean_ += bottom.plot(run.epoch, run.pull, color=style.BLACK, lw=1)
            self.mark_ += [ax.axvline(run.epoch[run.marked], color=style.BLACK, lw=0.7, ls=":") for ax in (top, bottom)]
            top.set_title(run.name)
            bottom.set(xlabel=f"epoch (dotted: {self.epoch or 'kept'})", ylim=(0, self._ceiling()))
            bottom.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=5))
        self._share(axes[:number])
        axes[0].set_ylabel("score")
        axes[number].set_ylabel("gradient weight\nof a negative")
        self._label(axes[number - 1], axes[-1], color)

    def _quantiles(self, ax: Axes, run: DrawnRun, kind: str, colour: str, dash: str) -> None:
        values, half = run.quantiles[kind], len(self.level) // 2
        low, high = values[:, half - 1], values[:, half + 1]
        self.band_.setdefault(kind, []).append(ax.fill_between(run.epoch, low, high, color=colour, alpha=0.2, lw=0))
        self.median_.setdefault(kind, []).extend(ax.plot(run.epoch, values[:, half], color=colour, ls=dash))

    def _ceiling(self) -> float:
        return 1.1 * max(float(np.nanmax(run.quantiles["gradient_weight"])) for run in self.runs)

    def _share(self, axes: Sequence[Axes]) -> None:
        """One scale for all panels of a row, and one for all epochs."""
        limits = np.array([ax.get_ylim() for ax in axes])
        last = max(int(run.epoch[-1]) for run in self.runs)
        for ax in axes:
            ax.set_ylim(limits[:, 0].min(), limits[:, 1].max())
        for ax in self.axes_:
            ax.set_xlim(0, 1.02 * last)
            ax.label_outer(remove_inner_ticks=False)

    def _label(self, top: Axes, bottom: Axes, color: str) -> None:
        run, half = self.runs[-1], len(self.level) // 2
        ends = [float(run.quantiles[kind][-1, half]) for kind in KINDS]
        colours = [color, *(colour for _, colour, _ in list(KINDS.values())[1:])]
        style.label_ends(top, 1, ends, [words for words, _, _ in KINDS.values()], colours, gap=0.17)
        ends = [float(run.pull[-1]), float(run.quantiles["gradient_weight"][-1, half])]
        style.label_ends(bottom, 1, ends, ["mean", "median"], [style.BLACK, style.RUST], gap=0.12)

    def frame(self) -> pd.DataFrame:
        """One row for each run, epoch and array: its quantiles, one column each; the mean gradient weight once."""
        parts = []
        for run in self.runs:
            for kind, values in run.quantiles.items():
                columns = {f"q{level:g}": values[:, i] for i, level in enumerate(self.level)}
                parts.append(pd.DataFrame({"run": run.name, "epoch": run.epoch, "what": kind, **columns}))
            parts[-1]["mean"] = run.pull
        return pd.concat(parts, ignore_index=True)

    def describe(self) -> str:
        """Say for each run where its negatives lie and what they pull, at the marked epoch."""
        half = len(self.level) // 2
        places = []
        for run in self.runs:
            negative, positive, everything = (
                run.quantiles[kind][run.marked, half]
                for kind in ("negative_score", "positive_score", "catalogue_score")
            )
            places.append(
                f"{run.name}: negatives {negative:z.2f}, all items {everything:z.2f}, positives {positive:z.2f}, "
                f"mean gradient weight {run.pull[run.marked]:.2f}"
            )
        when = "the kept epoch" if self.epoch is None else f"epoch {self.epoch}"
        return f"Median scores at {when}. {'; '.join(places)}."


def _marked(trace: Trace, epoch: int | None) -> int:
    """Index of the epoch to mark: the one asked for or the last before it; the kept one where none is asked for."""
    if epoch is None:
        return best_epoch(trace)
    if epoch < trace["epoch"][0]:
        raise ValueError(f"epoch must be at least {trace['epoch'][0]}, the first of {trace.meta['run']!r}; got {epoch}")
    return int(np.searchsorted(trace["epoch"], epoch, side="right")) - 1
