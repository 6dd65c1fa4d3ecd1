"""What one epoch's negatives were like: their scores, their pull on the model, and how many were truly liked."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from adar_viz.core import NO_ITEM, Encoded
from adar_viz.datasets import Truth
from adar_viz.evaluation import false_negative_rate, nearest_items
from adar_viz.events import Drawn

QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)
ROWS, JUDGED_ROWS = 64, 512
"""At most so many rows of a step are summed up (the second number where truth is known): evenly spaced ones, since
neighbouring rows of one sequence are alike."""
NEGATIVES, CATALOGUE = 64, 64
"""Of a row, at most so many negatives are kept, and so many items stand for the catalogue: evenly spaced ones."""
GROUPS = 3
_GOLDEN = 0.6180339887498949
"""Multiples of the golden ratio, modulo 1, are spread evenly: each row begins elsewhere, without a draw."""

LossOfRows = Callable[..., Tensor]


@dataclass(frozen=True)
class Likes:
    """What is truly liked, and the groups by which false negatives are counted apart.

    Groups are thirds: of the users by their number of training interactions (activity), of the items
    by theirs (popularity), from few to many. Users alike in activity share a group, so that groups
    differ in size, and one may be empty, where many are alike; for items likewise.

    Attributes
    ----------
    truth : Truth
    activity : Int[ndarray, "user"]
    popularity : Int[ndarray, "item"]
    """

    truth: Truth
    activity: Int[np.ndarray, " user"]
    popularity: Int[np.ndarray, " item"]

    @property
    def group_of_user(self) -> Int[np.ndarray, " user"]:
        """Group of each user, from 0 (least active)."""
        return _thirds(self.activity)

    @property
    def group_of_item(self) -> Int[np.ndarray, " item"]:
        """Group of each item, from 0 (least popular)."""
        return _thirds(self.popularity)

    def arrays(self) -> dict[str, np.ndarray]:
        """Return the least and the largest count in each group (nan: an empty group)."""
        sides = {"user_group_activity": (self.activity, self.group_of_user)}
        sides["item_group_popularity"] = (self.popularity, self.group_of_item)
        return {name: _ranges(count, group) for name, (count, group) in sides.items()}


class Draws:
    """Sum up the drawn negatives of each epoch.

    Seen are evenly spaced rows of every step, `ROWS` of them, or `JUDGED_ROWS` where truth is known. Of
    these rows the cost is O(row x (k + 64) x dim), and O(row x item x dim) more for synthetic
    negatives that are judged. Nothing is drawn at random.

    Parameters
    ----------
    loss : callable or None
        The loss of the training, for the weight of each negative in the gradient.
    likes : Likes or None
        What is truly liked, where that is known.
    """

    def __init__(self, loss: LossOfRows | None = None, likes: Likes | None = None) -> None:
        self.loss, self.likes = loss, likes
        self.rows = ROWS if likes is None else JUDGED_ROWS
        self._seen: list[dict[str, np.ndarray]] = []
        self._judged: list[dict[str, np.ndarray]] = []
        self._num_rows = 0

    def see(self, event: Drawn) -> None:
        """Keep what the epoch's summary needs of one step; negatives of weight 0 are in no loss, and left out."""
        rows = evenly(len(event.user), self.rows, event.user.device)
        positive, negative = event.positive_score[rows], event.negative_score[rows]
        place = evenly(negative.shape[1], NEGATIVES, negative.device)
        with torch.no_grad():
            catalogue = self._catalogue_score(replace(event.encoded, query=event.encoded.query[rows]))
        score = negative[:, place]
        of_negatives = {"negative_score": score, "hardness": score - positive[:, None]}
        of_negatives["negative_percentile"] = (catalogue[:, None] < score[..., None]).float().mean(-1)
        weight, log_prob = (None if x is None else x[rows] for x in (event.weight, event.log_prob))
        if self.loss is not None:
            of_negatives["gradient_weight"] = gradient_weight(self.loss, positive, negative, weight, log_prob)[:, place]
        used = torch.ones_like(score, dtype=torch.bool) if weight is None else weight[:, place] > 0
        kept = {name: x[used] for name, x in of_negatives.items()}
        kept |= {"positive_score": positive, "catalogue_score": catalogue.flatten()}
        self._seen.append({name: x.cpu().numpy().astype(np.float32) for name, x in kept.items()})
        # What all rows share was not drawn for any of them.
        if self.likes is not None and len(event.embedding) == len(event.user):
            item, vectors = event.item[rows][:, place], event.embedding[rows][:, place]
            row = torch.arange(len(rows), device=rows.device)[:, None].expand_as(item)[used]
            self._judge(event, rows[row], item[used], vectors[used], of_negatives.get("gradient_weight", used)[used])

    def _catalogue_score(self, encoded: Encoded) -> Float[Tensor, "row some"]:
        """Score some items for each row, evenly spaced over all ids, from another start in every row."""
        device, num_rows, num_items = encoded.query.device, len(encoded.query), len(encoded.table())
        row = torch.arange(self._num_rows, self._num_rows + num_rows, device=device, dtype=torch.float64)
        self._num_rows += num_rows
        spaced = torch.arange(min(CATALOGUE, num_items), device=device) * (num_items / min(CATALOGUE, num_items))
        item = ((row * _GOLDEN % 1 * num_items)[:, None] + spaced).long() % num_items
        return encoded.score(encoded.lookup(item)).detach()

    def _judge(self, event: Drawn, row: Tensor, item: Tensor, vectors: Tensor, gradient: Tensor) -> None:
        """Keep who drew which item; a synthetic negative stands for its nearest one."""
        synthetic = item == NO_ITEM
        item, distance = item.clone(), torch.full(item.shape, torch.nan, device=item.device)
        if bool(synthetic.any()):
            with torch.no_grad():
                item[synthetic], distance[synthetic] = nearest_items(vectors[synthetic], event.encoded.table())
        kept = {"user": event.user[row], "item": item, "distance": distance}
        kept |= {"own": item == event.positive[row], "gradient": gradient.to(distance.dtype)}
        self._judged.append({name: x.cpu().numpy() for name, x in kept.items()})

    def sum_up(self) -> dict[str, Any]:
        """Return the summary of the epoch, tensors by name, and begin the next one."""
        seen, judged = _joined(self._seen), _joined(self._judged)
        self._seen, self._judged, self._num_rows = [], [], 0
        nothing = np.full(len(QUANTILES), np.nan)
        names = ["negative_score", "positive_score", "catalogue_score", "hardness", "negative_percentile"]
        names += ["gradient_weight"] if self.loss is not None else []
        empty = np.zeros(0)
        found = {name: seen.get(name, empty) for name in names}
        summary = {name: np.quantile(x, QUANTILES) if len(x) else nothing for name, x in found.items()}
        if self.loss is not None:
            pull = found["gradient_weight"]
            summary["gradient_weight_mean"] = np.array(pull.mean() if len(pull) else np.nan)
        if self.likes is not None:
            summary |= _false_negatives(judged, self.likes)
        return {name: torch.as_tensor(np.asarray(x, dtype=np.float64)) for name, x in summary.items()}

    def arrays(self, epochs: Sequence[Mapping[str, Any]]) -> dict[str, np.ndarray]:
        """Return the summaries of epochs as arrays of a trace."""
        arrays = {name: torch.stack([e[name] for e in epochs]).numpy() for name in (epochs[0] if epochs else ())}
        return arrays | ({} if self.likes is None or not epochs else self.likes.arrays())


