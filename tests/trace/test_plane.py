"""In the user's plane the decision boundary is a straight line, exactly."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.trace import UserPlane


def test_every_item_lies_on_the_side_that_its_score_says():
    rng = np.random.default_rng(1)
    embedding, query = rng.standard_normal((500, 16)) + 0.3, rng.standard_normal(16)
    xy = UserPlane.of(query, embedding).project(embedding)
    np.testing.assert_allclose(xy[:, 0], embedding @ query)


def test_the_vertical_axis_is_the_widest_direction_the_query_does_not_see():
    rng = np.random.default_rng(2)
    embedding = rng.standard_normal((4000, 3)) * [5.0, 3.0, 0.1]
    plane = UserPlane.of(np.array([2.0, 0.0, 0.0]), embedding)
    assert abs(plane.across @ plane.query) < 1e-12
    np.testing.assert_allclose(plane.across, [0, 1, 0], atol=0.01)
    assert plane.explained == pytest.approx(1.0, abs=0.001)
    assert UserPlane.of(np.array([0.0, 0.0, 1.0]), embedding).explained == pytest.approx(25 / 34, abs=0.02)


def test_a_walk_projects_with_its_axes_kept_and_a_user_without_direction_is_refused():
    plane = UserPlane.of(np.array([1.0, 0.0]), np.eye(2))
    assert plane.project(np.zeros((4, 7, 2))).shape == (4, 7, 2)
    with pytest.raises(ValueError, match="length 0"):
        UserPlane.of(np.zeros(2), np.eye(2))


def test_a_given_direction_becomes_the_vertical_axis_as_far_as_the_query_does_not_see_it():
    rng = np.random.default_rng(3)
    embedding = rng.standard_normal((50, 3))
    plane = UserPlane.of(np.array([2.0, 0.0, 0.0]), embedding, np.array([5.0, 0.0, 3.0]))
    np.testing.assert_allclose(plane.across, [0, 0, 1])
    assert plane.explained == pytest.approx(embedding[:, [0, 2]].var(axis=0).sum() / embedding.var(axis=0).sum())
    with pytest.raises(ValueError, match="towards must not lie along the query"):
        UserPlane.of(np.array([2.0, 0.0, 0.0]), embedding, np.array([1.0, 0.0, 0.0]))
