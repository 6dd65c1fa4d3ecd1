"""Samplers side by side: each one's mean with its interval, its paired difference, and its epochs."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display

LOOKS: Mapping[str, tuple[str, str, str]] = {
    "peer": ("o", style.BLUE, style.BLUE),
    "ADAR": ("D", style.VERMILLION, style.VERMILLION),
    "control": ("s", style.BLACK, "white"),
}
"""Marker, colour and filling of each role: shape and filling tell them apart without colour."""

ORIGIN = ("dataset", "data_checksum", "backbone", "seed", "version")
COLUMNS = ("arm", "role", "mean", "low", "high", "difference", "difference_low", "difference_high", "best_epoch")


class ForestPlot(Display):
    """A comparison's arms, one line each, with 95 % intervals; differences are paired, to the first arm.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each arm, with `COLUMNS` and ``label``.
    metric : str
    means_, differences_ : list of ErrorbarContainer
        One for each role.
    epochs_ : list of Line2D
        One for each role.
    reference_ : Line2D
        The first arm's mean.
    """

    columns = 3

    def __init__(self, table: pd.DataFrame, metric: str, stamp: Mapping[str, Any]) -> None:
        numbers = table[list(COLUMNS)].to_csv(index=False, float_format="%.6g")
        digest = hashlib.sha256(numbers.encode()).hexdigest()[:16]
        super().__init__({**stamp, "run": f"table {digest}"})
        # As many digits as a file holds, so that a table and its file give the same picture.
        self.table = table.assign(**{name: [float(f"{x:.6g}") for x in table[name]] for name in COLUMNS[2:]})
        self.metric = metric
        self.size = (7.4, 0.9 + 0.19 * len(table))

    @classmethod
    def from_table(cls, frame: pd.DataFrame, metric: str = "ndcg@20") -> Self:
        """Take one metric of a comparison's frame, or of the ``comparison.csv`` that holds it.

        Parameters
        ----------
        frame
            One row for each arm and metric, with the columns that `COLUMNS` and `ORIGIN` name.
        metric
            The one to show.

        Raises
        ------
        ValueError
            The frame lacks a column or the metric.
        """
        needed = {*COLUMNS, *ORIGIN, "metric"}
        if lacking := sorted(needed - set(frame.columns)):
            raise ValueError(f"the table must have {', '.join(sorted(needed))}; it lacks {', '.join(lacking)}")
        chosen = frame[frame["metric"] == metric].reset_index(drop=True)
        if chosen.empty:
            raise ValueError(f"metric must be one of {', '.join(sorted(set(frame['metric'])))}; got {metric!r}")
        about = chosen["about"] if "about" in chosen else [""] * len(chosen)
        both = zip(chosen["arm"], about, strict=True)
        label = [said if isinstance(said, str) and said else arm for arm, said in both]  # nan where a CSV has nothing
        stamp = {name: str(chosen[name][0]) for name in ORIGIN}  # a CSV may read version 0.1 as a number
        return cls(chosen[list(COLUMNS)].assign(label=label), metric, stamp)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        left, middle, right = axes
        self.means_, self.differences_, self.epochs_ = [], [], []
        for role, (marker, edge, filling) in LOOKS.items():
            rows = self.table[self.table["role"] == role]
            look: dict[str, Any] = {"marker": marker, "color": edge, "mfc": filling, "ls": "none", "label": role}
            if rows.empty:
                continue
            self.means_.append(_intervals(left, rows, "mean", "low", "high", look))
            others = rows[rows.index > 0]  # the first arm's difference to itself is 0 by definition
            names = ("difference", "difference_low", "difference_high")
            self.differences_.append(_intervals(middle, others, *names, look))
            self.epochs_ += right.plot(rows["best_epoch"].to_numpy(), rows.index.to_numpy(), **look)
        first = self.table["mean"].to_numpy()[0]
        self.reference_ = left.axvline(first, color=style.GREY, ls="--", lw=0.9, zorder=0)
        middle.axvline(0, color=style.GREY, ls="--", lw=0.9, zorder=0)
        left.set(title=f"{self.metric} on test", xlabel="with 95 % interval")
        middle.set(title="Difference", xlabel=f"to {self.table['label'][0]}, paired")
        right.set(title="Best epoch", xlabel="mean over seeds")
        for ax in axes:
            ax.locator_params(axis="x", nbins=3)
        right.set_xlim(0, 1.1 * self.table["best_epoch"].max())  # room for the last mark
        self._label(axes)

    def _label(self, axes: tuple[Axes, ...]) -> None:
        for ax in axes:
            ax.set_ylim(len(self.table) - 0.4, -0.6)
            ax.set_yticks(np.arange(len(self.table)), labels=[""] * len(self.table))
            ax.grid(axis="y", color="#E0E0E0", lw=0.5)
            ax.set_axisbelow(True)
        axes[0].set_yticks(np.arange(len(self.table)), labels=self.table["label"])
        handles = [container.lines[0] for container in self.means_]
        axes[0].legend(
            handles,
            [str(handle.get_label()) for handle in self.means_],
            loc="upper right",
            bbox_to_anchor=(-0.06, 0.0),
            frameon=False,
            ncols=len(handles),
            handletextpad=0.2,
            columnspacing=1.0,
        )

    def frame(self) -> pd.DataFrame:
        """One row for each arm: its role, mean, interval, paired difference and best epoch."""
        return self.table[list(COLUMNS)].copy()

    def describe(self) -> str:
        """Say which arm is best, and where ADAR's arms stand against the first."""
        table, first = self.table, self.table.loc[0]
        best = table.loc[int(table["mean"].to_numpy().argmax())]
        against = [
            f"{row['arm']} lies {row['difference']:+.4f} from it ({row['difference_low']:+.4f} to "
            f"{row['difference_high']:+.4f})"
            for row in table[(table["role"] == "ADAR") & (table.index > 0)].to_dict("records")
        ]
        return (
            f"{len(table)} arms by {self.metric} on test: {first['arm']} has {first['mean']:.4f}; "
            f"{'; '.join([*against, ''])}the highest mean, {best['mean']:.4f}, is that of {best['arm']}."
        )


def _intervals(ax: Axes, rows: pd.DataFrame, middle: str, low: str, high: str, look: Mapping[str, Any]) -> Any:
    around = np.abs(rows[[low, high]].to_numpy().T - rows[middle].to_numpy())
    return ax.errorbar(rows[middle].to_numpy(), rows.index.to_numpy(), xerr=around, elinewidth=1.0, **look)
