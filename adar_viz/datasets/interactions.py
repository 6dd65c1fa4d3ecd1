"""Interactions: which user met which item, with whatever else is known about it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
import pandas as pd
from jaxtyping import Bool, Int, Shaped

from adar_viz.datasets.errors import DataError

TimeKind = Literal["clock", "order", "none"]
Array = Shaped[np.ndarray, "..."]


@dataclass(frozen=True)
class Interactions:
    """(user, item) pairs with contiguous ids, sorted by user and, within a user, by time.

    No pair occurs twice. Of several without ratings the first in time is kept, the moment at
    which user and item met; with ratings the last, which is what the user thinks now. Where
    there is no time, or the same, the order in the file decides. What was dropped is counted
    in `report`.

    Attributes
    ----------
    user, item : Int[np.ndarray, "pair"]
        Ids in ``[0, num_users)`` and ``[0, num_items)``.
    user_label, item_label : np.ndarray of str
        The original id of each user and of each item.
    timestamp : np.ndarray or None
        Time of each pair, in the unit of the source (Unix seconds, for most).
    rating : np.ndarray or None
        Rating of each pair, on the scale of the source.
    title, genre : np.ndarray of str or None
        For each item; the genres of an item are joined by ``|``, "" where unknown.
    time_kind : {"clock", "order", "none"}
        "clock": timestamps of different users can be compared. "order": only those of one
        user, being positions in a sequence. "none": the order of the pairs means nothing.
    name : str
        Where the pairs come from.
    report : mapping of str to int
        What was repaired or left out on the way, and how often.
    """

    user: Int[np.ndarray, " pair"]
    item: Int[np.ndarray, " pair"]
    user_label: Shaped[np.ndarray, " user"]
    item_label: Shaped[np.ndarray, " item"]
    timestamp: Shaped[np.ndarray, " pair"] | None = None
    rating: Shaped[np.ndarray, " pair"] | None = None
    title: Shaped[np.ndarray, " item"] | None = None
    genre: Shaped[np.ndarray, " item"] | None = None
    time_kind: TimeKind = "none"
    name: str = "interactions"
    report: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for what in ("user", "item"):  # 32 bits overflow where a pair becomes one number
            ids = np.asarray(getattr(self, what))
            if ids.dtype.kind not in "iu":
                raise DataError(self.name, f"{what} ids that are whole numbers", str(ids.dtype))
            object.__setattr__(self, what, ids.astype(np.int64, copy=False))
        if self.time_kind not in get_args(TimeKind):
            raise DataError(self.name, f"a time_kind out of {', '.join(get_args(TimeKind))}", repr(self.time_kind))
        for what, ids, size in (("user", self.user, self.num_users), ("item", self.item, self.num_items)):
            if len(ids) and (ids.min() < 0 or ids.max() >= size):
                raise DataError(self.name, f"{what} ids in [0, {size})", f"{ids.min()} to {ids.max()}")
        for what in ("item", "timestamp", "rating"):
            values = getattr(self, what)
            if values is not None and len(values) != len(self.user):
                raise DataError(self.name, f"{len(self.user)} values of {what}, one a pair", str(len(values)))
        for what in ("title", "genre"):
            values = getattr(self, what)
            if values is not None and len(values) != self.num_items:
                raise DataError(self.name, f"{self.num_items} values of {what}, one an item", str(len(values)))
        if (self.timestamp is None) != (self.time_kind == "none"):
            raise DataError(self.name, "timestamps exactly where time_kind is not 'none'", repr(self.time_kind))

    @classmethod
    def from_pairs(
        cls,
        user: Array,
        item: Array,
        *,
        timestamp: Array | None = None,
        rating: Array | None = None,
        users: Array | None = None,
        items: Array | None = None,
        time_kind: TimeKind | None = None,
        name: str = "interactions",
        report: Mapping[str, int] | None = None,
    ) -> Interactions:
        """Make contiguous ids, drop duplicates and sort; O(pairs log pairs).

        Parameters
        ----------
        user, item : array of int or str
            Original ids, in any order.
        timestamp, rating : array, optional
            One value for each pair.
        users, items : array, optional
            All original ids, where more exist than occur in these pairs (a test set that
            shares the ids of its training set). Ids are given in ascending order of these.
        time_kind : {"clock", "order", "none"}, optional
            Meaning of the timestamps; "clock" by default where there are any.
        name, report
            As in the class.

        Raises
        ------
        DataError
            Not one value a pair, timestamps that are no numbers or dates, or one that is missing or infinite.

        Notes
        -----
        Dates with a time zone are kept as UTC.
        """
        for what, values in (("item", item), ("timestamp", timestamp), ("rating", rating)):
            if values is not None and len(values) != len(user):
                raise DataError(name, f"{len(user)} values of {what}, one a pair", str(len(values)))
        if timestamp is not None:
            timestamp = np.asarray(timestamp)
            if pd.api.types.infer_dtype(timestamp) == "datetime":  # pandas hands times with a zone over as objects
                timestamp = pd.to_datetime(timestamp, utc=True).tz_convert(None).to_numpy()
            if timestamp.dtype.kind not in "iufM":
                raise DataError(name, "timestamps that are numbers or datetime64", str(timestamp.dtype))
        for what, values in (("user", user), ("item", item), ("timestamp", timestamp), ("rating", rating)):
            if values is not None and len(missing := np.flatnonzero(pd.isna(np.asarray(values)))):
                raise DataError(name, f"one {what} for each pair", f"none for pair {missing[0]}")
        for what, values in (("timestamp", timestamp), ("rating", rating)):
            numbers = np.zeros(0) if values is None else np.asarray(values)
            if numbers.dtype.kind == "f" and len(infinite := np.flatnonzero(np.isinf(numbers))):
                raise DataError(
                    name, f"a finite {what} for each pair", f"{numbers[infinite[0]]} for pair {infinite[0]}"
                )
        user_id, user_label = _contiguous(user, users, name)
        item_id, item_label = _contiguous(item, items, name)
        report = dict(report or {})
        order = np.argsort(user_id, kind="stable")
        if timestamp is not None:
            in_time = np.lexsort((timestamp, user_id))
            moved = int((order != in_time).sum())
            if moved:
                report["pairs moved to be in time order"] = moved
            order = in_time
        key = user_id[order] * len(item_label) + item_id[order]
        if rating is None:
            place, which = np.unique(key, return_index=True)[1], "first"
        else:
            place, which = len(key) - 1 - np.unique(key[::-1], return_index=True)[1], "last rating"
        if len(place) < len(key):
            report[f"duplicate pairs dropped (the {which} is kept)"] = len(key) - len(place)
        keep = order[np.sort(place)]
        return cls(
            user=user_id[keep],
            item=item_id[keep],
            user_label=user_label,
            item_label=item_label,
            timestamp=None if timestamp is None else np.asarray(timestamp)[keep],
            rating=None if rating is None else np.asarray(rating)[keep],
            time_kind=time_kind or ("none" if timestamp is None else "clock"),
            name=name,
            report=report,
        )

    @property
    def num_users(self) -> int:
        """Number of users, those without any pair included."""
        return len(self.user_label)

    @property
    def num_items(self) -> int:
        """Number of items, those without any pair included."""
        return len(self.item_label)

    def __len__(self) -> int:
        """Return the number of pairs."""
        return len(self.user)

    def __repr__(self) -> str:
        """Name the data and its size; the arrays would fill the screen."""
        return f"Interactions({self.name!r}: {self.num_users} users, {self.num_items} items, {len(self)} pairs)"

    def popularity(self) -> Int[np.ndarray, " item"]:
        """Count the pairs of each item."""
        return np.bincount(self.item, minlength=self.num_items)

    def activity(self) -> Int[np.ndarray, " user"]:
        """Count the pairs of each user."""
        return np.bincount(self.user, minlength=self.num_users)

    def select(self, mask: Bool[np.ndarray, " pair"]) -> Interactions:
        """Keep the pairs where ``mask`` is true; users, items and their ids stay as they are."""
        mask = np.asarray(mask)
        if mask.dtype != np.bool_ or mask.shape != self.user.shape:
            raise ValueError(f"mask must be bool of shape {self.user.shape}; got {mask.dtype} of shape {mask.shape}")
        return replace(
            self,
            user=self.user[mask],
            item=self.item[mask],
            timestamp=None if self.timestamp is None else self.timestamp[mask],
            rating=None if self.rating is None else self.rating[mask],
        )

    def compact(self) -> Interactions:
        """Leave out users and items without a pair and number the others anew, in the same order."""
        users, items = np.flatnonzero(self.activity()), np.flatnonzero(self.popularity())
        report = dict(self.report)
        for what, kept, size in (("users", users, self.num_users), ("items", items, self.num_items)):
            if len(kept) < size:
                key = f"{what} without a pair left out"
                report[key] = report.get(key, 0) + size - len(kept)
        return replace(
            self,
            user=np.searchsorted(users, self.user),
            item=np.searchsorted(items, self.item),
            user_label=self.user_label[users],
            item_label=self.item_label[items],
            title=None if self.title is None else self.title[items],
            genre=None if self.genre is None else self.genre[items],
            report=report,
        )

    def threshold(self, min_rating: float, *, compact: bool = True) -> Interactions:
        """Keep the pairs rated ``min_rating`` or higher: explicit ratings read as implicit likes.

        Parameters
        ----------
        min_rating : float
            On the scale of the source.
        compact : bool
            Whether users and items without a pair are then left out.

        Raises
        ------
        DataError
            There are no ratings, or none is high enough.
        """
        if self.rating is None:
            raise DataError(self.name, "ratings to compare with min_rating", "pairs without ratings")
        mask = self.rating >= min_rating
        if not mask.any():
            raise DataError(self.name, f"some rating >= {min_rating:g}", f"none above {self.rating.max():g}")
        report = {**self.report, f"pairs rated below {min_rating:g} left out": int((~mask).sum())}
        kept = replace(self.select(mask), report=report)
        return kept.compact() if compact else kept

    def k_core(self, k: int | tuple[int, int]) -> Interactions:
        """Keep the largest part in which each user has at least ``k`` pairs and each item too.

        Parameters
        ----------
        k : int or (int, int)
            The least number of pairs of a user and of an item, each at least 1.

        Raises
        ------
        DataError
            Nothing is left.
        ValueError
            A number is below 1.
        """
        numbers = k if isinstance(k, tuple) and len(k) == 2 else (k, k)
        if not all(isinstance(number, int | np.integer) and number >= 1 for number in numbers):
            raise ValueError(f"k_core must be a whole number of at least 1, or two of them; got {k!r}")
        user_k, item_k = numbers
        mask = np.ones(len(self), dtype=bool)
        while True:  # each round removes at least one pair, in practice ten rounds do
            activity = np.bincount(self.user[mask], minlength=self.num_users)
            popularity = np.bincount(self.item[mask], minlength=self.num_items)
            smaller = mask & (activity[self.user] >= user_k) & (popularity[self.item] >= item_k)
            if smaller.sum() == mask.sum():
                break
            mask = smaller
        if not mask.any():
            raise DataError(self.name, f"a core of {user_k} pairs a user and {item_k} an item", "none")
        report = dict(self.report)
        if not mask.all():
            report[f"pairs outside the ({user_k}, {item_k})-core left out"] = int((~mask).sum())
        return replace(self.select(mask), report=report).compact()

    def checksum(self) -> str:
        """Return the SHA-256 of the content (pairs, times, ratings, ids, titles), hexadecimal.

        It does not depend on the name, the report, or how the pairs were stored in files.
        """
        digest = hashlib.sha256()
        for name in ("user", "item", "timestamp", "rating", "user_label", "item_label", "title", "genre"):
            values = getattr(self, name)
            digest.update(f"{name}:{'absent' if values is None else len(values)};".encode())
            if values is None:
                continue
            if values.dtype.kind in "OUT":
                digest.update("\0".join(values.tolist()).encode())
            else:
                kind = "<i8" if values.dtype.kind in "iu" else "<f8"
                digest.update(np.ascontiguousarray(values, dtype=kind).tobytes())
        return digest.hexdigest()


def same_ids(first: Interactions, second: Interactions) -> bool:
    """Whether two sets of pairs use one numbering of users and items."""
    return np.array_equal(first.user_label, second.user_label) and np.array_equal(first.item_label, second.item_label)


def pair_keys(interactions: Interactions) -> Int[np.ndarray, " pair"]:
    """Give each pair one number, equal for equal pairs of the same id space."""
    key: Int[np.ndarray, " pair"] = interactions.user.astype(np.int64) * interactions.num_items + interactions.item
    return key


def _contiguous(label: Array, universe: Array | None, name: str) -> tuple[Array, Array]:
    """Give numbers to labels in ascending order (numbers by value, others as text)."""
    label = np.asarray(label)
    if universe is None:
        codes, unique = pd.factorize(label, sort=True)
    else:
        unique = np.unique(universe)
        codes = pd.Index(unique).get_indexer(pd.Index(label))
        if (codes < 0).any():
            raise DataError(name, "ids out of the given ones", repr(label[codes < 0][0]))
    return np.asarray(codes, dtype=np.int64), np.asarray(unique).astype(str)
