"""The process: laws by Monte Carlo, and every reverse step against the schedulers of `diffusers`."""

from __future__ import annotations

import math
from collections import deque
from typing import Any

import pytest
import torch
from torch import Tensor

from adar_viz.diffusion import (
    NoiseSchedule,
    add_noise,
    ancestral,
    cosine,
    ddim,
    forward_walk,
    glide,
    linear,
    noise_from_v,
    noise_from_x0,
    posterior,
    sigmoid,
    v_from_noise,
    x0_from_noise,
)

T = 50
DRAWS, STANDARD_ERRORS = 20_000, 4.5
MEAN, SD = torch.tensor([2.0, -1.0], dtype=torch.float64), 0.3


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=seeded(seed), dtype=torch.float64)


def exact_denoiser(schedule: NoiseSchedule) -> Any:
    """Return the best prediction of the noise where x_0 is Normal(MEAN, SD^2)."""

    def denoise(x: Tensor, timestep: Tensor) -> Tensor:
        a = schedule.alpha_bar[timestep].unsqueeze(-1)
        return (1 - a).sqrt() * (x - a.sqrt() * MEAN) / (a * SD**2 + 1 - a)

    return denoise


def crooked(x: Tensor, timestep: Tensor) -> Tensor:
    """Predict something that depends on both arguments and is right about nothing."""
    return torch.tanh(x.flip(-1)) + 0.01 * timestep.unsqueeze(-1)


# Towards noise ------------------------------------------------------------------------------------


def test_add_noise_takes_each_row_to_its_own_timestep() -> None:
    schedule, x0, noise = linear(T), normal(T + 1, 3), normal(T + 1, 3, seed=1)
    x = add_noise(x0, torch.arange(T + 1), schedule, noise)
    for t, a in enumerate(schedule.alpha_bar.tolist()):
        torch.testing.assert_close(x[t], math.sqrt(a) * x0[t] + math.sqrt(1 - a) * noise[t])
    assert torch.equal(x[0], x0[0])


def test_add_noise_is_that_of_diffusers() -> None:
    schedule, x0, noise, timestep = linear(T), normal(T, 3), normal(T, 3, seed=1), torch.arange(1, T + 1)
    theirs = ddpm(schedule).add_noise(x0, noise, timestep - 1)
    torch.testing.assert_close(add_noise(x0, timestep, schedule, noise), theirs, rtol=1e-6, atol=1e-6)


def test_the_markov_walk_has_the_law_of_one_draw() -> None:
    schedule, x0 = cosine(T), torch.full((DRAWS, 1), 1.5, dtype=torch.float64)
    seen = 0
    for t, x in forward_walk(x0, schedule, generator=seeded()):
        a = float(schedule.alpha_bar[t])
        assert abs(float(x.mean()) - math.sqrt(a) * 1.5) <= STANDARD_ERRORS * math.sqrt((1 - a) / DRAWS) + 1e-12
        assert abs(float(x.std()) - math.sqrt(1 - a)) <= STANDARD_ERRORS * math.sqrt((1 - a) / DRAWS / 2) + 1e-12
        assert t == seen
        seen += 1
    assert seen == T + 1


def test_the_markov_walk_is_one_path() -> None:
    schedule = linear(T)
    path = torch.stack([x for _, x in forward_walk(torch.zeros(DRAWS, 1), schedule, generator=seeded())])
    # Cov(x_s, x_t) = sqrt(alpha_bar_t / alpha_bar_s) (1 - alpha_bar_s): no fresh noise at each timestep.
    a = schedule.alpha_bar
    expected = float((a[20] / a[10]).sqrt() * (1 - a[10]))
    assert float((path[10] * path[20]).mean()) == pytest.approx(expected, abs=0.02)


# The same state in other words --------------------------------------------------------------------


def test_noise_x0_and_v_say_the_same() -> None:
    schedule, x0, noise, timestep = sigmoid(T), normal(T, 3), normal(T, 3, seed=1), torch.arange(1, T + 1)
    x = add_noise(x0, timestep, schedule, noise)
    a = schedule.alpha_bar[timestep].unsqueeze(-1)
    v = a.sqrt() * noise - (1 - a).sqrt() * x0
    torch.testing.assert_close(x0_from_noise(x, noise, timestep, schedule), x0)
    torch.testing.assert_close(noise_from_x0(x, x0, timestep, schedule), noise)
    torch.testing.assert_close(v_from_noise(x, noise, timestep, schedule), v)
    torch.testing.assert_close(noise_from_v(x, v, timestep, schedule), noise)


# Back, against diffusers --------------------------------------------------------------------------


def ddpm(schedule: NoiseSchedule) -> Any:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    return in_float64(diffusers.DDPMScheduler, schedule)


def in_float64(scheduler: Any, schedule: NoiseSchedule, **config: Any) -> Any:
    """Build a scheduler from our betas; it rounds them to float32, so its own product is taken again."""
    theirs = scheduler(num_train_timesteps=T, trained_betas=schedule.beta[1:].tolist(), clip_sample=False, **config)
    theirs.betas = schedule.beta[1:]
    theirs.alphas = 1 - theirs.betas
    theirs.alphas_cumprod = theirs.alphas.cumprod(0)
    return theirs


