"""What the contract tests run over. To add a method, add one line to its list.

Each line makes a fresh object (tests must not share state): ``SAMPLERS`` and ``LOSSES`` from nothing,
``BACKBONES`` from a generator for its start.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from math import exp, log, log1p
from typing import Any

import torch
from torch import Tensor, nn

from adar_viz import backbones, losses, negatives, transition
from adar_viz.core import Backbone, Batch, Context, Encoded, Loss, NegativeSampler
from adar_viz.known import KnownPositives

USERS, ITEMS, DIM, LAYERS, ROWS, LENGTH = 12, 40, 8, 3, 64, 5

SAMPLERS: dict[str, Callable[[], NegativeSampler]] = {
    "uniform": lambda: negatives.Uniform(),
    "uniform of 5": lambda: negatives.Uniform(num_negatives=5),
    "popularity": lambda: negatives.Popularity(counts()),
    "popularity of 5": lambda: negatives.Popularity(counts(), alpha=1.0, num_negatives=5),
    "dns": lambda: negatives.DNS(),
    "dns(8, 3)": lambda: negatives.DNS(pool=negatives.Uniform(num_negatives=8), n=3),
    "dns from popularity": lambda: negatives.DNS(pool=negatives.Popularity(counts(), num_negatives=4)),
    "ahns": lambda: negatives.AHNS(),
    "ahns from popularity": lambda: negatives.AHNS(negatives.Popularity(counts(), num_negatives=4), p=-0.5),
    "mixgcf": lambda: negatives.MixGCF(),
    "mixgcf of hops alone": lambda: negatives.MixGCF(negatives.Uniform(num_negatives=4), mix_positive=False),
    "adar": lambda: adar(),
    "adar reverse": lambda: adar(source="reverse"),
    "adar reverse chain": lambda: adar(source=negatives.Reverse(steps=None), num_timesteps=25),
    "adar renoise": lambda: adar(source="renoise"),
    "adar forward, synthetic": lambda: adar(ground=None),
    "adar reverse, synthetic": lambda: adar(source="reverse", ground=None),
    "adar renoise, synthetic": lambda: adar(source="renoise", ground=None, already_negative="skip"),
    "adar noiseless, synthetic": lambda: adar(source="noiseless", ground=None),
    "adar random": lambda: adar(target=transition.Random()),
    "adar in its warm-up": lambda: adar(warmup=1),
}

BACKBONES: dict[str, Callable[[torch.Generator], Backbone]] = {
    "mf": lambda generator: backbones.MF(USERS, ITEMS, DIM, generator=generator),
    "mf sparse": lambda generator: backbones.MF(USERS, ITEMS, DIM, sparse=True, generator=generator),
    "lightgcn": lambda generator: backbones.LightGCN(USERS, ITEMS, *pairs(), DIM, generator=generator),
    "gru4rec": lambda generator: backbones.GRU4Rec(USERS, ITEMS, DIM, history_length=LENGTH, generator=generator),
    "sasrec": lambda generator: backbones.SASRec(USERS, ITEMS, DIM, history_length=LENGTH, generator=generator),
    "sasrec bert": lambda generator: backbones.SASRec(
        USERS, ITEMS, DIM, history_length=LENGTH, form="bert", generator=generator
    ),
}

NaiveLoss = Callable[[float, list[float], list[float]], float]
"""A loss of one row in plain Python: (positive, negatives, shares that sum to 1)."""


def naive_bpr(positive: float, negative: list[float], share: list[float]) -> float:
    return sum(w * log1p(exp(n - positive)) for n, w in zip(negative, share, strict=True))


def naive_bce(positive: float, negative: list[float], share: list[float], beta: float = 1.0) -> float:
    k = len(negative)
    against = sum(k * w * log1p(exp(n)) for n, w in zip(negative, share, strict=True))
    return (beta * log1p(exp(-positive)) + against) / (1 + k)


def naive_gbce(positive: float, negative: list[float], share: list[float]) -> float:
    rate, t = len(negative) / (ITEMS - 1), 0.75
    return naive_bce(positive, negative, share, beta=rate * (t * (1 - 1 / rate) + 1 / rate))


def naive_softmax(positive: float, negative: list[float], share: list[float]) -> float:
    tau, k = 0.5, len(negative)
    others = sum(k * w * exp(n / tau) for n, w in zip(negative, share, strict=True))
    return -log(exp(positive / tau) / (exp(positive / tau) + others))


LOSSES: dict[str, tuple[Callable[[], Loss], NaiveLoss]] = {
    "bpr": (lambda: losses.BPR(), naive_bpr),
    "bce": (lambda: losses.BCE(), naive_bce),
    "gbce": (lambda: losses.GBCE(num_items=ITEMS), naive_gbce),
    "softmax": (lambda: losses.Softmax(temperature=0.5), naive_softmax),
}


def naive_bce(positive: float, negative: list[float], share: list[float], beta: float = 1.0) -> float:
    k = len(negative)
    of_negatives = sum(k * w * log1p(exp(n)) for n, w in zip(negative, share, strict=True))
    return (beta * log1p(exp(-positive)) + of_negatives) / (1 + k)


def naive_softmax(positive: float, negative: list[float], share: list[float]) -> float:
    k = len(negative)
    total = exp(positive) + sum(k * w * exp(n) for n, w in zip(negative, share, strict=True))
    return log(total) - positive


def seeded(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def adar(*, warmup: int = 0, **options: Any) -> negatives.ADAR:
    return negatives.ADAR(DIM, warmup=warmup, generator=seeded(8), **options)


def pairs() -> tuple[Tensor, Tensor]:
    """About a third of all pairs; user 0 likes all items but two, user 1 a single one."""
    liked = torch.rand(USERS, ITEMS, generator=seeded(1)) < 0.3
    liked[0] = True
    liked[0, [3, 17]] = False
    liked[1] = False
    liked[1, 5] = True
    user, item = liked.nonzero(as_tuple=True)
    return user, item


def counts() -> Tensor:
    return torch.bincount(pairs()[1], minlength=ITEMS)


def known() -> KnownPositives:
    user, item = pairs()
    return KnownPositives.from_pairs(user, item, num_users=USERS, num_items=ITEMS)


def batch(*, history_length: int | None = None) -> Batch:
    """Rows for a collaborative backbone, or for a sequential one when it reads a history."""
    user, item = pairs()
    if history_length is None:
        row = torch.randint(len(user), (ROWS,), generator=seeded(2))
        return Batch(user[row], item[row])
    length = min(LENGTH, history_length)
    history = torch.randint(ITEMS, (ROWS // LENGTH, length), generator=seeded(2))
    history[1, : length - 1] = -1
    history[2, : length // 2] = -1
    who = torch.randint(USERS, (len(history),), generator=seeded(3))[:, None].expand_as(history)[history >= 0]
    return Batch(who, torch.randint(ITEMS, who.shape, generator=seeded(4)), history)


@dataclass(frozen=True)
class World:
    """Embeddings without a backbone: three layers for each user and item, whose mean is what is scored.

    The two tables are the leaves of the graph, so that whose gradient came back can be asked.
    """

    user: nn.Parameter
    item: nn.Parameter

    @classmethod
    def new(cls) -> World:
        sizes = (USERS, LAYERS, DIM), (ITEMS, LAYERS, DIM)
        return cls(*(nn.Parameter(torch.randn(size, generator=seeded(i))) for i, size in enumerate(sizes)))

    def layers(self, user: Tensor | None, item: Tensor | None) -> Tensor:
        if user is not None:
            return self.user[user]
        assert item is not None
        return self.item[item]

    def encoded(self, user: Tensor, scorer: Callable[[Tensor, Tensor], Tensor] | None = None) -> Encoded:
        return Encoded(
            query=self.user[user].mean(-2),
            lookup=lambda ids: self.item[ids].mean(-2),
            table=lambda: self.item.mean(-2),
            scorer=scorer,
            layers=self.layers,
        )

    def context(
        self, *, seed: int = 5, scorer: Callable[[Tensor, Tensor], Tensor] | None = None, **fields: Any
    ) -> Context:
        rows = batch()
        return Context(rows.user, rows.positive, self.encoded(rows.user, scorer), known(), seeded(seed), **fields)
