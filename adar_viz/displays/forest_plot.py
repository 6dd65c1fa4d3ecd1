"""Samplers side by side: each one's mean with its interval, its paired difference, and its epochs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import pandas as pd
from matplotlib.axes import Axes

from adar_viz.displays.display import Display
from adar_viz.displays.intervals import (
    LOOKS,
    ORIGIN,
    as_in_a_file,
    draw_intervals,
    draw_legend,
    draw_reference,
    marks,
    name_lines,
    name_of,
    require_columns,
)

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
        super().__init__({**stamp, "run": name_of(table[list(COLUMNS)])})
        self.table = as_in_a_file(table, COLUMNS[2:])
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
        require_columns(frame, [*COLUMNS, *ORIGIN, "metric"])
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
        others = self.table.index > 0  # the first arm's difference to itself is 0 by definition
        for role in LOOKS:
            of_role = self.table["role"] == role
            if not of_role.any():
                continue
            rows, compared = self.table[of_role], self.table[of_role & others]
            self.means_.append(draw_intervals(left, rows, ("mean", "low", "high"), list(rows.index), role))
            ends = ("difference", "difference_low", "difference_high")
            self.differences_.append(draw_intervals(middle, compared, ends, list(compared.index), role))
            self.epochs_ += right.plot(rows["best_epoch"].to_numpy(), rows.index.to_numpy(), **marks(role))
        first = self.table["mean"].to_numpy()[0]
        self.reference_ = draw_reference(left, first)
        draw_reference(middle)
        left.set(title=f"{self.metric} on test", xlabel="with 95 % interval")
        middle.set(title="Difference", xlabel=f"to {self.table['label'][0]}, paired")
        right.set(title="Best epoch", xlabel="mean over seeds")
        for ax in axes:
            ax.locator_params(axis="x", nbins=3)
        right.set_xlim(0, 1.1 * self.table["best_epoch"].max())  # room for the last mark
        self._label(axes)

    def _label(self, axes: tuple[Axes, ...]) -> None:
        for ax in axes:
            name_lines(ax, list(self.table["label"]) if ax is axes[0] else [""] * len(self.table))
        draw_legend(axes[0], self.means_, loc="upper right", bbox_to_anchor=(-0.06, 0.0))

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