@pytest.mark.parametrize("make", [linear, cosine, sigmoid])
def test_the_posterior_step_is_that_of_diffusers(make: Any) -> None:
    schedule, x, noise = make(T), normal(4, 3), normal(4, 3, seed=1)
    theirs = ddpm(schedule)
    theirs.set_timesteps(T)
    for t in range(1, T + 1):
        timestep = torch.full((4,), t)
        mean, variance = posterior(x, x0_from_noise(x, noise, timestep, schedule), timestep, schedule)
        ours = mean + variance.sqrt() * normal(4, 3, seed=t)
        step = theirs.step(noise, t - 1, x, generator=seeded(t)).prev_sample
        torch.testing.assert_close(ours, step, rtol=1e-6, atol=1e-6)


@pytest.mark.parametrize("make", [linear, cosine])
def test_the_ancestral_chain_is_that_of_diffusers(make: Any) -> None:
    schedule, x = make(T), normal(5, 3)
    theirs, generator = ddpm(schedule), seeded(1)
    theirs.set_timesteps(T)
    chain = ancestral(crooked, x, schedule, generator=seeded(1))
    for t, ours, x0_hat in chain:
        torch.testing.assert_close(ours, x, rtol=1e-6, atol=1e-6)
        if t == 0:
            break
        step = theirs.step(crooked(x, torch.full((5,), t)), t - 1, x, generator=generator)
        torch.testing.assert_close(x0_hat, step.pred_original_sample, rtol=1e-6, atol=1e-6)
        x = step.prev_sample
    assert t == 0


@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize("steps", [None, 10, 5, 1])
def test_the_ddim_chain_is_that_of_diffusers(steps: int | None, eta: float) -> None:
    diffusers = pytest.importorskip("diffusers", reason="diffusers is not installed")
    schedule, x = linear(T), normal(5, 3)
    # trailing: its first timestep is T - 1, our T. set_alpha_to_one: after the last step alpha_bar is 1, our index 0.
    theirs = in_float64(diffusers.DDIMScheduler, schedule, timestep_spacing="trailing", set_alpha_to_one=True)
    theirs.set_timesteps(steps or T)
    generator, chain = seeded(1), ddim(crooked, x, schedule, steps=steps, eta=eta, generator=seeded(1))
    for index in theirs.timesteps.tolist():
        t, ours, _ = next(chain)
        assert t == index + 1
        torch.testing.assert_close(ours, x, rtol=1e-6, atol=1e-6)
        x = theirs.step(crooked(x, torch.full((5,), t)), index, x, eta=eta, generator=generator).prev_sample
    t, ours, x0_hat = next(chain)
    assert t == 0
    torch.testing.assert_close(ours, x, rtol=1e-6, atol=1e-6)
    assert next(chain, None) is None
    if eta == 0:
        torch.testing.assert_close(ours, x0_hat)


# Back, by its own lights --------------------------------------------------------------------------


def test_the_posterior_over_several_timesteps_is_the_law_of_the_walk() -> None:
    schedule, x0 = linear(T), torch.full((DRAWS, 1), 0.7, dtype=torch.float64)
    x = add_noise(x0, torch.full((DRAWS,), 40), schedule, normal(DRAWS, 1))
    mean, variance = posterior(x, x0, torch.full((DRAWS,), 40), schedule, torch.full((DRAWS,), 15))
    earlier = mean + variance.sqrt() * normal(DRAWS, 1, seed=1)
    a = float(schedule.alpha_bar[15])
    assert abs(float(earlier.mean()) - math.sqrt(a) * 0.7) < STANDARD_ERRORS * math.sqrt((1 - a) / DRAWS)
    assert abs(float(earlier.std()) - math.sqrt(1 - a)) < STANDARD_ERRORS * math.sqrt((1 - a) / DRAWS / 2)


def test_ancestral_is_ddim_with_eta_one() -> None:
    schedule, x = sigmoid(T), normal(5, 3)
    left = ancestral(crooked, x, schedule, generator=seeded(1))
    right = ddim(crooked, x, schedule, eta=1.0, generator=seeded(1))
    for (t, ours, _), (s, theirs, _) in zip(left, right, strict=True):
        assert t == s
        torch.testing.assert_close(ours, theirs)


@pytest.mark.parametrize("kind", ["ancestral", "ddim"])
def test_with_the_exact_denoiser_the_chain_runs_through_the_marginals(kind: str) -> None:
    schedule = linear(200)
    denoise, x = exact_denoiser(schedule), normal(DRAWS, 2)
    chain = ancestral(denoise, x, schedule, generator=seeded(1)) if kind == "ancestral" else ddim(denoise, x, schedule)
    for t, state, _ in chain:
        if t % 40 == 0:
            a = schedule.alpha_bar[t]
            torch.testing.assert_close(state.mean(0), a.sqrt() * MEAN, rtol=0, atol=0.04)
            expected = torch.full((2,), float(a * SD**2 + 1 - a).__pow__(0.5), dtype=torch.float64)
            torch.testing.assert_close(state.std(0), expected, rtol=0.03, atol=0.02)


