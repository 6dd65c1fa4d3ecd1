"""Comparisons on several data sets and backbones side by side: what each arm adds to the first one."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar, Self

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter

from adar_viz.displays.display import Display
from adar_viz.displays.intervals import (
    LOOKS,
    ORIGIN,
    as_in_a_file,
    draw_intervals,
    draw_legend,
    draw_reference,
    name_lines,
    name_of,
    require_columns,
)

COLUMNS = ("comparison", "arm", "label", "role", "relative", "relative_low", "relative_high")
_ACROSS = 4
"""Panels in a row."""


class AllComparisons(Display):
    """A panel for each comparison, a line for each arm; differences are in per cent of the first arm's mean.

    The panels of a row have one scale.

    Attributes
    ----------
    table : pandas.DataFrame
        One row for each comparison and arm, with `COLUMNS`, ``dataset`` and ``backbone``.
    intervals_ : dict of str to list of ErrorbarContainer
        By comparison, one for each role.
    """

    shared: ClassVar[Mapping[str, Any]] = {"sharex": "row", "sharey": True}

    def __init__(self, table: pd.DataFrame, stamp: Mapping[str, Any]) -> None:
        super().__init__({**stamp, "run": name_of(table[list(COLUMNS)])})
        self.table = as_in_a_file(table, COLUMNS[4:])
        self.names = list(dict.fromkeys(table["comparison"]))
        self.columns, self.rows = min(len(self.names), _ACROSS), -(-len(self.names) // _ACROSS)
        self.size = (7.4, (0.5 + 0.155 * table["arm"].nunique()) * self.rows + 0.3)

    @classmethod
    def from_table(cls, frame: pd.DataFrame) -> Self:
        """Take the frame that puts comparisons one under the other, or the file ``together.csv`` that holds it.

        Parameters
        ----------
        frame
            One row for each comparison and arm, with the columns that `COLUMNS` and `ORIGIN` name;
            of each comparison the first arm comes first.

        Raises
        ------
        ValueError
            The frame lacks a column, or has no row.
        """
        require_columns(frame, [*COLUMNS, *ORIGIN])
        if frame.empty:
            raise ValueError("the table must have a row for each comparison and arm; got none")
        sums = "".join(map(str, frame["data_checksum"].unique())).encode()
        stamp = {
            "dataset": ", ".join(frame["dataset"].unique()),
            "data_checksum": hashlib.sha256(sums).hexdigest(),
            "backbone": ", ".join(frame["backbone"].unique()),
            **{name: ", ".join(map(str, frame[name].unique())) for name in ("seed", "version")},
        }
        return cls(frame[[*COLUMNS, "dataset", "backbone"]].reset_index(drop=True), stamp)

    @property
    def panels(self) -> int:
        """One for each comparison."""
        return len(self.names)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        arms = self.table.drop_duplicates("arm")
        others = arms[~arms["arm"].isin(self._firsts()["arm"])].reset_index(drop=True)
        place = {arm: i for i, arm in enumerate(others["arm"])}
        self.intervals_: dict[str, list[Any]] = {}
        for ax, name in zip(axes, self.names, strict=True):
            of_it = self.table[self.table["comparison"] == name]
            draw_reference(ax)
            parts = {role: of_it[(of_it["role"] == role) & of_it["arm"].isin(place)] for role in LOOKS}
            ends = ("relative", "relative_low", "relative_high")
            self.intervals_[name] = [
                draw_intervals(ax, part, ends, [place[arm] for arm in part["arm"]], role)
                for role, part in parts.items()
                if not part.empty
            ]
            first = of_it.iloc[0]
            ax.set_title(f"{first['dataset']}\n{first['backbone']}", fontsize="medium")
            name_lines(ax, list(others["label"]))
            ax.locator_params(axis="x", nbins=4)
            ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:+.0f}".replace("-", "−") if x else "0"))
        for ax in axes[-self.columns :]:  # the lowest of each column
            ax.set_xlabel("difference, %")
        figure = axes[0].get_figure(root=True)
        assert figure is not None
        self.legend_ = draw_legend(figure, max(self.intervals_.values(), key=len), loc="outside lower left")

    def _firsts(self) -> pd.DataFrame:
        return self.table.groupby("comparison", sort=False).head(1)

    def frame(self) -> pd.DataFrame:
        """One row for each comparison and arm: its role, and its relative difference with the interval."""
        return self.table[list(COLUMNS)].copy()

    def describe(self) -> str:
        """Count where ADAR's arms, and the peer that is there most often, are above the first arm."""
        others = self.table.drop(self._firsts().index)
        counts = others.assign(above=others["relative"] > 0, clearly=others["relative_low"] > 0).groupby("arm")
        total, above, clearly = counts.size(), counts["above"].sum(), counts["clearly"].sum()
        roles = others.drop_duplicates("arm").set_index("arm")["role"]
        leader = above[roles.index[roles == "peer"]].nlargest(1).index
        said = [
            f"{arm} is above it in {above[arm]} of {total[arm]} (in {clearly[arm]} by an interval above 0)"
            for arm in [*leader, *roles.index[roles == "ADAR"]]
        ]
        return f"{len(self.names)} comparisons with {' and '.join(self._firsts()['arm'].unique())}: {'; '.join(said)}."
