"""Problems whose answer is known: every backbone has to find it after a short training."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from adar_viz.backbones import MF, GRU4Rec, LightGCN, SASRec
from adar_viz.core import NO_ITEM, Batch, Context
from adar_viz.known import KnownPositives
from adar_viz.losses import BPR
from adar_viz.negatives import Uniform

USERS, ITEMS, HELD_OUT = 40, 30, 3


def train(backbone: nn.Module, batch: Batch, known: KnownPositives, *, steps: int, learning_rate: float = 0.02) -> None:
    optimizer = torch.optim.Adam(backbone.parameters(), lr=learning_rate)
    generator = torch.Generator().manual_seed(0)
    sampler, loss = Uniform(4), BPR()
    for _ in range(steps):
        optimizer.zero_grad()
        encoded = backbone(batch)
        negatives = sampler.sample(Context(batch.user, batch.positive, encoded, known, generator))
        positive = encoded.score(encoded.lookup(batch.positive).unsqueeze(1)).squeeze(1)
        loss(positive, encoded.score(negatives.embedding)).mean().backward()
        optimizer.step()
    backbone.eval()


def checkerboard() -> tuple[Tensor, Tensor, Tensor]:
    """Each user likes the items of their own parity; three of them, other ones for each user, are held out."""
    user, item = torch.cartesian_prod(torch.arange(USERS), torch.arange(ITEMS)).T
    own = user % 2 == item % 2
    held = own & ((item // 2 - user * HELD_OUT // 2) % (ITEMS // 2) < HELD_OUT)
    return user[own & ~held], item[own & ~held], held.reshape(USERS, ITEMS)


def make_mf(user: Tensor, item: Tensor) -> nn.Module:
    return MF(USERS, ITEMS, 8, generator=torch.Generator().manual_seed(0))


def make_lightgcn(user: Tensor, item: Tensor) -> nn.Module:
    return LightGCN(USERS, ITEMS, user, item, 8, 2, generator=torch.Generator().manual_seed(0))


@pytest.mark.parametrize("make", [make_mf, make_lightgcn])
def test_the_checkerboard_is_completed(make: Callable[[Tensor, Tensor], nn.Module]) -> None:
    user, item, held = checkerboard()
    assert (held.sum(1) == HELD_OUT).all()
    backbone = make(user, item)
    known = KnownPositives.from_pairs(user, item, num_users=USERS, num_items=ITEMS)
    train(backbone, Batch(user, item), known, steps=100)
    everyone = torch.arange(USERS)
    with torch.no_grad():
        score = backbone(Batch(everyone, everyone % ITEMS)).score_all()
    score[user, item] = -torch.inf
    found = torch.zeros_like(held).scatter(1, score.topk(HELD_OUT).indices, True)
    assert torch.equal(found, held)


@pytest.mark.parametrize("cls", [GRU4Rec, SASRec])
def test_the_cycle_is_continued(cls: type[GRU4Rec] | type[SASRec]) -> None:
    """Item i is always followed by i + 7: from every start, at every length of history."""
    start = torch.arange(ITEMS)[:, None]
    sequence = (start + 7 * torch.arange(9)) % ITEMS
    history, target = sequence[:, :-1].clone(), sequence[:, 1:]
    history[::3, :3] = NO_ITEM
    row = history != NO_ITEM
    batch = Batch(start.expand_as(history)[row], target[row], history)
    nobody_knows = torch.zeros(0).long()
    known = KnownPositives.from_pairs(nobody_knows, nobody_knows, num_users=ITEMS, num_items=ITEMS)
    backbone = cls(ITEMS, ITEMS, 32, history_length=8, dropout=0.1, generator=torch.Generator().manual_seed(0))
    with torch.random.fork_rng():
        torch.manual_seed(0)
        train(backbone, batch, known, steps=120, learning_rate=0.01)
    with torch.no_grad():
        assert torch.equal(backbone(batch).score_all().argmax(1), batch.positive)
