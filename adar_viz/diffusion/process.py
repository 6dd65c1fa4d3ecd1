"""The diffusion process: towards noise in one draw or step by step, and back along a reverse chain.

``denoise(x, timestep)`` predicts the noise in ``x``; whatever it is conditioned on, it holds itself.
Timesteps come one for each row, or, where the shape says ``#row``, one for all of them, which is quicker.
Chains yield ``(timestep, x, x0_hat)``: first the start, at T, then the state after each step.
``x0_hat`` is the denoiser's estimate of the clean vector from ``x``; the last one is from the state
before. At t = 0 it is ``x`` itself.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from jaxtyping import Float, Int
from torch import Tensor

from adar_viz.diffusion.schedule import NoiseSchedule

Denoise = Callable[[Tensor, Tensor], Tensor]
Step = Callable[[Tensor, Tensor, Tensor, Tensor], Tensor]
"""``(x, x0_hat, timestep, earlier) -> x`` at the earlier timestep."""


# Towards noise ------------------------------------------------------------------------------------


def add_noise(
    x0: Float[Tensor, "row dim"],
    timestep: Int[Tensor, "#row"],
    schedule: NoiseSchedule,
    noise: Float[Tensor, "row dim"],
) -> Float[Tensor, "row dim"]:
    """Return ``x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) noise``, each row at its own timestep."""
    _check_range("timestep", timestep, schedule)
    signal, spread = _levels(timestep, schedule, x0)
    return (signal * x0).addcmul_(spread, noise)


def forward_walk(
    x0: Float[Tensor, "row dim"], schedule: NoiseSchedule, *, generator: torch.Generator
) -> Iterator[tuple[int, Tensor]]:
    """Yield ``(timestep, x)`` for t = 0 to T, each x a Markov step from the one before.

    ``x_t = sqrt(1 - beta_t) x_{t-1} + sqrt(beta_t) eps``: every x_t has the law of `add_noise`, and
    together they make one path.
    """
    x = x0
    yield 0, x
    for timestep, beta in enumerate(schedule.beta[1:].tolist(), start=1):
        x = (1 - beta) ** 0.5 * x + beta**0.5 * _draw(x, generator)
        yield timestep, x


# The same state in other words --------------------------------------------------------------------


def x0_from_noise(
    x: Float[Tensor, "row dim"],
    noise: Float[Tensor, "row dim"],
    timestep: Int[Tensor, "#row"],
    schedule: NoiseSchedule,
) -> Float[Tensor, "row dim"]:
    """Return the clean vector that ``noise`` made into ``x``."""
    signal, spread = _levels(timestep, schedule, x)
    return (x - spread * noise) / signal


def noise_from_x0(
    x: Float[Tensor, "row dim"],
    x0: Float[Tensor, "row dim"],
    timestep: Int[Tensor, "#row"],
    schedule: NoiseSchedule,
) -> Float[Tensor, "row dim"]:
    """Return the noise that made ``x0`` into ``x``; undefined (nan) at t = 0."""
    signal, spread = _levels(timestep, schedule, x)
    return (x - signal * x0) / spread


def v_from_noise(
    x: Float[Tensor, "row dim"],
    noise: Float[Tensor, "row dim"],
    timestep: Int[Tensor, "#row"],
    schedule: NoiseSchedule,
) -> Float[Tensor, "row dim"]:
    """Return ``v = sqrt(alpha_bar) noise - sqrt(1 - alpha_bar) x_0`` (arXiv 2202.00512)."""
    signal, spread = _levels(timestep, schedule, x)
    return (noise - spread * x) / signal


def noise_from_v(
    x: Float[Tensor, "row dim"], v: Float[Tensor, "row dim"], timestep: Int[Tensor, "#row"], schedule: NoiseSchedule
) -> Float[Tensor, "row dim"]:
    """Return the noise, ``sqrt(1 - alpha_bar) x + sqrt(alpha_bar) v``."""
    signal, spread = _levels(timestep, schedule, x)
    return (spread * x).addcmul_(signal, v)


# Back ---------------------------------------------------------------------------------------------


def posterior(
    x: Float[Tensor, "row dim"],
    x0: Float[Tensor, "row dim"],
    timestep: Int[Tensor, " row"],
    schedule: NoiseSchedule,
    earlier: Int[Tensor, " row"] | None = None,
) -> tuple[Float[Tensor, "row dim"], Float[Tensor, "row 1"]]:
    """Return mean and variance of ``q(x_earlier | x_t, x_0)``, which is normal.

    DDPM (arXiv 2006.11239), equation 7; ``earlier`` may be any timestep below t, by default t - 1.
    """
    _check_range("timestep", timestep, schedule, low=1)
    s = timestep - 1 if earlier is None else earlier
    alpha_bar = schedule.alpha_bar.to(timestep.device)
    at_t, at_s = alpha_bar[timestep], alpha_bar[s]
    kept = at_t / at_s
    share_x0 = at_s.sqrt() * (1 - kept) / (1 - at_t)
    share_x = kept.sqrt() * (1 - at_s) / (1 - at_t)
    variance = (1 - kept) * (1 - at_s) / (1 - at_t)
    share_x0, share_x, variance = (v.unsqueeze(-1).to(x.dtype) for v in (share_x0, share_x, variance))
    return share_x0 * x0 + share_x * x, variance


def ancestral(
    denoise: Denoise,
    x: Float[Tensor, "row dim"],
    schedule: NoiseSchedule,
    *,
    generator: torch.Generator,
    stop: Int[Tensor, " row"] | None = None,
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Walk from noise at T back to 0, one posterior draw a timestep (DDPM, algorithm 2).

    Parameters
    ----------
    stop
        Timestep at which each row freezes, keeping the x it has there; 0 where not given. The chain
        ends when every row has stopped. Each timestep costs one call of ``denoise`` on all rows.
    """

    def step(x: Tensor, x0: Tensor, t: Tensor, s: Tensor) -> Tensor:
        mean, variance = posterior(x, x0, t, schedule, s)
        return mean + variance.sqrt() * _draw(x, generator)

    yield from _reverse(denoise, x, schedule, list(range(schedule.num_timesteps, -1, -1)), step, stop)


