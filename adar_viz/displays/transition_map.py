"""Which timestep each score-aware function chooses, as the score of the positive grows."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, boundaries
from adar_viz.transition import SCORE_AWARE, ScoredPair, timestep_of

_ORDER = ("threshold", "ahns", "snr", "relative", "margin", "fixed")


class TransitionMap(Display):
    """Transition timestep t* against the positive's score: one panel for each score-aware function.

    Lines are the closed form for a typical pair (medians of noise, boundary, mean and sd over the
    pairs of the trace), before any clamp; they begin at score 0, below which a pair is negative
    already. The panel of the run's own function also shows what was observed: its pairs have
    boundaries and noises of their own, so they lie around the line.

    Attributes
    ----------
    score : Float[ndarray, "score"]
        Grid of positive scores.
    curve : dict of str to Int[ndarray, "score"]
        t* by function.
    used : str
        The run's own function; empty where the trace does not name one.
    observed_score, observed_timestep, clamped
        The pairs of the trace; evenly spaced by score where there are many.
    curve_ : dict of str to Line2D
    observed_, clamped_ : Line2D
    """

    rows = 2
    columns = 3
    size = (7.2, 4.2)

    def __init__(
        self,
        score: Float[np.ndarray, " score"],
        curve: Mapping[str, Int[np.ndarray, " score"]],
        label: Mapping[str, str],
        used: str,
        observed: tuple[np.ndarray, np.ndarray, np.ndarray],
        num_timesteps: int,
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.score, self.curve, self.label, self.used = score, dict(curve), dict(label), used
        self.observed_score, self.observed_timestep, self.clamped = observed
        self.num_timesteps = num_timesteps

    @classmethod
    def from_trace(cls, trace: Trace, points: int = 400) -> Self:
        """Compute the closed form, with the run's own constants for the run's own function.

        Parameters
        ----------
        trace
            With alpha_bar and all arrays of the pairs.
        points
            At most so many observed pairs, evenly spaced by score.
        """
        s = trace["pair_score"]
        target = dict(trace.meta.get("target", {}))
        used = target.pop("name", "")
        rules = {name: SCORE_AWARE[name](**(target if name == used else {})) for name in _ORDER}
        if not (s > 0).any():
            raise ValueError(f"some pair must score above 0 to have a transition; the highest score is {s.max():.3g}")
        grid = np.linspace(0, float(s.max()), 241)[1:]
        typical = {
            "noise": trace["noise"],
            "boundary": boundaries(trace),
            "mean": trace["mean"],
            "sd": trace["sd"],
        }
        pair = ScoredPair(grid, **{key: np.full_like(grid, np.median(value)) for key, value in typical.items()})
        chosen = np.argsort(s, kind="stable")[np.unique(np.linspace(0, len(s) - 1, min(points, len(s))).astype(int))]
        return cls(
            grid,
            {name: np.asarray(timestep_of(rule.alpha_bar(pair), trace["alpha_bar"])) for name, rule in rules.items()},
            {name: _constants(rule) for name, rule in rules.items()},
            used,
            (s[chosen], trace["transition_timestep"][chosen], trace["clamped"][chosen]),
            trace.num_timesteps,
            trace.meta,
        )

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        self.curve_ = {}
        for i, (name, ax) in enumerate(zip(_ORDER, axes, strict=True)):
            if name == self.used:
                self._draw_observed(ax)
            (self.curve_[name],) = ax.plot(self.score, self.curve[name], color=color, zorder=3)
            own = name == self.used
            ax.set_title(f"{name}  (this run)" if own else name, pad=1.5 * style.CONTEXTS[self._context][0])
            ax.annotate(
                self.label[name] + ("; ○ pairs, × clamped" if own else ""),
                (0, 1),
                xycoords="axes fraction",
                xytext=(0, 3),
                textcoords="offset points",
                fontsize="small",
                color=style.GREY,
            )
            ax.set(xlim=(self.score[0], self.score[-1]), ylim=(-1, self.num_timesteps + 1))
            ax.set_xlabel("score of the positive" if i >= 3 else "")
            ax.set_ylabel("t*" if i % 3 == 0 else "")
            ax.tick_params(labelbottom=i >= 3, labelleft=i % 3 == 0)

    def _draw_observed(self, ax: Axes) -> None:
        free = ~self.clamped
        look: dict[str, Any] = {"ls": "none", "ms": 3.0, "alpha": 0.6, "zorder": 2}
        (self.observed_,) = ax.plot(
            self.observed_score[free],
            self.observed_timestep[free],
            marker="o",
            mfc="none",
            mec=style.VERMILLION,
            **look,
        )
        (self.clamped_,) = ax.plot(
            self.observed_score[self.clamped], self.observed_timestep[self.clamped], marker="x", mec=style.BLACK, **look
        )
        for side in ax.spines.values():
            side.set(visible=True, color=style.VERMILLION, linewidth=1.4)

    def frame(self) -> pd.DataFrame:
        """One row for each point: function, kind (law, observed or clamped), score, t*."""
        law = [pd.DataFrame({"rule": n, "kind": "law", "score": self.score, "t": t}) for n, t in self.curve.items()]
        kind = np.where(self.clamped, "clamped", "observed")
        seen = {"rule": self.used, "kind": kind, "score": self.observed_score, "t": self.observed_timestep}
        return pd.concat([*law, pd.DataFrame(seen)], ignore_index=True)

    def describe(self) -> str:
        """Say in which direction t* moves for each function, and how many pairs were clamped."""
        ways = []
        for name, t in self.curve.items():
            half = len(t) // 2
            change = int(t[-1]) - int(t[half])
            ways.append(f"{name} {'later' if change > 0 else 'earlier' if change < 0 else 'unchanged'}")
        share = f"; {self.clamped.mean():.0%} of the pairs were clamped" if len(self.clamped) else ""
        below = int((self.observed_score <= 0).sum())
        share += f", and {below} with a score of at most 0 are not drawn" if below else ""
        run = f" The run used {self.used}{share}." if self.used else ""
        return (
            f"Transition timestep t* against the positive's score; as the score grows t* moves: {', '.join(ways)}.{run}"
        )


def _constants(rule: Any) -> str:
    values = {field.name: getattr(rule, field.name) for field in dataclasses.fields(rule)}
    words = [f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}" for name, value in values.items()]
    return ", ".join(words) or "no constants"
