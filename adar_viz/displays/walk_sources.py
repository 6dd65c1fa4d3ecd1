"""Three ways to walk one positive, side by side: how long x_t stays liked, and how long the same item."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.text import Text

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import (
    Trace,
    boundaries,
    clearest_pair,
    first_below,
    item_names,
    nearest_items,
    walk_identity,
    walk_scores,
    walks_of,
)
from adar_viz.trace.schema import SOURCES
from adar_viz.transition import score_law

WORDS = ("noise is mixed in", "noise is taken off", "noised, then back")
EDGE = 200.0
"""Log-ratios are drawn up to this size, in nats; beyond it there is no doubt left."""


class WalkSources(Display):
    """One column for each source. Top: the score. Middle: the log-likelihood ratio. Below: nearest real items.

    The ratio is that of "x_t was made from this positive" against the likeliest other item, see
    `adar_viz.trace.walk_identity`: above 0 it is still this item. Score and ratio are those of the
    recorded walk, one draw of the noise; the band of the forward column holds 90 % of all draws.

    Attributes
    ----------
    score, identity : Float[ndarray, "source timestep"]
    band : Float[ndarray, "side timestep"]
        5 and 95 % quantiles of the score of forward walks, by the law: what lies below the boundary is P(t).
    boundary : float
    transition : int
        t* of the pair.
    turned, lost : Int[ndarray, "source"]
        First timestep below the boundary, and first with a ratio below 0; -1 where there is none.
    stop : Int[ndarray, "stop"]
        Timesteps whose nearest item is written.
    nearest : Int[ndarray, "source stop"]
    score_, identity_ : list of Line2D
    titles_ : list of Text
    """

    rows = 3
    columns = 3
    size = (7.2, 5.0)

    def __init__(
        self,
        score: Float[np.ndarray, "source timestep"],
        identity: Float[np.ndarray, "source timestep"],
        band: Float[np.ndarray, "side timestep"],
        boundary: float,
        transition: int,
        stop: Int[np.ndarray, " stop"],
        nearest: Int[np.ndarray, "source stop"],
        title: np.ndarray,
        positive: int,
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.score, self.identity, self.band = score, identity, band
        self.boundary, self.transition = boundary, transition
        self.stop, self.nearest, self.positive = stop, nearest, positive
        self.title, self.name = title[nearest], str(title[positive])
        self.turned = first_below(score, np.full(len(score), boundary))
        self.lost = first_below(identity, np.zeros(len(identity)))

    @classmethod
    def from_trace(cls, trace: Trace, pair: int | None = None, stops: int = 4) -> Self:
        """Compute from the walks of one pair.

        Parameters
        ----------
        trace
            With walks from all three sources, and the catalogue's embeddings and titles.
        pair
            Index along ``pair``; None takes the clearest one, see `adar_viz.trace.clearest_pair`.
        stops
            How many timesteps, evenly spaced, are listed with their nearest item.
        """
        trace.require("walk", "walk_query", "walk_pair", "walk_source", "item_embedding", "pair_item")
        pair = clearest_pair(trace, "forward") if pair is None else pair
        recorded = trace["walk_source"][trace["walk_pair"] == pair].tolist()
        if not set(SOURCES) <= set(recorded):
            raise ValueError(f"pair must have walks from {', '.join(SOURCES)}; pair {pair} has {sorted(recorded)}")
        walks = [int(walks_of(trace, pair, source)[0]) for source in SOURCES]
        T = trace.num_timesteps
        if not 2 <= stops <= T + 1:
            raise ValueError(f"stops must lie in [2, {T + 1}]; got {stops}")
        stop = np.round(np.linspace(0, T, stops)).astype(int)
        mean, spread = score_law(trace["pair_score"][pair], trace["alpha_bar"], trace["noise"][pair])
        return cls(
            walk_scores(trace)[walks],
            np.stack([walk_identity(trace, walk) for walk in walks]),
            np.stack([mean - 1.645 * spread, mean + 1.645 * spread]),
            float(boundaries(trace)[pair]),
            int(trace["transition_timestep"][pair]),
            stop,
            np.stack([nearest_items(trace["walk"][w][stop], trace["item_embedding"], 1)[0][:, 0] for w in walks]),
            item_names(trace),
            int(trace["pair_item"][pair]),
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        top, middle, bottom = (axes[i : i + 3] for i in (0, 3, 6))
        colours = [color, *(style.SOURCE_LOOK[source][0] for source in SOURCES[1:])]
        dashes = [style.SOURCE_LOOK[source][1] for source in SOURCES]
        self.score_, self.identity_ = [], []
        self.titles_: list[Text] = []
        shown = np.clip(self.identity, -EDGE, EDGE)
        seen = [*self.score.ravel(), *self.band.ravel(), self.boundary]
        room = 0.06 * (max(seen) - min(seen))
        for ax, below in zip(top, middle, strict=True):
            ax.set_ylim(min(seen) - room, max(seen) + room)
            below.set_yscale("asinh", linear_width=5)
            below.set_yticks([-100, -10, 0, 10, 100], ["−100", "−10", "0", "10", "100"])
            below.minorticks_off()
            below.set_ylim(-1.3 * EDGE, 1.3 * EDGE)
        self.band_ = top[0].fill_between(np.arange(self.band.shape[1]), *self.band, color=color, alpha=0.15, lw=0)
        for i, (ax, below) in enumerate(zip(top, middle, strict=True)):
            self.score_ += self._panel(ax, self.score[i], self.boundary, colours[i], dashes[i])
            self.identity_ += self._panel(below, shown[i], 0.0, colours[i], dashes[i])
            ax.set_title(f"{SOURCES[i]}: {WORDS[i]}\n{self._verdict(self.turned[i], 'liked')}")
            below.set_title(self._verdict(self.lost[i], "the same item"))
            below.set_xlabel("timestep t")
            self._list_titles(bottom[i], i)
        box: dict[str, Any] = {"boxstyle": "round,pad=0.15", "fc": "white", "ec": "none"}
        for ax, words in ((top[0], "negative"), (middle[0], "another item")):
            early = self.transition < 0.4 * self.score.shape[1]
            at, side = (0.97, "right") if early else (0.03, "left")
            ax.text(at, 0.06, words, transform=ax.transAxes, ha=side, color=style.RUST, bbox=box)
        top[0].text(self.transition, min(seen), " t*", color=style.PURPLE, bbox=box, ha="left")
        top[0].set_ylabel("still liked?\nscore of x_t")
        middle[0].set_ylabel("still the same item?\nlog-ratio (nats)")

    def _panel(self, ax: Axes, values: Float[np.ndarray, " timestep"], level: float, colour: str, dash: str) -> Any:
        T = len(values) - 1
        style.negative_side(ax, ax.get_ylim()[0], level)
        ax.axhline(level, color=style.VERMILLION, lw=1.4)
        ax.axvline(self.transition, color=style.PURPLE, ls="-.", lw=1.1)
        first = ax in (self.axes_[0], self.axes_[3])
        ax.set(xlim=(0, T), xticks=self.stop)
        ax.tick_params(labelleft=first)
        return ax.plot(np.arange(T + 1), values, color=colour, ls=dash)

    @staticmethod
    def _verdict(first: int, what: str) -> str:
        if first < 0:
            return f"{what} throughout"
        return f"{what} up to t = {first - 1}" if first > 0 else f"not {what} at t = 0"

    def _list_titles(self, ax: Axes, source: int) -> None:
        ax.set(ylim=(0, 1), xlim=(0, 1))
        ax.axis("off")
        if source == 0:
            ax.set_title("Nearest real item (bold: the positive itself)", weight="normal")
        for place, (t, name) in enumerate(zip(self.stop, self.title[source], strict=True)):
            own = self.nearest[source, place] == self.positive
            words = textwrap.shorten(f"t = {t}: {name or '(no title)'}", 38, placeholder=" …")
            weight = "bold" if own else "normal"
            at = (0, 1 - (place + 0.1) / len(self.stop))
            self.titles_.append(ax.text(*at, words, va="top", weight=weight, fontsize="small"))

    def frame(self) -> pd.DataFrame:
        """One row for each source and timestep: score and log-ratio."""
        T = self.score.shape[1]
        return pd.DataFrame(
            {
                "source": np.repeat(SOURCES, T),
                "t": np.tile(np.arange(T), len(SOURCES)),
                "score": self.score.ravel(),
                "log_ratio": np.clip(self.identity, -1e6, 1e6).ravel(),
            }
        )

    def describe(self) -> str:
        """Say, for each source, how long x_t stays liked and how long it stays the same item."""
        parts = [
            f"{source}: {self._verdict(turned, 'liked')}, {self._verdict(lost, 'the same item')}"
            for source, turned, lost in zip(SOURCES, self.turned, self.lost, strict=True)
        ]
        return f"The positive {self.name} walked in three ways, with t* = {self.transition}. {'; '.join(parts)}."
