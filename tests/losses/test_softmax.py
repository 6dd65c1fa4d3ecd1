from __future__ import annotations

from math import exp, log

import pytest
import torch
from torch.nn.functional import cross_entropy

from adar_viz.losses import Softmax


def scores(k: int = 6) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, generator=generator), torch.randn(5, k, generator=generator)


def test_one_row_by_hand() -> None:
    value = Softmax(temperature=0.5)(torch.tensor([1.0]), torch.tensor([[0.0, 2.0]]))
    assert float(value) == pytest.approx(-log(exp(2) / (exp(2) + exp(0) + exp(4))), rel=1e-6)


def test_it_is_torchs_cross_entropy() -> None:
    positive, negative = scores()
    first = torch.zeros(5, dtype=torch.long)
    expected = cross_entropy(torch.cat([positive[:, None], negative], 1) / 0.2, first, reduction="none")
    torch.testing.assert_close(Softmax(temperature=0.2)(positive, negative), expected)


def test_whole_weights_are_copies() -> None:
    positive, negative = scores(2)
    weight = torch.tensor([[3.0, 1.0]]).expand(5, 2)  # averages 2: half as many copies, and half of the others
    by_hand = (positive.exp() + 1.5 * negative[:, 0].exp() + 0.5 * negative[:, 1].exp()).log() - positive
    torch.testing.assert_close(Softmax()(positive, negative, weight), by_hand)


def test_a_weight_of_zero_is_as_if_the_negative_were_not_there() -> None:
    positive, negative = scores()
    weight = torch.ones_like(negative)
    weight[:, 3:] = 0
    torch.testing.assert_close(Softmax()(positive, negative, weight), Softmax()(positive, negative[:, :3]))


def test_log_q_estimates_the_full_sum_without_bias() -> None:
    """However unevenly the negatives are drawn: the mean of the estimated sum is the sum over all items."""
    generator = torch.Generator().manual_seed(1)
    item_score = torch.randn(12, generator=generator)
    q = torch.softmax(torch.randn(12, generator=generator), 0)
    drawn = torch.multinomial(q, 40_000 * 5, replacement=True, generator=generator).reshape(40_000, 5)
    positive = torch.zeros(40_000)
    value = Softmax(log_q=True)(positive, item_score[drawn], log_prob=q.log()[drawn])
    estimate = value.exp() - 1  # minus the positive's own e^0
    error = estimate.std() / 40_000**0.5
    assert abs(float(estimate.mean() - item_score.exp().sum())) < 4 * float(error)
    uncorrected = (Softmax()(positive, item_score[drawn]).exp() - 1) * 12 / 5
    assert abs(float(uncorrected.mean() - item_score.exp().sum())) > 10 * float(uncorrected.std() / 40_000**0.5)


def test_log_q_changes_nothing_when_every_item_was_drawn_once() -> None:
    positive, negative = scores()
    uniform = torch.full_like(negative, -log(negative.shape[1]))
    torch.testing.assert_close(Softmax(log_q=True)(positive, negative, None, uniform), Softmax()(positive, negative))


def test_log_q_of_a_row_without_weight_is_0() -> None:
    positive, negative = scores()
    value = Softmax(log_q=True)(positive, negative, torch.zeros_like(negative), torch.zeros_like(negative))
    torch.testing.assert_close(value, torch.zeros_like(positive))


def test_log_q_without_log_probabilities_is_refused() -> None:
    with pytest.raises(ValueError, match="log_q needs the log-probability of every negative"):
        Softmax(log_q=True)(*scores())


def test_a_temperature_of_zero_is_refused() -> None:
    with pytest.raises(ValueError, match=r"temperature must be above 0; got 0\.0"):
        Softmax(temperature=0.0)
