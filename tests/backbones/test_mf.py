from __future__ import annotations

import pytest
import torch

from adar_viz.backbones import MF
from adar_viz.core import NO_ITEM, Batch

BATCH = Batch(torch.tensor([0, 2, 2]), torch.tensor([1, 0, 4]))


def test_the_score_is_the_inner_product() -> None:
    mf = MF(3, 5, 4).requires_grad_(False)
    score = mf(BATCH).score(mf.item.weight[None].expand(3, 5, 4))
    expected = [[float(mf.user.weight[u] @ mf.item.weight[i]) for i in range(5)] for u in (0, 2, 2)]
    torch.testing.assert_close(score, torch.tensor(expected))


def test_l2_is_the_naive_sum() -> None:
    mf = MF(3, 5, 4, std=1.0).requires_grad_(False)
    negative = torch.tensor([[1, 2], [3, NO_ITEM], [NO_ITEM, NO_ITEM]])
    expected = 0.0
    for user, positive, row in zip(BATCH.user, BATCH.positive, negative.tolist(), strict=True):
        real = [float(mf.item.weight[i].square().sum()) for i in row if i != NO_ITEM]
        own = float(mf.user.weight[user].square().sum() + mf.item.weight[positive].square().sum())
        expected += (own + (sum(real) / len(real) if real else 0.0)) / 2 / 3
    torch.testing.assert_close(mf.l2(BATCH, negative), torch.tensor(expected))


@pytest.mark.parametrize("sparse", [True, False])
def test_gradients_have_the_asked_layout_and_the_same_values(sparse: bool) -> None:
    mf = MF(3, 5, 4, sparse=sparse, generator=torch.Generator().manual_seed(0))
    (mf(BATCH).score(mf.item(BATCH.positive)[:, None]).sum() + mf.l2(BATCH, torch.tensor([[2], [2], [3]]))).backward()
    assert mf.item.weight.grad is not None
    assert mf.item.weight.grad.is_sparse is sparse
    gradient = mf.item.weight.grad.to_dense()
    weight = mf.item.weight.detach()
    torch.testing.assert_close(gradient[2], 2 * weight[2] / 3)
    torch.testing.assert_close(gradient[1], mf.user.weight[0].detach() + weight[1] / 3)


def test_the_generator_decides_the_start() -> None:
    first, second = (MF(3, 5, 4, generator=torch.Generator().manual_seed(7)) for _ in range(2))
    assert torch.equal(first.user.weight, second.user.weight)
    assert torch.equal(first.item.weight, second.item.weight)
    assert float(MF(500, 500, std=0.3).item.weight.detach().std()) == pytest.approx(0.3, rel=0.02)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"num_users": 0}, "num_users must be at least 1; got 0"),
        ({"dim": -1}, "dim must be at least 1; got -1"),
        ({"std": 0.0}, "std must be above 0; got 0.0"),
    ],
)
def test_impossible_sizes_are_refused(arguments: dict[str, int], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        MF(**{"num_users": 3, "num_items": 5, **arguments})
