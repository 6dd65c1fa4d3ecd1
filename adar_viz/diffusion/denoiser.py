"""The denoiser: predicts the noise in a vector from its timestep and a condition."""

from __future__ import annotations

from typing import Literal, get_args

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn

from adar_viz.diffusion.process import Denoise, add_noise, noise_from_v, noise_from_x0
from adar_viz.diffusion.schedule import NoiseSchedule

Parametrisation = Literal["noise", "x0", "v"]


class Denoiser(nn.Module):
    """A small network ``tau(x_t, PE(t), condition)`` whose answer is always the noise.

    Parameters
    ----------
    dim, condition_dim
        Widths of the vectors and of what they are conditioned on.
    hidden, depth
        Width and number of the modulated blocks; None is half of ``dim``, at least 32: on embeddings of
        ml-1m (dim 64) twice that width lowered the error by less than a hundredth.
    parametrisation
        What the network itself gives, converted to noise on the way out: the ``noise``, the clean
        vector ``x0``, or ``v`` (arXiv 2202.00512). A chain that starts at T divides an error in
        the noise by ``sqrt(alpha_bar[T])``, a few thousandths; in ``v`` that cancels.
    schedule
        Timesteps that may be asked for; 1 to T (at t = 0 there is no noise to predict).

    Notes
    -----
    A vector enters the first block through a dense layer and leaves the last one through another; each
    block scales and shifts every unit by the timestep and the condition (FiLM, arXiv 1709.07871), and a
    dense layer mixes the units between two blocks. Without the dense layers it could only stretch x along
    fixed axes, never turn it. What the timestep and the condition ask for is added up: so the timesteps
    are embedded once for all T, not once a row, and the condition once for a whole chain.
    O(row x hidden x (depth x (hidden + condition_dim) + dim)).
    """

    def __init__(
        self,
        dim: int,
        condition_dim: int,
        *,
        hidden: int | None = None,
        depth: int = 1,
        parametrisation: Parametrisation = "v",
        schedule: NoiseSchedule,
    ) -> None:
        super().__init__()
        if parametrisation not in get_args(Parametrisation):
            raise ValueError(f"parametrisation must be 'noise', 'x0' or 'v'; got {parametrisation!r}")
        hidden = max(32, dim // 2) if hidden is None else hidden
        if min(dim, condition_dim, depth) < 1 or hidden < 4:
            raise ValueError(
                "dim, condition_dim and depth must be at least 1, hidden at least 4; "
                f"got {dim}, {condition_dim}, {depth} and {hidden}"
            )
        self.schedule, self.parametrisation = schedule, parametrisation
        self.enter = nn.Linear(dim, hidden, bias=False)
        self.time = nn.Sequential(
            nn.Linear(TIME_DIM, hidden // 4), nn.SiLU(), nn.Linear(hidden // 4, 2 * depth * hidden)
        )
        self.condition = nn.Linear(condition_dim, 2 * depth * hidden)
        self.mix = nn.ModuleList(nn.Linear(hidden, hidden) for _ in range(depth - 1))
        self.leave = nn.Linear(hidden, dim)
        # Made again with the module rather than stored: a checkpoint cannot disagree with its schedule.
        self.register_buffer("encoding", _encode(schedule.num_timesteps), persistent=False)

    def forward(
        self, x: Float[Tensor, "row dim"], timestep: Int[Tensor, "#row"], condition: Float[Tensor, "row condition_dim"]
    ) -> Float[Tensor, "row dim"]:
        """Return the predicted noise; one timestep may serve all rows."""
        return self.given(condition)(x, timestep)

    def given(self, condition: Float[Tensor, "row condition_dim"]) -> Denoise:
        """Return ``(x, timestep) -> noise`` for one condition, whose own part is computed once for a whole chain."""
        by_condition, by_time = self.condition(condition), self.time(self.encoding)

        def denoise(x: Tensor, timestep: Tensor) -> Tensor:
            h = self.enter(x)
            film = (by_condition + nn.functional.embedding(timestep, by_time)).chunk(2 * (len(self.mix) + 1), dim=-1)
            for block, (scale, shift) in enumerate(zip(film[::2], film[1::2], strict=True)):
                mixed = self.mix[block - 1](h) if block else h
                h = h + nn.functional.silu(torch.addcmul(shift, scale, mixed))
            out: Tensor = self.leave(h)
            if self.parametrisation == "x0":
                return noise_from_x0(x, out, timestep, self.schedule)
            if self.parametrisation == "v":
                return noise_from_v(x, out, timestep, self.schedule)
            return out

        return denoise


def denoising_loss(
    denoiser: Denoiser,
    x0: Float[Tensor, "row dim"],
    condition: Float[Tensor, "row condition_dim"],
    *,
    generator: torch.Generator,
) -> Float[Tensor, ""]:
    """Return the mean squared error of the noise, at a uniform timestep of 1 to T for each row.

    DDPM's simple loss (arXiv 2006.11239, equation 14), whatever the parametrisation: predicting
    nothing costs 1.
    """
    T = denoiser.schedule.num_timesteps
    timestep = torch.randint(1, T + 1, (len(x0),), generator=generator, device=x0.device)
    noise = torch.randn(x0.shape, generator=generator, device=x0.device, dtype=x0.dtype)
    x = add_noise(x0, timestep, denoiser.schedule, noise)
    return nn.functional.mse_loss(denoiser(x, timestep, condition), noise)


TIME_DIM = 32


def _encode(num_timesteps: int) -> Float[Tensor, "timestep encoding"]:
    """Return sines and cosines of t, which is stretched to [0, 1000], the range they were made for."""
    position = torch.linspace(0, 1000, num_timesteps + 1)[:, None]
    frequency = 10_000 ** -torch.linspace(0, 1, TIME_DIM // 2)
    return torch.cat([(position * frequency).sin(), (position * frequency).cos()], dim=1)
