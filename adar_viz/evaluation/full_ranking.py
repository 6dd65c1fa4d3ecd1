"""Full ranking: every item that a user is not known to like competes."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import torch
from jaxtyping import Float, Int, Num
from torch import Tensor

from adar_viz.core import Backbone
from adar_viz.datasets import Interactions, Split
from adar_viz.evaluation.conventions import Conventions
from adar_viz.evaluation.metrics import PER_USER, per_user_metrics
from adar_viz.evaluation.queries import ScoreFunction, encode_users, evaluating, histories
from adar_viz.evaluation.ranking import best_items
from adar_viz.evaluation.seen import first_time, seen_before
from adar_viz.known import KnownPositives

MEMORY = 256 * 2**20
"""Bytes that a block of scores may take, by default."""


@dataclass(frozen=True, eq=False)
class Evaluation:
    """Metrics of one model on one part of a split.

    Attributes
    ----------
    user : Int[np.ndarray, "judged"]
        Users with a value, ascending.
    per_user : mapping of str to Float[np.ndarray, "judged"]
        ``recall@k``, ``ndcg@k``, ``hit@k`` and ``mrr@k`` of each user, in [0, 1].
    coverage : mapping of str to float
        ``coverage@k``: share of all items that stand on some user's list.
    num_masked_targets : int
        Test pairs that are training pairs: masked with them, so never hit. 0 unless a split leaks.
    seconds : float
        Wall time that it took.
    """

    user: Int[np.ndarray, " judged"]
    per_user: Mapping[str, Float[np.ndarray, " judged"]]
    coverage: Mapping[str, float]
    num_masked_targets: int = 0
    seconds: float = 0.0

    @property
    def metrics(self) -> dict[str, float]:
        """Means over users, and coverage, by name."""
        return {name: float(value.mean()) for name, value in self.per_user.items()} | dict(self.coverage)


def evaluate(
    model: Backbone | ScoreFunction,
    split: Split,
    part: str = "validation",
    *,
    conventions: Conventions | None = None,
    memory: int = MEMORY,
) -> Evaluation:
    """Rank all items for each user who has targets in ``part``.

    Parameters
    ----------
    model
        A backbone (its queries are made without gradient and dropout), or any function of user
        ids that returns scores of all items, such as `by_popularity`.
    split
        Training items are masked; for the test, validation items too (unless they are targets
        themselves, as in a split that is used "as published"). A sequential backbone's history
        is made of the same items, as far as they came before the user's first target.
    part
        "validation" selects models, "test" reports them.
    memory
        Bytes for a block of scores; users are ranked in blocks of this size.

    Raises
    ------
    ValueError
        A score is not finite, or a sequential backbone lacks a history.
    """
    if part not in ("validation", "test"):
        raise ValueError(f"part must be 'validation' or 'test'; got {part!r}")
    started = time.perf_counter()
    conventions = conventions or Conventions()
    targets = split.validation if part == "validation" else split.test
    seen = seen_before(split, part)
    user = np.unique(targets.user)
    with torch.no_grad():
        if not isinstance(model, Backbone):
            found = _rank(model, user, targets, seen, conventions, memory // (16 * targets.num_items))
            return replace(found, seconds=time.perf_counter() - started)
        with evaluating(model):
            encoded = encode_users(model, user, seen, first_time(targets, user), memory)
            wide = 4 if encoded.scorer is None else 4 + model.dim
            place = torch.zeros(targets.num_users, dtype=torch.long, device=encoded.query.device)
            place[torch.as_tensor(user)] = torch.arange(len(user), device=place.device)

            def score(ids: Int[Tensor, " user"]) -> Float[Tensor, "user item"]:
                return replace(encoded, query=encoded.query[place[ids.to(place.device)]]).score_all()

            found = _rank(score, user, targets, seen, conventions, memory // (4 * wide * targets.num_items))
            return replace(found, seconds=time.perf_counter() - started)


def require_metric(metric: str) -> None:
    """Raise a ``ValueError`` that lists the metrics where none has this name."""
    names = [f"{name}@{k}" for name in (*PER_USER, "coverage") for k in Conventions().ks]
    if metric not in names:
        raise ValueError(f"metric must be one of {', '.join(sorted(names))}; got {metric!r}")


def require_judge(backbone: Backbone, split: Split, metric: str) -> None:
    """Find out before a training, not after its first epochs, that `evaluate` cannot judge it.

    Raises
    ------
    ValueError
        No metric has this name, or a sequential backbone lacks a history for some user.
    """
    require_metric(metric)
    if backbone.history_length is not None:
        for part, targets in (("validation", split.validation), ("test", split.test)):
            user = np.unique(targets.user)
            histories(user, seen_before(split, part), first_time(targets, user), length=1)


def by_popularity(counts: Num[np.ndarray, " item"]) -> ScoreFunction:
    """Score items by how often they were chosen, for every user alike: the baseline to beat."""
    score = torch.as_tensor(counts, dtype=torch.float32)
    return lambda user: score.expand(len(user), -1)


def _rank(
    score: ScoreFunction,
    user: Int[np.ndarray, " judged"],
    targets: Interactions,
    seen: Interactions,
    conventions: Conventions,
    block: int,
) -> Evaluation:
    """Score, mask and rank block by block; keep only which list places are hits."""
    pairs = partial(KnownPositives.from_pairs, num_users=targets.num_users, num_items=targets.num_items)
    wanted = pairs(torch.as_tensor(targets.user), torch.as_tensor(targets.item))
    known = pairs(torch.as_tensor(seen.user), torch.as_tensor(seen.item))
    width = min(max(conventions.ks), targets.num_items)
    hits, listed = [], torch.zeros(len(conventions.ks), targets.num_items, dtype=torch.bool)
    for ids in torch.split(torch.as_tensor(user), max(1, block)):
        scores = _checked(score(ids), ids, targets.num_items)
        if conventions.mask_seen:
            scores = _mask(scores, ids, known)
        item = best_items(scores, width, conventions.ties)
        ranked = (scores.gather(1, item) > -torch.inf).cpu()  # fewer items than places may be left
        item = item.cpu()
        hits.append(wanted.contains(ids[:, None].expand_as(item), item) & ranked)
        for row, k in zip(listed, conventions.ks, strict=True):
            row[item[:, :k][ranked[:, :k]]] = True
    number = wanted.count(torch.as_tensor(user)).numpy()
    values = per_user_metrics(torch.cat(hits).numpy(), number, conventions)
    if conventions.empty_users == "zero":
        values = {name: _spread(value, user, targets.num_users) for name, value in values.items()}
        user = np.arange(targets.num_users)
    coverage = {
        f"coverage@{k}": int(row.sum()) / targets.num_items for k, row in zip(conventions.ks, listed, strict=True)
    }
    masked = int(known.contains(torch.as_tensor(targets.user), torch.as_tensor(targets.item)).sum())
    return Evaluation(user, values, coverage, masked if conventions.mask_seen else 0)


def _checked(
    scores: Float[Tensor, "user item"], ids: Int[Tensor, " user"], num_items: int
) -> Float[Tensor, "user item"]:
    """Refuse scores that no ranking can be made of; whole numbers and NumPy's arrays are welcome."""
    scores = torch.as_tensor(scores)
    scores = scores if scores.is_floating_point() else scores.double()
    if scores.shape != (len(ids), num_items):
        raise ValueError(f"scores must have shape {(len(ids), num_items)}; got {tuple(scores.shape)}")
    least, most = scores.aminmax()
    if not bool(torch.isfinite(least) & torch.isfinite(most)):
        row, item = (~torch.isfinite(scores)).nonzero()[0].tolist()
        raise ValueError(f"scores must be finite; got {float(scores[row, item])} for user {int(ids[row])}, item {item}")
    return scores


def _mask(
    scores: Float[Tensor, "user item"], ids: Int[Tensor, " user"], known: KnownPositives
) -> Float[Tensor, "user item"]:
    """Put known positives last; in a copy, as the scores are the model's."""
    count = known.count(ids)
    row = torch.repeat_interleave(torch.arange(len(ids)), count)
    within = torch.arange(len(row)) - torch.repeat_interleave(count.cumsum(0) - count, count)
    item = known.item[known.start[ids][row] + within]
    scores = scores.clone()
    scores[row.to(scores.device), item.to(scores.device)] = -torch.inf
    return scores


def _spread(
    value: Float[np.ndarray, " judged"], user: Int[np.ndarray, " judged"], num_users: int
) -> Float[np.ndarray, " user"]:
    whole = np.zeros(num_users)
    whole[user] = value
    return whole
