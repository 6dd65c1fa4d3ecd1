"""Drift is what is left when a rotation is taken out; neighbours against a naive loop."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.trace import (
    Trace,
    aligned,
    item_names,
    joint_map,
    map_drift,
    neighbour_overlap,
    neighbours,
    null_drift,
    null_snapshots,
    popular_members,
    settled_epoch,
    snapshots_since,
)

META = dict.fromkeys(("run", "dataset", "data_checksum", "backbone", "negatives", "seed", "version"), "-")


def turned(rng, x, times):
    """The same points, turned at random; some of the turns are reflections."""
    return np.stack([x @ np.linalg.qr(rng.standard_normal((x.shape[1],) * 2))[0] for _ in range(times)])


def test_points_that_were_only_turned_do_not_drift():
    rng = np.random.default_rng(0)
    x = rng.standard_normal((60, 8))
    snapshots = turned(rng, x, 5)
    assert map_drift(joint_map(snapshots)[0]) > 0.5
    np.testing.assert_allclose(aligned(snapshots), np.broadcast_to(snapshots[-1], snapshots.shape), atol=1e-12)
    assert map_drift(joint_map(aligned(snapshots))[0]) < 1e-12
    assert null_drift(x) < 1e-12


def test_alignment_keeps_scores_and_what_really_moved():
    rng = np.random.default_rng(1)
    x = rng.standard_normal((60, 8))
    moved = x.copy()
    moved[7] += 5
    snapshots = np.stack([turned(rng, x, 1)[0], moved])
    straight = aligned(snapshots)
    np.testing.assert_allclose(straight[0] @ straight[0].T, x @ x.T, atol=1e-9)
    way = np.linalg.norm(straight[1] - straight[0], axis=1)
    assert way.argmax() == 7
    assert way[7] > 3 * np.delete(way, 7).max()


def test_drift_is_the_way_over_the_spread():
    last = np.array([[1.0, 0.0], [-1.0, 0.0]])
    assert map_drift(np.stack([last + np.array([0.0, 0.5]), last])) == pytest.approx(0.5)


def test_the_map_holds_everything_that_lies_in_a_plane():
    rng = np.random.default_rng(2)
    plane = rng.standard_normal((3, 20, 2)) @ np.linalg.qr(rng.standard_normal((6, 6)))[0][:2]
    xy, explained = joint_map(plane)
    assert xy.shape == (3, 20, 2)
    assert explained == pytest.approx(1)
    assert neighbour_overlap(plane[1], xy[1], 5).mean() == 1
    assert joint_map(rng.standard_normal((1, 20000, 4)))[1] == pytest.approx(0.5, abs=0.02)


def test_neighbours_equal_a_naive_loop_and_leave_the_item_itself_out():
    x = np.random.default_rng(3).standard_normal((30, 4))
    for i, found in enumerate(neighbours(x, 4)):
        by_hand = sorted((j for j in range(30) if j != i), key=lambda j: np.linalg.norm(x[i] - x[j]))[:4]
        assert found.tolist() == by_hand
    with pytest.raises(ValueError, match=r"k must lie in \[1, 29\].*; got 30"):
        neighbours(x, 30)


def test_overlap_is_a_share_of_the_neighbours_and_chance_where_spaces_have_nothing_in_common():
    line = np.array([[0.0], [1.0], [2.1], [3.3]])
    swapped = np.array([[0.0], [1.0], [3.3], [2.1]])
    np.testing.assert_array_equal(neighbour_overlap(line, line, 2), 1)
    np.testing.assert_array_equal(neighbour_overlap(line, swapped, 1), [1, 1, 0, 0])
    rng = np.random.default_rng(4)
    one, other = rng.standard_normal((2, 400, 8))
    assert neighbour_overlap(one, other, 20).mean() == pytest.approx(20 / 399, abs=0.01)


def test_an_item_without_a_title_is_called_by_its_label():
    label = np.array(["i0", "i1"])
    assert item_names(Trace(META, {"item_label": label})).tolist() == ["i0", "i1"]
    titled = Trace(META, {"item_label": label, "item_title": np.array(["", "Night"])})
    assert item_names(titled).tolist() == ["i0", "Night"]


def test_where_nothing_moved_the_turn_is_taken_out_and_the_noise_is_left():
    last = np.random.default_rng(5).standard_normal((200, 8))
    null = null_snapshots(last, 4, jitter=0.1)
    np.testing.assert_array_equal(null[-1], last)
    assert map_drift(joint_map(null)[0]) > 0.5
    spread = np.sqrt(((last - last.mean(axis=0)) ** 2).sum(axis=1).mean())
    way = np.linalg.norm(aligned(null)[0] - last, axis=1)
    assert np.sqrt((way**2).mean()) / spread == pytest.approx(0.1, rel=0.1)
    assert 0.01 < null_drift(last, jitter=0.1) < 0.15
    assert neighbour_overlap(null[0], last, 10).mean() > 0.8
    with pytest.raises(ValueError, match=r"number must be at least 2 and jitter at least 0; got 1 and 0\.1"):
        null_snapshots(last, 1, 0.1)


def test_the_popular_members_are_those_with_most_interactions_in_their_order():
    arrays = {
        "item_label": np.array(list("abcde")),
        "item_popularity": np.array([1, 9, 3, 7, 5]),
        "snapshot_item": np.array([0, 2, 3, 4]),
    }
    assert popular_members(Trace(META, arrays), 2).tolist() == [2, 3]
    assert popular_members(Trace(META, arrays), 9).tolist() == [0, 1, 2, 3]


def test_the_settled_epoch_is_the_first_whose_neighbourhoods_are_no_longer_chance():
    rng = np.random.default_rng(6)
    end = rng.standard_normal((120, 6))
    noise = [rng.standard_normal((120, 6)) for _ in range(3)]
    arrays = {
        "item_label": np.arange(120).astype(str),
        "snapshot_item": np.arange(120),
        "snapshot_epoch": np.array([0, 1, 2, 4, 9]),
        "snapshot_item_embedding": np.stack([*noise, turned(rng, end + 0.2 * noise[0], 1)[0], end]),
    }
    assert settled_epoch(Trace(META, arrays)) == 4
    assert snapshots_since(Trace(META, arrays), None)[0].tolist() == [4, 9]
    arrays["snapshot_item_embedding"] = np.stack([*noise, rng.standard_normal((120, 6)), end])
    assert settled_epoch(Trace(META, arrays)) == 1
    with pytest.raises(ValueError, match=r"since must leave two of the snapshots at epochs \[0, 1, 2, 4, 9\]; got 9"):
        snapshots_since(Trace(META, arrays), 9)
