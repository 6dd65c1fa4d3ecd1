from __future__ import annotations

from math import exp, log

import pytest
import torch
from torch.nn.functional import binary_cross_entropy_with_logits

from adar_viz.losses import BCE


def sigmoid(x: float) -> float:
    return 1 / (1 + exp(-x))


def test_two_rows_by_hand() -> None:
    value = BCE()(torch.tensor([1.0, -0.5]), torch.tensor([[0.2, 3.0], [0.0, -2.0]]))
    expected = [
        -(log(sigmoid(1.0)) + log(1 - sigmoid(0.2)) + log(1 - sigmoid(3.0))) / 3,
        -(log(sigmoid(-0.5)) + log(1 - sigmoid(0.0)) + log(1 - sigmoid(-2.0))) / 3,
    ]
    torch.testing.assert_close(value, torch.tensor(expected))


def test_it_is_torchs_over_all_terms() -> None:
    generator = torch.Generator().manual_seed(0)
    positive, negative = torch.randn(6, generator=generator), torch.randn(6, 4, generator=generator)
    score = torch.cat([positive[:, None], negative], 1)
    label = torch.zeros_like(score)
    label[:, 0] = 1
    torch.testing.assert_close(BCE()(positive, negative).mean(), binary_cross_entropy_with_logits(score, label))


def test_a_weight_counts_like_repetition_of_the_same_number() -> None:
    positive, negative = torch.tensor([0.3]), torch.tensor([[1.0, -1.0]])
    weighted = BCE()(positive, negative, torch.tensor([[2.0, 1.0]]))
    by_hand = (-log(sigmoid(0.3)) - 2 * (2 * log(1 - sigmoid(1.0)) + log(1 - sigmoid(-1.0))) / 3) / 3
    assert float(weighted) == pytest.approx(by_hand)


def test_a_weight_of_zero_is_as_if_the_negative_were_not_there() -> None:
    positive, negative = torch.tensor([0.3]), torch.tensor([[1.0, -1.0]])
    torch.testing.assert_close(BCE()(positive, negative, torch.tensor([[1.0, 0.0]])), BCE()(positive, negative[:, :1]))
