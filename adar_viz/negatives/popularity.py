"""Popularity negatives: unknown items, drawn in proportion to a power of their popularity."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import Float, Int, Real
from torch import Tensor

from adar_viz.core import Context, Negatives, Observer, ignore
from adar_viz.events import Pool
from adar_viz.known import KnownPositives

_ROUNDS = 8
"""Rounds of redrawing before the exact fallback."""

_CELLS = 2**22
"""(draw, item) cells that the fallback holds at a time."""


_CANCELS = 1e-6
"""Share of the whole below which a difference of sums is no longer exact enough."""


@dataclass(eq=False)
class Popularity:
    """Draw unknown items with probability proportional to ``counts ** alpha``, with replacement.

    The exponent 3/4 is word2vec's (Mikolov et al. 2013). A draw costs O(1) by Walker's alias method. Known
    positives are rejected and redrawn; a draw that is still unlucky after 8 rounds is made from the exact
    conditional distribution, in O(items).

    Parameters
    ----------
    counts : array of shape (item,)
        How often each item occurs in the training data: finite, at least 0.
    alpha : float
        Exponent, at least 0: 0 is uniform, 1 is popularity itself.
    num_negatives : int
        Negatives for each row, at least 1.

    Notes
    -----
    An item with count 0 is never drawn, unless ``alpha`` is 0. ``log_prob`` is exact: it renormalises over the
    user's unknown items, with sums made once for each `KnownPositives`.
    """

    counts: Real[Tensor, " item"] | Real[np.ndarray, " item"] = field(repr=False)
    alpha: float = 0.75
    num_negatives: int = 1
    _law: _Law | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        if not 0 <= self.alpha < float("inf"):
            raise ValueError(f"alpha must be at least 0; got {self.alpha}")
        if self.num_negatives < 1:
            raise ValueError(f"num_negatives must be at least 1; got {self.num_negatives}")
        counts = torch.as_tensor(self.counts, dtype=torch.float64)
        wrong = ~(counts.isfinite() & (counts >= 0))
        if bool(wrong.any()):
            raise ValueError(f"counts must be finite and at least 0 for each item; got {counts[wrong][0]}")
        if not bool(counts.any()):
            raise ValueError(f"counts must hold some items that occur, not all 0; got {len(counts)} zeros")

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Draw the negatives; announces a `Pool` of all of them.

        Raises
        ------
        ValueError
            ``counts`` does not fit the catalogue, or a user of the batch has no unknown item with a weight.
        """
        if self._law is None or self._law.known is not context.known:
            self._law = _Law(torch.as_tensor(self.counts), self.alpha, context.known)
        law, user = self._law, context.user
        if bool((law.choices[user] == 0).any()):
            full = int(user[law.choices[user] == 0][0])
            raise ValueError(f"each user needs an unknown item of weight above 0; user {full} has none")
        user = user[:, None].expand(-1, self.num_negatives)
        item = law.draw(user.flatten(), context.generator).view_as(user)
        embedding = context.encoded.lookup(item)
        if observe is not ignore:
            with torch.no_grad():
                observe(Pool(item, context.encoded.score(embedding)))
        return Negatives(embedding, item, log_prob=law.log_prob(user, item).to(embedding.dtype))


