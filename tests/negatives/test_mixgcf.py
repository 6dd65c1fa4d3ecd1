from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from adar_viz.core import NO_ITEM, Context, Encoded, Negatives, Observer, ignore
from adar_viz.events import Event, Mixed
from adar_viz.known import KnownPositives
from adar_viz.negatives import MixGCF, Uniform

# Two layers of four items; with the query (1, 0) a layer's score is its first coordinate.
LAYERS = torch.tensor(
    [
        [[5.0, 1.0], [0.0, 2.0]],  # best in layer 0
        [[0.0, 3.0], [7.0, 4.0]],  # best in layer 1
        [[4.0, 5.0], [4.0, 6.0]],  # best on average
        [[1.0, 9.0], [2.0, 8.0]],  # the positive
    ]
)
POSITIVE = 3


@dataclass(frozen=True)
class These:
    """A pool of the same items for every row."""

    items: tuple[int, ...]

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        item = torch.tensor(self.items).expand(len(context.user), -1)
        return Negatives(context.encoded.lookup(item), item)


def context_for(rows: int, layers: Tensor = LAYERS, *, with_layers: bool = True, seed: int = 0) -> Context:
    def by_layer(user: Tensor | None, item: Tensor | None) -> Tensor:
        assert item is not None
        return layers[item]

    encoded = Encoded(
        torch.tensor([[1.0, 0.0]]).expand(rows, 2),
        lambda ids: layers[ids].mean(-2),
        lambda: layers.mean(-2),
        layers=by_layer if with_layers else None,
    )
    user, nobody = torch.zeros(rows).long(), torch.zeros(0).long()
    known = KnownPositives.from_pairs(nobody, nobody, num_users=1, num_items=len(layers))
    return Context(user, torch.full((rows,), POSITIVE), encoded, known, torch.Generator().manual_seed(seed))


POOL = These((0, 1, 2))


def test_hops_of_different_items_make_the_negative() -> None:
    drawn = MixGCF(POOL, mix_positive=False).sample(context_for(1))
    torch.testing.assert_close(drawn.embedding[0, 0], (LAYERS[0, 0] + LAYERS[1, 1]) / 2)
    assert drawn.item.tolist() == [[NO_ITEM]]


def test_without_layers_the_best_candidate_is_the_negative() -> None:
    drawn = MixGCF(POOL, mix_positive=False).sample(context_for(1, with_layers=False))
    torch.testing.assert_close(drawn.embedding[0, 0], LAYERS[2].mean(0))


def mixed(context: Context, sampler: MixGCF) -> tuple[Negatives, Mixed]:
    seen: list[Event] = []
    drawn = sampler.sample(context, observe=seen.append)
    (event,) = seen
    assert isinstance(event, Mixed)
    return drawn, event


def test_a_uniform_share_of_the_positive_is_in_every_layer() -> None:
    """The two shares of a row are solved for from its negative: uniform, and independent of each other."""
    rows = 4000
    drawn, event = mixed(context_for(rows), MixGCF(POOL))
    assert event.item.tolist() == [[POSITIVE, 0, 1]] * rows
    torch.testing.assert_close(event.weight.sum(1), torch.ones(rows))
    first, second = (1 - 2 * event.weight[:, 1:]).T
    by_hand = [
        share[:, None] * LAYERS[POSITIVE, layer] + (1 - share[:, None]) * LAYERS[item, layer]
        for layer, (share, item) in enumerate([(first, 0), (second, 1)])
    ]
    torch.testing.assert_close(drawn.embedding[:, 0], sum(by_hand) / 2, atol=1e-5, rtol=1e-5)
    for share in (first, second):
        assert 0 <= float(share.min()) < 0.01
        assert 0.99 < float(share.max()) <= 1
        assert float(share.mean()) == pytest.approx(0.5, abs=0.02)
        assert float(share.var()) == pytest.approx(1 / 12, abs=0.005)
    assert abs(float(torch.corrcoef(torch.stack([first, second]))[0, 1])) < 0.06


def test_gradient_reaches_the_parts_by_their_shares() -> None:
    layers = LAYERS.clone().requires_grad_()
    drawn, event = mixed(context_for(1, layers), MixGCF(POOL))
    drawn.embedding[0, 0, 1].backward()  # type: ignore[no-untyped-call]
    assert layers.grad is not None
    by_item = layers.grad[:, :, 1]
    torch.testing.assert_close(by_item[0], torch.stack([event.weight[0, 1], torch.zeros(())]))
    torch.testing.assert_close(by_item[1], torch.stack([torch.zeros(()), event.weight[0, 2]]))
    torch.testing.assert_close(by_item[POSITIVE].sum(), event.weight[0, 0])
    assert not bool(layers.grad[2].any())


def test_random_pools_give_the_naive_mixture() -> None:
    generator = torch.Generator().manual_seed(3)
    layers = torch.randn(9, 3, 2, generator=generator)
    context = context_for(50, layers)
    pool = Uniform(4).sample(context_for(50, layers)).item  # the same draw: its own generator, the same seed
    drawn, event = mixed(context, MixGCF(Uniform(4), mix_positive=False))
    for row in range(50):
        best = [max(pool[row].tolist(), key=lambda i: float(layers[i, layer, 0])) for layer in range(3)]
        assert event.item[row].tolist() == [POSITIVE, *best]
        expected = sum(layers[i, layer] for layer, i in enumerate(best)) / 3
        torch.testing.assert_close(drawn.embedding[row, 0], expected)


def test_synthetic_candidates_are_refused() -> None:
    with pytest.raises(ValueError, match="the pool must give items; got synthetic negatives from These"):
        MixGCF(These((NO_ITEM, 2))).sample(context_for(1))
