"""Scrub through the walk of one positive to a negative, in the browser alone."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Self

import anywidget
import numpy as np
import traitlets
from jaxtyping import Float
from numpy.typing import NDArray

from adar_viz.displays import Walk
from adar_viz.trace import Trace, UserPlane, boundaries, clearest_pair, nearest_items, walk_scores
from adar_viz.transition import probability_negative
from adar_viz.widgets.page import write_page
from adar_viz.widgets.rerun import close_previous

_HERE = Path(__file__).parent


class WalkScrubber(anywidget.AnyWidget):
    """One positive walks along the timesteps; the nearest real items, the score and P(t) follow.

    All frames are sent once; while the slider moves, browser and kernel exchange nothing. The
    timestep is reported to Python when the focus leaves the widget.

    Attributes
    ----------
    t : int
        Timestep shown, 0 to T.
    scene : dict
        Numbers and titles for each timestep.
    points : bytes
        Little-endian uint16 coordinates in the user's plane, (item + T + 1, 2): the catalogue,
        then the walk, scaled to ``scene["range"]``.
    display : Walk
        The same pair for print; its sentence is the widget's alt text.
    """

    _esm = _HERE / "walk_scrubber.js"
    _css = _HERE / "walk_scrubber.css"

    t = traitlets.Int(0).tag(sync=True)
    scene = traitlets.Dict().tag(sync=True)
    points = traitlets.Bytes().tag(sync=True)

    display: Walk

    @classmethod
    def from_trace(
        cls, trace: Trace, pair: int | None = None, source: str = "forward", k: int = 5, z: float = 1.28
    ) -> Self:
        """Make the scrubber for one walk of a trace.

        Parameters
        ----------
        trace
            With walks, pairs and the catalogue's embeddings and titles.
        pair
            Index along ``pair``; None takes the clearest one, see `adar_viz.trace.clearest_pair`.
        source
            ``forward``, ``reverse`` or ``renoise``.
        k
            How many nearest real items are listed.
        z
            Boundary where the rule has none: ``mean + z sd`` of the user's scores.
        """
        walk = _find_walk(trace, clearest_pair(trace, source, z) if pair is None else pair, source)
        plane = UserPlane.of(trace["walk_query"][walk], trace["item_embedding"])
        everything = plane.project(np.concatenate([trace["item_embedding"], trace["walk"][walk]]))
        low, high = everything.min(axis=0), everything.max(axis=0)
        pair = int(trace["walk_pair"][walk])
        b = float(boundaries(trace, z)[pair])
        # The boundary is always in view, with a margin of 4 % on each side.
        low[0], high[0] = min(low[0], b), max(high[0], b)
        low, high = low - 0.04 * (high - low), high + 0.04 * (high - low)
        scene = _scene(trace, walk, b, k) | {
            "range": [_short(v) for v in (low[0], high[0], low[1], high[1])],
            "explained": _short(plane.explained),
        }
        widget = cls(scene=scene, points=_quantise(everything, low, high))
        widget.display = Walk.from_trace(trace, pair=pair, source=source, z=z)
        close_previous(widget)
        return widget

    @traitlets.validate("t")
    def _within(self, proposal: traitlets.Bunch) -> int:
        last, t = self._last, int(proposal["value"])
        if not 0 <= t <= last:
            raise traitlets.TraitError(f"t must lie in [0, {last}]; got {t}")
        return t

    @property
    def _last(self) -> int:
        return max(0, len(self.scene.get("score", ())) - 1)

    def drive(self, **state: Any) -> Self:
        """Set traits from code, as a reader would with the controls: ``drive(t=20)``."""
        for name, value in state.items():
            if name not in ("t",):
                raise ValueError(f"drive takes t; got {name}")
            setattr(self, name, value)
        return self

    def now(self) -> dict[str, Any]:
        """Say what is shown at the present timestep: score, P(t) and the nearest titles."""
        scene, t = self.scene, self.t
        return {
            "t": t,
            "score": scene["score"][t],
            "probability": scene["probability"][t],
            "negative": bool(scene["score"][t] < scene["boundary"]),
            "nearest": [scene["names"][str(item)] for item in scene["nearest"][t]],
        }

    def describe(self) -> str:
        """Say in one sentence what the widget shows: its alt text."""
        return self.display.describe()

    def __repr__(self) -> str:
        """Name the widget and what it walks."""
        return (
            f"WalkScrubber: {self.scene.get('title', 'empty')} ({self.scene.get('source', '-')}), t = 0 to {self._last}"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give the widget, and for readers without a kernel or trust a picture with its alt text."""
        view: tuple[dict[str, Any], dict[str, Any]] | None = super()._repr_mimebundle_(**kwargs)
        data, meta = view or ({"text/plain": repr(self)}, {})
        if not hasattr(self.display, "figure_"):
            self.display.plot()
        picture, alt = self.display._repr_mimebundle_()
        return {**data, "image/png": picture["image/png"]}, {**meta, **alt}

    def export_html(self, path: str | os.PathLike[str]) -> Path:
        """Write one page that opens from disk and works without kernel and network."""
        return write_page(
            path,
            title=f"{self.scene['title']}: from positive to negative",
            alt=self.describe(),
            module=(_HERE / "walk_scrubber.js").read_text(encoding="utf-8"),
            css=(_HERE / "walk_scrubber.css").read_text(encoding="utf-8"),
            state={"t": self.t, "scene": self.scene, "points": self.points},
        )


