"""Scrub through the walks of one positive to a negative, in the browser alone."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from jaxtyping import Float

from adar_viz.displays import Display, OneStep, Walk, WalkSources
from adar_viz.trace import (
    Trace,
    UserPlane,
    boundaries,
    clearest_pair,
    first_below,
    nearest_items,
    walk_identity,
    walk_scores,
    walks_of,
)
from adar_viz.trace.schema import SOURCES
from adar_viz.transition import probability_negative
from adar_viz.widgets.packing import quantised, room, rounded
from adar_viz.widgets.view import State, View, titles

FAR = 999.0
"""Log-ratios are sent up to this size: JSON has no infinity."""


class WalkScrubber(View):
    """One positive walks along the timesteps, from each source: what it scores, which item it is, what is nearest.

    Attributes
    ----------
    t : int
        Timestep shown, 0 to T.
    source : str
        Whose walk the plane shows: ``forward``, ``reverse`` or ``renoise``, of those that were recorded.
    slow : str
        ``on`` draws the movements of one timestep, as `adar_viz.displays.OneStep` does.
    points : bytes
        Coordinates in the user's plane: the catalogue, (item, 2), then for each source x_t, the
        denoiser's estimate from it, and the point between the movements, (3, T + 1, 2).
    display : WalkSources or Walk
        The same pair for print: all three walks, or the one there is.
    """

    question = "When does an item that a user likes stop looking liked?"
    cannot = (
        "Whether the negative is a true one: the model's score is low, but the user may like what lies there.",
        "Other directions: the plane holds only a part of the variance, and points that look close in it may be far "
        "apart. The nearest items are found in the whole space.",
        "Other noise: a walk is one draw, and another one crosses the boundary earlier or later. P(negative) is over "
        "all forward ones.",
        "Whether it helps: that a walk ends in a negative makes no better recommender. That is measured, not drawn.",
    )
    _script = "walk_scrubber.js"

    t, source, slow = State(0), State("forward"), State("off")

    @classmethod
    def from_trace(cls, trace: Trace, pair: int | None = None, source: str = "forward", k: int = 5) -> Self:
        """Make the scrubber for the walks of one pair.

        Parameters
        ----------
        trace
            With walks, pairs and the catalogue's embeddings and titles; slow motion needs the
            denoiser's predictions, too.
        pair
            Index along ``pair``; None takes the clearest one, see `adar_viz.trace.clearest_pair`.
        source
            ``forward``, ``reverse`` or ``renoise``: whose walk is shown at first.
        k
            How many nearest real items are listed.
        """
        walks = _find_walks(trace, clearest_pair(trace, source) if pair is None else pair, source)
        pair = int(trace["walk_pair"][walks[source]])
        plane = UserPlane.of(trace["walk_query"][walks[source]], trace["item_embedding"])
        b = float(boundaries(trace)[pair])
        moving = [_marks(trace, walk) for walk in walks.values()]
        everything = plane.project(np.concatenate([trace["item_embedding"], *moving]))
        sides = room(everything, x=b)
        scene = _scene(trace, walks, b, k) | {
            "intro": _intro(trace, pair, plane.explained),
            "code": cls.call(pair=pair, source=source, k=k),
            "range": sides,
        }
        shown: Display = Walk.from_trace(trace, pair=pair, source=source)
        if len(walks) == len(SOURCES):
            shown = WalkSources.from_trace(trace, pair=pair)
        view = cls(shown, scene, quantised(everything, sides), source=source)
        view._trace, view._pair = trace, pair
        return view

    def picture(self) -> Display:
        """Return the walk from the present source; in slow motion, the movements of the present timestep."""
        shown: dict[str, Any] = {"pair": self._pair, "source": self.source}
        if self.slow == "on":
            return OneStep.from_trace(self._trace, t=max(1, self.t), **shown)
        return Walk.from_trace(self._trace, **shown)

    def now(self) -> dict[str, Any]:
        """Say what is shown at the present timestep: score, P(t), log-ratio and the nearest titles."""
        scene, t = self.scene, self.t
        walk = scene["walks"][self.source]
        return super().now() | {
            "score": walk["score"][t],
            "probability": scene["probability"][t],
            "negative": bool(walk["score"][t] < scene["boundary"]),
            "log_ratio": walk["identity"][t],
            "nearest": [scene["names"][str(item)] for item in walk["nearest"][t]],
        }


def _find_walks(trace: Trace, pair: int, source: str) -> dict[str, int]:
    """Return the walk of the pair from each source, which must have the one that is asked for."""
    trace.require("walk", "walk_query", "walk_pair", "walk_source", "item_embedding", "item_title", "pair_item")
    found = {str(trace["walk_source"][w]): int(w) for w in np.flatnonzero(trace["walk_pair"] == pair)[::-1]}
    walks_of(trace, pair, source)  # an error where there is none
    return {name: found[name] for name in SOURCES if name in found}


def _marks(trace: Trace, walk: int) -> Float[np.ndarray, "mark dim"]:
    """Return x_t, the estimates from it, and the points between the movements, one after the other."""
    x, a = trace["walk"][walk].astype(np.float64), trace["alpha_bar"][:, None]
    if "walk_prediction" not in trace:
        return np.concatenate([x, x, x])
    guess = trace["walk_prediction"][walk].astype(np.float64)
    positive = trace["item_embedding"][trace["pair_item"][trace["walk_pair"][walk]]]
    between = np.sqrt(a) * positive
    if trace["walk_source"][walk] == "reverse":
        # Mean of q(x_{t-1} | x_t, x_0) at the estimate: DDPM (arXiv 2006.11239), equation 7; at t = 0 nothing moves.
        kept, before, left = a[1:] / a[:-1], a[:-1], 1 - a[1:]
        mean = (np.sqrt(before) * (1 - kept) * guess[1:] + np.sqrt(kept) * (1 - before) * x[1:]) / left
        between = np.concatenate([x[:1], mean])
    return np.concatenate([x, guess, between])


def _scene(trace: Trace, walks: dict[str, int], b: float, k: int) -> dict[str, Any]:
    pair = int(trace["walk_pair"][next(iter(walks.values()))])
    item, names = int(trace["pair_item"][pair]), titles(trace)
    genre = str(trace["item_genre"][item]).replace("|", ", ") if "item_genre" in trace else ""
    law = (trace["pair_score"][pair], trace["alpha_bar"], trace["noise"][pair], b)
    slow = ["off", "on"] if "walk_prediction" in trace else ["off"]
    return {
        "heading": f"{names[str(item)]} ({genre})" if genre else names[str(item)],
        "title": names[str(item)],
        "choices": {"t": list(range(trace.num_timesteps + 1)), "source": list(walks), "slow": slow},
        "names": names,
        "item": item,
        "items": len(trace["item_embedding"]),
        "alpha_bar": rounded(trace["alpha_bar"]),
        "probability": rounded(probability_negative(*law)),
        "boundary": rounded(b),
        "own": rounded(trace["pair_score"][pair]),
        "transition": int(trace["transition_timestep"][pair]),
        "walks": {source: _course(trace, walk, b, k) for source, walk in walks.items()},
    }


def _course(trace: Trace, walk: int, b: float, k: int) -> dict[str, Any]:
    """Return the numbers of one walk: at each t its score, log-ratio and neighbours, and those of the estimate."""
    score, identity = walk_scores(trace)[walk], walk_identity(trace, walk)
    _, guess, between = np.split(_marks(trace, walk), 3)
    query = trace["walk_query"][walk].astype(np.float64)
    nearest, cosine = nearest_items(trace["walk"][walk], trace["item_embedding"], k)
    return {
        "score": rounded(score),
        "identity": rounded(np.clip(identity, -FAR, FAR)),
        "turned": int(first_below(score[None], np.array([b]))[0]),
        "lost": int(first_below(identity[None], np.zeros(1))[0]),
        "nearest": nearest.tolist(),
        "cosine": rounded(cosine),
        "guess": rounded(guess @ query),
        "between": rounded(between @ query),
        "guessed": nearest_items(guess, trace["item_embedding"], 1)[0][:, 0].tolist(),
    }


def _intro(trace: Trace, pair: int, explained: float) -> str:
    who = f" of user {trace['user_label'][trace['pair_user'][pair]]}" if "user_label" in trace else ""
    return (
        f"A positive{who}, diffused. Small marks: the {len(trace['item_embedding'])} real items; the plane "
        f"holds {explained:.0%} of their variance. Arrow keys step, Space plays."
    )
