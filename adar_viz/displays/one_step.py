"""One timestep in slow motion: what the noise did to the positive, and what the denoiser makes of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, UserPlane, boundaries, clearest_pair, item_names, nearest_items, walk_scores, walks_of


@dataclass(frozen=True)
class Leg:
    """One movement of the step: what it is called, where it begins and where it ends."""

    label: str
    start: Float[np.ndarray, " plane"]
    end: Float[np.ndarray, " plane"]


class OneStep(Display):
    """Left: the movements of one timestep in the user's plane. Right: the denoiser's estimate along the walk.

    A *forward* walk shrinks the signal, adds noise, and the denoiser takes its own guess of the noise
    off again. A *reverse* walk goes the other way: it guesses the clean vector, goes a small share of
    the way towards it, and adds a little fresh noise.

    Attributes
    ----------
    t : int
        The timestep that is explained.
    legs : list of Leg
        Coordinates in `adar_viz.trace.UserPlane`: (score, position across).
    score, estimate : Float[ndarray, "timestep"]
        Score of x_t, and of the denoiser's estimate of x_0 from it.
    likeness : Float[ndarray, "timestep"]
        Cosine of that estimate to the positive.
    boundary, own : float
        Decision boundary, and the positive's score.
    nearest : str
        The real item nearest to the estimate at t.
    arrows_ : list of Annotation
    score_, estimate_ : Line2D
    """

    columns = 2
    size = (7.2, 3.3)

    def __init__(
        self,
        t: int,
        legs: list[Leg],
        item: Float[np.ndarray, "item plane"],
        along: tuple[Float[np.ndarray, " timestep"], Float[np.ndarray, " timestep"], Float[np.ndarray, " timestep"]],
        levels: tuple[float, float],
        names: tuple[str, str, str],
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.t, self.legs, self.item = t, legs, item
        self.boundary, self.own = levels
        self.score, self.estimate, self.likeness = along
        self.name, self.source, self.nearest = names

    @classmethod
    def from_trace(cls, trace: Trace, pair: int | None = None, source: str = "forward", t: int | None = None) -> Self:
        """Compute for one timestep of one walk.

        Parameters
        ----------
        trace
            With walks and the denoiser's predictions along them.
        pair
            Index along ``pair``; None takes the clearest one, see `adar_viz.trace.clearest_pair`.
        source
            ``forward``, ``reverse`` or ``renoise``.
        t
            Timestep, 1 to T; None takes the pair's t*.
        """
        trace.require("walk", "walk_prediction", "walk_query", "walk_pair", "item_embedding", "pair_item")
        pair = clearest_pair(trace, source) if pair is None else pair
        walk, T = int(walks_of(trace, pair, source)[0]), trace.num_timesteps
        t = max(1, int(trace["transition_timestep"][pair])) if t is None else t
        if not 1 <= t <= T:
            raise ValueError(f"t must lie in [1, {T}]; got {t}")
        query, guess = trace["walk_query"][walk].astype(np.float64), trace["walk_prediction"][walk].astype(np.float64)
        plane = UserPlane.of(query, trace["item_embedding"])
        positive = int(trace["pair_item"][pair])
        x0 = trace["item_embedding"][positive].astype(np.float64)
        nearest = int(nearest_items(guess[[t]], trace["item_embedding"], 1)[0][0, 0])
        names = item_names(trace)
        return cls(
            t,
            _legs(trace, walk, t, x0, plane),
            plane.project(trace["item_embedding"]),
            (walk_scores(trace)[walk], guess @ query, _cosine(guess, x0)),
            (float(boundaries(trace)[pair]), float(trace["pair_score"][pair])),
            (str(names[positive]), source, str(names[nearest])),
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        self._draw_plane(axes[0], color)
        self._draw_scores(axes[1], color)

    def _draw_plane(self, ax: Axes, color: str) -> None:
        scale = style.CONTEXTS[self._context][1]
        ax.scatter(self.item[:, 0], self.item[:, 1], s=5 * scale, c=style.GREY, alpha=0.25, lw=0)
        self.boundary_ = ax.axvline(self.boundary, color=style.VERMILLION, lw=1.4 * scale)
        colours, self.arrows_ = [color, style.RUST, style.PURPLE], []
        for number, (leg, colour) in enumerate(zip(self.legs, colours, strict=True), start=1):
            dash = ("-", (0, (4, 2)), (0, (1, 1.5)))[number - 1]
            look = {"arrowstyle": "-|>", "color": colour, "lw": 1.8 * scale, "ls": dash, "shrinkA": 0, "shrinkB": 3}
            self.arrows_.append(ax.annotate("", tuple(leg.end), tuple(leg.start), arrowprops=look))
            ax.plot(*leg.end, marker=style.MARKERS[number], color=colour, mec="white", ms=6 * scale)
        ax.plot(*self.legs[0].start, marker="*", color=style.ORANGE, mec=style.BLACK, ms=11 * scale, zorder=5)
        points = np.stack([p for leg in self.legs for p in (leg.start, leg.end)] + [[self.boundary, np.nan]])
        low, high = np.nanmin(points, axis=0), np.nanmax(points, axis=0)
        room = 0.2 * np.maximum(high - low, 1e-9)
        ax.set(xlim=(low[0] - room[0], high[0] + room[0]), ylim=(low[1] - room[1], high[1] + 1.5 * room[1]))
        left, right = ax.get_xlim()
        style.negative_side(ax, left, self.boundary, along="x", zorder=0)
        ax.set(yticks=[], xlabel="\n".join(["score for this user (★ start)", *self._key()]))
        ax.set_xlim(left, right)
        ax.set_title(f"{self.source.capitalize()}, t = {self.t} in slow motion")

    def _key(self) -> list[str]:
        signs = ("1 ■ solid", "2 ▲ dashed", "3 ◆ dotted")
        return [f"{sign}: {leg.label}" for sign, leg in zip(signs, self.legs, strict=True)]

    def _draw_scores(self, ax: Axes, color: str) -> None:
        t = np.arange(len(self.score))
        (self.score_,) = ax.plot(t, self.score, color=color)
        (self.estimate_,) = ax.plot(t, self.estimate, color=style.PURPLE, ls=":")
        self.positive_ = ax.axhline(self.own, color=style.GREY, lw=0.8)
        ax.axhline(self.boundary, color=style.VERMILLION, lw=1.4)
        self.now_ = ax.axvline(self.t, color=style.BLACK, lw=0.9, ls="--")
        low, high = ax.get_ylim()
        style.negative_side(ax, low, self.boundary)
        ax.set(xlim=(0, t[-1]), ylim=(low, high), xlabel="timestep t", ylabel="score for this user")
        ax.set_title("Noisy vector, and the estimate from it")
        ends = [float(self.score[-1]), float(self.estimate[-1]), self.boundary, self.own]
        labels = ["x_t", "estimate of\nx_0 (dotted)", "boundary\n(thick)", "positive\n(thin)"]
        style.label_ends(ax, 1, ends, labels, [color, style.PURPLE, style.RUST, style.GREY], gap=0.13)

    def frame(self) -> pd.DataFrame:
        """One row for each timestep of the walk, then one for each end of a movement."""
        columns = {"score": self.score, "estimate": self.estimate, "cosine_to_positive": self.likeness}
        along = pd.DataFrame({"mark": "walk", "t": np.arange(len(self.score)), **columns})
        ends = [p for leg in self.legs for p in (leg.start, leg.end)]
        marks = [f"{i} {where}" for i in range(1, len(self.legs) + 1) for where in ("start", "end")]
        places = {"score": [p[0] for p in ends], "across": [p[1] for p in ends]}
        return pd.concat([along, pd.DataFrame({"mark": marks, "t": self.t, **places})], ignore_index=True)

    def describe(self) -> str:
        """Say what each movement did to the score, and which item the estimate looks like."""
        moves = "; ".join(f"{leg.label}: {leg.start[0]:z.2f} to {leg.end[0]:z.2f}" for leg in self.legs)
        return (
            f"Timestep {self.t} of the {self.source} walk of {self.name}, by score: {moves}. The estimate's cosine to "
            f"the positive is {self.likeness[self.t]:z.2f}, and its nearest real item is {self.nearest}."
        )


def _legs(trace: Trace, walk: int, t: int, x0: Float[np.ndarray, " dim"], plane: UserPlane) -> list[Leg]:
    """Lay the movements of timestep t: each begins where another begins or ends."""
    x, guess = trace["walk"][walk].astype(np.float64), trace["walk_prediction"][walk][t].astype(np.float64)
    a, before = float(trace["alpha_bar"][t]), float(trace["alpha_bar"][t - 1])
    if str(trace["walk_source"][walk]) == "reverse":
        # Mean of q(x_{t-1} | x_t, x_0) at the estimate: DDPM (arXiv 2006.11239), equation 7.
        kept = a / before
        mean = (np.sqrt(before) * (1 - kept) * guess + np.sqrt(kept) * (1 - before) * x[t]) / (1 - a)
        names = ("the denoiser guesses the clean vector", "the step goes a share of the way", "fresh noise is added")
        ends = [(x[t], guess), (x[t], mean), (mean, x[t - 1])]
    else:
        renoised = str(trace["walk_source"][walk]) == "renoise"
        noised = "noised beyond t, denoised back" if renoised else "noise is added"
        names = ("the positive shrinks", noised, "the denoiser takes its noise off")
        ends = [(x0, np.sqrt(a) * x0), (np.sqrt(a) * x0, x[t]), (x[t], guess)]
    return [Leg(name, plane.project(p), plane.project(q)) for name, (p, q) in zip(names, ends, strict=True)]


def _cosine(x: Float[np.ndarray, "timestep dim"], y: Float[np.ndarray, " dim"]) -> Float[np.ndarray, " timestep"]:
    length = np.linalg.norm(x, axis=1) * np.linalg.norm(y)
    cosine: Float[np.ndarray, " timestep"] = np.divide(x @ y, length, out=np.zeros(len(x)), where=length > 0)
    return cosine
