"""The control among the sources: where the walk would be on average, and no noise."""

from __future__ import annotations

import torch

from adar_viz.diffusion import SCHEDULES, Denoiser
from adar_viz.negatives import Forward, Noiseless
from adar_viz.negatives.sources import Walk


def test_noiseless_is_the_mean_of_forward_and_draws_nothing() -> None:
    schedule, generator = SCHEDULES["linear"](20), torch.Generator().manual_seed(1)
    x0 = torch.randn(1, 4, generator=generator).expand(20_000, 4)
    timestep = torch.full((len(x0),), 7)
    walk = Walk(x0, x0, torch.tensor(1.0), timestep, Denoiser(4, 4, schedule=schedule), schedule, generator)
    before = generator.get_state()
    mean = Noiseless()(walk)
    assert torch.equal(generator.get_state(), before)
    torch.testing.assert_close(mean, schedule.alpha_bar[7].sqrt().float() * x0)
    noised = Forward()(walk)
    torch.testing.assert_close(noised.mean(0), mean[0], atol=0.03, rtol=0)
