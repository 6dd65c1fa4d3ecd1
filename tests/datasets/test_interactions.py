from __future__ import annotations

import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

from adar_viz.datasets import DataError, Interactions


def small() -> Interactions:
    return Interactions.from_pairs(
        np.array([30, 10, 30, 10, 30]),
        np.array([7, 7, 100, 9, 7]),
        timestamp=np.array([5, 9, 1, 2, 3]),
        rating=np.array([1.0, 4.0, 5.0, 3.0, 2.0]),
        name="small",
    )


def test_ids_are_contiguous_and_pairs_in_time_order_with_the_last_rating_kept():
    pairs = small()
    assert pairs.user.tolist() == [0, 0, 1, 1]
    assert pairs.item.tolist() == [1, 0, 2, 0]
    assert pairs.timestamp.tolist() == [2, 9, 1, 5]
    assert pairs.rating.tolist() == [3.0, 4.0, 5.0, 1.0]
    assert pairs.user_label.tolist() == ["10", "30"]
    assert pairs.item_label.tolist() == ["7", "9", "100"]
    assert pairs.report["duplicate pairs dropped (the last rating is kept)"] == 1
    assert pairs.report["pairs moved to be in time order"] > 0


@pytest.mark.parametrize("timestamp", [None, np.array([3, 3, 9]), np.array([1, 8, 9])])
def test_a_later_rating_replaces_an_earlier_one(timestamp):
    pairs = Interactions.from_pairs(
        np.zeros(3, dtype=int), np.array([5, 5, 6]), timestamp=timestamp, rating=np.array([2.0, 5.0, 1.0])
    )
    assert pairs.threshold(4.0).item_label.tolist() == ["5"]


def test_of_a_pair_without_ratings_the_first_is_kept():
    pairs = Interactions.from_pairs(np.zeros(3, dtype=int), np.array([5, 6, 5]), timestamp=np.array([2, 3, 4]))
    assert pairs.timestamp.tolist() == [2, 3]
    assert pairs.report["duplicate pairs dropped (the first is kept)"] == 1


def test_times_with_a_zone_are_kept_as_utc():
    times = pd.date_range("2020-01-01", periods=2, tz="Europe/Berlin").to_numpy()
    pairs = Interactions.from_pairs(np.zeros(2, dtype=int), np.arange(2), timestamp=times)
    assert pairs.timestamp[0] == np.datetime64("2019-12-31T23:00")


def test_threshold_drops_low_ratings_and_whoever_has_nothing_left():
    kept = small().threshold(4.0)
    assert list(zip(kept.user_label[kept.user], kept.item_label[kept.item], strict=True)) == [
        ("10", "7"),
        ("30", "100"),
    ]
    assert kept.num_items == 2
    assert kept.report["pairs rated below 4 left out"] == 2
    assert small().threshold(4.0, compact=False).num_items == 3


def test_k_core_repeats_until_nothing_changes():
    # The chain 0-a, 0-b, 1-b falls apart only after the square of users 2, 3 and items c, d is left.
    pairs = Interactions.from_pairs(np.array([0, 0, 1, 2, 2, 3, 3]), np.array(list("abbcdcd")))
    core = pairs.k_core(2)
    assert core.user_label.tolist() == ["2", "3"]
    assert core.item_label.tolist() == ["c", "d"]
    with pytest.raises(DataError, match="core of 3 pairs a user"):
        pairs.k_core(3)
    with pytest.raises(ValueError, match="k_core must be a whole number of at least 1, or two of them; got 0"):
        pairs.k_core(0)
    with pytest.raises(ValueError, match=r"k_core must be a whole number of at least 1, or two of them; got 2\.0"):
        pairs.k_core(2.0)


def test_checksum_sees_content_and_not_the_way_it_came():
    pairs = small()
    assert pairs.checksum() == small().checksum()
    assert pairs.checksum() == Interactions(**{**vars(pairs), "name": "other", "report": {}}).checksum()
    for changed in ({"rating": pairs.rating + 1}, {"rating": None}, {"item_label": np.array(["7", "9", "101"])}):
        assert Interactions(**{**vars(pairs), **changed}).checksum() != pairs.checksum()


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"user": np.array([0, 0, 1, 2])}, r"user ids in \[0, 2\); got 0 to 2"),
        ({"item": np.array([0, 0, -1, 2])}, r"item ids in \[0, 3\); got -1 to 2"),
        ({"rating": np.ones(3)}, "4 values of rating, one a pair; got 3"),
        ({"title": np.array(["x"])}, "3 values of title, one an item; got 1"),
        ({"user": np.array([0.0, 0.0, 1.0, 1.0])}, "user ids that are whole numbers; got float64"),
        ({"time_kind": "Clock"}, "a time_kind out of clock, order, none; got 'Clock'"),
        ({"timestamp": None}, "timestamps exactly where time_kind is not 'none'"),
    ],
)
def test_impossible_interactions_are_refused(changed, message):
    # Where shapes are checked while testing, that check may speak first, with a TypeError.
    with pytest.raises((DataError, TypeError), match=f"{message}|type-?check"):
        Interactions(**{**vars(small()), **changed})


@pytest.mark.parametrize("kind", [np.int16, np.int32])
def test_ids_of_any_width_are_kept_as_those_of_64_bits(kind):
    found = Interactions(**{**vars(small()), "user": small().user.astype(kind), "item": small().item.astype(kind)})
    assert (found.user.dtype, found.item.dtype) == (np.int64, np.int64)
    assert found.checksum() == small().checksum()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"item": [1, 2, 3, 4]}, "3 values of item, one a pair; got 4"),
        ({"item": [1, 2]}, "3 values of item, one a pair; got 2"),
        ({"rating": [1, 2, 3, 4]}, "3 values of rating, one a pair; got 4"),
        ({"timestamp": [1]}, "3 values of timestamp, one a pair; got 1"),
        ({"timestamp": [1.0, np.nan, 2.0]}, "one timestamp for each pair; got none for pair 1"),
        ({"rating": [1.0, np.nan, 2.0]}, "one rating for each pair; got none for pair 1"),
        ({"user": [1.0, 2.0, np.nan]}, "one user for each pair; got none for pair 2"),
        ({"item": np.array([None, 1, 2])}, "one item for each pair; got none for pair 0"),
        ({"timestamp": [1.0, np.inf, 2.0]}, "a finite timestamp for each pair; got inf for pair 1"),
        ({"rating": [1.0, -np.inf, 2.0]}, "a finite rating for each pair; got -inf for pair 1"),
        ({"timestamp": ["a", "b", "c"]}, "timestamps that are numbers or datetime64; got <U1"),
    ],
)
def test_columns_that_do_not_fit_are_refused(given, message):
    columns = {"user": [1, 2, 3], "item": [1, 2, 3], **given}
    with pytest.raises(DataError, match=message):
        Interactions.from_pairs(**{name: np.asarray(values) for name, values in columns.items()})


def test_threshold_without_ratings_is_refused():
    with pytest.raises(DataError, match="pairs without ratings"):
        Interactions.from_pairs(np.array([1]), np.array([1])).threshold(4.0)


def test_the_floor_imports_no_torch():
    code = "import sys, adar_viz.datasets, adar_viz.commands.data; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
