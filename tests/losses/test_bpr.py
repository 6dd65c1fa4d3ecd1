from __future__ import annotations

from math import exp, log1p

import pytest
import torch

from adar_viz.losses import BPR


def test_two_rows_by_hand() -> None:
    value = BPR()(torch.tensor([1.0, 0.0]), torch.tensor([[1.0, 3.0], [0.0, -2.0]]))
    expected = [(log1p(exp(0)) + log1p(exp(2))) / 2, (log1p(exp(0)) + log1p(exp(-2))) / 2]
    torch.testing.assert_close(value, torch.tensor(expected))


def test_a_weight_counts_like_repetition() -> None:
    positive, negative = torch.tensor([0.3]), torch.tensor([[1.0, -1.0]])
    weighted = BPR()(positive, negative, torch.tensor([[2.0, 1.0]]))
    torch.testing.assert_close(weighted, BPR()(positive, negative[:, [0, 0, 1]]))


def test_a_row_without_weight_takes_no_part() -> None:
    assert BPR()(torch.tensor([0.0]), torch.tensor([[1.0, 2.0]]), torch.zeros(1, 2)).tolist() == [0.0]


def test_far_scores_stay_finite_and_exact() -> None:
    value = BPR()(torch.tensor([1000.0, -1000.0]), torch.zeros(2, 1))
    assert value.tolist() == pytest.approx([0.0, 1000.0])
