"""What every negative sampler promises."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields

import pytest
import torch
from torch import Tensor

from adar_viz.core import Negatives, NegativeSampler, Updatable, ignore
from adar_viz.events import Event, Mixed
from tests.contract.cases import DIM, ITEMS, ROWS, SAMPLERS, World

Make = Callable[[], NegativeSampler]


@pytest.fixture(params=SAMPLERS)
def make(request: pytest.FixtureRequest) -> Make:
    return SAMPLERS[request.param]


def parts(negatives: Negatives) -> dict[str, Tensor]:
    """All tensors of the negatives, by name, copied."""
    named = {f.name: getattr(negatives, f.name) for f in fields(negatives)}
    named |= {f"auxiliary {name}": value for name, value in named.pop("auxiliary").items()}
    return {name: value.detach().clone() for name, value in named.items() if value is not None}


def assert_same(first: dict[str, Tensor], second: dict[str, Tensor]) -> None:
    assert first.keys() == second.keys()
    for name in first:
        assert torch.equal(first[name], second[name]), name


def tensors_of(event: Event) -> list[Tensor]:
    values = [getattr(event, f.name) for f in fields(event)]
    return [value for value in values if isinstance(value, Tensor)]


def test_shapes_and_dtypes(make: Make) -> None:
    drawn = make().sample(World.new().context())
    k = drawn.item.shape[1]
    assert k >= 1
    assert drawn.item.shape == (ROWS, k)
    assert drawn.item.dtype == torch.long
    assert drawn.embedding.shape == (ROWS, k, DIM)
    assert drawn.embedding.dtype == torch.float32
    assert bool(drawn.embedding.isfinite().all())
    assert bool(((drawn.item >= -1) & (drawn.item < ITEMS)).all())
    if drawn.log_prob is not None:
        assert drawn.log_prob.shape == (ROWS, k)
        assert drawn.log_prob.dtype == torch.float32
        assert bool((drawn.log_prob[drawn.item >= 0] <= 1e-6).all())
    if drawn.weight is not None:
        assert drawn.weight.shape == (ROWS, k)
        assert bool(((drawn.weight >= 0) & drawn.weight.isfinite()).all())
    assert all(value.shape == () and bool(value.isfinite()) for value in drawn.auxiliary.values())


def test_a_real_negative_has_its_items_embedding(make: Make) -> None:
    context = World.new().context()
    drawn = make().sample(context)
    real = drawn.item >= 0
    torch.testing.assert_close(drawn.embedding[real], context.encoded.lookup(drawn.item[real]))


def test_no_known_positive_is_ever_drawn(make: Make) -> None:
    world, sampler = World.new(), make()
    for seed in range(12):
        context = world.context(seed=seed)
        drawn = sampler.sample(context)
        assert not bool(context.known.contains(context.user[:, None].expand_as(drawn.item), drawn.item).any())


def test_watching_changes_nothing(make: Make) -> None:
    unwatched, watched = World.new().context(), World.new().context()
    expected = parts(make().sample(unwatched))
    seen: list[Event] = []
    assert_same(parts(make().sample(watched, observe=seen.append)), expected)
    assert torch.equal(watched.generator.get_state(), unwatched.generator.get_state())
    assert seen
    assert all(not tensor.requires_grad for event in seen for tensor in tensors_of(event))


@pytest.mark.parametrize("name", [name for name, make in SAMPLERS.items() if isinstance(make(), Updatable)])
def test_watching_changes_no_update(name: str) -> None:
    """Nor the draw after it."""
    outcomes = []
    for observe in (ignore, lambda event: None):
        context, sampler = World.new().context(), SAMPLERS[name]()
        assert isinstance(sampler, Updatable)
        report = sampler.update(context, sampler.sample(context, observe=observe))
        again = parts(sampler.sample(context, observe=observe))
        outcomes.append(({key: float(value) for key, value in report.items()}, again, context.generator.get_state()))
    (report, again, state), (watched_report, watched_again, watched_state) = outcomes
    assert watched_report == report
    assert_same(watched_again, again)
    assert torch.equal(watched_state, state)


def test_zeroing_what_was_seen_changes_nothing_later(make: Make) -> None:
    world, sampler, twin = World.new(), make(), make()
    before = [table.detach().clone() for table in (world.user, world.item)]
    seen: list[Event] = []
    sampler.sample(world.context(seed=1), observe=seen.append)
    twin.sample(world.context(seed=1))
    with torch.no_grad():
        for event in seen:
            for tensor in tensors_of(event):
                tensor.zero_()
    assert torch.equal(world.user, before[0])
    assert torch.equal(world.item, before[1])
    assert_same(parts(sampler.sample(world.context(seed=2))), parts(twin.sample(world.context(seed=2))))


def test_the_generator_decides_everything(make: Make) -> None:
    world = World.new()
    torch.manual_seed(0)
    first = parts(make().sample(world.context(seed=3)))
    torch.manual_seed(1)
    assert_same(parts(make().sample(world.context(seed=3))), first)
    other = parts(make().sample(world.context(seed=4)))
    assert not torch.equal(other["embedding"], first["embedding"])


def test_gradient_reaches_the_items_in_the_negatives_and_nothing_else(make: Make) -> None:
    """An item drawn, or announced as a part of a mixture; what diffusion made is detached."""
    world = World.new()
    seen: list[Event] = []
    drawn = make().sample(world.context(), observe=seen.append)
    inside = set(drawn.item[drawn.item >= 0].tolist())
    for event in seen:
        if isinstance(event, Mixed):
            inside |= set(event.item[event.weight > 0].tolist())
    assert drawn.embedding.requires_grad is bool(inside)
    if inside:
        drawn.embedding.sum().backward()  # type: ignore[no-untyped-call]
        assert world.item.grad is not None
        assert set(world.item.grad.abs().sum((1, 2)).nonzero()[:, 0].tolist()) == inside
    assert world.user.grad is None or not bool(world.user.grad.any())


def test_sampling_and_updating_leave_the_recommender_alone(make: Make) -> None:
    world, sampler = World.new(), make()
    before = [table.detach().clone() for table in (world.user, world.item)]
    context = world.context()
    drawn = sampler.sample(context)
    if isinstance(sampler, Updatable):
        sampler.update(context, drawn)
    assert world.user.grad is None
    assert world.item.grad is None
    assert torch.equal(world.user, before[0])
    assert torch.equal(world.item, before[1])


def test_any_scorer_will_do(make: Make) -> None:
    def closeness(query: Tensor, embedding: Tensor) -> Tensor:
        return -(query[:, None] - embedding).square().sum(-1)

    context = World.new().context(scorer=closeness)
    drawn = make().sample(context, observe=lambda event: None)
    assert drawn.embedding.shape[::2] == (ROWS, DIM)
    assert bool(drawn.embedding.isfinite().all())


def test_a_batch_without_rows_is_no_special_case(make: Make) -> None:
    world = World.new()
    full = world.context()
    none = full.user[:0]
    drawn = make().sample(type(full)(none, none, world.encoded(none), full.known, full.generator))
    assert len(drawn.item) == len(drawn.embedding) == 0
