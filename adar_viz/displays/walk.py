"""One positive walked to a negative, step by step, with the real items it passes."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, boundaries, clearest_pair, first_below, nearest_items, walk_scores, walks_of


class Walk(Display):
    """Score of x_t along the walks of one pair, above the real items nearest to x_t.

    Nearest means: by cosine, in the embedding space of the backbone, among all items.

    Attributes
    ----------
    source : list of str
        How each walk was made; the titles belong to the first one.
    score : Float[ndarray, "walk timestep"]
    boundary : float
    transition : int
        t* of the pair.
    stop : Int[ndarray, "stop"]
        Timesteps whose nearest items are listed.
    nearest : Int[ndarray, "stop k"]
        Their ids; ``cosine`` and ``title`` have the same shape.
    score_ : list of Line2D
    boundary_, transition_ : Line2D
    titles_ : list of Text
    """

    rows = 2
    size = (7.2, 4.3)

    def __init__(
        self,
        source: list[str],
        score: Float[np.ndarray, "walk timestep"],
        boundary: float,
        transition: int,
        stop: Int[np.ndarray, " stop"],
        nearest: tuple[Int[np.ndarray, "stop k"], Float[np.ndarray, "stop k"]],
        title: np.ndarray,
        positive: int,
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.source, self.score, self.boundary, self.transition = source, score, boundary, transition
        self.stop, (self.nearest, self.cosine), self.positive = stop, nearest, positive
        self.title, self.name = title[self.nearest], str(title[positive])

    @classmethod
    def from_trace(
        cls,
        trace: Trace,
        pair: int | None = None,
        source: str | None = "forward",
        stops: int = 6,
        k: int = 3,
    ) -> Self:
        """Compute from the walks of a trace.

        Parameters
        ----------
        trace
            With walks, and the catalogue's embeddings and titles.
        pair
            Index along ``pair``; None takes the clearest one, see `adar_viz.trace.clearest_pair`.
        source
            ``forward``, ``reverse`` or ``renoise``; None shows all that were recorded.
        stops
            How many timesteps, evenly spaced, are listed with their nearest items.
        k
            How many nearest items each.
        """
        trace.require("walk", "walk_query", "walk_pair", "item_embedding", "item_title", "pair_item")
        pair = clearest_pair(trace, source or str(trace["walk_source"][0])) if pair is None else pair
        walks = walks_of(trace, pair, source)
        T = trace.num_timesteps
        if not 2 <= stops <= T + 1:
            raise ValueError(f"stops must lie in [2, {T + 1}]; got {stops}")
        stop = np.round(np.linspace(0, T, stops)).astype(int)
        return cls(
            trace["walk_source"][walks].tolist(),
            walk_scores(trace)[walks],
            float(boundaries(trace)[pair]),
            int(trace["transition_timestep"][pair]),
            stop,
            nearest_items(trace["walk"][walks[0]][stop], trace["item_embedding"], k),
            trace["item_title"],
            int(trace["pair_item"][pair]),
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        top, bottom = axes
        t, T = np.arange(self.score.shape[1]), self.score.shape[1] - 1
        self.score_ = []
        colours = [color, *(style.SOURCE_LOOK[source][0] for source in self.source[1:])]
        for source, score, colour in zip(self.source, self.score, colours, strict=True):
            self.score_ += top.plot(t, score, color=colour, ls=style.SOURCE_LOOK[source][1])
        self.boundary_ = top.axhline(self.boundary, color=style.VERMILLION, lw=1.6)
        low, high = top.get_ylim()
        self.negative_side_ = style.negative_side(top, low, self.boundary)
        top.set_ylim(low, high)
        self.stops_ = top.plot(self.stop, self.score[0][self.stop], "o", color=color, mec="white", ms=6)
        self.transition_ = top.axvline(self.transition, color=style.PURPLE, ls="-.", lw=1.3)
        top.annotate(
            f"t* = {self.transition}",
            (self.transition, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            color=style.PURPLE,
        )
        top.set_title(f"{self.name} {self._outcome()}", pad=2 * style.CONTEXTS[self._context][0])
        top.set(ylabel="score of x_t", xticks=self.stop, xticklabels=[f"t = {s}" for s in self.stop])
        self._label(top, colours)
        self._list_titles(bottom)
        margin = T / (2 * (len(self.stop) - 1))
        for ax in axes:
            ax.set_xlim(-margin, T + margin)

    def moments(self) -> list[int]:
        """Return the timesteps whose nearest items are known."""
        moments: list[int] = self.stop.tolist()
        return moments

    def _draw_moments(self, axes: tuple[Axes, ...], moments: Sequence[int], color: str) -> None:
        """Draw the walk as far as it has come, with the item that x_t is nearest to."""
        t, scale = np.arange(self.score.shape[1]), style.CONTEXTS[self._context][1]
        self.score_, self.titles_ = [], []
        axes[0].set_xlim(-2, t[-1] + 2)
        axes[0].set_ylim(*_limits(self.score[0], self.boundary))
        for ax, moment in zip(axes, moments, strict=True):
            ax.plot(t, self.score[0], color=style.GREY, lw=0.6 * scale)
            self.score_ += ax.plot(t[: moment + 1], self.score[0][: moment + 1], color=color)
            ax.plot([moment], [self.score[0][moment]], "o", color=color, mec="white", ms=7 * scale)
            ax.axhline(self.boundary, color=style.VERMILLION, lw=1.2 * scale)
            style.negative_side(ax, ax.get_ylim()[0], self.boundary)
            place = int(np.flatnonzero(self.stop == moment)[0])
            name = textwrap.shorten(self.title[place, 0] or "(no title)", 28, placeholder=" …")
            own = self.nearest[place, 0] == self.positive
            self.titles_.append(
                ax.set_title(f"t = {moment}, nearest item:\n{name}", weight="bold" if own else "normal")
            )
            ax.set(xlabel="timestep t", ylabel="score of x_t")
            ax.label_outer()
        self.figure_.suptitle(f"{self.name} {self._outcome()} (bold: still itself)", weight="bold")

    def _outcome(self) -> str:
        turned = int(first_below(self.score[:1], np.array([self.boundary]))[0])
        return f"turns negative at t = {turned}" if turned >= 0 else "stays positive on this walk"

    def _label(self, ax: Axes, colours: list[str]) -> None:
        heights = [self.boundary, *self.score[:, -1].tolist()]
        style.label_ends(
            ax, 1, heights, ["negative below\nthis boundary", *self.source], [style.RUST, *colours], gap=0.13
        )

    def _list_titles(self, ax: Axes) -> None:
        """Write the nearest titles under their timesteps; the positive's own title is bold."""
        ax.set_ylim(0, 1)
        ax.axis("off")
        ax.set_title("Nearest real items to x_t, with their cosine (bold: still the positive itself)", weight="normal")
        k = self.nearest.shape[1]
        self.titles_ = []
        for column, t in enumerate(self.stop):
            for rank in range(k):
                own = self.nearest[column, rank] == self.positive
                lines = textwrap.wrap(self.title[column, rank] or "(no title)", 16, max_lines=3, placeholder=" …")
                text = "\n".join(lines) + f"\n{self.cosine[column, rank]:z.2f}"
                weight = "bold" if own else "normal"
                at = (t, 1 - rank / k)
                self.titles_.append(ax.text(*at, text, ha="center", va="top", weight=weight, fontsize="small"))

    def frame(self) -> pd.DataFrame:
        """One row for each listed timestep and rank: score of the first walk, nearest item, cosine."""
        k = self.nearest.shape[1]
        return pd.DataFrame(
            {
                "t": np.repeat(self.stop, k),
                "score": np.repeat(self.score[0][self.stop], k),
                "rank": np.tile(np.arange(1, k + 1), len(self.stop)),
                "item": self.nearest.ravel(),
                "title": self.title.ravel(),
                "cosine": self.cosine.ravel(),
            }
        )

    def describe(self) -> str:
        """Say what the positive is, how its score falls and what is nearest at the ends."""
        first, last, T = self.score[0, 0], self.score[0, -1], self.score.shape[1] - 1
        return (
            f"The positive {self.name} walks ({', '.join(self.source)}): its score goes from {first:z.2f} at t = 0 "
            f"to {last:z.2f} at t = {T}, with the decision boundary at {self.boundary:z.2f} and t* = "
            f"{self.transition}; the nearest real item is {self.title[0, 0]} at first and {self.title[-1, 0]} "
            "in the end."
        )


def _limits(score: Float[np.ndarray, " timestep"], boundary: float) -> tuple[float, float]:
    """Leave a tenth of the height above and below."""
    low, high = min(float(score.min()), boundary), max(float(score.max()), boundary)
    return low - 0.1 * (high - low), high + 0.1 * (high - low)
