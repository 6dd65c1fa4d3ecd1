"""The noise schedules once more, on NumPy: pictures that ask "what if" make no negatives and need no torch.

A test holds each to its namesake in `adar_viz.diffusion`, which says where it comes from.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from jaxtyping import Float

Levels = Float[np.ndarray, " timestep"]


def linear(num_timesteps: int) -> Levels:
    """Let beta rise from 1e-4 to 0.02, times 1000 / T; T must be at least 20."""
    if num_timesteps < 20:
        raise ValueError(f"the linear schedule needs at least 20 timesteps; got {num_timesteps}")
    return _from_beta(np.linspace(1e-4, 0.02, num_timesteps) * (1000 / num_timesteps))


def cosine(num_timesteps: int) -> Levels:
    """Let alpha_bar fall like a squared cosine."""
    signal = np.cos((np.linspace(0, 1, num_timesteps + 1) + 0.008) / 1.008 * np.pi / 2) ** 2
    return _from_beta(1 - signal[1:] / signal[:-1])


def sigmoid(num_timesteps: int) -> Levels:
    """Let alpha_bar fall like a logistic curve from -3 to 3, stretched to [0, 1]."""
    signal = 1 / (1 + np.exp(np.linspace(-3, 3, num_timesteps + 1)))
    signal = (signal - signal[-1]) / (signal[0] - signal[-1])
    return _from_beta(1 - signal[1:] / signal[:-1])


SCHEDULES: dict[str, Callable[[int], Levels]] = {"linear": linear, "cosine": cosine, "sigmoid": sigmoid}


def _from_beta(beta: Float[np.ndarray, " step"]) -> Levels:
    alpha_bar: Levels = np.concatenate([[1.0], np.cumprod(1 - np.minimum(beta, 0.999))])
    return alpha_bar
