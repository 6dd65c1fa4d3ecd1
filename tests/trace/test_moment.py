"""A user's plane at each epoch, on points that were placed by hand and on planted snapshots."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.trace import Trace, followed, typical_user, user_moments

META = dict.fromkeys(("run", "dataset", "data_checksum", "backbone", "negatives", "seed", "version"), "-")


@pytest.fixture
def by_hand():
    """One user who looks along the first axis, four items in a plane, two epochs, the second turned by 90 degrees."""
    item = np.array([[2.0, 1.0], [1.0, -1.0], [0.0, 1.0], [-1.0, -1.0]])
    turn = np.array([[0.0, 1.0], [-1.0, 0.0]])
    query = np.array([[1.0, 0.0]])
    arrays = {
        "item_label": np.array(["a", "b", "c", "d"]),
        "user_label": np.array(["u"]),
        "snapshot_epoch": np.array([1, 2]),
        "snapshot_item": np.arange(4),
        "snapshot_item_embedding": np.stack([item, item @ turn]),
        "snapshot_rms": np.full(2, 0.5),
        "snapshot_user": np.array([0]),
        "snapshot_user_embedding": np.stack([query, 2 * query @ turn]),
        "snapshot_user_mean": np.array([[0.5], [1.0]]),
        "snapshot_user_sd": np.array([[1.0], [2.0]]),
        "snapshot_user_negative": np.array([[[3, -1]], [[1, 3]]]),
        "snapshot_user_observed": np.array([[True, False, False, False]]),
        "snapshot_user_liked": np.array([[True, True, False, False]]),
    }
    return Trace(META, arrays)


def test_scores_lie_on_the_horizontal_axis_and_the_turn_is_taken_out(by_hand):
    first, second = user_moments(by_hand, 0)
    np.testing.assert_allclose(first.xy[:, 0], [2, 1, 0, -1], atol=1e-12)
    np.testing.assert_allclose(second.xy[:, 0], [4, 2, 0, -2], atol=1e-12)
    np.testing.assert_allclose(np.abs(first.xy[:, 1] - first.xy[1, 1]), [2, 0, 2, 0], atol=1e-12)
    np.testing.assert_allclose(first.xy[:, 1], second.xy[:, 1], atol=1e-12)
    np.testing.assert_allclose(second.xy[:, 0], second.score, atol=1e-12)


def test_the_boundary_comes_from_the_moments_of_that_epoch(by_hand):
    first, second = user_moments(by_hand, 0, z=0.5)
    assert (first.boundary, second.boundary) == (1.0, 2.0)


def test_false_negatives_are_liked_and_not_observed_and_draws_belong_to_their_epoch(by_hand):
    first, second = user_moments(by_hand, 0)
    assert first.unseen.tolist() == [False, True, False, False]
    assert first.drawn.tolist() == [False, False, False, True]
    assert second.drawn.tolist() == [False, True, False, True]
    assert (second.drawn & second.unseen).tolist() == [False, True, False, False]


def test_without_truth_nothing_is_called_a_false_negative(by_hand):
    (first, _) = user_moments(by_hand.without("snapshot_user_liked", "snapshot_user_negative"), 0)
    assert not first.unseen.any()
    assert not first.drawn.any()


def test_noised_positives_start_at_the_positive_and_end_at_the_noise(law_trace):
    moment = user_moments(law_trace, 3)[-1]
    np.testing.assert_allclose(moment.noised(1.0), moment.xy[moment.observed])
    np.testing.assert_allclose(moment.noised(0.0), moment.plane.project(moment.noise()))
    half = moment.noised(0.25)
    np.testing.assert_allclose(
        half[:, 0], 0.5 * moment.noised(1.0)[:, 0] + np.sqrt(0.75) * moment.noised(0.0)[:, 0], atol=1e-12
    )
    earlier = user_moments(law_trace, 3)[2]
    np.testing.assert_allclose(earlier.noise() / earlier.rms, moment.noise() / moment.rms)


def test_every_item_is_on_the_side_of_its_score_at_every_epoch(law_trace):
    moments = user_moments(law_trace)
    assert [m.epoch for m in moments] == [0, 1, 2, 4, 8, 20]
    for moment in moments:
        np.testing.assert_allclose(moment.xy[:, 0], moment.score, atol=1e-9)
        assert 0 < moment.plane.explained <= 1


def test_the_typical_user_is_the_middle_one_and_an_unfollowed_user_is_refused(law_trace):
    users = followed(law_trace)
    above = []
    for user in users:
        last = user_moments(law_trace, int(user))[-1]
        above.append((last.score[last.observed].mean() - last.mean) / last.sd)
    assert typical_user(law_trace, least=1) == users[np.argsort(above)[(len(users) - 1) // 2]]
    with pytest.raises(ValueError, match=r"user must be one of those in the snapshots, \[0, 1, .*; got 30"):
        user_moments(law_trace, 30)
