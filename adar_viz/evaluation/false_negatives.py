"""How many of the drawn negatives the users truly like."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from adar_viz.core import NO_ITEM
from adar_viz.datasets import Truth

_CELLS = 2**24
"""Entries of a block of similarities."""


@dataclass(frozen=True)
class FalseNegatives:
    """Share of drawn negatives that are truly liked.

    Attributes
    ----------
    rate : float
        Over the judged draws, in [0, 1]; nan where none is judged.
    low, high : float
        Interval of the rate over all draws. Equal to the rate where every draw is judged.
    num_drawn, num_judged : int
        Negatives drawn, and those whose truth is known.
    num_synthetic : int
        Of the drawn, those that stand for their nearest real item.
    distance : float or None
        Mean distance of the synthetic ones from that item: how far the answer can be trusted.
    """

    rate: float
    low: float
    high: float
    num_drawn: int
    num_judged: int
    num_synthetic: int = 0
    distance: float | None = None


def false_negative_rate(
    item: Int[Tensor, "row k"],
    user: Int[Tensor, " row"],
    truth: Truth,
    *,
    embedding: Float[Tensor, "row k dim"] | None = None,
    table: Float[Tensor, "item dim"] | None = None,
    query: Float[Tensor, "row dim"] | None = None,
    confidence: float = 0.95,
) -> FalseNegatives:
    """Look the drawn negatives up in the truth.

    Parameters
    ----------
    item
        As in `Negatives`. `NO_ITEM`, a synthetic one, stands for its `nearest_items`.
    embedding, table, query
        Of the negatives, of all items and (to compare by score) of the rows; needed for
        synthetic negatives only.
    confidence
        Level of the interval, in (0, 1).

    Raises
    ------
    ValueError
        There are synthetic negatives and no embeddings to place them by.

    Notes
    -----
    Where only some cells are judged, they must be a random sample (Coat's test cells are). The
    interval is Wilson's (1927) with Kish's effective number of judged cells: a cell drawn a
    hundred times is one answer, not a hundred.
    """
    if not 0 < confidence < 1:
        raise ValueError(f"confidence must lie in (0, 1); got {confidence}")
    synthetic = item == NO_ITEM
    number, distance = int(synthetic.sum()), None
    if number:
        if embedding is None or table is None:
            raise ValueError(f"{number} negatives belong to no item: embedding and table are needed; got None")
        row, column = synthetic.nonzero(as_tuple=True)
        near, apart = nearest_items(embedding[row, column], table, query=None if query is None else query[row])
        item, distance = item.clone(), float(apart.mean())
        item[row, column] = near
    users = user[:, None].expand_as(item).flatten().cpu().numpy()
    items = item.flatten().cpu().numpy()
    judged = truth.judged[users, items]
    cell, times = np.unique(users[judged] * truth.judged.shape[1] + items[judged], return_counts=True)
    liked = truth.liked.ravel()[cell]
    rate = float(np.average(liked, weights=times)) if len(cell) else math.nan
    if judged.all():
        low = high = rate
    else:
        low, high = _wilson(rate, float(times.sum() ** 2 / max(1, (times**2).sum())), confidence)
    return FalseNegatives(rate, low, high, items.size, int(judged.sum()), number, distance)


def nearest_items(
    embedding: Float[Tensor, "vector dim"],
    table: Float[Tensor, "item dim"],
    *,
    query: Float[Tensor, "vector dim"] | None = None,
) -> tuple[Int[Tensor, " vector"], Float[Tensor, " vector"]]:
    """Find the real item closest to each vector, and how far it is; O(vector x item x dim).

    Parameters
    ----------
    query
        None compares by cosine (distance ``1 - cosine``, in [0, 2]); otherwise the closest item
        is the one whose inner product with the query is closest (distance in units of the score).

    Raises
    ------
    ValueError
        A vector is not finite.
    """
    if not bool(torch.isfinite(embedding).all()):
        raise ValueError("vectors must be finite to have a nearest item; got NaN or infinity")
    found, unit_table = [], torch.nn.functional.normalize(table, dim=1)
    index = torch.arange(len(embedding), device=embedding.device)
    for part in torch.split(index, max(1, _CELLS // len(table))):
        if query is None:
            unit = torch.nn.functional.normalize(embedding[part], dim=1)
            apart = 1 - unit @ unit_table.T
        else:
            score = (query[part] * embedding[part]).sum(dim=1, keepdim=True)
            apart = (query[part] @ table.T - score).abs()
        found.append(apart.min(dim=1))
    return torch.cat([f.indices for f in found]), torch.cat([f.values for f in found])


def _wilson(rate: float, number: float, confidence: float) -> tuple[float, float]:
    """Wilson's score interval; everything is possible without a judged cell."""
    if math.isnan(rate):
        return 0.0, 1.0
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    middle = (rate + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * math.sqrt(rate * (1 - rate) / number + z * z / (4 * number * number))
    return max(0.0, middle - half), min(1.0, middle + half)
