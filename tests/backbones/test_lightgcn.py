from __future__ import annotations

import numpy as np
import pytest
import torch

from adar_viz.backbones import LightGCN
from adar_viz.core import NO_ITEM, Batch

USER = torch.tensor([0, 0, 1, 2, 2, 2, 0])  # the last pair repeats the second
ITEM = torch.tensor([1, 3, 3, 0, 1, 3, 3])
USERS, ITEMS = 4, 5  # user 3 and items 2 and 4 have no pairs
BATCH = Batch(torch.tensor([0, 2, 3]), torch.tensor([1, 0, 4]))


def made(num_layers: int = 3, seed: int = 0, dim: int = 6) -> LightGCN:
    generator = torch.Generator().manual_seed(seed)
    return LightGCN(USERS, ITEMS, USER, ITEM, dim, num_layers, std=1.0, generator=generator)


def naive_layers(gcn: LightGCN) -> torch.Tensor:
    """Layers by a dense matrix, built pair by pair; differentiable, for comparison of gradients too."""
    adjacency = torch.zeros(USERS + ITEMS, USERS + ITEMS)
    for u, i in zip(USER.tolist(), ITEM.tolist(), strict=True):
        adjacency[u, USERS + i] = adjacency[USERS + i, u] = 1
    degree = adjacency.sum(1)
    scale = torch.tensor([d**-0.5 if d else 0.0 for d in degree.tolist()])
    smooth = scale[:, None] * adjacency * scale
    layers = [torch.cat([gcn.users.weight, gcn.items.weight])]
    for _ in range(gcn.num_layers):
        layers.append(smooth @ layers[-1])
    return torch.stack(layers, 1)


@pytest.mark.parametrize("num_layers", [0, 1, 3])
def test_values_and_gradients_are_those_of_the_dense_matrix(num_layers: int) -> None:
    gcn = made(num_layers)
    final = naive_layers(gcn).mean(1)
    encoded = gcn(BATCH)
    torch.testing.assert_close(encoded.query, final[BATCH.user])
    torch.testing.assert_close(encoded.table(), final[USERS:])
    torch.testing.assert_close(encoded.lookup(ITEM[:, None]), final[USERS + ITEM][:, None])
    weight = torch.randn(3, ITEMS, generator=torch.Generator().manual_seed(1))
    parameters = list(gcn.parameters())
    expected = torch.autograd.grad((weight * (final[BATCH.user] @ final[USERS:].T)).sum(), parameters)
    found = torch.autograd.grad((weight * encoded.score_all()).sum(), parameters)
    for a, b in zip(expected, found, strict=True):
        torch.testing.assert_close(a, b)


def test_layers_are_given_hop_by_hop_and_average_to_what_is_scored() -> None:
    gcn = made()
    layers, encoded = naive_layers(gcn), gcn(BATCH)
    assert encoded.layers is not None
    torch.testing.assert_close(encoded.layers(BATCH.user, None), layers[BATCH.user])
    item = torch.tensor([[1, 4], [0, 2]])
    torch.testing.assert_close(encoded.layers(None, item), layers[USERS + item])
    torch.testing.assert_close(encoded.layers(None, item).mean(-2), encoded.lookup(item))
    with pytest.raises(ValueError, match="got neither"):
        encoded.layers(None, None)
    with pytest.raises(ValueError, match="got both"):
        encoded.layers(BATCH.user, item)


def test_l2_is_on_layer_0() -> None:
    gcn = made().requires_grad_(False)
    negative = torch.tensor([[1, 2], [3, NO_ITEM], [NO_ITEM, NO_ITEM]])
    expected = 0.0
    for user, positive, row in zip(BATCH.user, BATCH.positive, negative.tolist(), strict=True):
        real = [float(gcn.items.weight[i].square().sum()) for i in row if i != NO_ITEM]
        own = float(gcn.users.weight[user].square().sum() + gcn.items.weight[positive].square().sum())
        expected += (own + (sum(real) / len(real) if real else 0.0)) / 2 / 3
    torch.testing.assert_close(gcn.l2(BATCH, negative), torch.tensor(expected))


def test_evaluation_propagates_once() -> None:
    gcn = made().eval()
    with torch.no_grad():
        first = gcn._propagated()
        assert gcn._propagated() is first
    assert gcn._propagated() is not first  # with gradients: a fresh graph


@pytest.mark.parametrize("change", ["step", "load", "data"])
def test_the_kept_table_is_never_stale(change: str) -> None:
    gcn, other = made().eval(), made(seed=1)
    with torch.no_grad():
        before = gcn(BATCH).table().clone()
    if change == "step":  # without ever leaving evaluation mode, and fused: one kernel writes all weights
        optimizer = torch.optim.Adam(gcn.parameters(), lr=0.1, fused=True)
        gcn(BATCH).score_all().sum().backward()
        with torch.no_grad():
            gcn(BATCH)  # kept once more between the gradient and the step
        optimizer.step()
    elif change == "load":
        gcn.load_state_dict(other.state_dict())
    else:  # a write that torch does not count
        gcn.items.weight.data.add_(1.0)
    with torch.no_grad():
        after = gcn(BATCH).table()
    assert not torch.allclose(before, after)
    torch.testing.assert_close(after, naive_layers(gcn).detach().mean(1)[USERS:])


def test_the_graph_is_data_and_not_saved() -> None:
    assert set(made().state_dict()) == {"users.weight", "items.weight"}


def test_arrays_and_tensors_make_the_same_graph() -> None:
    from_arrays = LightGCN(USERS, ITEMS, USER.numpy().astype(np.int32), ITEM.numpy(), 6)
    assert torch.equal(from_arrays.neighbour, made().neighbour)
    assert torch.equal(from_arrays.share, made().share)


def test_a_graph_without_pairs_leaves_layer_0_alone() -> None:
    none = torch.zeros(0, dtype=torch.long)
    gcn = LightGCN(2, 3, none, none, 4, 1).requires_grad_(False)
    torch.testing.assert_close(gcn(Batch(torch.tensor([1]), torch.tensor([0]))).table(), gcn.items.weight / 2)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"dim": 0}, "dim must be at least 1; got 0"),
        ({"num_layers": -1}, "num_layers must be at least 0; got -1"),
        ({"std": -1.0}, "std must be above 0; got -1.0"),
        ({"num_users": 2}, r"user ids must lie in \[0, 2\); got 0 to 2"),
        ({"num_items": 3}, r"item ids must lie in \[0, 3\); got 0 to 3"),
        ({"item": ITEM[:-1]}, "user and item must be equally long; got 7 and 6"),
    ],
)
def test_impossible_arguments_are_refused(changed: dict[str, object], message: str) -> None:
    arguments = {"num_users": USERS, "num_items": ITEMS, "user": USER, "item": ITEM, **changed}
    with pytest.raises(ValueError, match=message):
        LightGCN(**arguments)  # type: ignore[arg-type]
