"""How the transition moves while the recommender learns: the chosen timestep, and the hardness there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace


class HardnessOverTraining(Display):
    """Quantiles over the epochs of t*, and of the hardness ``s(x_t*) - s_pos`` of what stands there.

    The line of the drawn negatives shows what the recommender was given in the end: with grounding,
    the real item nearest to x_t*, and in the warm-up, negatives that owe nothing to diffusion.

    Attributes
    ----------
    epoch : Int[ndarray, "epoch"]
    level : Float[ndarray, "quantile"]
    timestep, hardness, drawn : Float[ndarray, "epoch quantile"]
        t*, hardness at t*, hardness of the drawn negatives; nan where nothing was generated.
    timestep_, hardness_ : list of PolyCollection
        Bands from the widest to the narrowest.
    timestep_median_, hardness_median_, drawn_, as_hard_ : Line2D
    """

    columns = 2
    size = (6.8, 2.6)

    def __init__(
        self,
        epoch: Int[np.ndarray, " epoch"],
        level: Float[np.ndarray, " quantile"],
        timestep: Float[np.ndarray, "epoch quantile"],
        hardness: Float[np.ndarray, "epoch quantile"],
        drawn: Float[np.ndarray, "epoch quantile"],
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.epoch, self.level = epoch, level
        self.timestep, self.hardness, self.drawn = timestep, hardness, drawn
        self.half = len(level) // 2
        self.made = np.flatnonzero(np.isfinite(hardness[:, self.half]))

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Take the training record; a run whose negatives owe nothing to diffusion shows the drawn ones alone."""
        trace.require("epoch", "quantile", "timestep_quantile", "diffused_hardness", "hardness")
        bands = (trace["timestep_quantile"], trace["diffused_hardness"], trace["hardness"])
        return cls(trace["epoch"], trace["quantile"], *bands, trace.meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        left, right = axes
        self.timestep_, self.timestep_median_ = self._bands(left, self.timestep, style.PURPLE)
        left.set(title="Where it stops", ylabel="transition timestep t*")
        if len(self.made):
            left.set_ylim(0, 1.15 * np.nanmax(self.timestep))
            middle, edge = self.timestep[self.made[-1], [self.half, 0]].tolist()
            spread = f"{self.level[0]:.0%} to {self.level[-1]:.0%}"
            style.label_ends(left, 1, [middle, edge], ["median", spread], [style.PURPLE] * 2, gap=0.14)
        else:
            left.set(yticks=[])
            left.text(0.5, 0.5, "this run generated\nno negatives", transform=left.transAxes, ha="center", va="center")
        self.hardness_, self.hardness_median_ = self._bands(right, self.hardness, color)
        (self.drawn_,) = right.plot(self.epoch, self.drawn[:, self.half], color=style.RUST, ls="--")
        self.as_hard_ = right.axhline(0, color=style.BLACK, ls=":", lw=0.9)
        low, high = right.get_ylim()
        right.set_ylim(low, max(high, 0.12 * (high - low)))
        right.set(title="How hard it is there", ylabel="score minus the positive's")
        self._label_hardness(right, color)
        for ax in axes:
            ax.set(xlabel="epoch", xlim=(self.epoch[0], self.epoch[-1]))
            ax.xaxis.set_major_locator(MaxNLocator(integer=True))

    def _bands(self, ax: Axes, values: Float[np.ndarray, "epoch quantile"], colour: str) -> tuple[list[Any], Any]:
        bands = [
            ax.fill_between(self.epoch, values[:, i], values[:, -1 - i], color=colour, alpha=0.2, lw=0)
            for i in range(self.half)
        ]
        # One epoch makes no line: it needs a mark.
        (line,) = ax.plot(self.epoch, values[:, self.half], color=colour, marker="o" if len(self.made) == 1 else "")
        return bands, line

    def _label_hardness(self, ax: Axes, color: str) -> None:
        ends, labels, colours = [0.0], ["as hard as\nthe positive"], [style.BLACK]
        if len(self.made):
            ends.append(float(self.hardness[self.made[-1], self.half]))
            labels.append("x_t*, median")
            colours.append(color)
        drawn = self.drawn[:, self.half]
        if np.isfinite(drawn).any():
            ends.append(float(drawn[np.isfinite(drawn)][-1]))
            labels.append("drawn negatives,\nmedian")
            colours.append(style.RUST)
        style.label_ends(ax, 1, ends, labels, colours, gap=0.17)

    def frame(self) -> pd.DataFrame:
        """One row for each epoch: the quantiles of t*, of hardness at t*, and of the drawn negatives."""
        groups = {"timestep": self.timestep, "hardness": self.hardness, "drawn": self.drawn}
        columns = {
            f"{name}_{level:g}": values[:, i] for name, values in groups.items() for i, level in enumerate(self.level)
        }
        return pd.DataFrame({"epoch": self.epoch, **columns})

    def describe(self) -> str:
        """Say how the medians of t* and of hardness moved."""
        if not len(self.made):
            drawn = self.drawn[:, self.half][np.isfinite(self.drawn[:, self.half])]
            ends = f"goes from {drawn[0]:z.2f} to {drawn[-1]:z.2f}" if len(drawn) else "was not recorded"
            return (
                f"In {len(self.epoch)} epochs no negative was generated by diffusion, so there is no transition "
                f"timestep; the median hardness of the drawn negatives {ends}."
            )
        first, last = self.made[0], self.made[-1]
        t, h = self.timestep[:, self.half], self.hardness[:, self.half]
        return (
            f"From epoch {self.epoch[first]}, the first with generated negatives, to epoch {self.epoch[last]} the "
            f"median transition timestep t* goes from {t[first]:.0f} to {t[last]:.0f}, and the median hardness of "
            f"x_t* from {h[first]:z.2f} to {h[last]:z.2f}, where 0 is as hard as the positive."
        )
