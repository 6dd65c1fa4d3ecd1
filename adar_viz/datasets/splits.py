"""Splits: how pairs are parted into training, validation and test, and proof that none leaks."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np
from jaxtyping import Bool, Int

from adar_viz.datasets.errors import DataError
from adar_viz.datasets.interactions import Interactions, pair_keys, same_ids

_SLACK = 1e-9
"""Added before rounding: a share of 0.1 is a little off in binary."""


@dataclass(frozen=True)
class Split:
    """Three parts of the same data, with one numbering of users and items.

    Attributes
    ----------
    train, validation, test : Interactions
        None of them is empty.
    name : str
        The rule and its settings, for tables and run folders.
    report : mapping of str to int
        What the rule left out, and how often.
    """

    train: Interactions
    validation: Interactions
    test: Interactions
    name: str
    report: Mapping[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for part in ("train", "validation", "test"):
            if not len(getattr(self, part)):
                raise DataError(self.train.name, f"a {part} part with pairs in it ({self.name})", "an empty one")
        if not (same_ids(self.train, self.validation) and same_ids(self.train, self.test)):
            raise DataError(self.train.name, "one numbering of users and items in all parts", "different ones")

    @property
    def num_users(self) -> int:
        """Number of users, in all parts together."""
        return self.train.num_users

    @property
    def num_items(self) -> int:
        """Number of items, in all parts together."""
        return self.train.num_items

    @property
    def selects_on_test(self) -> bool:
        """Whether test pairs stand in the validation part: whoever selects on it, selects on the test."""
        return bool(np.isin(pair_keys(self.validation), pair_keys(self.test)).any())

    def held_out_checksum(self) -> str:
        """Return the SHA-256 of the validation and the test part, hexadecimal; see `Interactions.checksum`."""
        parts = self.validation.checksum() + self.test.checksum()
        return hashlib.sha256(parts.encode()).hexdigest()

    def __repr__(self) -> str:
        """Name the rule and the sizes."""
        sizes = " + ".join(str(len(part)) for part in (self.train, self.validation, self.test))
        return f"Split({self.train.name!r}, {self.name}: {sizes} pairs)"


@dataclass(frozen=True)
class Leaks:
    """Pairs that stand in two parts of a split.

    Attributes
    ----------
    test_in_train, validation_in_train, test_in_validation : int
        Number of pairs in both parts.
    share : float
        Share of the test pairs that are training pairs, in [0, 1].
    example : (str, str) or None
        Original ids of one user and item that leak.
    """

    test_in_train: int
    validation_in_train: int
    test_in_validation: int
    share: float
    example: tuple[str, str] | None

    def __bool__(self) -> bool:
        """Whether any pair leaks."""
        return bool(self.test_in_train or self.validation_in_train or self.test_in_validation)

    def __str__(self) -> str:
        """Say in one line what leaks."""
        if not self:
            return "no pair stands in two parts"
        return (
            f"{self.test_in_train} test pairs ({self.share:.0%}) are training pairs, {self.validation_in_train} "
            f"validation pairs are training pairs, {self.test_in_validation} test pairs are validation pairs; "
            f"for example user, item {self.example}"
        )


class LeakError(DataError):
    """A split whose test pairs are known while training."""


def leaks(split: Split) -> Leaks:
    """Find the pairs that stand in more than one part; O(pairs log pairs)."""
    train, validation, test = (pair_keys(part) for part in (split.train, split.validation, split.test))
    in_train = np.isin(test, train)
    validation_in_train, test_in_validation = np.isin(validation, train), np.isin(test, validation)
    shared = np.concatenate([test[in_train], validation[validation_in_train], test[test_in_validation]])
    example = None
    if len(shared):
        user, item = divmod(int(shared[0]), split.num_items)
        example = (str(split.train.user_label[user]), str(split.train.item_label[item]))
    return Leaks(
        test_in_train=int(in_train.sum()),
        validation_in_train=int(validation_in_train.sum()),
        test_in_validation=int(test_in_validation.sum()),
        share=float(in_train.mean()),
        example=example,
    )


def check_leaks(split: Split) -> None:
    """Raise a `LeakError` that says how much leaks, if anything does."""
    found = leaks(split)
    if found:
        raise LeakError(split.train.name, f"parts without a common pair ({split.name})", str(found))


def ratio(
    interactions: Interactions,
    *,
    validation: float = 0.1,
    test: float = 0.1,
    round_down: bool = False,
    seed: int = 0,
) -> Split:
    """Hold out a random share of each user's pairs.

    Parameters
    ----------
    interactions : Interactions
        The whole.
    validation, test : float
        Share of a user's pairs, in (0, 1). A user's count is rounded, and at least one
        pair of each user stays in training: users with few pairs may have none held out.
    round_down : bool
        Whether a user's count is rounded down, as RecBole does, instead of half up.
    seed : int
        Of the draw; the same seed gives the same split.
    """
    _check_shares(validation, test)
    if round_down not in (False, True):
        raise ValueError(f"round_down must be True or False; got {round_down!r}")
    rank, count = _rank_within_user(interactions.user, _shuffle(interactions, seed))
    up = _SLACK if round_down else 0.5 + _SLACK
    num_test = np.minimum(np.floor(count * test + up), count - 1)
    num_validation = np.minimum(np.floor(count * validation + up), count - 1 - num_test)
    name = f"ratio validation={validation:g} test={test:g}{' round_down' * round_down} seed={seed}"
    return _parts(interactions, rank < num_test, rank < num_test + num_validation, name)


def leave_one_out(interactions: Interactions) -> Split:
    """Hold out each user's last pair for the test and the one before it for validation.

    Users with fewer than three pairs stay in training whole. Where two pairs have the same
    time, their order in the file decides.

    Raises
    ------
    DataError
        The pairs have no time order.
    """
    if interactions.time_kind == "none":
        raise DataError(interactions.name, "pairs in time order, for leave-one-out", "pairs without time")
    rank, count = _rank_within_user(interactions.user, np.arange(len(interactions))[::-1])
    enough = count >= 3
    return _parts(interactions, enough & (rank == 0), enough & (rank <= 1), "leave-one-out")


def temporal(
    interactions: Interactions, *, validation: float = 0.1, test: float = 0.1, drop_cold: bool = True
) -> Split:
    """Cut at two moments, the same for all users: train on the past, test on the future.

    Parameters
    ----------
    interactions : Interactions
        Their timestamps must be comparable between users.
    validation, test : float
        Share of all pairs after the first and after the second cut, in (0, 1); pairs of the
        same moment fall on the same side.
    drop_cold : bool
        Whether held-out pairs of a user or an item that training never saw are left out (and
        counted in the split's report). A model of ids can say nothing about them.

    Raises
    ------
    DataError
        The timestamps are positions in a sequence, or there are none.
    """
    _check_shares(validation, test)
    if drop_cold not in (False, True):
        raise ValueError(f"drop_cold must be True or False; got {drop_cold!r}")
    if interactions.time_kind != "clock" or interactions.timestamp is None:
        got = "positions within each user" if interactions.time_kind == "order" else "pairs without time"
        raise DataError(interactions.name, "clock times, for a temporal cut", got)
    time = interactions.timestamp
    ordered = np.sort(time)
    test_from, validation_from = (
        ordered[int(np.floor(share * len(ordered) + _SLACK))] for share in (1 - test, 1 - test - validation)
    )
    name = f"temporal validation={validation:g} test={test:g}"
    whole = _parts(interactions, time >= test_from, time >= validation_from, name)
    if not drop_cold:
        return whole
    known_user, known_item = whole.train.activity() > 0, whole.train.popularity() > 0
    report, warm = {}, {}
    for what, part in (("validation", whole.validation), ("test", whole.test)):
        mask = known_user[part.user] & known_item[part.item]
        report[f"{what} pairs of users or items unseen in training left out"] = int((~mask).sum())
        warm[what] = part.select(mask)
    return Split(whole.train, warm["validation"], warm["test"], f"{name} drop_cold=True", report)


def given(
    train: Interactions,
    test: Interactions,
    *,
    validation: float = 0.1,
    seed: int = 0,
    overlap: str = "raise",
) -> Split:
    """Keep a published test set and carve validation out of its training set.

    Parameters
    ----------
    train, test : Interactions
        With one numbering of users and items.
    validation : float
        Share of each user's training pairs, as in `ratio`.
    seed : int
        Of the carving.
    overlap : {"raise", "drop", "keep"}
        What to do with test pairs that are training pairs: refuse the split, leave them out
        of the test set (counted in the report), or keep the leak, as published.

    Raises
    ------
    LeakError
        A test pair is a training pair and ``overlap`` is "raise".
    """
    _check_shares(validation)
    if overlap not in ("raise", "drop", "keep"):
        raise ValueError(f"overlap must be 'raise', 'drop' or 'keep'; got {overlap!r}")
    known = np.isin(pair_keys(test), pair_keys(train))
    if known.any() and overlap == "raise":
        got = f"{known.sum()} of {len(test)} test pairs ({known.mean():.0%}) that are training pairs"
        raise LeakError(
            train.name,
            "a test set apart from the training set (or overlap 'drop' or 'keep', on the command line --overlap)",
            got,
        )
    report = {"test pairs that are training pairs left out": int(known.sum())} if overlap == "drop" else {}
    rank, count = _rank_within_user(train.user, _shuffle(train, seed))
    held = rank < np.minimum(np.floor(count * validation + 0.5 + _SLACK), count - 1)
    name = f"given validation={validation:g} seed={seed} overlap={overlap}"
    return Split(
        train.select(~held), train.select(held), test.select(~known) if overlap == "drop" else test, name, report
    )


def as_published(train: Interactions, test: Interactions) -> Split:
    """Use the test set as validation too, as much published code does.

    Numbers of such a run flatter the method: it was stopped where the test was best. For
    reproducing published numbers, never for comparing methods.
    """
    return Split(train, test, test, "as published (validation is the test set)")


RULES: Mapping[str, Callable[..., Split]] = {
    "ratio": ratio,
    "leave-one-out": leave_one_out,
    "temporal": temporal,
}
"""Rules that part one set of pairs, by name; `given` and `as_published` take two."""


def _check_shares(*share: float) -> None:
    if not all(isinstance(value, int | float) and 0 < value < 1 for value in share) or sum(share) >= 1:
        raise ValueError(f"shares must lie in (0, 1) and add up to less than 1; got {', '.join(map(repr, share))}")


def _shuffle(interactions: Interactions, seed: int) -> Int[np.ndarray, " pair"]:
    return np.random.default_rng(seed).permutation(len(interactions))


def _rank_within_user(
    user: Int[np.ndarray, " pair"], order: Int[np.ndarray, " pair"]
) -> tuple[Int[np.ndarray, " pair"], Int[np.ndarray, " pair"]]:
    """Rank of each pair among those of its user, in the given order, and how many those are."""
    grouped = order[np.argsort(user[order], kind="stable")]
    count = np.bincount(user)
    start = np.cumsum(count) - count
    rank = np.empty_like(grouped)
    rank[grouped] = np.arange(len(user)) - start[user[grouped]]
    return rank, count[user]


def _parts(
    interactions: Interactions, test: Bool[np.ndarray, " pair"], held: Bool[np.ndarray, " pair"], name: str
) -> Split:
    """Part into test, the rest of what is held out, and training."""
    return Split(
        train=interactions.select(~held),
        validation=interactions.select(held & ~test),
        test=interactions.select(test),
        name=name,
    )
