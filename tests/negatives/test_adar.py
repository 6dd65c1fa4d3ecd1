"""ADAR: ablations under any scorer, what it draws from and beside, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from adar_viz.core import Context, Negatives, Observer, ignore
from adar_viz.negatives import ADAR, AllItems, MixGCF, Uniform
from adar_viz.negatives.adar import DENOISER_ROWS
from adar_viz.transition import Fixed, Margin
from tests.contract.cases import DIM, World, adar


def own_scorer(query: Tensor, embedding: Tensor) -> Tensor:
    """Score so that more noise need not mean a lower score."""
    return torch.tanh(query[:, None] * embedding).sum(-1)


class Weighted:
    """Two uniform negatives, of which one counts."""

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        drawn = Uniform(2).sample(context)
        weight = torch.tensor([[1.0, 0.0]]).expand(drawn.item.shape)
        return Negatives(drawn.embedding, drawn.item, weight=weight, auxiliary={"five": torch.tensor(5.0)})


@pytest.mark.parametrize("level", [0.0, 0.3, 1.0])
def test_one_level_for_all_needs_no_law(level: float) -> None:
    world, sampler = World.new(), adar(target=Fixed(level), clamp=(0, 1))
    timestep = []
    for scorer in (None, own_scorer):
        context = world.context(scorer=scorer)
        sampler.refresh(context)
        found, wanted, _ = sampler.transition(context, sampler.scored_pair(context))
        assert found.unique().numel() == 1
        assert torch.all(wanted == level)
        timestep.append(int(found[0]))
    assert timestep[0] == timestep[1]


def test_a_timestep_that_was_bisected_is_announced_with_its_own_alpha_bar() -> None:
    world, sampler = World.new(), adar(target=Margin(1.0), clamp=(0, 1))
    context = world.context(scorer=own_scorer)
    sampler.refresh(context)
    timestep, wanted, _ = sampler.transition(context, sampler.scored_pair(context))
    assert torch.equal(wanted, sampler.alpha_bar[timestep])
    assert timestep.unique().numel() > 2


def test_what_stands_beside_keeps_its_weights_and_auxiliary_losses() -> None:
    drawn = adar(ground=None, beside=Weighted(), weight=0.5).sample(World.new().context())
    assert drawn.weight is not None
    assert torch.equal(drawn.weight.unique(dim=0), torch.tensor([[1.0, 0.0, 0.5]]))
    assert drawn.auxiliary == {"five": torch.tensor(5.0)}


def test_moments_are_those_of_the_backbone_that_was_measured_last() -> None:
    world, sampler = World.new(), adar()
    context = world.context()
    sampler.refresh(context)
    before = float(sampler.sigma)
    with torch.no_grad():
        world.item.mul_(10)
    sampler.refresh(context)  # the same epoch of the same training: nothing is measured
    assert float(sampler.sigma) == before
    sampler.catalogue.measure(world.context())
    assert float(sampler.sigma) == pytest.approx(10 * before)


@pytest.mark.parametrize("rows", [1, 3 * DENOISER_ROWS + 1])
def test_the_denoiser_learns_from_rows_of_the_whole_batch(rows: int, monkeypatch: pytest.MonkeyPatch) -> None:
    world, sampler, seen = World.new(), adar(source="reverse", ground=None), []

    def looked_at(denoiser: Any, x0: Tensor, *rest: Any, **options: Any) -> Tensor:
        seen.append(x0)
        return denoiser(x0, torch.ones(len(x0), dtype=torch.long), x0).sum()

    monkeypatch.setattr("adar_viz.negatives.adar.denoising_loss", looked_at)
    positive = torch.arange(rows) * 7 % len(world.item)
    user = torch.zeros(rows, dtype=torch.long)
    context = Context(user, positive, world.encoded(user), world.context().known, torch.Generator())
    sampler.refresh(context)
    sampler.update(context, Uniform().sample(context))
    expected = world.item.mean(-2)[positive[:: max(1, rows // DENOISER_ROWS)]] / sampler.sigma
    torch.testing.assert_close(seen[0], expected.detach())
    assert min(rows, DENOISER_ROWS) <= len(seen[0]) < 2 * DENOISER_ROWS


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ground": 3}, r"ground must be a negative sampler, such as Uniform\(16\); got 3"),
        ({"ground": Uniform}, "ground must be a negative sampler, .*; got <class"),
        ({"beside": None}, r"beside must be a negative sampler, such as Uniform\(1\); got None"),
        ({"target": "margin"}, r"target must be a score-aware function, such as Margin\(\); got 'margin'"),
        ({"target": Margin}, "target must be a score-aware function, .*; got <class"),
        ({"boundary": "quantile"}, "boundary must be a .*; got 'quantile'"),
        ({"source": 3}, "source must be one of forward, .*; got 3"),
        ({"clamp": (0.5,)}, r"clamp must be two shares of T, 0 <= low <= high <= 1; got \(0.5,\)"),
        ({"clamp": 0.5}, "clamp must be two shares of T, 0 <= low <= high <= 1; got 0.5"),
        ({"clamp": (0, 0.5, 1)}, r"clamp must be two shares .* got \(0, 0.5, 1\)"),
    ],
)
def test_impossible_options_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        ADAR(DIM, **options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"ground": MixGCF()}, "the pool must give items; got synthetic negatives from MixGCF"),
        ({"ground": AllItems()}, "the pool must give each row items of its own, all alike; AllItems does not"),
        ({"ground": None, "beside": AllItems()}, "beside must give each row negatives of its own"),
    ],
)
def test_pools_that_do_not_fit_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        adar(**options).sample(World.new().context())


def test_another_width_is_named() -> None:
    with pytest.raises(ValueError, match=f"dim must be that of the backbone, {DIM}; got {DIM + 1}"):
        ADAR(DIM + 1).sample(World.new().context())
