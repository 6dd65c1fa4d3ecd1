from __future__ import annotations

import os
from collections.abc import Callable
from functools import cache
from math import log2

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from adar_viz.backbones import MF
from adar_viz.core import NO_ITEM, Batch, Encoded
from adar_viz.datasets import Interactions, Split, as_published, given, leave_one_out, load, ratio, split
from adar_viz.evaluation import Conventions, by_popularity, evaluate

USERS, ITEMS = 30, 25


def interactions(seed: int = 0, timestamp: bool = True) -> Interactions:
    rng = np.random.default_rng(seed)
    user, item = np.nonzero(rng.random((USERS, ITEMS)) < 0.35)
    time = rng.permutation(len(user)) if timestamp else None
    return Interactions.from_pairs(user, item, timestamp=time, users=np.arange(USERS), items=np.arange(ITEMS))


def items_of(part: Interactions) -> list[set[int]]:
    return [set(part.item[part.user == user].tolist()) for user in range(USERS)]


def naive(score: np.ndarray, targets: Interactions, masked: list[set[int]], rule: Conventions) -> dict[str, float]:
    """The definition, one user after the other."""
    values: dict[str, list[float]] = {}
    listed: dict[int, set[int]] = {k: set() for k in rule.ks}
    for user, wanted in enumerate(items_of(targets)):
        sign = -1 if rule.ties == "descending" else 1
        free = [i for i in range(ITEMS) if not (rule.mask_seen and i in masked[user])]
        ranking = sorted(free, key=lambda i: (-score[user, i], sign * i))
        if not wanted and rule.empty_users == "skip":
            continue
        for k in rule.ks:
            if wanted:
                listed[k] |= set(ranking[:k])
            places = [r for r, i in enumerate(ranking[:k], start=1) if i in wanted]
            size = len(wanted) if rule.recall_over == "test" else min(k, len(wanted))
            ideal = min(k, len(wanted)) if rule.ideal == "test" else len(places)
            dcg, best = sum(1 / log2(r + 1) for r in places), sum(1 / log2(r + 1) for r in range(1, ideal + 1))
            values.setdefault(f"recall@{k}", []).append(len(places) / size if size else 0)
            values.setdefault(f"ndcg@{k}", []).append(dcg / best if best else 0)
            values.setdefault(f"hit@{k}", []).append(float(bool(places)))
            values.setdefault(f"mrr@{k}", []).append(1 / places[0] if places else 0)
    means = {name: float(np.mean(value)) for name, value in values.items()}
    return means | {f"coverage@{k}": len(items) / ITEMS for k, items in listed.items()}


@pytest.mark.parametrize(
    "rule",
    [
        Conventions(ks=(1, 5, 20)),
        Conventions(ks=(3, 40), recall_over="min", ties="ascending"),
        Conventions(ks=(5,), ideal="hits", mask_seen=False),
        Conventions(ks=(2, 10), empty_users="zero"),
    ],
)
@pytest.mark.parametrize("levels", [3, 1000])
@pytest.mark.parametrize("part", ["validation", "test"])
def test_every_metric_is_the_naive_one(rule: Conventions, levels: int, part: str) -> None:
    parts = ratio(interactions(), validation=0.1, test=0.15)
    score = np.random.default_rng(1).integers(levels, size=(USERS, ITEMS)).astype(np.float32)
    found = evaluate(lambda user: torch.as_tensor(score)[user], parts, part, conventions=rule, memory=16 * ITEMS * 7)
    seen = [parts.train] if part == "validation" else [parts.train, parts.validation]
    masked = [set.union(*sets) for sets in zip(*map(items_of, seen), strict=True)]
    targets = parts.validation if part == "validation" else parts.test
    assert len(np.unique(targets.user)) < USERS, "some user must be without targets, or skipping is not tested"
    assert found.metrics == pytest.approx(naive(score, targets, masked, rule), abs=1e-12)


def test_values_are_kept_for_each_user() -> None:
    parts = ratio(interactions())
    found = evaluate(by_popularity(parts.train.popularity()), parts, "test")
    assert np.array_equal(found.user, np.unique(parts.test.user))
    assert all(value.shape == found.user.shape for value in found.per_user.values())
    assert found.metrics["recall@10"] == pytest.approx(found.per_user["recall@10"].mean())