def ddim(
    denoise: Denoise,
    x: Float[Tensor, "row dim"],
    schedule: NoiseSchedule,
    *,
    steps: int | None = None,
    eta: float = 0.0,
    generator: torch.Generator | None = None,
    stop: Int[Tensor, " row"] | None = None,
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Walk from noise at T back to 0 in ``steps`` even steps (DDIM, arXiv 2010.02502, equations 12 and 16).

    Parameters
    ----------
    steps
        Calls of ``denoise``, in [1, T]; None takes every timestep.
    eta
        0 draws nothing; 1 with every timestep is the ancestral chain. In [0, 1].
    generator
        Needed where ``eta`` is above 0.
    stop
        Timestep at which each row freezes; the step that would pass it lands on it.
    """
    T = schedule.num_timesteps
    if steps is not None and not 1 <= steps <= T:
        raise ValueError(f"steps must lie in [1, {T}], or be None for every timestep; got {steps}")
    if not 0 <= eta <= 1:
        raise ValueError(f"eta must lie in [0, 1]; got {eta}")
    if eta > 0 and generator is None:
        raise ValueError(f"eta above 0 draws noise and needs a generator; got eta {eta} and none")

    def step(x: Tensor, x0: Tensor, t: Tensor, s: Tensor) -> Tensor:
        return _ddim_step(x, x0, t, s, schedule, eta, generator)

    count = T if steps is None else steps
    ladder = [round(T * (count - k) / count) for k in range(count + 1)]
    yield from _reverse(denoise, x, schedule, ladder, step, stop)


@torch.no_grad()
def glide(
    denoise: Denoise,
    x: Float[Tensor, "row dim"],
    start: Int[Tensor, "#row"],
    end: Int[Tensor, "#row"],
    schedule: NoiseSchedule,
    *,
    steps: int,
) -> Float[Tensor, "row dim"]:
    """Take each row from its own ``start`` down to its own ``end`` in ``steps`` DDIM steps, eta = 0.

    Costs ``steps`` calls of ``denoise``, however far apart the two are. Draws nothing.
    """
    if steps < 1:
        raise ValueError(f"steps must be at least 1; got {steps}")
    _check_range("start", start, schedule)
    _check_range("end", end, schedule)
    if bool((end > start).any()):
        raise ValueError("end must be at most start in every row; got a row that would move towards noise")
    t = start
    for k in range(1, steps + 1):
        s = start - ((start - end) * k) // steps
        share_x, share_noise = _ddim_shares(t, s, schedule, x)
        # Where a row rests, s = t, its shares are 1 and 0; at t = 0 there is no noise to ask for.
        x = (share_x * x).addcmul_(share_noise, denoise(x, t.clamp(min=1)))
        t = s
    return x


def _reverse(
    denoise: Denoise, x: Tensor, schedule: NoiseSchedule, ladder: list[int], step: Step, stop: Tensor | None
) -> Iterator[tuple[int, Tensor, Tensor]]:
    """Descend the ladder of timesteps, each row only as far as its stop."""
    if stop is None:
        stop = torch.zeros(len(x), dtype=torch.int64, device=x.device)
    _check_range("stop", stop, schedule)
    last = int(stop.min()) if len(stop) else 0
    x0_hat = x
    for high, low in pairwise(ladder):
        with torch.no_grad():  # not around the yield: the caller's gradients are its own
            t, s = stop.clamp(min=high), stop.clamp(min=low)
            moves = (s < t).unsqueeze(-1)
            # At the start every row gets its estimate, even one that stops there.
            estimate = x0_from_noise(x, denoise(x, t), t, schedule)
            x0_hat = torch.where(moves | (high == ladder[0]), estimate, x0_hat)
        yield high, x, x0_hat
        if high <= last:
            return
        with torch.no_grad():
            x = torch.where(moves, step(x, x0_hat, t, s), x)
        if low <= last:
            yield max(low, last), x, x0_hat
            return


def _ddim_step(
    x: Tensor,
    x0: Tensor,
    timestep: Tensor,
    earlier: Tensor,
    schedule: NoiseSchedule,
    eta: float,
    generator: torch.Generator | None,
) -> Tensor:
    noise = noise_from_x0(x, x0, timestep, schedule)
    signal, spread = _levels(earlier, schedule, x)
    if eta == 0 or generator is None:
        return signal * x0 + spread * noise
    _, variance = posterior(x, x0, timestep, schedule, earlier)
    fresh = eta * variance.sqrt()
    kept = (spread**2 - fresh**2).clamp(min=0).sqrt()
    return signal * x0 + kept * noise + fresh * _draw(x, generator)


def _ddim_shares(timestep: Tensor, earlier: Tensor, schedule: NoiseSchedule, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return what a DDIM step without noise takes of x and of the predicted noise, as columns."""
    levels = schedule.levels.to(timestep.device)
    (signal, spread), (signal_s, spread_s) = (levels[t].chunk(2, dim=-1) for t in (timestep, earlier))
    share = signal_s / signal
    return share.to(like.dtype), (spread_s - share * spread).to(like.dtype)


def _levels(timestep: Tensor, schedule: NoiseSchedule, like: Tensor) -> tuple[Tensor, Tensor]:
    """Return sqrt(alpha_bar) and sqrt(1 - alpha_bar) as columns; rounded only after the subtraction."""
    signal, spread = schedule.levels.to(like.device, like.dtype)[timestep].chunk(2, dim=-1)
    return signal, spread


def _draw(x: Tensor, generator: torch.Generator) -> Tensor:
    return torch.randn(x.shape, generator=generator, device=x.device, dtype=x.dtype)


def _check_range(name: str, timestep: Tensor, schedule: NoiseSchedule, low: int = 0) -> None:
    if not len(timestep):
        return
    first, last = (int(t) for t in torch.aminmax(timestep))
    if not (low <= first and last <= schedule.num_timesteps):
        raise ValueError(f"{name} must lie in [{low}, {schedule.num_timesteps}]; got {first} to {last}")
