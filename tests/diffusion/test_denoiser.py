"""The denoiser: that it learns, what it learns, and that its answer is always the noise."""

from __future__ import annotations

from collections import deque

import pytest
import torch
from jaxtyping import TypeCheckError
from torch import Tensor

from adar_viz.diffusion import (
    Denoiser,
    add_noise,
    ancestral,
    ddim,
    denoising_loss,
    glide,
    linear,
    noise_from_v,
    noise_from_x0,
)

CENTRE = torch.tensor([[1.5, 1.5], [1.5, -1.5], [-1.5, 1.5], [-1.5, -1.5]])
SPREAD = 0.25
SCHEDULE = linear(50)


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def make(parametrisation: str = "noise", hidden: int = 64) -> Denoiser:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Denoiser(2, 4, hidden=hidden, depth=2, schedule=SCHEDULE, parametrisation=parametrisation)  # type: ignore[arg-type]


def clusters(rows: int, generator: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Draw vectors around four centres, the cluster's one-hot condition, and the cluster."""
    cluster = torch.randint(4, (rows,), generator=generator)
    x0 = CENTRE[cluster] + SPREAD * torch.randn(rows, 2, generator=generator)
    return x0, torch.eye(4)[cluster], cluster


def train(denoiser: Denoiser, steps: int) -> Denoiser:
    generator, optimizer = seeded(1), torch.optim.Adam(denoiser.parameters(), lr=3e-3)
    fading = torch.optim.lr_scheduler.LinearLR(optimizer, 1.0, 0.02, total_iters=steps)
    for _ in range(steps):
        x0, condition, _ = clusters(512, generator)
        loss = denoising_loss(denoiser, x0, condition, generator=generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        fading.step()
    return denoiser


@torch.no_grad()
def held_out_error(denoiser: Denoiser, shuffle: bool = False) -> float:
    x0, condition, _ = clusters(20_000, seeded(9))
    if shuffle:
        condition = condition.roll(1, dims=0)
    return float(denoising_loss(denoiser, x0, condition, generator=seeded(10)))


@pytest.fixture(scope="module")
def trained() -> Denoiser:
    return train(make(), 250)


def test_every_parameter_learns(trained: Denoiser) -> None:
    for (name, before), after in zip(make().named_parameters(), trained.parameters(), strict=True):
        assert (before != after).any(), name


def test_its_error_falls_below_the_untrained_and_the_noise_and_near_the_best(trained: Denoiser) -> None:
    error = held_out_error(trained)
    a = SCHEDULE.alpha_bar[1:]
    # The best prediction in one cluster is linear and errs by a v / (a v + 1 - a), v the cluster's variance.
    best = float((a * SPREAD**2 / (a * SPREAD**2 + 1 - a)).mean())
    assert error < held_out_error(make())
    assert error < 0.5
    assert best * 0.95 < error < best * 1.25


def test_it_listens_to_the_condition(trained: Denoiser) -> None:
    assert held_out_error(trained, shuffle=True) > 2 * held_out_error(trained)


@pytest.mark.parametrize("kind", ["ancestral", "ddim"])
def test_the_reverse_chain_recovers_the_cluster_it_is_asked_for(trained: Denoiser, kind: str) -> None:
    generator, cluster = seeded(2), torch.arange(4).repeat_interleave(500)
    x, condition = torch.randn(2000, 2, generator=generator), torch.eye(4)[cluster]

    def denoise(x: Tensor, timestep: Tensor) -> Tensor:
        return trained(x, timestep, condition)

    if kind == "ancestral":
        chain = ancestral(denoise, x, SCHEDULE, generator=generator)
    else:
        chain = ddim(denoise, x, SCHEDULE, steps=25)
    ((t, x0, _),) = deque(chain, maxlen=1)
    assert t == 0
    assert (torch.cdist(x0, CENTRE).argmin(1) == cluster).float().mean() > 0.98
    for c in range(4):
        assert (x0[cluster == c].mean(0) - CENTRE[c]).abs().max() < 0.1
        assert 0.4 * SPREAD < float(x0[cluster == c].std(0).mean()) < 1.6 * SPREAD


@pytest.mark.parametrize("parametrisation", ["x0", "v"])
def test_other_parametrisations_learn_too(parametrisation: str) -> None:
    before, after = make(parametrisation), train(make(parametrisation), 150)
    assert held_out_error(after) < min(0.5, 0.7 * held_out_error(before))


def test_by_default_few_steps_from_noise_stay_at_the_scale_of_the_vectors() -> None:
    dim, generator = 32, seeded(5)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        denoiser = Denoiser(dim, dim, schedule=SCHEDULE)
    optimizer = torch.optim.Adam(denoiser.parameters(), lr=1e-3)
    for _ in range(150):
        condition = torch.randn(512, dim, generator=generator)
        x0 = 0.8 * condition + 0.6 * torch.randn(512, dim, generator=generator)
        loss = denoising_loss(denoiser, x0, condition, generator=generator)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    x, condition = torch.randn(500, dim, generator=generator), torch.randn(500, dim, generator=generator)
    start, end = torch.full((500,), 50), torch.zeros(500, dtype=torch.long)
    x0 = glide(lambda x, t: denoiser(x, t, condition), x, start, end, SCHEDULE, steps=5)
    assert 0.5 < float(x0.square().mean().sqrt()) < 1.5


@pytest.mark.parametrize("parametrisation", ["noise", "x0", "v"])
def test_the_answer_is_the_noise_whatever_the_network_gives(parametrisation: str) -> None:
    denoiser, given = make(parametrisation), []
    denoiser.leave.register_forward_hook(lambda module, inputs, output: given.append(output))
    x0, condition, _ = clusters(200, seeded())
    timestep = torch.randint(1, 51, (200,), generator=seeded(1))
    x = add_noise(x0, timestep, SCHEDULE, torch.randn(200, 2, generator=seeded(2)))
    answer = denoiser(x, timestep, condition)
    (raw,) = given
    expected = {
        "noise": lambda: raw,
        "x0": lambda: noise_from_x0(x, raw, timestep, SCHEDULE),
        "v": lambda: noise_from_v(x, raw, timestep, SCHEDULE),
    }[parametrisation]()
    torch.testing.assert_close(answer, expected)


def test_it_depends_on_each_argument_and_treats_rows_apart() -> None:
    denoiser, (x, condition, _) = make(), clusters(6, seeded())
    timestep = torch.tensor([1, 10, 20, 30, 40, 50])
    answer = denoiser(x, timestep, condition)
    assert answer.dtype == torch.float32
    for other in (
        denoiser(x + 0.1, timestep, condition),
        denoiser(x, 51 - timestep, condition),
        denoiser(x, timestep, condition.roll(1, dims=1)),
    ):
        assert ((answer - other).abs().amax(1) > 1e-4).all()
    torch.testing.assert_close(denoiser(x[2:3], timestep[2:3], condition[2:3]), answer[2:3])


@pytest.mark.parametrize("parametrisation", ["noise", "x0", "v"])
def test_one_timestep_serves_all_rows(parametrisation: str) -> None:
    denoiser, (x, condition, _) = make(parametrisation), clusters(6, seeded())
    shared, each = torch.tensor([17]), torch.full((6,), 17)
    torch.testing.assert_close(denoiser(x, shared, condition), denoiser(x, each, condition))


def test_the_loss_and_its_gradient_repeat_with_the_same_generator() -> None:
    x0, condition, _ = clusters(64, seeded())
    one, two = (denoising_loss(make(), x0, condition, generator=seeded(3)) for _ in range(2))
    assert torch.equal(one, two)
    assert not torch.equal(one, denoising_loss(make(), x0, condition, generator=seeded(4)))


def test_a_checkpoint_holds_weights_alone() -> None:
    denoiser = make()
    assert set(denoiser.state_dict()) == {name for name, _ in denoiser.named_parameters()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"depth": 0}, "depth must be at least 1, hidden at least 4; got 2, 4, 0 and 32"),
        ({"hidden": 2}, "hidden at least 4; got 2, 4, 1 and 2"),
    ],
)
def test_options_out_of_range_are_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Denoiser(2, 4, schedule=SCHEDULE, **options)  # type: ignore[arg-type]


def test_an_unknown_parametrisation_is_refused() -> None:
    # Where shapes are checked while testing, the checker comes first and says it in its own words.
    with pytest.raises((ValueError, TypeCheckError), match=r"(?s)parametrisation.*'score'"):
        make("score")
