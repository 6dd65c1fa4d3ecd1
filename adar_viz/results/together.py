"""Every comparison in one table: what each arm adds to the first arm, as a share of that one's mean."""

from __future__ import annotations

from collections.abc import Mapping

import pandas as pd

from adar_viz.displays.intervals import ORIGIN


def together(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Put comparisons one under the other, one line for each comparison and arm.

    ``relative``, ``relative_low`` and ``relative_high`` are the paired difference to the first arm
    and its interval, divided by the first arm's mean.

    Parameters
    ----------
    tables
        By the comparison's name: one row for each arm, of one metric, the first arm first, with the
        columns of `adar_viz.comparison`.
    """
    parts = []
    for name, table in tables.items():
        ends = ("", "_low", "_high")
        shares = {f"relative{end}": table[f"difference{end}"] / table["mean"].iloc[0] for end in ends}
        parts.append(table[["arm", "about", "role", "mean", "metric", *ORIGIN]].assign(comparison=name, **shares))
    whole = pd.concat(parts, ignore_index=True)
    # An arm is called by what is said of it, if that is the same in every comparison.
    said = whole.dropna(subset="about").groupby("arm")["about"]
    names = dict(said.first()[said.nunique() == 1])
    columns = ["comparison", "arm", "label", "role", "mean", "relative", "relative_low", "relative_high"]
    return whole.assign(label=[names.get(arm, arm) for arm in whole["arm"]])[[*columns, "metric", *ORIGIN]]


def as_lines(frame: pd.DataFrame) -> list[str]:
    """Write the table in Markdown: one line for each arm, one column for each comparison."""
    names = list(dict.fromkeys(frame["comparison"]))
    lines = [
        f"| arm | {' | '.join(f'[{name}](#{name})' for name in names)} |",
        "| --- " * (len(names) + 1) + "|",
    ]
    firsts = set(frame.groupby("comparison").head(1).index)
    for arm, rows in frame.groupby("arm", sort=False):
        cells = {row["comparison"]: _cell(row, is_first=i in firsts) for i, row in rows.iterrows()}
        label = rows["label"].iloc[0]
        lines.append(
            f"| `{arm}`{'' if label == arm else f': {label}'} | {' | '.join(cells.get(n, '–') for n in names)} |"
        )
    return lines


def _cell(row: pd.Series[float], *, is_first: bool) -> str:
    if is_first:
        return f"{row['mean']:.4f}"
    percent = round(100 * row["relative"])
    share = f"{percent:+d} %" if percent else "0 %"
    return f"**{share}**" if row["relative_low"] > 0 or row["relative_high"] < 0 else share
