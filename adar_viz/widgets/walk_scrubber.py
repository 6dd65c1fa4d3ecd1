"""Scrub through the walk of one positive to a negative, in the browser alone."""

from __future__ import annotations

from typing import Any, Self

import numpy as np

from adar_viz.displays import Walk
from adar_viz.trace import Trace, UserPlane, boundaries, clearest_pair, nearest_items, walk_scores
from adar_viz.transition import probability_negative
from adar_viz.widgets.packing import quantised, room, rounded
from adar_viz.widgets.view import State, View, titles


class WalkScrubber(View):
    """One positive walks along the timesteps; the nearest real items, the score and P(t) follow.

    Attributes
    ----------
    t : int
        Timestep shown, 0 to T.
    points : bytes
        Coordinates in the user's plane, (item + T + 1, 2): the catalogue, then the walk.
    display : Walk
        The same pair for print.
    """

    question = "When does an item that a user likes stop looking liked?"
    cannot = (
        "Whether the negative is a true one: the model's score is low, but the user may like what lies there.",
        "Other directions: the plane holds only a part of the variance, and points that look close in it may be far "
        "apart. The nearest items are found in the whole space.",
        "Other noise: a walk is one draw, and another one crosses the boundary earlier or later. P(negative) is over "
        "all of them.",
        "Whether it helps: that a walk ends in a negative makes no better recommender. That is measured, not drawn.",
    )
    _script = "walk_scrubber.js"

    t = State(0)

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
        pair = int(trace["walk_pair"][walk])
        b = float(boundaries(trace, z)[pair])
        sides = room(everything, x=b)
        scene = _scene(trace, walk, b, k) | {
            "intro": _intro(trace, pair, source, plane.explained),
            "code": cls.call(pair=pair, source=source, k=k, z=z),
            "range": sides,
        }
        return cls(Walk.from_trace(trace, pair=pair, source=source, z=z), scene, quantised(everything, sides))

    def now(self) -> dict[str, Any]:
        """Say what is shown at the present timestep: score, P(t) and the nearest titles."""
        scene, t = self.scene, self.t
        return super().now() | {
            "score": scene["score"][t],
            "probability": scene["probability"][t],
            "negative": bool(scene["score"][t] < scene["boundary"]),
            "nearest": [scene["names"][str(item)] for item in scene["nearest"][t]],
        }


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
    names = titles(trace)
    genre = str(trace["item_genre"][item]).replace("|", ", ") if "item_genre" in trace else ""
    law = (trace["pair_score"][pair], trace["alpha_bar"], trace["noise"][pair], b)
    return {
        "heading": f"{names[str(item)]} ({genre})" if genre else names[str(item)],
        "title": names[str(item)],
        "choices": {"t": list(range(trace.num_timesteps + 1))},
        "names": names,
        "source": str(trace["walk_source"][walk]),
        "item": item,
        "items": len(trace["item_embedding"]),
        "alpha_bar": rounded(trace["alpha_bar"]),
        "score": rounded(walk_scores(trace)[walk]),
        "probability": rounded(probability_negative(*law)),
        "boundary": rounded(b),
        "transition": int(trace["transition_timestep"][pair]),
        "nearest": nearest.tolist(),
        "cosine": rounded(cosine),
    }


def _intro(trace: Trace, pair: int, source: str, explained: float) -> str:
    who = f" of user {trace['user_label'][trace['pair_user'][pair]]}" if "user_label" in trace else ""
    return (
        f"A positive{who}, diffused ({source}). Small marks: the {len(trace['item_embedding'])} real items; the plane "
        f"holds {explained:.0%} of their variance. Arrow keys step, Space plays."
    )
