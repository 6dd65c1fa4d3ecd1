"""What every backbone promises."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import nn

from adar_viz.core import NO_ITEM, Backbone, Batch, Encoded
from tests.contract.cases import BACKBONES, DIM, ITEMS, USERS, batch, seeded


@pytest.fixture(params=BACKBONES)
def make(request: pytest.FixtureRequest) -> Callable[[], Backbone]:
    return lambda: BACKBONES[request.param](seeded(0))


@pytest.fixture
def backbone(make: Callable[[], Backbone]) -> Backbone:
    """The backbone without its dropout."""
    made = make()
    assert isinstance(made, nn.Module)
    return made.eval()


@pytest.fixture
def rows(backbone: Backbone) -> Batch:
    return batch(history_length=backbone.history_length)


@pytest.fixture
def encoded(backbone: Backbone, rows: Batch) -> Encoded:
    return backbone(rows)


def parameters_of(backbone: Backbone) -> list[nn.Parameter]:
    assert isinstance(backbone, nn.Module)
    return list(backbone.parameters())


def test_it_tells_its_sizes(backbone: Backbone) -> None:
    assert (backbone.num_users, backbone.num_items, backbone.dim) == (USERS, ITEMS, DIM)
    assert isinstance(backbone, Backbone)


def test_shapes_and_dtypes(encoded: Encoded, rows: Batch) -> None:
    assert encoded.query.shape == (len(rows.user), DIM)
    assert encoded.table().shape == (ITEMS, DIM)
    assert encoded.lookup(torch.tensor(3)).shape == (DIM,)
    assert encoded.lookup(torch.zeros(2, 5, 4, dtype=torch.long)).shape == (2, 5, 4, DIM)
    assert encoded.query.dtype == encoded.table().dtype == torch.float32


def test_lookup_is_a_row_of_the_table(encoded: Encoded) -> None:
    item = torch.randint(ITEMS, (7, 3), generator=seeded(1))
    torch.testing.assert_close(encoded.lookup(item), encoded.table()[item])


def test_score_all_is_the_score_of_every_item(encoded: Encoded, rows: Batch) -> None:
    every = torch.arange(ITEMS).expand(len(rows.user), ITEMS)
    torch.testing.assert_close(encoded.score_all(), encoded.score(encoded.lookup(every)))


def test_a_row_does_not_depend_on_the_rows_beside_it(backbone: Backbone, rows: Batch, encoded: Encoded) -> None:
    if rows.history is None:
        alone, first = Batch(rows.user[:1], rows.positive[:1]), 1
    else:
        first = int((rows.history[0] != NO_ITEM).sum())
        alone = Batch(rows.user[:first], rows.positive[:first], rows.history[:1])
    torch.testing.assert_close(backbone(alone).query, encoded.query[:first])


def test_the_positive_is_not_read(backbone: Backbone, rows: Batch, encoded: Encoded) -> None:
    other = replace(rows, positive=(rows.positive + 1) % ITEMS)
    assert torch.equal(backbone(other).query, encoded.query)


def test_the_generator_decides_the_start(make: Callable[[], Backbone]) -> None:
    torch.manual_seed(0)
    first = parameters_of(make())
    torch.manual_seed(1)
    for mine, other in zip(first, parameters_of(make()), strict=True):
        assert torch.equal(mine, other)


def test_every_parameter_learns(backbone: Backbone, rows: Batch, encoded: Encoded) -> None:
    score = encoded.score(encoded.lookup(rows.positive)[:, None])
    weight = torch.randn(score.shape, generator=seeded(2))
    (weight * score).sum().backward()
    for parameter in parameters_of(backbone):
        assert parameter.grad is not None
        assert bool(parameter.grad.to_dense().any())


def test_layers_average_to_what_is_scored(encoded: Encoded, rows: Batch) -> None:
    if encoded.layers is None:
        pytest.skip("layers are optional, and this backbone has none")
    item = torch.arange(ITEMS)
    torch.testing.assert_close(encoded.layers(None, item).mean(-2), encoded.lookup(item))
    torch.testing.assert_close(encoded.layers(rows.user, None).mean(-2), encoded.query)


def negatives_for(rows: Batch, k: int = 3) -> torch.Tensor:
    return torch.randint(ITEMS, (len(rows.user), k), generator=seeded(3))


def test_l2_ignores_no_item(backbone: Backbone, rows: Batch) -> None:
    negative = negatives_for(rows)
    beside = torch.cat([negative, torch.full_like(negative[:, :2], NO_ITEM)], dim=1)
    torch.testing.assert_close(backbone.l2(rows, beside), backbone.l2(rows, negative))
    without = backbone.l2(rows, torch.full_like(negative, NO_ITEM))
    assert 0 < float(without.detach()) < float(backbone.l2(rows, negative).detach())


def test_l2_counts_the_mean_of_a_rows_negatives(backbone: Backbone, rows: Batch) -> None:
    negative = negatives_for(rows)
    alone = torch.stack([backbone.l2(rows, negative[:, [j]]) for j in range(3)])
    torch.testing.assert_close(backbone.l2(rows, negative), alone.mean())
    assert backbone.l2(rows, negative).shape == ()


def test_l2_is_half_a_squared_norm(backbone: Backbone, rows: Batch) -> None:
    """Doubling every embedding quadruples it; its gradient is what it is made from."""
    negative, doubled = negatives_for(rows), copy.deepcopy(backbone)
    with torch.no_grad():
        for parameter in parameters_of(doubled):
            parameter.mul_(2)
    torch.testing.assert_close(doubled.l2(rows, negative), 4 * backbone.l2(rows, negative))
    backbone.l2(rows, negative).backward()
    used = [p for p in parameters_of(backbone) if p.grad is not None]
    along = sum(float((p.grad.to_dense() * p.detach()).sum()) for p in used if p.grad is not None)
    assert along == pytest.approx(2 * float(backbone.l2(rows, negative).detach()), rel=1e-4)
