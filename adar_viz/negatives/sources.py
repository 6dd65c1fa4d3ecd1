"""Where ADAR's synthetic negative comes from: three ways to stand at timestep t* of the walk, and a control.

All return the noisy state x_{t*} itself, in the space of the embeddings; the control returns its mean.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from adar_viz.diffusion import Denoise, Denoiser, NoiseSchedule, add_noise, ancestral, glide


@dataclass(frozen=True)
class Walk:
    """What there is to walk with, one row each, and how far each one goes.

    Attributes
    ----------
    positive, query : Float[Tensor, "row dim"]
        Where the walk starts, and what the denoiser is conditioned on.
    sigma : Float[Tensor, ""]
        Standard deviation of the noise; the denoiser works on vectors divided by it.
    timestep : Int[Tensor, "row"]
        t*.
    """

    positive: Float[Tensor, "row dim"]
    query: Float[Tensor, "row dim"]
    sigma: Float[Tensor, ""]
    timestep: Int[Tensor, " row"]
    denoiser: Denoiser
    schedule: NoiseSchedule
    generator: torch.Generator

    def denoise(self) -> Denoise:
        """Return the denoiser, conditioned on the query."""
        return self.denoiser.given(self.query / self.sigma)

    def draw(self) -> Float[Tensor, "row dim"]:
        """Draw standard normal noise."""
        return noise_like(self.positive, self.generator)


@dataclass(frozen=True)
class Forward:
    """Noise this positive up to t*: one draw, no denoiser."""

    def __call__(self, walk: Walk) -> Float[Tensor, "row dim"]:
        """Return x_{t*}; O(row x dim)."""
        return add_noise(walk.positive, walk.timestep, walk.schedule, walk.draw().mul_(walk.sigma))


@dataclass(frozen=True)
class Reverse:
    """Denoise pure noise towards the user's typical positive, and stop at t*.

    Parameters
    ----------
    steps
        None walks the ancestral chain from T down to each row's t* (up to T denoiser calls). A
        number takes so many DDIM steps to an estimate of x_0 and noises that to t*, at a cost that
        does not depend on t*. Few steps shrink x_0 towards the user's mean, whatever the denoiser:
        five leave 0.7 to 1 of the standard deviation of x_{t*}, least where t* is small.
    """

    steps: int | None = 5

    def __post_init__(self) -> None:
        if self.steps is not None and self.steps < 1:
            raise ValueError(f"steps must be at least 1, or None for the whole chain; got {self.steps}")

    def __call__(self, walk: Walk) -> Float[Tensor, "row dim"]:
        """Return x_{t*}; O(steps) calls of the denoiser."""
        denoise, x = walk.denoise(), walk.draw()
        if self.steps is None:
            chain = ancestral(denoise, x, walk.schedule, generator=walk.generator, stop=walk.timestep)
            ((_, stopped, _),) = deque(chain, maxlen=1)
            return walk.sigma * stopped
        start = torch.full((1,), walk.schedule.num_timesteps, device=x.device)
        estimate = glide(denoise, x, start, torch.zeros_like(start), walk.schedule, steps=self.steps)
        return walk.sigma * add_noise(estimate, walk.timestep, walk.schedule, walk.draw())


@dataclass(frozen=True)
class Renoise:
    """Noise this positive beyond t*, and denoise it back to t* in a few DDIM steps.

    Parameters
    ----------
    beyond
        How much further, as a share of T, in (0, 1].
    steps
        DDIM steps back to t*.
    """

    beyond: float = 0.25
    steps: int = 3

    def __post_init__(self) -> None:
        if not 0 < self.beyond <= 1:
            raise ValueError(f"beyond must lie in (0, 1]; got {self.beyond}")
        if self.steps < 1:
            raise ValueError(f"steps must be at least 1; got {self.steps}")

    def __call__(self, walk: Walk) -> Float[Tensor, "row dim"]:
        """Return x_{t*}; O(steps) calls of the denoiser."""
        T = walk.schedule.num_timesteps
        start = (walk.timestep + max(1, round(self.beyond * T))).clamp(max=T)
        noisy = add_noise(walk.positive / walk.sigma, start, walk.schedule, walk.draw())
        return walk.sigma * glide(walk.denoise(), noisy, start, walk.timestep, walk.schedule, steps=self.steps)


@dataclass(frozen=True)
class Noiseless:
    """Shrink this positive as far as t* says, without noise: the control that shows what noise adds."""

    def __call__(self, walk: Walk) -> Float[Tensor, "row dim"]:
        """Return the mean of x_{t*}; O(row x dim)."""
        return add_noise(walk.positive, walk.timestep, walk.schedule, torch.zeros_like(walk.positive))


Source = Forward | Reverse | Renoise | Noiseless
SOURCES: dict[str, type[Source]] = {
    "forward": Forward,
    "reverse": Reverse,
    "renoise": Renoise,
    "noiseless": Noiseless,
}


def noise_like(x: Float[Tensor, "*shape"], generator: torch.Generator) -> Float[Tensor, "*shape"]:
    """Draw standard normal noise in the shape of ``x``."""
    return torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)
