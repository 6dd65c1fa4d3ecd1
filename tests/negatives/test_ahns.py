from __future__ import annotations

from dataclasses import dataclass

import pytest
import torch
from torch import Tensor

from adar_viz.core import Context, Encoded, Negatives, Observer, ignore
from adar_viz.known import KnownPositives
from adar_viz.negatives import AHNS, Uniform

# With the query (1, 0) an item's score is its first coordinate.
POINTS = torch.tensor([[0.0, 3.0], [0.05, 1.0], [0.5, -2.0], [1.0, 0.0], [4.0, 1.0], [-2.0, 5.0], [-9.0, 0.0]])
CANDIDATES = [0, 1, 2, 3, 4]


@dataclass(frozen=True)
class These:
    """A pool of the same items for every row."""

    items: tuple[int, ...]

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        item = torch.tensor(self.items).expand(len(context.user), -1)
        return Negatives(context.encoded.lookup(item), item)


def context_for(positive: list[int]) -> Context:
    rows = torch.zeros(len(positive)).long()
    nobody = torch.zeros(0).long()
    encoded = Encoded(torch.tensor([[1.0, 0.0]]).expand(len(rows), 2), lambda ids: POINTS[ids], lambda: POINTS)
    known = KnownPositives.from_pairs(nobody, nobody, num_users=1, num_items=len(POINTS))
    return Context(rows, torch.tensor(positive), encoded, known, torch.Generator().manual_seed(0))


def chosen(positive: list[int], **options: float) -> list[int]:
    drawn = AHNS(These(tuple(CANDIDATES)), **options).sample(context_for(positive))
    assert torch.equal(drawn.embedding, POINTS[drawn.item])
    return drawn.item.flatten().tolist()


def test_the_candidate_nearest_to_the_target_is_kept() -> None:
    # Targets 0.5 / (s + 1): for s = 4, 0.1; for s = 0, 0.5; for s = 1, 0.25 (nearer to 0.05 than to 0.5).
    assert chosen([4, 0, 3], beta=0.5) == [1, 2, 1]


def test_the_nearest_from_above_counts_as_from_below() -> None:
    assert chosen([0], beta=0.8) == [3]  # target 0.8: 1.0 is nearer than 0.5


def test_a_higher_positive_score_asks_for_a_lower_negative() -> None:
    score = torch.linspace(-0.9, 5, 50)
    assert bool((AHNS().target(score).diff() < 0).all())
    assert bool((AHNS(p=-0.5).target(score).diff() > 0).all())
    torch.testing.assert_close(AHNS(p=-1.0).target(score), torch.full_like(score, 0.1))


def test_the_target_is_the_papers() -> None:
    target = AHNS(alpha=2.0, beta=0.3, p=-3.5).target(torch.tensor([1.5]))
    assert float(target) == pytest.approx(0.3 * (1.5 + 2.0) ** (-3.5 + 1))


@pytest.mark.parametrize("positive", [5, 6])
def test_a_positive_scored_below_minus_alpha_gets_the_hardest(positive: int) -> None:
    assert chosen([positive]) == [4]  # s = -2 and -9, alpha = 1
    assert chosen([positive], p=-0.5) == [0]  # the target 0
    assert chosen([positive], p=-1.0) == [1]  # the target beta = 0.1


def test_random_pools_give_the_naive_choice() -> None:
    context = context_for([0, 1, 2, 3, 4, 5, 6] * 20)
    seen: list[Tensor] = []
    sampler = AHNS(Uniform(4), alpha=1.5, beta=0.7, p=-1.7)
    drawn = sampler.sample(context, observe=lambda event: seen.append(event.item))  # type: ignore[union-attr]
    for positive, pool, item in zip(
        context.positive.tolist(), seen[0].tolist(), drawn.item[:, 0].tolist(), strict=True
    ):
        s = float(POINTS[positive, 0])
        target = 0.7 * (s + 1.5) ** -0.7 if s > -1.5 else 1e9
        assert item in pool
        best = min(abs(target - float(POINTS[j, 0])) for j in pool)
        assert abs(target - float(POINTS[item, 0])) == pytest.approx(best)


def test_synthetic_candidates_are_refused() -> None:
    with pytest.raises(ValueError, match="the pool must give items; got synthetic negatives from These"):
        AHNS(These((-1, 2))).sample(context_for([0]))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha": 0.0}, r"alpha must be above 0; got 0\.0"),
        ({"beta": -0.1}, r"beta must be above 0; got -0\.1"),
        ({"p": 0.0}, r"p must be below 0; got 0\.0"),
    ],
)
def test_impossible_options_are_refused(options: dict[str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AHNS(**options)  # type: ignore[arg-type]
