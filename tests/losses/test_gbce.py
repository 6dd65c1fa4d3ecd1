from __future__ import annotations

from math import exp, log

import pytest
import torch

from adar_viz.losses import BCE, GBCE


def scores() -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(0)
    return torch.randn(5, generator=generator), torch.randn(5, 4, generator=generator)


def test_without_calibration_it_is_bce() -> None:
    torch.testing.assert_close(GBCE(100, t=0.0)(*scores()), BCE()(*scores()))


def test_with_every_item_sampled_it_is_bce_too() -> None:
    torch.testing.assert_close(GBCE(5, t=0.75)(*scores()), BCE()(*scores()))


def test_the_papers_formula_by_hand() -> None:
    positive, negative = scores()
    num_items, t, k = 41, 0.75, 4
    a = k / (num_items - 1)
    beta = a * (t * (1 - 1 / a) + 1 / a)
    expected = []
    for p, row in zip(positive.tolist(), negative.tolist(), strict=True):
        likely = [(1 / (1 + exp(-p))) ** beta, *(1 - 1 / (1 + exp(-n)) for n in row)]
        expected.append(-sum(log(x) for x in likely) / (k + 1))
    torch.testing.assert_close(GBCE(num_items, t)(positive, negative), torch.tensor(expected))


def test_full_calibration_finds_the_true_probability() -> None:
    """One item in ten is chosen at random: with t = 1 the best score is its log-odds, whatever was sampled."""
    num_items, k, chosen = 10, 3, 1 / 10
    score = torch.linspace(-6, 4, 10_001)
    # As a positive, an item comes once in ten rows; as one of k negatives, in the rows of the other items.
    as_negative = (1 - chosen) * k / (num_items - 1)
    loss = GBCE(num_items, t=1.0)
    far = torch.full((len(score), k), -1e3)  # negatives that add nothing
    positive_part = loss(score, far)
    negative_part = loss(torch.full_like(score, 1e3), torch.cat([score[:, None], far[:, 1:]], 1))
    best = score[(chosen * positive_part + as_negative * negative_part).argmin()]
    assert float(best) == pytest.approx(log(chosen / (1 - chosen)), abs=2e-3)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [((1,), "num_items must be at least 2; got 1"), ((10, 1.2), r"t must lie in \[0, 1\]; got 1.2")],
)
def test_impossible_options_are_refused(arguments: tuple[float, ...], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        GBCE(*arguments)  # type: ignore[arg-type]