def test_each_row_freezes_at_its_stop() -> None:
    schedule, x = linear(T), normal(T + 1, 2)
    stop = torch.arange(T + 1)
    free = {t: state for t, state, _ in ddim(crooked, x, schedule)}
    stopped = list(ddim(crooked, x, schedule, stop=stop))
    assert [t for t, _, _ in stopped] == list(range(T, -1, -1))
    for t, state, _ in stopped:
        for row in range(T + 1):
            assert torch.equal(state[row], free[max(t, row)][row])


def test_the_chain_ends_when_the_last_row_has_stopped() -> None:
    schedule, x, calls = linear(T), normal(3, 2), 0

    def counted(x: Tensor, timestep: Tensor) -> Tensor:
        nonlocal calls
        calls += 1
        return crooked(x, timestep)

    stop = torch.tensor([30, 41, T])
    chain = list(ancestral(counted, x, schedule, generator=seeded(1), stop=stop))
    assert [t for t, _, _ in chain] == list(range(T, 29, -1))
    assert calls == T - 30
    assert torch.equal(chain[-1][1][2], x[2])
    everyone = list(ancestral(counted, x, schedule, generator=seeded(1), stop=torch.full((3,), T)))
    assert len(everyone) == 1
    assert everyone[0][0] == T
    assert torch.equal(everyone[0][1], x)


def test_a_ddim_step_lands_on_a_stop_between_its_timesteps() -> None:
    schedule = linear(200)
    denoise, stop = exact_denoiser(schedule), torch.full((DRAWS,), 63)
    ((t, x, _),) = deque(ddim(denoise, normal(DRAWS, 2), schedule, steps=50, stop=stop), maxlen=1)
    a = schedule.alpha_bar[63]
    assert t == 63
    torch.testing.assert_close(x.mean(0), a.sqrt() * MEAN, rtol=0, atol=0.04)


def test_glide_takes_each_row_between_its_own_timesteps() -> None:
    schedule, start, end = linear(T), torch.tensor([50, 40, 7, 20, 0]), torch.tensor([0, 39, 7, 3, 0])
    x = normal(5, 2)
    together = glide(crooked, x, start, end, schedule, steps=4)
    for row in range(5):
        alone = glide(crooked, x[row : row + 1], start[row : row + 1], end[row : row + 1], schedule, steps=4)
        assert torch.equal(together[row], alone[0])
    assert torch.equal(together[[2, 4]], x[[2, 4]])
    assert together.isfinite().all()
    whole = glide(crooked, x, torch.full((5,), T), torch.zeros(5, dtype=torch.int64), schedule, steps=T)
    ((_, chain, _),) = deque(ddim(crooked, x, schedule), maxlen=1)
    torch.testing.assert_close(whole, chain)
    shared = glide(crooked, x, torch.tensor([T]), torch.tensor([0]), schedule, steps=T)
    torch.testing.assert_close(shared, whole)


def test_chains_repeat_with_the_same_generator_and_leave_gradients_to_the_caller() -> None:
    schedule, x, weight = linear(T), normal(4, 2), torch.ones(2, dtype=torch.float64, requires_grad=True)
    runs = []
    for _ in range(2):
        for _, state, x0_hat in ancestral(lambda x, t: crooked(x, t) * weight, x, schedule, generator=seeded(5)):
            assert torch.is_grad_enabled()
            assert not state.requires_grad
            assert not x0_hat.requires_grad
        runs.append(state)
    assert torch.equal(*runs)
    different = deque(ancestral(crooked, x, schedule, generator=seeded(6)), maxlen=1)[0][1]
    assert not torch.equal(different, runs[0])


X, ONES = torch.zeros(2, 2), torch.ones(2, dtype=torch.int64)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: add_noise(X, ONES * 51, linear(T), X), r"timestep must lie in \[0, 50\]; got 51 to 51"),
        (lambda: add_noise(X, -ONES, linear(T), X), r"timestep must lie in \[0, 50\]; got -1 to -1"),
        (lambda: posterior(X, X, 0 * ONES, linear(T)), r"timestep must lie in \[1, 50\]; got 0 to 0"),
        (lambda: list(ddim(crooked, X, linear(T), steps=0)), r"steps must lie in \[1, 50\].* got 0"),
        (lambda: list(ddim(crooked, X, linear(T), eta=1.5)), r"eta must lie in \[0, 1\]; got 1.5"),
        (lambda: list(ddim(crooked, X, linear(T), eta=0.5)), "needs a generator; got eta 0.5 and none"),
        (lambda: list(ddim(crooked, X, linear(T), stop=ONES * 60)), r"stop must lie in \[0, 50\]; got 60 to 60"),
        (lambda: glide(crooked, X, ONES, ONES * 2, linear(T), steps=1), "end must be at most start"),
        (lambda: glide(crooked, X, ONES, ONES, linear(T), steps=0), "steps must be at least 1; got 0"),
    ],
)
def test_what_cannot_be_walked_is_refused(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
