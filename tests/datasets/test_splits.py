from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given as forall
from hypothesis import settings
from hypothesis import strategies as st

from adar_viz.datasets import (
    DataError,
    Interactions,
    LeakError,
    Split,
    as_published,
    check_leaks,
    given,
    leaks,
    leave_one_out,
    ratio,
    split,
    temporal,
)
from adar_viz.datasets.interactions import pair_keys


@st.composite
def interactions(draw):
    users, items = draw(st.integers(2, 12)), draw(st.integers(3, 20))
    rng = np.random.default_rng(draw(st.integers(0, 10_000)))
    user, item = np.nonzero(rng.random((users, items)) < draw(st.floats(0.3, 1.0)))
    return Interactions.from_pairs(
        np.append(user, [users] * 3), np.append(item, [0, 1, 2]), timestamp=rng.integers(0, 50, len(user) + 3)
    )


def published(pairs: Interactions, seed: int) -> Split:
    mask = np.random.default_rng(seed).random(len(pairs)) < 0.3
    return given(pairs.select(~mask), pairs.select(mask), validation=0.3, seed=seed)


RULES = {
    "ratio": lambda pairs, seed: ratio(pairs, validation=0.3, test=0.3, seed=seed),
    "leave-one-out": lambda pairs, seed: leave_one_out(pairs),
    "temporal": lambda pairs, seed: temporal(pairs, validation=0.2, test=0.2, drop_cold=seed % 2 == 0),
    "given": published,
}


@pytest.mark.parametrize("rule", RULES)
@settings(max_examples=60, deadline=None)
@forall(pairs=interactions(), seed=st.integers(0, 1000))
def test_no_rule_leaks_or_loses_a_pair(rule, pairs, seed):
    try:
        parts = RULES[rule](pairs, seed)
    except DataError as error:
        if "part with pairs in it" not in str(error):  # only an empty part may stop a rule
            raise
        return
    assert not leaks(parts)
    check_leaks(parts)
    together = np.sort(np.concatenate([pair_keys(part) for part in (parts.train, parts.validation, parts.test)]))
    if rule == "temporal" and seed % 2 == 0:
        assert len(together) + sum(parts.report.values()) == len(pairs)
        assert np.isin(parts.test.item, parts.train.item).all()
        assert np.isin(parts.test.user, parts.train.user).all()
    else:
        assert np.array_equal(together, np.sort(pair_keys(pairs)))
    if rule == "temporal":
        assert parts.train.timestamp.max() < min(parts.validation.timestamp.min(), parts.test.timestamp.min())
        assert parts.validation.timestamp.max() < parts.test.timestamp.min()
    if rule == "leave-one-out":
        for user in np.unique(parts.test.user):
            past, between, future = (
                part.timestamp[part.user == user] for part in (parts.train, parts.validation, parts.test)
            )
            assert past.max() <= between[0] <= future[0]
            assert len(between) == len(future) == 1


def test_ratio_follows_its_seed_and_its_shares():
    pairs = Interactions.from_pairs(np.repeat(np.arange(50), 20), np.tile(np.arange(20), 50))
    first, again, other = ratio(pairs, seed=1), ratio(pairs, seed=1), ratio(pairs, seed=2)
    assert np.array_equal(pair_keys(first.test), pair_keys(again.test))
    assert not np.array_equal(pair_keys(first.test), pair_keys(other.test))
    for part, count in ((first.train, 16), (first.validation, 2), (first.test, 2)):
        assert (part.activity() == count).all()


@pytest.mark.parametrize(("round_down", "held"), [(False, (3, 2)), (True, (3, 1))])
def test_a_users_share_is_rounded_half_up_or_down(round_down, held):
    pairs = Interactions.from_pairs(np.repeat([0, 1], [30, 19]), np.concatenate([np.arange(30), np.arange(19)]))
    parts = ratio(pairs, round_down=round_down)
    for part in (parts.validation, parts.test):
        assert tuple(part.activity()) == held
    assert parts.train.activity().tolist() == [24, 19 - 2 * held[1]]


