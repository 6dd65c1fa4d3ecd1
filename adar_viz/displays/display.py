"""The contract of a display: computed once from a trace, then drawn, tabulated, described and saved."""

from __future__ import annotations

import base64
import io
import json
import os
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar, Self

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from adar_viz.displays import style

FORMATS = ("pdf", "svg", "png")
_STAMP = ("run", "dataset", "data_checksum", "backbone", "negatives", "seed", "version")


class Display(ABC):
    """One picture of a trace.

    ``from_trace`` computes (``from_traces`` where it compares runs, ``from_table`` where it shows the
    results of a comparison); ``plot`` draws and returns the display; artists and the figure are
    attributes that end in ``_``; ``frame`` gives the numbers that are drawn; ``describe`` says in
    one sentence what is seen, for readers who cannot see it. Figures belong to no pyplot state:
    nothing has to be closed.
    """

    columns: int = 1
    rows: int = 1
    size: tuple[float, float] = (4.6, 3.0)
    """Width and height in inches, in the context ``paper``."""
    shared: ClassVar[Mapping[str, Any]] = {}
    """Scales that panels have in common: ``sharex`` and ``sharey`` of `matplotlib.figure.Figure.subplots`."""

    figure_: Figure
    axes_: tuple[Axes, ...]

    def __init__(self, stamp: Mapping[str, Any]) -> None:
        self.stamp = {key: stamp[key] for key in _STAMP if key in stamp}
        self._context = "paper"

    @abstractmethod
    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        """Draw into the axes, one for each panel."""

    @abstractmethod
    def frame(self) -> pd.DataFrame:
        """Return the numbers that are drawn, one row for each mark."""

    @abstractmethod
    def describe(self) -> str:
        """Say in one sentence what the picture shows: its alt text."""

    def plot(
        self,
        ax: Axes | Sequence[Axes] | None = None,
        *,
        context: str = "paper",
        size: tuple[float, float] | None = None,
        color: str = style.BLUE,
        footer: bool = False,
    ) -> Self:
        """Draw.

        Parameters
        ----------
        ax
            Axes to draw into, one for each panel; None makes a figure.
        context
            ``paper``, ``slides`` or ``poster``: how large text and lines are.
        size
            Width and height of a new figure in inches.
        color
            Colour of the main curve.
        footer
            Whether run, seed, data and version are printed below the picture; needs a new figure.
        """
        if footer and ax is not None:
            raise ValueError("footer must come with a figure of the display's own; got ax")
        with style.applied(context):
            self.axes_ = self._new_axes(context, size) if ax is None else self._given_axes(ax)
            root = self.axes_[0].get_figure(root=True)
            if root is None:
                raise ValueError("ax must belong to a figure; got axes that were removed from theirs")
            self.figure_, self._context = root, context
            self._draw(self.axes_, color)
            if footer:
                self._sign()
        return self

    def small_multiples(
        self,
        moments: Sequence[int] | None = None,
        *,
        columns: int = 3,
        context: str = "paper",
        color: str = style.BLUE,
        footer: bool = False,
    ) -> Self:
        """Draw one panel for each of several moments of what moves: an animation, printed.

        Parameters
        ----------
        moments
            Timesteps; None takes six that are evenly spaced.
        columns
            Panels in a row.
        context, color, footer
            As in `plot`.

        Raises
        ------
        ValueError
            If the display stands still, or knows nothing of a moment.
        """
        known = self.moments()
        if not known:
            raise ValueError(f"{type(self).__name__} shows no movement; there is nothing to part into panels")
        spaced = [known[round(i * (len(known) - 1) / 5)] for i in range(6)]
        chosen = sorted(set(spaced)) if moments is None else list(moments)
        if not chosen or not set(chosen) <= set(known):
            raise ValueError(f"moments must be among {', '.join(map(str, known))}; got {chosen}")
        rows, scale = -(-len(chosen) // columns), style.CONTEXTS[context][1]
        with style.applied(context):
            self.figure_, self._context = _new_figure((7.2 * scale, 2.0 * rows * scale)), context
            self.axes_ = _grid(self.figure_, rows, columns, len(chosen), sharex=True, sharey=True)
            self._draw_moments(self.axes_, chosen, color)
            if footer:
                self._sign()
        return self

    def moments(self) -> Sequence[int]:
        """Return the timesteps at which `small_multiples` can draw; none where nothing moves."""
        return ()

    def _draw_moments(self, axes: tuple[Axes, ...], moments: Sequence[int], color: str) -> None:
        """Draw one moment into each of the axes, whose limits are shared."""
        raise NotImplementedError

    def _sign(self) -> None:
        self.footer_ = self.figure_.supxlabel(self.footer(), x=0.99, ha="right", fontsize="x-small", color=style.GREY)

    def footer(self) -> str:
        """Say in one line where the picture comes from."""
        stamp = self.stamp
        return (
            f"run {stamp['run']} · data {stamp['dataset']} {stamp['data_checksum'][:8]} · "
            f"seed {stamp['seed']} · adar_viz {stamp['version']}"
        )

    @property
    def panels(self) -> int:
        """How many panels are drawn; where the last row is not full, fewer than its rows and columns hold."""
        return self.rows * self.columns

    def _new_axes(self, context: str, size: tuple[float, float] | None) -> tuple[Axes, ...]:
        scale = style.CONTEXTS[context][1]
        figure = _new_figure(size or (self.size[0] * scale, self.size[1] * scale))
        return _grid(figure, self.rows, self.columns, self.panels, **self.shared)

    def _given_axes(self, ax: Axes | Sequence[Axes]) -> tuple[Axes, ...]:
        axes = (ax,) if isinstance(ax, Axes) else tuple(ax)
        if len(axes) != self.panels:
            raise ValueError(f"{type(self).__name__} draws {self.panels} panels; got {len(axes)} axes")
        return axes

    def save(self, stem: str | os.PathLike[str], formats: Sequence[str] = FORMATS) -> list[Path]:
        """Write the picture, drawing it first if need be; drawing and saving again gives the same bytes.

        Fonts are embedded. Each file carries run, data, seed, checksum and version in its metadata.
        """
        unknown = [name for name in formats if name not in FORMATS]
        if unknown:
            raise ValueError(f"formats must be among {', '.join(FORMATS)}; got {', '.join(unknown)}")
        if not hasattr(self, "figure_"):
            self.plot()
        stem = Path(stem)
        stem.parent.mkdir(parents=True, exist_ok=True)
        paths = []
        for name in formats:
            path = stem.with_name(f"{stem.name}.{name}")
            path.write_bytes(self._render(name))
            paths.append(path)
        return paths

    def _render(self, name: str) -> bytes:
        buffer = io.BytesIO()
        with style.applied(self._context):
            self.figure_.savefig(buffer, format=name, metadata=self._metadata(name))
        return buffer.getvalue()

    def _metadata(self, name: str) -> dict[str, Any]:
        stamp = json.dumps(self.stamp, sort_keys=True, ensure_ascii=False)
        title, creator = type(self).__name__, f"adar_viz {self.stamp['version']}"
        if name == "pdf":
            return {
                "Title": title,
                "Subject": self.describe(),
                "Keywords": stamp,
                "Creator": creator,
                "CreationDate": None,
            }
        if name == "svg":
            return {"Title": title, "Description": self.describe(), "Source": stamp, "Creator": creator, "Date": None}
        return {"Title": title, "Description": self.describe(), "Source": stamp, "Software": creator}

    def __repr__(self) -> str:
        """Name the display and say what it shows."""
        return f"{type(self).__name__}: {self.describe()}"

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give notebooks the picture with its alt text, once it is drawn; before that the sentence."""
        if not hasattr(self, "figure_"):
            return {"text/plain": repr(self)}, {}
        picture = base64.b64encode(light(self._render("png"))).decode("ascii")
        return {"text/plain": repr(self), "image/png": picture}, {"image/png": {"alt": self.describe()}}


def _new_figure(size: tuple[float, float]) -> Figure:
    figure = Figure(size, layout="constrained")
    FigureCanvasAgg(figure)
    return figure


def _grid(figure: Figure, rows: int, columns: int, panels: int, **shared: Any) -> tuple[Axes, ...]:
    """Part a figure into panels, row by row; what is left of the last row stays empty."""
    axes = figure.subplots(rows, columns, squeeze=False, **shared).ravel()
    for ax in axes[panels:]:
        ax.remove()
    return tuple(axes[:panels])


def light(png: bytes) -> bytes:
    """Write a picture with 256 colours: a third of the bytes, which a notebook keeps for good; its words stay."""
    picture, buffer = Image.open(io.BytesIO(png)), io.BytesIO()
    words = PngInfo()
    for key, value in getattr(picture, "text", {}).items():
        words.add_itxt(key, value)
    dpi = picture.info["dpi"]
    # Maximum coverage keeps rare colours, such as that of a single mark.
    few = picture.convert("RGB").quantize(256, Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    few.save(buffer, "png", optimize=True, pnginfo=words, dpi=dpi)
    return buffer.getvalue()