def gradient_weight(
    loss: LossOfRows,
    positive: Float[Tensor, " row"],
    negative: Float[Tensor, "row k"],
    weight: Float[Tensor, "row k"] | None = None,
    log_prob: Float[Tensor, "row k"] | None = None,
) -> Float[Tensor, "row k"]:
    """How much of the row's loss each negative's score carries: ``|d loss / d s_neg|``.

    For BPR this is ``sigmoid(s_neg - s_pos)`` times the negative's share of the row's weight. It is the
    length of the negative's push on the query, in units of the negative's vector, and of the query's push on
    the negative, in units of the query's.
    """
    known = {"log_prob": log_prob} if "log_prob" in inspect.signature(loss).parameters else {}
    with torch.enable_grad():
        score = negative.detach().clone().requires_grad_()
        (slope,) = torch.autograd.grad(loss(positive.detach(), score, weight, **known).sum(), score)
    return slope.abs()


def _false_negatives(judged: Mapping[str, np.ndarray], likes: Likes) -> dict[str, Any]:
    """Share of false negatives: of all, by group, and of the gradient; means of what is synthetic."""
    nothing = {"user": np.zeros(0, int), "item": np.zeros(0, int), "distance": np.zeros(0)}
    nothing |= {"gradient": np.zeros(0), "own": np.zeros(0, dtype=bool)}
    drawn = judged or nothing
    user, item = drawn["user"], drawn["item"]
    by_user, by_item = likes.group_of_user[user], likes.group_of_item[item]
    everyone, each = np.ones(len(user), dtype=bool), range(GROUPS)
    rate, interval = _shares(drawn, likes.truth, [everyone])
    by_activity = _shares(drawn, likes.truth, [by_user == g for g in each])
    by_popularity = _shares(drawn, likes.truth, [by_item == g for g in each])
    known, synthetic = likes.truth.judged[user, item], ~np.isnan(drawn["distance"])
    pull = drawn["gradient"] * known
    return {
        "false_negative": rate[0],
        "false_negative_interval": interval[0],
        "false_negative_by_activity": by_activity[0],
        "false_negative_by_activity_interval": by_activity[1],
        "false_negative_by_popularity": by_popularity[0],
        "false_negative_by_popularity_interval": by_popularity[1],
        "false_negative_gradient": _mean(likes.truth.liked[user, item], pull),
        "drawn_by_popularity": [_mean(by_item == g, everyone) for g in each],
        "judged_draws": known.sum(),
        "synthetic_share": _mean(synthetic, everyone),
        "synthetic_own": _mean(drawn["own"], synthetic),
        "synthetic_distance": _mean(np.nan_to_num(drawn["distance"]), synthetic),
    }


