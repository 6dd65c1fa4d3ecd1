"""One look for every picture: colour-blind safe, readable in grey, the same bytes on each drawing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, BLACK, GREY = "#56B4E9", "#9A3F8A", "#1A1A1A", "#6B6B6B"
"""Okabe and Ito's palette, with purple darkened; text in orange is RUST. Text has a contrast of 4.5:1 on white."""
RUST = "#9A4300"

SEQUENTIAL = "cividis"
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D")
"""Colour never stands alone: lines differ in their dashes, points in their shape."""

CONTEXTS = {"paper": (8.0, 1.0), "slides": (13.0, 1.45), "poster": (22.0, 2.4)}
"""Size of the text in points, and the factor for the size of the figure."""


def rc(context: str = "paper") -> dict[str, Any]:
    """Matplotlib's settings for a context: ``paper``, ``slides`` or ``poster``."""
    if context not in CONTEXTS:
        raise ValueError(f"context must be one of {', '.join(CONTEXTS)}; got {context!r}")
    text, scale = CONTEXTS[context]
    # From Matplotlib's defaults, so that nobody's own settings change a figure.
    defaults: dict[str, Any] = {
        str(key): value
        for key, value in matplotlib.rcParamsDefault.items()
        if not key.startswith("backend") and key != "interactive"
    }
    return defaults | {
        "font.size": text,
        "font.family": "DejaVu Sans",
        "axes.titlesize": text * 1.1,
        "axes.titleweight": "bold",
        "axes.titlelocation": "left",
        "axes.labelsize": text,
        "axes.linewidth": 0.7 * scale,
        "axes.edgecolor": GREY,
        "axes.labelcolor": BLACK,
        "axes.spines.top": False,
        "axes.spines.right": False,
        "xtick.labelsize": text * 0.9,
        "ytick.labelsize": text * 0.9,
        "xtick.color": BLACK,
        "ytick.color": BLACK,
        "lines.linewidth": 1.6 * scale,
        "lines.markersize": 4.0 * scale,
        "hatch.linewidth": 0.5 * scale,
        "figure.dpi": 100,
        "savefig.dpi": 200,
        "pdf.fonttype": 42,
        "ps.fonttype": 42,
        "svg.fonttype": "path",
        "svg.hashsalt": "adar_viz",
    }


def applied(context: str = "paper") -> AbstractContextManager[None]:
    """Apply the settings of a context for the length of a ``with`` block."""
    settings: Any = rc(context)
    return matplotlib.rc_context(settings)


def label_ends(
    ax: Axes, x: float, heights: Sequence[float], labels: Sequence[str], colours: Sequence[str], *, gap: float = 0.1
) -> None:
    """Write each label right of the axes at its line's end, moved apart so that none overlap.

    ``gap`` is the least distance between two labels, as a share of the height of the axes.
    """
    low, high = ax.get_ylim()
    wanted = (np.asarray(heights, dtype=float) - low) / (high - low)
    order = np.argsort(wanted, kind="stable")
    places = wanted[order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    places -= max(0.0, places[-1] - 1.0) if len(places) else 0.0
    for place, i in zip(places, order, strict=True):
        ax.annotate(
            labels[i],
            (1.0, float(place)),
            xytext=(5, 0),
            xycoords="axes fraction",
            textcoords="offset points",
            color=colours[i],
            va="center",
            annotation_clip=False,
        )