def _find_walk(trace: Trace, pair: int, source: str) -> int:
    trace.require("walk", "walk_query", "walk_pair", "walk_source", "item_embedding", "item_title", "pair_item")
    fits = (trace["walk_source"] == source) & (trace["walk_pair"] == pair)
    if not fits.any():
        known = sorted(set(zip(trace["walk_pair"].tolist(), trace["walk_source"].tolist(), strict=True)))
        raise ValueError(f"pair and source must be one of the walks {known}; got {pair}, {source!r}")
    return int(fits.argmax())


def _scene(trace: Trace, walk: int, b: float, k: int) -> dict[str, Any]:
    pair = int(trace["walk_pair"][walk])
    item = int(trace["pair_item"][pair])
    nearest, cosine = nearest_items(trace["walk"][walk], trace["item_embedding"], k)
    used = sorted({item, *nearest.ravel().tolist()})
    genre = trace["item_genre"] if "item_genre" in trace else np.full(len(trace["item_title"]), "")
    names = {str(i): str(trace["item_title"][i]) or f"item {i}" for i in used}
    law = (trace["pair_score"][pair], trace["alpha_bar"], trace["noise"][pair], b)
    return {
        "title": names[str(item)],
        "genre": str(genre[item]).replace("|", ", "),
        "user": str(trace["user_label"][trace["pair_user"][pair]]) if "user_label" in trace else "",
        "source": str(trace["walk_source"][walk]),
        "item": item,
        "items": len(trace["item_embedding"]),
        "alpha_bar": _shorts(trace["alpha_bar"]),
        "score": _shorts(walk_scores(trace)[walk]),
        "probability": _shorts(np.asarray(probability_negative(*law))),
        "boundary": _short(b),
        "transition": int(trace["transition_timestep"][pair]),
        "nearest": nearest.tolist(),
        "cosine": [_shorts(row) for row in cosine],
        "names": names,
    }


def _short(value: float) -> float:
    return float(f"{float(value):.5g}")


def _shorts(values: NDArray[Any]) -> list[float]:
    return [_short(v) for v in values]


def _quantise(xy: Float[np.ndarray, "point 2"], low: Float[np.ndarray, " 2"], high: Float[np.ndarray, " 2"]) -> bytes:
    span = np.where(high > low, high - low, 1.0)
    scaled: NDArray[np.uint16] = np.round((xy - low) / span * 65535).astype("<u2")
    return scaled.tobytes()
