"""How fast a noise schedule takes the signal away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace


class NoiseSchedule(Display):
    """Share of signal ``alpha_bar`` and log signal-to-noise ratio along the timesteps.

    Attributes
    ----------
    alpha_bar : Float[ndarray, "timestep"]
    log_snr : Float[ndarray, "timestep"]
        Natural logarithm of ``alpha_bar / (1 - alpha_bar)``; infinite at t = 0.
    even : int
        First timestep with at least as much noise as signal.
    signal_, ratio_ : Line2D
        The two curves.
    """

    columns = 2
    size = (6.8, 2.5)

    def __init__(self, alpha_bar: Float[np.ndarray, " timestep"], name: str, stamp: Mapping[str, Any]) -> None:
        super().__init__(stamp)
        self.alpha_bar, self.name = np.asarray(alpha_bar, dtype=np.float64), name
        with np.errstate(divide="ignore"):
            self.log_snr = np.log(self.alpha_bar) - np.log1p(-self.alpha_bar)
        below = self.alpha_bar <= 0.5
        self.even = int(below.argmax()) if below.any() else -1

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Take the schedule of the run."""
        return cls(trace["alpha_bar"], trace.meta.get("schedule", {}).get("name", "unnamed"), trace.meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        left, right = axes
        t = np.arange(len(self.alpha_bar))
        (self.signal_,) = left.plot(t, self.alpha_bar, color=color)
        self.noise_share_ = left.fill_between(
            t, self.alpha_bar, 1, color=style.VERMILLION, alpha=0.25, hatch="..", lw=0
        )
        left.set(title=f"Signal left: {self.name} schedule", xlabel="timestep t", ylabel="alpha_bar", ylim=(0, 1.02))
        box: dict[str, Any] = {"boxstyle": "round,pad=0.2", "fc": "white", "ec": "none"}
        left.text(0.06, 0.12, "signal", color=color, transform=left.transAxes, weight="bold", bbox=box)
        left.text(0.94, 0.86, "noise", color=style.RUST, transform=left.transAxes, ha="right", weight="bold", bbox=box)
        (self.ratio_,) = right.plot(t[1:], self.log_snr[1:], color=color)
        self.even_line_ = right.axhline(0, color=style.GREY, ls="--", lw=0.8)
        right.set(title="Signal against noise", xlabel="timestep t", ylabel="log SNR")
        for ax in axes:
            ax.set_xlim(0, len(t) - 1)
        if self.even >= 0:
            self._mark_even(left, right)

    def _mark_even(self, left: Axes, right: Axes) -> None:
        dot: dict[str, Any] = {"marker": "o", "ms": 6, "mfc": "white", "mec": style.BLACK, "ls": "none", "zorder": 5}
        (self.even_signal_,) = left.plot([self.even], [self.alpha_bar[self.even]], **dot)
        (self.even_ratio_,) = right.plot([self.even], [self.log_snr[self.even]], **dot)
        right.annotate(
            f"noise overtakes signal\nat t = {self.even}",
            (self.even, self.log_snr[self.even]),
            xytext=(12, 14),
            textcoords="offset points",
            color=style.BLACK,
        )

    def frame(self) -> pd.DataFrame:
        """One row for each timestep: t, alpha_bar, log_snr."""
        t = np.arange(len(self.alpha_bar))
        return pd.DataFrame({"t": t, "alpha_bar": self.alpha_bar, "log_snr": self.log_snr})

    def describe(self) -> str:
        """Say where noise overtakes signal and what is left at the end."""
        T, last = len(self.alpha_bar) - 1, self.alpha_bar[-1]
        turn = f"noise overtakes signal at t = {self.even}" if self.even >= 0 else "noise never overtakes signal"
        return f"The {self.name} noise schedule over {T} timesteps: {turn}, and alpha_bar ends at {last:.2g}."