def _shares(
    drawn: Mapping[str, np.ndarray], truth: Truth, parts: Sequence[Bool[np.ndarray, " draw"]]
) -> tuple[list[float], list[tuple[float, float]]]:
    """Rate and interval of false negatives in some parts of the draws."""
    user, item = torch.as_tensor(drawn["user"]), torch.as_tensor(drawn["item"])
    found = [false_negative_rate(item[part][:, None], user[part], truth) for part in map(torch.as_tensor, parts)]
    return [f.rate for f in found], [(f.low, f.high) for f in found]


def _mean(value: np.ndarray, weight: np.ndarray) -> float:
    return float((value * weight).sum() / weight.sum()) if weight.any() else float("nan")


def _joined(parts: Sequence[Mapping[str, np.ndarray]]) -> dict[str, np.ndarray]:
    return {name: np.concatenate([part[name] for part in parts]) for name in (parts[0] if parts else ())}


def evenly(length: int, most: int, device: torch.device) -> Int[Tensor, " place"]:
    """Return the places of at most ``most`` evenly spaced ones out of ``length``."""
    number = min(length, most)
    return (torch.arange(number, device=device) * (length / number)).long()


def _thirds(count: Int[np.ndarray, " one"]) -> Int[np.ndarray, " one"]:
    limits = np.quantile(count, np.arange(1, GROUPS) / GROUPS)
    group: Int[np.ndarray, " one"] = np.searchsorted(limits, count, side="left")
    return group


def _ranges(count: Int[np.ndarray, " one"], group: Int[np.ndarray, " one"]) -> Float[np.ndarray, "group 2"]:
    parts = [count[group == g] for g in range(GROUPS)]
    return np.array([(part.min(), part.max()) if len(part) else (np.nan, np.nan) for part in parts], dtype=float)
