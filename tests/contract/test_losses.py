"""What every loss promises."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from adar_viz.core import Loss
from tests.contract.cases import LOSSES, NaiveLoss, seeded

ROWS, K = 20, 4


@pytest.fixture(params=LOSSES)
def case(request: pytest.FixtureRequest) -> tuple[Loss, NaiveLoss]:
    make, naive = LOSSES[request.param]
    return make(), naive


@pytest.fixture
def loss(case: tuple[Loss, NaiveLoss]) -> Loss:
    return case[0]


@pytest.fixture
def scores() -> tuple[Tensor, Tensor, Tensor]:
    generator = seeded(0)
    positive, negative = torch.randn(ROWS, generator=generator), torch.randn(ROWS, K, generator=generator)
    return positive, negative, torch.rand(ROWS, K, generator=generator) + 0.1


def test_one_value_a_row(loss: Loss, scores: tuple[Tensor, Tensor, Tensor]) -> None:
    positive, negative, weight = scores
    for value in (loss(positive, negative), loss(positive, negative, weight), loss(positive, negative[:, :1])):
        assert value.shape == (ROWS,)
        assert value.dtype == torch.float32
        assert bool(value.isfinite().all())


def test_it_is_the_naive_loop(case: tuple[Loss, NaiveLoss], scores: tuple[Tensor, Tensor, Tensor]) -> None:
    loss, naive = case
    positive, negative, weight = scores
    for given in (None, weight):
        share = torch.full_like(weight, 1 / K) if given is None else weight / weight.sum(1, keepdim=True)
        rows = zip(positive.tolist(), negative.tolist(), share.tolist(), strict=True)
        expected = torch.tensor([naive(*row) for row in rows])
        torch.testing.assert_close(loss(positive, negative, given), expected, rtol=1e-4, atol=1e-5)


def test_it_falls_as_the_margin_grows(loss: Loss, scores: tuple[Tensor, Tensor, Tensor]) -> None:
    """With the positive's score, and against that of each negative, all else fixed."""
    positive, negative = (x.requires_grad_() for x in scores[:2])
    loss(positive, negative).sum().backward()
    assert positive.grad is not None
    assert negative.grad is not None
    assert bool((positive.grad < 0).all())
    assert bool((negative.grad >= 0).all())
    assert bool((negative.grad.sum(1) > 0).all())
    wider = loss(positive + 0.5, negative - 0.5)
    assert bool((wider < loss(positive, negative)).all())


def test_equal_weights_are_no_weights(loss: Loss, scores: tuple[Tensor, Tensor, Tensor]) -> None:
    positive, negative, _ = scores
    torch.testing.assert_close(loss(positive, negative, torch.full_like(negative, 0.3)), loss(positive, negative))


def test_only_relative_weights_count(loss: Loss, scores: tuple[Tensor, Tensor, Tensor]) -> None:
    positive, negative, weight = scores
    torch.testing.assert_close(loss(positive, negative, 7 * weight), loss(positive, negative, weight))


def test_a_negative_without_weight_takes_no_part(loss: Loss, scores: tuple[Tensor, Tensor, Tensor]) -> None:
    positive, negative, weight = scores
    weight[:, 1], other = 0, negative.clone()
    other[:, 1] += 3
    torch.testing.assert_close(loss(positive, other, weight), loss(positive, negative, weight))


def test_a_row_without_weight_takes_no_part(loss: Loss, scores: tuple[Tensor, Tensor, Tensor]) -> None:
    positive, negative, weight = scores
    weight[3] = 0
    negative.requires_grad_()
    value = loss(positive, negative, weight)
    value.sum().backward()
    assert float(value[3].detach()) == 0
    assert negative.grad is not None
    assert bool(negative.grad.isfinite().all())
    assert not bool(negative.grad[3].any())


def test_rows_do_not_mix(loss: Loss, scores: tuple[Tensor, Tensor, Tensor]) -> None:
    positive, negative, _ = scores
    alone = torch.cat([loss(positive[[i]], negative[[i]]) for i in range(ROWS)])
    torch.testing.assert_close(loss(positive, negative), alone)


def test_far_scores_stay_finite(loss: Loss) -> None:
    """Their value and gradient, at margins where a naive exp overflows."""
    positive = torch.tensor([1e3, -1e3], requires_grad=True)
    value = loss(positive, torch.zeros(2, K))
    value.sum().backward()
    assert positive.grad is not None
    assert bool(value.isfinite().all())
    assert bool(positive.grad.isfinite().all())
    assert float(value[0].detach()) < float(value[1].detach())
