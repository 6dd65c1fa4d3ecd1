"""Every sampler trains every backbone with every loss."""

from __future__ import annotations

import pytest
from torch import nn

from adar_viz.core import Context, Updatable
from tests.contract.cases import BACKBONES, LOSSES, SAMPLERS, batch, known, seeded


@pytest.mark.parametrize("loss_name", LOSSES)
@pytest.mark.parametrize("backbone_name", BACKBONES)
@pytest.mark.parametrize("sampler_name", SAMPLERS)
def test_a_step_has_a_finite_value_and_gradient(sampler_name: str, backbone_name: str, loss_name: str) -> None:
    sampler, backbone, loss = SAMPLERS[sampler_name](), BACKBONES[backbone_name](seeded(0)), LOSSES[loss_name][0]()
    assert isinstance(backbone, nn.Module)
    rows = batch(history_length=backbone.history_length)
    encoded = backbone.train()(rows)
    context = Context(rows.user, rows.positive, encoded, known(), seeded(1))
    negatives = sampler.sample(context)
    positive = encoded.score(encoded.lookup(rows.positive).unsqueeze(1)).squeeze(1)
    value = loss(positive, encoded.score(negatives.embedding), negatives.weight).mean()
    (value + sum(negatives.auxiliary.values()) + backbone.l2(rows, negatives.item)).backward()
    if isinstance(sampler, Updatable):
        sampler.update(context, negatives)
    assert bool(value.isfinite())
    for name, parameter in backbone.named_parameters():
        assert parameter.grad is not None, name
        gradient = parameter.grad.to_dense()
        assert bool(gradient.isfinite().all()), name
        assert bool(gradient.any()), name
