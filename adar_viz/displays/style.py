"""One look for every picture: colour-blind safe, readable in grey, the same bytes on each drawing."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

import matplotlib
import numpy as np
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.patches import ConnectionPatch, Rectangle
from matplotlib.patheffects import withStroke
from matplotlib.text import Text
from matplotlib.transforms import Bbox, BboxBase

BLUE, VERMILLION, GREEN, ORANGE = "#0072B2", "#D55E00", "#009E73", "#E69F00"
SKY, PURPLE, BLACK, GREY = "#56B4E9", "#9A3F8A", "#1A1A1A", "#6B6B6B"
RUST, TEAL = "#9A4300", "#00735C"
"""Okabe and Ito's palette, with purple darkened; RUST is orange, and TEAL green, for text and thin lines.

Text has a contrast of 4.5:1 on white."""

SEQUENTIAL = "cividis"
LINES = ("-", "--", "-.", ":")
MARKERS = ("o", "s", "^", "D")
"""Colour never stands alone: lines differ in their dashes, points in their shape."""
SOURCE_LOOK = {"forward": (BLUE, "-"), "reverse": (TEAL, "--"), "renoise": (BLACK, "-.")}
"""Colour and dashes of a walk, by how it was made."""

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


def negative_side(
    ax: Axes,
    start: float,
    boundary: float,
    *,
    along: Literal["x", "y"] = "y",
    alpha: float = 0.25,
    zorder: float | None = None,
) -> Rectangle:
    """Hatch what scores below the boundary, from ``start`` on; ``along`` is the axis of the score."""
    span = ax.axhspan if along == "y" else ax.axvspan
    return span(start, boundary, fc="none", ec=VERMILLION, alpha=alpha, hatch="///", lw=0, zorder=zorder)


def label_ends(
    ax: Axes, x: float, heights: Sequence[float], labels: Sequence[str], colours: Sequence[str], *, gap: float = 0.1
) -> None:
    """Write each label right of the axes at its line's end, moved apart so that none overlap.

    ``gap`` is the least distance between two labels, as a share of the height of the axes.
    """
    low, high = ax.get_ylim()
    order, places = _apart((np.asarray(heights, dtype=float) - low) / (high - low), gap, 1.0)
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


def label_sides(
    ax: Axes,
    points: Float[np.ndarray, "point 2"],
    labels: Sequence[str],
    colours: Sequence[str],
    *,
    gap: float,
    edges: tuple[float, float] = (-0.03, 1.03),
    fontsize: str = "medium",
) -> list[Text]:
    """Write the labels of points left and right of the picture, each joined to its point by a thin grey line.

    ``gap`` is the least distance between two labels, as a share of the height of the axes; labels end
    at the first and begin at the second of ``edges``, shares of the width. Returns the texts in the
    order of the points.
    """
    low, high = ax.get_ylim()
    height = (points[:, 1] - low) / (high - low)
    rank = np.argsort(np.argsort(points[:, 0], kind="stable"))
    texts: dict[int, Text] = {}
    for right, edge, align, pad in ((False, edges[0], "right", -0.008), (True, edges[1], "left", 0.008)):
        side = np.flatnonzero((rank >= len(points) // 2) == right)
        order, places = _apart(height[side], gap, 1 - gap / 2)
        for place, i in zip(places, side[order], strict=True):
            at, point = (edge, float(place)), (float(points[i, 0]), float(points[i, 1]))
            text = ax.text(
                edge + pad,
                place,
                labels[i],
                transform=ax.transAxes,
                ha=align,
                va="center",
                color=colours[i],
                fontsize=fontsize,
            )
            # Not an annotation: its extent would take in the line, and the layout make room for that.
            line = ConnectionPatch(at, point, ax.transAxes, ax.transData, color=GREY, lw=0.6, shrinkB=3)
            line.set_in_layout(False)
            ax.add_artist(line)
            texts[int(i)] = text
    return [texts[i] for i in range(len(points))]


def label_points(ax: Axes, points: Float[np.ndarray, "point 2"], labels: Sequence[str]) -> list[Text]:
    """Write a label beside each point, where it meets the fewest other points and labels.

    Of the places around a point the first free one inside the axes is taken, near ones before far ones.
    Call it when all else is drawn.
    """
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("ax must belong to a figure; got axes that were removed from theirs")
    figure.draw_without_rendering()  # lays the axes out, so that places on the paper are known
    em = matplotlib.rcParams["font.size"] * figure.dpi / 72
    at = ax.transData.transform(points)
    taken = [Bbox.from_bounds(x - 0.7 * em, y - 0.7 * em, 1.4 * em, 1.4 * em) for x, y in at]
    texts: list[Text] = []
    for i, label in enumerate(labels):
        text = ax.annotate(label, tuple(points[i]), (0, 0), textcoords="offset points", color=BLACK, va="center")
        text.set_path_effects([withStroke(linewidth=em / 5, foreground="white")])
        size = text.get_window_extent()
        boxes = [_beside(at[i], size.width, size.height, em, *place) for place in _AROUND]
        others = [box for j, box in enumerate(taken) if j != i]
        cost = [sum(box.overlaps(other) for other in others) + 3 * (not _inside(box, ax.bbox)) for box in boxes]
        box = boxes[int(np.argmin(cost))]
        shift = np.array([box.x0, (box.y0 + box.y1) / 2]) - at[i]
        text.set_position(tuple(shift * 72 / figure.dpi))
        text.set_in_layout(False)
        taken.append(box)
        texts.append(text)
    return texts


_AROUND = tuple((right, up) for up in (0.0, 1.1, -1.1, 2.2, -2.2) for right in (1, -1, 0) if right or up)
"""Places of a label around its point: right, left or in the middle, and so many lines up."""


def _beside(point: Float[np.ndarray, " 2"], width: float, height: float, em: float, right: int, up: float) -> Bbox:
    x, y = point
    shift = {1: 0.8 * em, -1: -0.8 * em - width, 0: -width / 2}[right]
    return Bbox.from_bounds(x + shift, y + up * height - height / 2, width, height)


def _inside(box: Bbox, room: BboxBase) -> bool:
    return bool(room.x0 <= box.x0 and box.x1 <= room.x1 and room.y0 <= box.y0 and box.y1 <= room.y1)


def _apart(
    wanted: Float[np.ndarray, " label"], gap: float, top: float
) -> tuple[Int[np.ndarray, " label"], Float[np.ndarray, " label"]]:
    """Order labels from below and push them up until they stand ``gap`` apart, all of them below ``top``."""
    order = np.argsort(wanted, kind="stable")
    places = wanted[order]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + gap)
    places -= max(0.0, places[-1] - top) if len(places) else 0.0
    return order, places
