"""What happened over the epochs: the validation metric, and how hard the drawn negatives were."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace


class TrainingCurves(Display):
    """Validation metrics, and quantiles of hardness ``s_neg - s_pos``, over the epochs.

    Attributes
    ----------
    epoch : Int[ndarray, "epoch"]
    metric : dict of str to Float[ndarray, "epoch"]
        nan where an epoch was not evaluated; the first one selects the model.
    hardness : Float[ndarray, "epoch quantile"]
    level : Float[ndarray, "quantile"]
    metric_ : list of Line2D
    hardness_ : list of PolyCollection
        Bands from the widest to the narrowest.
    median_ : Line2D
    """

    columns = 2
    size = (6.8, 2.6)

    def __init__(
        self,
        epoch: Int[np.ndarray, " epoch"],
        metric: Mapping[str, Float[np.ndarray, " epoch"]],
        level: Float[np.ndarray, " quantile"],
        hardness: Float[np.ndarray, "epoch quantile"],
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.epoch, self.metric, self.level, self.hardness = epoch, dict(metric), level, hardness
        self.name = next(iter(self.metric))
        values = self.metric[self.name]
        self.best = int(np.nanargmax(values)) if np.isfinite(values).any() else -1

    @classmethod
    def from_trace(cls, trace: Trace, metrics: Sequence[str] | None = None) -> Self:
        """Take the training record.

        Parameters
        ----------
        trace
            With epoch, metric_name, metric, quantile and hardness.
        metrics
            Validation metrics to show, at most four; None takes the selecting one and recall at
            the same length of list.
        """
        trace.require("epoch", "metric_name", "metric", "quantile", "hardness")
        recorded = dict(zip(trace["metric_name"].tolist(), trace["metric"].T, strict=True))
        if metrics is None:
            first = next(iter(recorded), "")
            recall = first.replace(first.partition("@")[0], "recall")
            metrics = [name for name in dict.fromkeys((first, recall)) if name in recorded]
        if not metrics or len(metrics) > 4 or not set(metrics) <= set(recorded):
            raise ValueError(f"metrics must be one to four of {', '.join(recorded)}; got {', '.join(metrics)}")
        named = {name: recorded[name] for name in metrics}
        return cls(trace["epoch"], named, trace["quantile"], trace["hardness"], trace.meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        self._draw_metrics(axes[0], color)
        self._draw_hardness(axes[1], color)
        for ax in axes:
            ax.set_xlabel("epoch")
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    def _draw_metrics(self, ax: Axes, color: str) -> None:
        self.metric_, ends = [], []
        colours = [color, style.VERMILLION, style.GREEN, style.PURPLE]
        for i, values in enumerate(self.metric.values()):
            seen = np.isfinite(values)
            look: dict[str, Any] = {
                "color": colours[i % 4],
                "ls": style.LINES[i % 4],
                "marker": style.MARKERS[i % 4],
                "ms": 2.5,
            }
            look["markevery"] = max(1, int(seen.sum()) // 12)
            self.metric_ += ax.plot(self.epoch[seen], values[seen], **look)
            ends.append(float(values[seen][-1]) if seen.any() else 0.0)
        ax.set(title="Validation", ylabel="metric")
        ax.set_ylim(0, ax.get_ylim()[1] * 1.08)
        if self.best >= 0:
            at = (self.epoch[self.best], self.metric[self.name][self.best])
            (self.best_,) = ax.plot(*at, marker="*", ms=11, mfc="white", mec=style.BLACK, ls="none", zorder=5)
            ax.annotate("best", at, xytext=(0, -13), textcoords="offset points", ha="center", va="top")
        style.label_ends(ax, 1, ends, list(self.metric), colours[: len(ends)])

    def _draw_hardness(self, ax: Axes, color: str) -> None:
        self.hardness_ = []
        half = len(self.level) // 2
        for i in range(half):
            low, high = self.hardness[:, i], self.hardness[:, -1 - i]
            self.hardness_.append(ax.fill_between(self.epoch, low, high, color=color, alpha=0.2, lw=0))
        middle = self.hardness[:, half]
        (self.median_,) = ax.plot(self.epoch, middle, color=color)
        self.as_hard_ = ax.axhline(0, color=style.BLACK, ls="--", lw=0.9)
        ax.set(title="Hardness of the drawn negatives", ylabel="s_neg − s_pos")
        top = max(ax.get_ylim()[1], 0.12 * (ax.get_ylim()[1] - ax.get_ylim()[0]))
        ax.set_ylim(ax.get_ylim()[0], top)
        last = int(np.flatnonzero(np.isfinite(middle))[-1]) if np.isfinite(middle).any() else -1
        if last < 0:
            style.label_ends(ax, 1, [0.0], ["as hard as\nthe positive"], [style.BLACK])
            return
        ends, labels = [0.0, float(middle[last])], ["as hard as\nthe positive", "median"]
        if half:
            ends.append(float(self.hardness[last, 0]))
            labels.append(f"{self.level[0]:.0%} to {self.level[-1]:.0%}")
        style.label_ends(ax, 1, ends, labels, [style.BLACK, color, color][: len(ends)], gap=0.14)

    def frame(self) -> pd.DataFrame:
        """One row for each epoch: the metrics, and one column for each quantile of hardness."""
        bands = {f"hardness_{level:g}": self.hardness[:, i] for i, level in enumerate(self.level)}
        return pd.DataFrame({"epoch": self.epoch, **self.metric, **bands})

    def describe(self) -> str:
        """Say where the metric peaks and how hardness moved."""
        middle = self.hardness[:, len(self.level) // 2]
        middle = middle[np.isfinite(middle)]
        moved = (
            f"the median hardness of the drawn negatives goes from {middle[0]:z.2f} to {middle[-1]:z.2f}"
            if len(middle)
            else "hardness was not recorded"
        )
        peak = (
            f"{self.name} on the validation part peaks at {self.metric[self.name][self.best]:z.3f} "
            f"in epoch {self.epoch[self.best]}"
            if self.best >= 0
            else f"{self.name} was not evaluated"
        )
        return f"Over {len(self.epoch)} recorded epochs {peak}; {moved}."