def test_the_block_size_changes_nothing() -> None:
    parts = ratio(interactions())
    mf = MF(USERS, ITEMS, 8)
    whole, single = evaluate(mf, parts, "test"), evaluate(mf, parts, "test", memory=1)
    assert whole.metrics == single.metrics


def test_a_backbone_is_its_scores() -> None:
    parts = ratio(interactions())
    mf = MF(USERS, ITEMS, 8).requires_grad_(False)
    by_hand = evaluate(lambda user: mf.user.weight[user] @ mf.item.weight.T, parts, "test")
    assert evaluate(mf, parts, "test").metrics == pytest.approx(by_hand.metrics)


def test_a_backbone_need_not_have_weights() -> None:
    class Popular(nn.Module):
        num_users, num_items, dim, history_length = USERS, ITEMS, 1, None

        def forward(self, batch: Batch) -> Encoded:
            table = torch.arange(float(ITEMS))[:, None]
            return Encoded(torch.ones(len(batch.user), 1), lookup=lambda i: table[i], table=lambda: table)

        def l2(self, batch: Batch, negative: Tensor) -> Tensor:
            return torch.zeros(())

    parts = ratio(interactions(), seed=1)
    score = torch.arange(float(ITEMS)).expand(USERS, ITEMS)
    assert evaluate(Popular(), parts).metrics == evaluate(lambda user: score[user], parts).metrics


def test_a_scorer_of_the_backbone_s_own_is_used() -> None:
    class Near(MF):
        def forward(self, batch: Batch) -> Encoded:
            near = super().forward(batch)
            return Encoded(near.query, near.lookup, near.table, lambda q, e: -(q[:, None] - e).square().sum(-1))

    parts, near = ratio(interactions()), Near(USERS, ITEMS, 8).requires_grad_(False)
    by_hand = evaluate(lambda user: -torch.cdist(near.user.weight[user], near.item.weight), parts, "test")
    assert evaluate(near, parts, "test").metrics == pytest.approx(by_hand.metrics)


class _Recorder(nn.Module):
    """A sequential backbone whose state is the item before: it likes what follows in id."""

    num_users, num_items, dim, history_length = USERS, ITEMS, ITEMS, 4

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.eye(ITEMS))
        self.seen: dict[int, list[int]] = {}
        self.was_training: list[bool] = []

    def forward(self, batch: Batch) -> Encoded:
        assert batch.history is not None
        self.was_training.append(self.training)
        is_row = batch.history != NO_ITEM
        users = iter(batch.user.tolist())
        for items in batch.history.tolist():
            real = [i for i in items if i != NO_ITEM]
            assert items[len(items) - len(real) :] == real, "padding must stand on the left"
            owner = {next(users) for _ in real}
            self.seen[owner.pop()] = real
            assert not owner, "all rows of a sequence belong to its user"
        query = self.weight[(batch.history[is_row] + 1) % ITEMS]
        return Encoded(query, lookup=lambda i: self.weight[i], table=lambda: self.weight)

    def l2(self, batch: Batch, negative: Tensor) -> Tensor:
        return self.weight.sum()


@pytest.mark.parametrize("part", ["validation", "test"])
@pytest.mark.parametrize("memory", [1, 2**20])
def test_a_sequential_backbone_gets_the_last_items_before_the_target(part: str, memory: int) -> None:
    parts, backbone = leave_one_out(interactions()), _Recorder()
    found = evaluate(backbone, parts, part, conventions=Conventions(ks=(1,)), memory=memory)
    hits = []
    for user in found.user.tolist():
        whole = interactions()
        items = whole.item[whole.user == user].tolist()
        cut = -2 if part == "validation" else -1
        assert backbone.seen[user] == items[:cut][-4:]
        best = (items[cut - 1] + 1) % ITEMS
        if best in items[:cut]:  # masked: all others score 0, and the highest free id comes first
            best = max(set(range(ITEMS)) - set(items[:cut]))
        hits.append(best == items[cut])
    assert sum(hits) > 0
    assert found.metrics["hit@1"] == pytest.approx(np.mean(hits))
    assert not any(backbone.was_training)
    assert backbone.training


def test_a_sequential_backbone_never_looks_into_the_future() -> None:
    with pytest.raises(ValueError, match="needs an item before each user's first target"):
        evaluate(_Recorder(), ratio(interactions()), "test")


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_scores_that_are_not_finite_are_named(value: float) -> None:
    def score(user: Tensor) -> Tensor:
        scores = torch.zeros(len(user), ITEMS)
        scores[user == 7, 3] = value
        return scores

    with pytest.raises(ValueError, match=rf"scores must be finite; got {value} for user 7, item 3"):
        evaluate(score, leave_one_out(interactions()))