class _Law:
    """What is worth keeping between the batches of one training: O(items + pairs) to make."""

    def __init__(self, counts: Real[Tensor, " item"], alpha: float, known: KnownPositives) -> None:
        if len(counts) != known.num_items:
            raise ValueError(f"counts must hold {known.num_items} items; got {len(counts)}")
        self.known = known
        self.weight = counts.to(known.item.device, torch.float64) ** alpha
        self.accept, self.alias = alias_table(self.weight)
        self.choices = int((self.weight > 0).sum()) - self._per_user((self.weight > 0).double()).long()
        self.mass = self._mass()

    def _mass(self) -> Float[Tensor, " user"]:
        """Sum the weights of each user's unknown items, one by one where a difference would cancel."""
        whole = self.weight.sum()
        mass = whole - self._per_user(self.weight)
        for part in self._parts((mass < _CANCELS * whole).nonzero()[:, 0]):
            mass[part] = self._unknown_weight(part).sum(1)
        return mass

    def _per_user(self, value: Float[Tensor, " item"]) -> Float[Tensor, " user"]:
        """Sum over each user's known positives."""
        return torch.segment_reduce(value[self.known.item], "sum", offsets=self.known.start, initial=0.0)

    def log_prob(self, user: Int[Tensor, "row k"], item: Int[Tensor, "row k"]) -> Float[Tensor, "row k"]:
        """Log-probability of unknown items, given that they are unknown."""
        return self.weight[item].log() - self.mass[user].log()

    def draw(self, user: Int[Tensor, " draw"], generator: torch.Generator) -> Int[Tensor, " draw"]:
        """Draw one unknown item for each element of ``user``."""
        item = self._propose(len(user), generator)
        left = self.known.contains(user, item).nonzero()[:, 0]
        for _ in range(_ROUNDS):
            if not len(left):
                return item
            item[left] = self._propose(len(left), generator)
            left = left[self.known.contains(user[left], item[left])]
        for part in self._parts(left):
            item[part] = self._draw_exactly(user[part], generator)
        return item

    def _propose(self, draws: int, generator: torch.Generator) -> Int[Tensor, " draw"]:
        """Draw from all items, known or not."""
        device = self.weight.device
        column = torch.randint(len(self.weight), (draws,), generator=generator, device=device)
        stay = torch.rand(draws, generator=generator, device=device, dtype=torch.float64) < self.accept[column]
        return torch.where(stay, column, self.alias[column])

    def _draw_exactly(self, user: Int[Tensor, " draw"], generator: torch.Generator) -> Int[Tensor, " draw"]:
        return torch.multinomial(self._unknown_weight(user), 1, generator=generator)[:, 0]

    def _unknown_weight(self, user: Int[Tensor, " draw"]) -> Float[Tensor, "draw item"]:
        item = torch.arange(len(self.weight), device=user.device).expand(len(user), -1)
        return self.weight.masked_fill(self.known.contains(user[:, None].expand_as(item), item), 0)

    def _parts(self, index: Int[Tensor, " some"]) -> tuple[Tensor, ...]:
        """Split what is to be asked of every item, to bound the memory."""
        return torch.split(index, max(1, _CELLS // len(self.weight)))


def alias_table(weight: Float[Tensor, " item"]) -> tuple[Float[Tensor, " item"], Int[Tensor, " item"]]:
    """Return Walker's table: column i is item i with probability ``accept[i]``, else item ``alias[i]``.

    Columns are filled in one sweep, light items (below the mean) topped up by heavy ones in order. The sweep is
    written with prefix sums instead of a loop: O(items log items), no Python loop.
    """
    accept = weight / weight.sum() * len(weight)
    alias = torch.arange(len(weight), device=weight.device)
    light, heavy = (accept < 1).nonzero()[:, 0], (accept >= 1).nonzero()[:, 0]
    if not len(light) or not len(heavy):  # all equal, up to rounding
        return torch.ones_like(accept), alias
    owed = torch.cat([accept.new_zeros(1), (1 - accept[light]).cumsum(0)])
    spare = (accept[heavy] - 1).cumsum(0)
    # A light column is topped up by the first heavy item with anything left when its turn comes …
    giver = torch.searchsorted(spare, owed[:-1].contiguous(), right=True).clamp(max=len(heavy) - 1)
    alias[light] = heavy[giver]
    # … which may overdraw that item's own column; the next heavy item then tops that one up.
    last = torch.searchsorted(owed, spare).clamp(max=len(owed) - 1)
    accept[heavy] = (1 + spare - owed[last]).clamp(max=1)
    alias[heavy[:-1]] = heavy[1:]
    accept[heavy[-1]] = 1
    return accept, alias
