"""Arms of a comparison as lines with intervals: what the displays of one comparison and of many have in common."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure
from matplotlib.legend import Legend
from matplotlib.lines import Line2D

from adar_viz.displays import style

ORIGIN = ("dataset", "data_checksum", "backbone", "seed", "version")
"""Columns that say where a comparison comes from."""

LOOKS: Mapping[str, Mapping[str, Any]] = {
    "peer": {"marker": "o", "color": style.BLUE, "mfc": style.BLUE},
    "ADAR": {"marker": "D", "color": style.VERMILLION, "mfc": style.VERMILLION},
    "control": {"marker": "s", "color": style.BLACK, "mfc": "white"},
}
"""Marks of each role: shape and filling tell them apart without colour."""


def require_columns(frame: pd.DataFrame, needed: Iterable[str]) -> None:
    """Raise a `ValueError` that names the columns which a table lacks."""
    needed = sorted(set(needed))
    if lacking := [name for name in needed if name not in frame.columns]:
        raise ValueError(f"the table must have {', '.join(needed)}; it lacks {', '.join(lacking)}")


def as_in_a_file(table: pd.DataFrame, numbers: Sequence[str]) -> pd.DataFrame:
    """Round to as many digits as a file holds, so that a table and its file give the same picture."""
    return table.assign(**{name: [float(f"{x:.6g}") for x in table[name]] for name in numbers})


def name_of(table: pd.DataFrame) -> str:
    """Name a table by its numbers, as a run is named by its folder."""
    numbers = table.to_csv(index=False, float_format="%.6g")
    return f"table {hashlib.sha256(numbers.encode()).hexdigest()[:16]}"


def marks(role: str) -> dict[str, Any]:
    """Return how a role's points look, and its name for the legend."""
    return {**LOOKS[role], "ls": "none", "label": role}


def draw_intervals(
    ax: Axes, rows: pd.DataFrame, names: tuple[str, str, str], line: Sequence[int], role: str
) -> ErrorbarContainer:
    """Draw one role's arms.

    Parameters
    ----------
    ax
        Where to draw.
    rows
        One for each arm.
    names
        Columns of the middle, the low and the high end.
    line
        On which line each arm stands.
    role
        One of `LOOKS`.
    """
    middle, ends = rows[names[0]].to_numpy(), rows[list(names[1:])].to_numpy().T
    return ax.errorbar(middle, line, xerr=np.abs(ends - middle), elinewidth=1.0, **marks(role))


def draw_reference(ax: Axes, at: float = 0.0) -> Line2D:
    """Draw the line of the first arm, which the others are read against."""
    return ax.axvline(at, color=style.GREY, ls="--", lw=0.9, zorder=0)


def draw_legend(owner: Axes | Figure, roles: Sequence[ErrorbarContainer], **where: Any) -> Legend:
    """Draw one row that names the roles' marks, where ``loc`` and what goes with it say."""
    handles, labels = [role.lines[0] for role in roles], [str(role.get_label()) for role in roles]
    look: dict[str, Any] = {"frameon": False, "ncols": len(handles), "handletextpad": 0.2, "columnspacing": 1.0}
    return owner.legend(handles, labels, **look, **where)


def name_lines(ax: Axes, labels: Sequence[str]) -> None:
    """Give every arm its line, the first one on top, with a thread to follow from its name."""
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.set_yticks(np.arange(len(labels)), labels=labels)
    ax.grid(axis="y", color="#E0E0E0", lw=0.5)
    ax.set_axisbelow(True)
