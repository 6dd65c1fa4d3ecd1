from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from adar_viz.core import Context
from adar_viz.losses import Softmax
from adar_viz.negatives.everything import AllItems
from tests.contract.cases import BACKBONES, ITEMS, LOSSES, World, batch, known, seeded


@pytest.mark.parametrize("name", BACKBONES)
def test_softmax_over_it_is_the_full_cross_entropy(name: str) -> None:
    """Value and gradient, through every backbone."""
    backbone = BACKBONES[name](seeded(0))
    assert isinstance(backbone, nn.Module)
    backbone.eval()
    rows = batch(history_length=backbone.history_length)

    def gradient(value: Tensor) -> list[Tensor]:
        backbone.zero_grad()
        value.mean().backward()  # type: ignore[no-untyped-call]
        return [p.grad.to_dense().clone() for p in backbone.parameters() if p.grad is not None]

    expected = cross_entropy(backbone(rows).score_all(), rows.positive, reduction="none")
    encoded = backbone(rows)
    drawn = AllItems().sample(Context(rows.user, rows.positive, encoded, known(), seeded(1)))
    positive = encoded.score(encoded.lookup(rows.positive).unsqueeze(1)).squeeze(1)
    found = Softmax()(positive, encoded.score(drawn.embedding), drawn.weight)
    torch.testing.assert_close(found, expected)
    for a, b in zip(gradient(expected), gradient(found), strict=True):
        torch.testing.assert_close(a, b, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_takes_it(name: str) -> None:
    context = World.new().context()
    drawn = AllItems().sample(context)
    score = context.encoded.score(drawn.embedding)
    assert score.shape == (len(context.user), ITEMS)
    value = LOSSES[name][0]()(score.gather(1, context.positive[:, None])[:, 0], score, drawn.weight)
    assert bool(value.isfinite().all())


def test_a_scorer_of_its_own_sees_the_table_row_by_row() -> None:
    def closeness(query: Tensor, embedding: Tensor) -> Tensor:
        return -(query[:, None] - embedding).square().sum(-1)

    context = World.new().context(scorer=closeness)
    drawn = AllItems().sample(context)
    torch.testing.assert_close(context.encoded.score(drawn.embedding), context.encoded.score_all())


@pytest.mark.parametrize("name", BACKBONES)
def test_l2_counts_the_mean_over_the_catalogue(name: str) -> None:
    backbone = BACKBONES[name](seeded(0))
    rows = batch(history_length=backbone.history_length)
    shared = torch.arange(ITEMS).unsqueeze(0)
    torch.testing.assert_close(backbone.l2(rows, shared), backbone.l2(rows, shared.expand(len(rows.user), -1)))


def test_no_rows_are_no_special_case() -> None:
    world = World.new()
    full = world.context()
    none = full.user[:0]
    drawn = AllItems().sample(Context(none, none, world.encoded(none), full.known, full.generator))
    assert drawn.weight is not None
    assert drawn.weight.shape == (0, ITEMS)
