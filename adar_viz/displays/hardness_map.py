"""Which pairs are negative at which timestep: one row of a heat map for each positive."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Bool, Float, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, already_negative, boundaries, item_names, law_probability


class HardnessMap(Display):
    """Probability that x_t is negative, by the law of the score: pairs along y, timesteps along x.

    Rows are sorted by the positive's score, the highest on top. The law uses each pair's own noise
    and boundary, so neighbouring rows need not turn at the same timestep.

    Attributes
    ----------
    probability : Float[ndarray, "pair timestep"]
        P(t), rows from the lowest score to the highest.
    score, boundary : Float[ndarray, "pair"]
    transition : Int[ndarray, "pair"]
        t* of each pair.
    even : Int[ndarray, "pair"]
        First timestep at which P(t) is at least one half; -1 where it never is.
    clamped, already : Bool[ndarray, "pair"]
        t* was moved into the allowed range; the pair is negative before any noise.
    map_ : AxesImage
    transition_, even_ : LineCollection
    """

    size = (5.4, 3.8)

    def __init__(
        self,
        probability: Float[np.ndarray, "pair timestep"],
        score: Float[np.ndarray, " pair"],
        boundary: Float[np.ndarray, " pair"],
        transition: Int[np.ndarray, " pair"],
        clamped: Bool[np.ndarray, " pair"],
        already: Bool[np.ndarray, " pair"],
        item: np.ndarray,
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.probability, self.score, self.boundary = probability, score, boundary
        self.transition, self.clamped, self.already, self.item = transition, clamped, already, item
        half = probability >= 0.5
        self.even = np.where(half.any(axis=1), half.argmax(axis=1), -1)

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Compute from the closed form.

        Parameters
        ----------
        trace
            With alpha_bar and the pairs' score, noise and transition; `adar_viz.trace.what_if` gives
            one for other settings.
        """
        trace.require("pair_score", "transition_timestep", "clamped")
        order = np.argsort(trace["pair_score"], kind="stable")
        named = {"pair_item", "item_label"} <= set(trace.arrays)
        item = item_names(trace)[trace["pair_item"]] if named else np.full(len(order), "")
        return cls(
            law_probability(trace)[order],
            trace["pair_score"][order],
            boundaries(trace)[order],
            trace["transition_timestep"][order],
            trace["clamped"][order],
            already_negative(trace)[order],
            item[order],
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        (ax,) = axes
        pairs, T = self.probability.shape[0], self.probability.shape[1] - 1
        self.map_ = ax.imshow(
            self.probability,
            cmap=style.SEQUENTIAL,
            vmin=0,
            vmax=1,
            aspect="auto",
            origin="lower",
            interpolation="nearest",
            extent=(-0.5, T + 0.5, -0.5, pairs - 0.5),
        )
        self._draw_marks(ax, pairs)
        rows = np.unique(np.linspace(0, pairs - 1, 5).round().astype(int))
        ax.set_yticks(rows, [f"{self.score[row]:z.2g}" for row in rows])
        ax.set(xlabel="timestep t  (0 = the positive itself, right = noise)", ylabel="score of the positive")
        ax.set_title(self._finding(), pad=2.2 * style.CONTEXTS[self._context][0])
        ax.annotate(
            "a row for each positive; white marks: t*; black marks: P reaches ½",
            (0, 1),
            xycoords="axes fraction",
            xytext=(0, 4),
            textcoords="offset points",
            fontsize="small",
            color=style.GREY,
        )
        bar = self.figure_.colorbar(self.map_, ax=ax, pad=0.02, aspect=30, ticks=[0, 0.5, 1])
        bar.set_label("P(x_t is negative)")

    def _draw_marks(self, ax: Axes, pairs: int) -> None:
        row, wide = np.arange(pairs), 1.8 * style.CONTEXTS[self._context][1]
        turns = self.even >= 0
        low, high = row - 0.5, row + 0.5
        self.even_ = ax.vlines(self.even[turns], low[turns], high[turns], color=style.BLACK, lw=wide)
        self.edge_ = ax.vlines(self.transition, low, high, color=style.BLACK, lw=2 * wide)
        self.transition_ = ax.vlines(self.transition, low, high, color="white", lw=wide)

    def _finding(self) -> str:
        turns = (self.even >= 0) & ~self.already
        if not turns.any():
            return f"None of {len(self.score)} pairs reaches P = ½ by noise"
        before = float((self.transition < self.even)[turns].mean())
        return f"t* lies before P = ½ in {before:.0%} of {int(turns.sum())} pairs that turn"

    def frame(self) -> pd.DataFrame:
        """One row for each pair, the lowest score first: its marks, and P(t) in one column for each timestep."""
        marks = {
            "item": self.item,
            "score": self.score,
            "boundary": self.boundary,
            "transition": self.transition,
            "half": self.even,
            "clamped": self.clamped,
            "already_negative": self.already,
        }
        levels = {f"p{t}": self.probability[:, t] for t in range(self.probability.shape[1])}
        return pd.DataFrame({**marks, **levels})

    def describe(self) -> str:
        """Say where t* lies, how many pairs turn, and how many had no choice."""
        T, pairs = self.probability.shape[1] - 1, len(self.score)
        turned = self.even[(self.even >= 0) & ~self.already]
        half = f"P reaches one half at t = {int(np.median(turned))} (median of {len(turned)})" if len(turned) else ""
        return (
            f"A heat map of {pairs} positives, sorted by score, along {T} timesteps: the probability that x_t is "
            f"negative grows to the right; {half or 'P reaches one half in none'}, t* lies at "
            f"{int(np.median(self.transition))} (median); {self.clamped.mean():.0%} of t* were clamped, and "
            f"{self.already.mean():.0%} of the pairs are negative before any noise."
        )
