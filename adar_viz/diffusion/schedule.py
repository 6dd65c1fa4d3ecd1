"""Noise schedules: how much signal is left at each timestep."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import torch
from jaxtyping import Float64
from torch import Tensor

MAX_FINAL_SNR = 0.01
"""Largest signal-to-noise ratio that may be left at T: the mean is then a tenth of the noise."""


@dataclass(frozen=True, eq=False)
class NoiseSchedule:
    """The share of signal ``alpha_bar`` left at each timestep; index t is the papers' t.

    Parameters
    ----------
    alpha_bar
        From ``alpha_bar[0] = 1`` (the clean vector), strictly falling, above 0, in float64.
    name
        What reports and figures call it.
    allow_signal
        Accept a schedule that never reaches noise. A reverse chain starts from pure noise, so it
        would start from a place where the forward process never is.

    Raises
    ------
    ValueError
        ``alpha_bar`` is no such sequence, or keeps a signal-to-noise ratio above `MAX_FINAL_SNR`.
    """

    alpha_bar: Float64[Tensor, " timestep"]
    name: str = "own"
    allow_signal: bool = False

    def __post_init__(self) -> None:
        a = self.alpha_bar
        if a.dtype != torch.float64 or a.ndim != 1 or len(a) < 2:
            raise ValueError(f"alpha_bar must be (T + 1,) in float64, T >= 1; got {tuple(a.shape)} in {a.dtype}")
        if float(a[0]) != 1:
            raise ValueError(f"alpha_bar[0] must be 1, the clean vector; got {float(a[0])}")
        if not bool((a[1:] < a[:-1]).all()):
            raise ValueError(f"alpha_bar must fall strictly; got {a.tolist()}")
        if not float(a[-1]) > 0:
            raise ValueError(f"alpha_bar must lie in (0, 1]; got {float(a[-1])} at T")
        if not self.allow_signal and float(self.snr[-1]) > MAX_FINAL_SNR:
            raise ValueError(
                f"the signal-to-noise ratio at T must be at most {MAX_FINAL_SNR}; got {float(self.snr[-1]):.3g} "
                f"(alpha_bar {float(a[-1]):.3g}): noise more, or pass allow_signal=True"
            )

    @property
    def num_timesteps(self) -> int:
        """T: timesteps run from 0, clean, to T."""
        return len(self.alpha_bar) - 1

    @cached_property
    def levels(self) -> Float64[Tensor, "timestep 2"]:
        """What a noised vector has of signal, ``sqrt(alpha_bar)``, and of noise, ``sqrt(1 - alpha_bar)``."""
        return torch.stack([self.alpha_bar.sqrt(), (1 - self.alpha_bar).sqrt()], dim=1)

    @property
    def beta(self) -> Float64[Tensor, " timestep"]:
        """Variance added in each Markov step; ``beta[0] = 0``."""
        return torch.cat([self.alpha_bar.new_zeros(1), 1 - self.alpha_bar[1:] / self.alpha_bar[:-1]])

    @property
    def snr(self) -> Float64[Tensor, " timestep"]:
        """``alpha_bar / (1 - alpha_bar)``, infinite at t = 0."""
        return self.alpha_bar / (1 - self.alpha_bar)

    @property
    def log_snr(self) -> Float64[Tensor, " timestep"]:
        """Natural logarithm of the signal-to-noise ratio, infinite at t = 0."""
        return self.snr.log()


def linear(
    num_timesteps: int = 50, start: float = 1e-4, end: float = 0.02, *, allow_signal: bool = False
) -> NoiseSchedule:
    """Return the schedule of DDPM (arXiv 2006.11239): beta from ``start`` to ``end``, times 1000 / T.

    Rescaled because the constants were made for T = 1000: unscaled, T = 50 stops at alpha_bar = 0.60.
    At T = 20 the last beta would be 1 and leave nothing; like the other schedules' it is clipped at 0.999.

    Raises
    ------
    ValueError
        The rescaled beta leaves (0, 1]: T must be at least ``1000 * end``, here 20.
    """
    _check_timesteps(num_timesteps)
    beta = torch.linspace(start, end, num_timesteps, dtype=torch.float64) * (1000 / num_timesteps)
    if not (float(beta.min()) > 0 and float(beta.max()) <= 1 + 1e-9):
        raise ValueError(
            "beta, rescaled by 1000 / num_timesteps, must lie in (0, 1]; "
            f"got {float(beta.min()):.3g} to {float(beta.max()):.3g} with num_timesteps {num_timesteps}"
        )
    return _from_beta(beta.clamp(max=0.999), "linear", allow_signal)


def cosine(num_timesteps: int = 50, offset: float = 0.008, *, allow_signal: bool = False) -> NoiseSchedule:
    """Return the cosine schedule (arXiv 2102.09672, equation 17), its beta clipped at 0.999 as there."""
    _check_timesteps(num_timesteps)
    if not offset >= 0:
        raise ValueError(f"offset must be at least 0; got {offset}")
    share = torch.linspace(0, 1, num_timesteps + 1, dtype=torch.float64)
    signal = torch.cos((share + offset) / (1 + offset) * math.pi / 2) ** 2
    return _from_beta((1 - signal[1:] / signal[:-1]).clamp(max=0.999), "cosine", allow_signal)


def sigmoid(
    num_timesteps: int = 50, start: float = -3.0, end: float = 3.0, tau: float = 1.0, *, allow_signal: bool = False
) -> NoiseSchedule:
    """Return the sigmoid schedule (arXiv 2212.11972, algorithm 1), its last beta clipped at 0.999."""
    _check_timesteps(num_timesteps)
    if not (start < end and tau > 0):
        raise ValueError(f"start must lie below end and tau above 0; got {start}, {end} and {tau}")
    signal = torch.sigmoid(-torch.linspace(start, end, num_timesteps + 1, dtype=torch.float64) / tau)
    signal = (signal - signal[-1]) / (signal[0] - signal[-1])
    return _from_beta((1 - signal[1:] / signal[:-1]).clamp(max=0.999), "sigmoid", allow_signal)


SCHEDULES: dict[str, Callable[..., NoiseSchedule]] = {"linear": linear, "cosine": cosine, "sigmoid": sigmoid}


def _from_beta(beta: Tensor, name: str, allow_signal: bool) -> NoiseSchedule:
    alpha_bar = torch.cat([beta.new_ones(1), (1 - beta).cumprod(0)])
    return NoiseSchedule(alpha_bar, name, allow_signal)


def _check_timesteps(num_timesteps: int) -> None:
    if num_timesteps < 1:
        raise ValueError(f"num_timesteps must be at least 1; got {num_timesteps}")
