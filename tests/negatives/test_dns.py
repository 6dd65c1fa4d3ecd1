from __future__ import annotations

import pytest
import torch
from scipy.stats import binom, chisquare

from adar_viz.core import NO_ITEM, Context, Encoded, Negatives, Observer, ignore
from adar_viz.events import Event, Pool
from adar_viz.known import KnownPositives
from adar_viz.negatives import DNS, AllItems, Uniform

ITEMS, ROWS = 10, 20_000
LIKED = [9, 4]


def context(rows: int = ROWS) -> Context:
    """One user whose score of item i is i; items 4 and 9 are known."""
    known = KnownPositives.from_pairs(torch.zeros(2).long(), torch.tensor(LIKED), num_users=1, num_items=ITEMS)
    user, table = torch.zeros(rows).long(), torch.arange(ITEMS)[:, None].float()
    encoded = Encoded(torch.ones(rows, 1), lookup=lambda ids: table[ids], table=lambda: table)
    return Context(user, torch.full_like(user, 9), encoded, known, torch.Generator().manual_seed(0))


def law_of_rank(size: int, n: int, unknown: int) -> torch.Tensor:
    """Chance of each unknown item (ascending score) to be one of the n highest of ``size`` draws, chosen evenly.

    The j-th highest of M independent draws lies at or below x when fewer than j draws lie above it.
    """
    below = torch.arange(1, unknown + 1) / unknown
    at_most = sum(torch.tensor(binom.cdf(j, size, 1 - below)) for j in range(n)) / n
    return torch.cat([at_most[:1], at_most.diff()])


@pytest.mark.parametrize(("size", "n"), [(1, 1), (4, 1), (5, 3), (5, 5)])
def test_one_of_the_highest_n_of_m_is_kept(size: int, n: int) -> None:
    item = DNS(pool=Uniform(num_negatives=size), n=n).sample(context()).item
    assert item.shape == (ROWS, 1)
    unknown = [i for i in range(ITEMS) if i not in LIKED]
    count = torch.bincount(item.flatten(), minlength=ITEMS)
    assert count[LIKED].sum() == 0
    wanted = law_of_rank(size, n, len(unknown)) * ROWS
    seen = wanted > 5
    merged = torch.cat([count[unknown][seen], count[unknown][~seen].sum()[None]])
    expected = torch.cat([wanted[seen], wanted[~seen].sum()[None]])
    keep = expected > 0
    assert chisquare(merged[keep], expected[keep]).pvalue > 1e-3


def test_the_pool_it_chose_from_is_announced() -> None:
    seen: list[Event] = []
    drawn = DNS(pool=Uniform(num_negatives=6)).sample(context(50), observe=seen.append)
    (pool,) = seen
    assert isinstance(pool, Pool)
    assert torch.equal(pool.score, pool.item.float())
    assert torch.equal(drawn.item[:, 0], pool.item.max(dim=1).values)


class _Synthetic:
    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        return Negatives(torch.zeros(len(context.user), 2, 1), torch.full((len(context.user), 2), NO_ITEM))


@pytest.mark.parametrize(
    ("sampler", "message"),
    [
        (DNS(pool=Uniform(num_negatives=3), n=4), r"n must lie in \[1, 3\], the size of the pool; got 4"),
        (DNS(pool=_Synthetic()), "the pool must give items; got synthetic negatives from _Synthetic"),
        (DNS(pool=AllItems()), "the pool must give each row items of its own, all alike; AllItems does not"),
    ],
)
def test_pools_that_do_not_fit_are_refused(sampler: DNS, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        sampler.sample(context(5))


def test_n_below_one_is_refused() -> None:
    with pytest.raises(ValueError, match="n must be at least 1; got 0"):
        DNS(n=0)
