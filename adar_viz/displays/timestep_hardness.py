"""How the score of a diffused positive falls along the timesteps, and when it turns negative."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, boundaries, counted_probability, quantile_bands
from adar_viz.transition import probability_negative, score_law

LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


class TimestepHardness(Display):
    """Score of x_t above the decision boundary, and the probability that x_t is negative.

    The bands are counted: quantiles of the recorded scores, over noise draws and pairs. The dashed
    line and the line of P(t) are predicted by the law of the score; nothing is fitted. For one pair
    the score itself is drawn, for several the score above each pair's own boundary.

    Attributes
    ----------
    bands : Float[ndarray, "quantile timestep"]
        Counted quantiles at 5, 25, 50, 75 and 95 %.
    mean : Float[ndarray, "timestep"]
        Expected score by the law.
    counted, predicted : Float[ndarray, "timestep"]
        P(t), averaged over the pairs.
    level : float
        Where the boundary lies on the vertical axis: b for one pair, 0 for several.
    transition : Int[ndarray, "pair"]
        t* of each pair.
    bands_, mean_, boundary_, transition_, predicted_, counted_
        Artists.
    """

    rows = 2
    size = (5.4, 4.4)

    def __init__(
        self,
        bands: Float[np.ndarray, "quantile timestep"],
        mean: Float[np.ndarray, " timestep"],
        counted: Float[np.ndarray, " timestep"],
        predicted: Float[np.ndarray, " timestep"],
        level: float,
        transition: Int[np.ndarray, " pair"],
        title: str,
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.bands, self.mean, self.counted, self.predicted = bands, mean, counted, predicted
        self.level, self.transition, self.title = level, transition, title

    @classmethod
    def from_trace(cls, trace: Trace, pair: int | None = None) -> Self:
        """Compute from recorded scores.

        Parameters
        ----------
        trace
            With alpha_bar, score, transition_timestep and the pairs' score, noise, mean and sd.
        pair
            One pair (index along ``pair``); None takes all pairs that start above their boundary.
        """
        b = boundaries(trace)
        if pair is not None and not 0 <= pair < len(b):
            raise ValueError(f"pair must lie in [0, {len(b)}); got {pair}")
        index = np.flatnonzero(trace["pair_score"] > b) if pair is None else np.array([pair])
        if not len(index):
            raise ValueError("no pair of the trace starts above its boundary; there is nothing to turn negative")
        part, b = trace.take("pair", index), b[index]
        shift = b if pair is None else np.zeros(1)
        law = (part["pair_score"][:, None], part["alpha_bar"][None, :], part["noise"][:, None])
        mean, _ = score_law(*law)
        bands = quantile_bands(part["score"] - shift[:, None, None], LEVELS, axis=(0, 2))
        return cls(
            bands,
            (mean - shift[:, None]).mean(axis=0),
            counted_probability(part, b).mean(axis=0),
            probability_negative(*law, b[:, None]).mean(axis=0),
            float(b[0]) if pair is not None else 0.0,
            part["transition_timestep"],
            _title(part, pair),
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        top, bottom = axes
        t = np.arange(len(self.mean))
        self._draw_score(top, t, color)
        self._draw_probability(bottom, t)
        star = float(np.median(self.transition))
        self.transition_ = [ax.axvline(star, color=style.PURPLE, ls="-.", lw=1.3) for ax in axes]
        self.spread_ = None
        if len(self.transition) > 1:
            self.spread_ = bottom.axvspan(
                *np.quantile(self.transition, [0.25, 0.75]), color=style.PURPLE, alpha=0.12, lw=0
            )
        name = "t*" if len(self.transition) == 1 else "median t*"
        top.annotate(
            f"{name} = {star:g}",
            (star, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(0, 2),
            textcoords="offset points",
            ha="center",
            color=style.PURPLE,
        )
        for ax in axes:
            ax.set_xlim(0, t[-1])
        top.tick_params(labelbottom=False)

    def _draw_score(self, ax: Axes, t: np.ndarray, color: str) -> None:
        self.bands_ = [
            ax.fill_between(t, self.bands[i], self.bands[-1 - i], color=color, alpha=0.18 + 0.12 * i, lw=0)
            for i in (0, 1)
        ]
        (self.mean_,) = ax.plot(t, self.mean, color=color, ls="--")
        self.boundary_ = ax.axhline(self.level, color=style.VERMILLION, lw=1.6)
        low, high = ax.get_ylim()
        self.negative_side_ = style.negative_side(ax, low, self.level)
        ax.set_ylim(low, high)
        ax.set_title(self.title, pad=2 * style.CONTEXTS[self._context][0])
        ax.set_ylabel("score of x_t" if len(self.transition) == 1 else "score of x_t\nabove the boundary")
        heights = [self.level, float(self.mean[-1]), float(self.bands[-1, -1]), float(self.bands[-2, -1])]
        labels = ["negative below\nthis boundary", "expected", "90 % of draws", "half of them"]
        style.label_ends(ax, 1, heights, labels, [style.RUST, color, color, color], gap=0.13)

    def _draw_probability(self, ax: Axes, t: np.ndarray) -> None:
        (self.predicted_,) = ax.plot(t, self.predicted, color=style.BLACK)
        every = max(1, len(t) // 25)
        dots: dict[str, Any] = {"ls": "none", "marker": "o", "mfc": "white", "mec": style.VERMILLION, "ms": 4}
        (self.counted_,) = ax.plot(t[::every], self.counted[::every], **dots)
        ax.set(ylim=(-0.03, 1.03), xlabel="timestep t  (0 = the positive itself, right = noise)")
        ax.set_ylabel("P(x_t is negative)")
        ends = [float(self.predicted[-1]), float(self.predicted[-1]) - 0.01]
        style.label_ends(ax, 1, ends, ["— law", "○ counted"], [style.BLACK, style.RUST], gap=0.12)

    def frame(self) -> pd.DataFrame:
        """One row for each timestep: counted quantiles, expected score, P counted and predicted."""
        quantiles = {f"q{level:g}": self.bands[i] for i, level in enumerate(LEVELS)}
        columns = {"mean": self.mean, "p_counted": self.counted, "p_predicted": self.predicted}
        star = np.bincount(self.transition, minlength=len(self.mean)) / len(self.transition)
        return pd.DataFrame({"t": np.arange(len(self.mean)), **quantiles, **columns, "transition_share": star})

    def describe(self) -> str:
        """Say how far the score falls and how often x_t is negative at t*."""
        star = int(np.median(self.transition))
        who = "one pair" if len(self.transition) == 1 else f"{len(self.transition)} pairs"
        gap = float(np.abs(self.counted - self.predicted).max())
        return (
            f"For {who} the expected score of x_t falls from {self.mean[0]:z.2f} at t = 0 to {self.mean[-1]:z.2f} "
            f"at t = {len(self.mean) - 1}, with the decision boundary at {self.level:z.2f}; at t* = {star} x_t is "
            f"negative with probability {self.predicted[star]:.2f}, and counted shares differ from the law by "
            f"at most {gap:.2f}."
        )


def _title(part: Trace, pair: int | None) -> str:
    if pair is None:
        return f"Score of {len(part['pair_score'])} positives as noise grows"
    name = str(part["item_title"][part["pair_item"][0]]) if {"item_title", "pair_item"} <= set(part.arrays) else ""
    return f"{name or 'One positive'}: score as noise grows"