def test_scores_of_another_catalogue_are_refused() -> None:
    with pytest.raises(ValueError, match=r"scores must have shape \(30, 25\); got \(30, 24\)"):
        evaluate(lambda user: torch.zeros(len(user), ITEMS - 1), leave_one_out(interactions()))


def test_the_scores_of_the_model_are_left_alone() -> None:
    scores = torch.rand(USERS, ITEMS)
    before = scores.clone()
    evaluate(lambda user: scores if len(user) == USERS else scores[user], leave_one_out(interactions()))
    assert torch.equal(scores, before)


def test_as_published_the_targets_themselves_are_not_masked() -> None:
    parts = ratio(interactions(timestamp=False))
    published = as_published(parts.train, parts.test)
    ideal = torch.zeros(USERS, ITEMS)
    ideal[parts.test.user, parts.test.item] = 1
    for part in ("validation", "test"):
        found = evaluate(lambda user: ideal[user], published, part)
        assert found.metrics["ndcg@10"] == pytest.approx(1)


def test_leaked_targets_are_counted() -> None:
    whole = interactions(timestamp=False)
    parts = given(whole, whole.select(np.arange(len(whole)) % 5 == 0), overlap="keep")
    found = evaluate(by_popularity(whole.popularity()), parts, "test", conventions=Conventions(ks=(ITEMS,)))
    in_seen = sum(u in s for u, s in zip(parts.test.item, (items_of(whole)[u] for u in parts.test.user), strict=True))
    carved = np.isin(parts.validation.user * ITEMS + parts.validation.item, parts.test.user * ITEMS + parts.test.item)
    assert found.num_masked_targets == in_seen - carved.sum()
    assert 0 < found.metrics["recall@25"] < 0.3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"ks": ()}, "ks must be different lengths of at least 1"),
        ({"ks": (5, 0)}, "ks must be different lengths of at least 1"),
        ({"ties": "random"}, "ties must be one of descending, ascending; got 'random'"),
        ({"ideal": "k"}, "ideal must be one of test, hits; got 'k'"),
    ],
)
def test_unknown_conventions_are_refused(arguments: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Conventions(**arguments)


def test_an_unknown_part_is_refused() -> None:
    with pytest.raises(ValueError, match="part must be 'validation' or 'test'; got 'train'"):
        evaluate(by_popularity(np.ones(ITEMS)), leave_one_out(interactions()), "train")


Count = Callable[[Split], np.ndarray]
NAMES = ("hit@5", "ndcg@5", "hit@10", "ndcg@10", "hit@20", "ndcg@20")


@cache
def sequences(name: str) -> Split:
    return split(load(name), "leave-one-out")


def honest(parts: Split) -> np.ndarray:
    return parts.train.popularity() + parts.validation.popularity()


def leaky(parts: Split) -> np.ndarray:
    return honest(parts) + parts.test.popularity()


@pytest.mark.skipif("ADAR_VIZ_DATA" not in os.environ, reason="needs real data: set ADAR_VIZ_DATA")
@pytest.mark.parametrize(
    ("name", "count", "ties", "expected"),
    [
        # Published by S3-Rec (Zhou et al., CIKM 2020) with popularity counted over test items too.
        ("amazon-beauty", leaky, "descending", ("0.0080", "0.0044", "0.0152", "0.0068", "0.0217", "0.0084")),
        ("amazon-toys", leaky, "descending", ("0.0066", "0.0046", "0.0113", "0.0061", "0.0163", "0.0073")),
        # Counted honestly, equal counts stand at the tenth place, and their order shows in the numbers.
        ("amazon-beauty", honest, "ascending", ("0.0077", "0.0042", "0.0135", "0.0061", "0.0217", "0.0081")),
        ("amazon-beauty", honest, "descending", ("0.0077", "0.0042", "0.0137", "0.0061", "0.0217", "0.0081")),
    ],
)
def test_the_published_popularity_tables(name: str, count: Count, ties: str, expected: tuple[str, ...]) -> None:
    parts = sequences(name)
    rule = Conventions(ks=(5, 10, 20), ties=ties)
    metrics = evaluate(by_popularity(count(parts)), parts, "test", conventions=rule).metrics
    assert tuple(f"{metrics[metric]:.4f}" for metric in NAMES) == expected