@pytest.mark.parametrize(("count", "share"), [(90, 0.35), (170, 0.35), (50, 0.29)])
def test_a_half_that_binary_numbers_miss_is_rounded_up_too(count, share):
    pairs = Interactions.from_pairs(np.zeros(count, dtype=int), np.arange(count))
    expected = int(np.floor(round(count * share, 6) + 0.5))
    assert len(ratio(pairs, test=share).test) == expected
    parts = given(pairs, pairs.select(np.arange(count) < 1), validation=share, overlap="keep")
    assert len(parts.validation) == expected


def test_leaks_are_found_and_named():
    pairs = Interactions.from_pairs(np.array([5, 5, 6, 6]), np.array([1, 2, 1, 2]))
    first, second = np.array([True, False, False, False]), np.array([True, True, False, False])
    found = leaks(Split(pairs.select(first), pairs.select(~second), pairs.select(second), "by hand"))
    assert (found.test_in_train, found.validation_in_train, found.test_in_validation) == (1, 0, 0)
    assert found.share == 0.5
    assert found.example == ("5", "1")
    with pytest.raises(LeakError, match=r"1 of 2 test pairs \(50%\) that are training pairs"):
        given(pairs.select(~first), pairs.select(second), validation=0.5)
    dropped = given(pairs.select(~first), pairs.select(second), validation=0.5, overlap="drop")
    assert not leaks(dropped)
    assert leaks(given(pairs.select(~first), pairs.select(second), validation=0.5, overlap="keep"))
    assert leaks(as_published(pairs.select(~second), pairs.select(second))).test_in_validation == 2


ORDERED = Interactions.from_pairs(
    np.array([1, 1, 1]), np.array([1, 2, 3]), timestamp=np.array([0, 1, 2]), time_kind="order", name="x"
)
TIMELESS = Interactions.from_pairs(np.array([1, 1, 1]), np.array([1, 2, 3]), name="x")


@pytest.mark.parametrize(
    ("attempt", "message"),
    [
        (lambda: leave_one_out(TIMELESS), "pairs in time order, for leave-one-out; got pairs without time"),
        (lambda: temporal(TIMELESS), "clock times, for a temporal cut; got pairs without time"),
        (lambda: temporal(ORDERED), "clock times, for a temporal cut; got positions within each user"),
        (lambda: ratio(ORDERED), "x: expected a validation part with pairs in it .* got an empty one"),
        (lambda: ratio(ORDERED, test=1.0), r"shares must lie in \(0, 1\).* got 0.1, 1.0"),
        (lambda: ratio(ORDERED, validation=0.6, test=0.6), "add up to less than 1; got 0.6, 0.6"),
        (lambda: temporal(ORDERED, drop_cold=0.3), "drop_cold must be True or False; got 0.3"),
        (lambda: ratio(ORDERED, round_down=3), "round_down must be True or False; got 3"),
        (lambda: given(ORDERED, ORDERED, overlap="ask"), "overlap must be 'raise', 'drop' or 'keep'; got 'ask'"),
        (lambda: split(ORDERED, "halves"), "a rule out of ratio, leave-one-out, temporal; got 'halves'"),
        (lambda: Split(ORDERED, ORDERED, small_test(), "x"), "one numbering of users and items"),
    ],
)
def test_what_cannot_be_split_is_refused(attempt, message):
    with pytest.raises(ValueError, match=message):
        attempt()


def small_test() -> Interactions:
    return Interactions.from_pairs(np.array([1]), np.array([9]))


def test_shares_that_are_whole_numbers_of_pairs_are_kept_to():
    pairs = Interactions.from_pairs(np.zeros(10, dtype=int), np.arange(10), timestamp=np.arange(10.0))
    parts = temporal(pairs, validation=0.4, test=0.3, drop_cold=False)
    assert [len(part) for part in (parts.train, parts.validation, parts.test)] == [3, 4, 3]
