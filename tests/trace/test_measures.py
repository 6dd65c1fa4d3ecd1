"""Measures against counting by hand and against naive loops."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import norm

from adar_viz.trace import (
    Trace,
    TraceError,
    already_negative,
    boundaries,
    clearest_pair,
    counted_probability,
    first_below,
    law_probability,
    nearest_items,
    quantile_bands,
    user_moments,
    walk_identity,
    walk_scores,
    walks_of,
)

META = dict.fromkeys(("run", "dataset", "data_checksum", "backbone", "negatives", "seed", "version"), "-")


def test_the_counted_probability_is_a_share_of_draws():
    score = np.array([[[3.0, 3.0, 3.0, 3.0], [3.0, 0.0, 0.0, 3.0]], [[0.0, 1.0, 2.0, 3.0], [0.0, 0.0, 0.0, 0.0]]])
    trace = Trace(META, {"score": score, "boundary": np.array([1.0, np.nan])})
    counted = counted_probability(trace)
    np.testing.assert_array_equal(counted[0], [0.0, 0.5])
    assert np.isnan(counted[1]).all()


def test_quantiles_ignore_nan_and_refuse_impossible_levels():
    values = np.array([[1.0, 2.0, 3.0], [np.nan, 4.0, 6.0]])
    np.testing.assert_allclose(quantile_bands(values, [0.0, 0.5, 1.0]), [[1, 4], [2, 5], [3, 6]])
    with pytest.raises(ValueError, match=r"levels must lie in \[0, 1\]; got 0.0 to 5.0"):
        quantile_bands(values, [0.0, 5.0])


@pytest.mark.parametrize("chunk", [1, 7, 1000])
def test_nearest_items_equal_a_naive_loop_whatever_the_chunk(chunk):
    rng = np.random.default_rng(0)
    points, embedding = rng.standard_normal((5, 4)), rng.standard_normal((40, 4))
    embedding[11] = embedding[3]
    item, cosine = nearest_items(points, embedding, 6, chunk=chunk)
    for row, point in enumerate(points):
        cosines = [e @ point / np.linalg.norm(e) / np.linalg.norm(point) for e in embedding]
        expected = sorted(range(40), key=lambda i: (-round(cosines[i], 12), i))[:6]
        assert item[row].tolist() == expected
        np.testing.assert_allclose(cosine[row], [cosines[i] for i in expected])


def test_nearest_items_survive_zero_vectors_and_refuse_too_many():
    item, cosine = nearest_items(np.zeros((1, 2)), np.array([[0.0, 0.0], [1.0, 0.0]]), 2)
    assert item.tolist() == [[0, 1]]
    assert cosine.tolist() == [[0.0, 0.0]]
    with pytest.raises(ValueError, match=r"k must lie in \[1, 2\]"):
        nearest_items(np.zeros((1, 2)), np.zeros((2, 2)), 3)


def test_first_timestep_below_the_boundary():
    score = np.array([[3.0, 1.0, 2.0], [3.0, 3.0, 3.0]])
    assert first_below(score, np.array([2.0, 2.0])).tolist() == [1, -1]


def test_walk_scores_belong_to_the_walk_s_own_user():
    walk = np.array([[[1.0, 0.0], [0.0, 1.0]], [[1.0, 1.0], [2.0, 2.0]]], dtype=np.float32)
    trace = Trace(META, {"walk": walk, "walk_query": np.array([[2.0, 3.0], [1.0, -1.0]], dtype=np.float32)})
    np.testing.assert_allclose(walk_scores(trace), [[2, 3], [0, 0]])


def test_a_rule_without_a_boundary_gets_the_top_of_the_user_s_scores():
    trace = Trace(
        META, {"boundary": np.array([1.0, np.nan]), "mean": np.array([0.0, -1.0]), "sd": np.array([1.0, 2.0])}
    )
    np.testing.assert_allclose(boundaries(trace), [1.0, -1 + 1.28 * 2])
    np.testing.assert_array_equal(boundaries(trace.take("pair", [0]).without("mean", "sd")), [1.0])


@pytest.mark.parametrize("z", [np.nan, np.inf, True])
def test_z_has_to_be_a_number(law_trace, z):
    with pytest.raises(ValueError, match=f"z must be a finite number; got {z}"):
        user_moments(law_trace, z=z)


def test_without_pairs_there_is_no_boundary(law_trace):
    with pytest.raises(TraceError, match="trace of run 'law' must hold pairs; got none"):
        boundaries(law_trace.take("pair", []))


def test_the_clearest_pair_turns_and_starts_furthest_above_its_boundary_in_its_own_noise():
    end = np.array([0.0, 0.0, 0.0, 5.0])
    arrays = {
        "pair_score": np.array([5.0, 3.0, 9.0, 99.0]),
        "boundary": np.array([1.0, 1.0, 1.0, 1.0]),
        "noise": np.array([4.0, 0.5, 1.0, 1.0]),
        "walk_pair": np.array([0, 1, 2, 3]),
        "walk_source": np.array(["forward", "forward", "reverse", "forward"]),
        "walk": np.stack([np.full(4, 9.0), end], axis=1)[:, :, None],
        "walk_query": np.ones((4, 1)),
    }
    trace = Trace(META, arrays)
    assert clearest_pair(trace) == 1
    assert clearest_pair(trace, "reverse") == 2
    assert clearest_pair(Trace(META, {**arrays, "boundary": np.full(4, -1.0)})) == 3
    with pytest.raises(ValueError, match="got 'renoise'"):
        clearest_pair(trace, "renoise")


def test_already_negative_counts_scores_on_the_boundary_and_below_zero():
    arrays = {"pair_score": np.array([0.5, 1.0, -0.5, 2.0]), "boundary": np.array([-1.0, 1.0, -1.0, 1.0])}
    assert already_negative(Trace(META, arrays)).tolist() == [False, True, True, False]


def test_the_probability_by_the_law_is_near_the_counted_one(law_trace):
    law = law_probability(law_trace)
    counted = counted_probability(law_trace)
    assert law.shape == counted.shape
    assert np.abs(law - counted).max() < 0.35, "48 draws each"
    np.testing.assert_allclose(law.mean(axis=0), counted.mean(axis=0), atol=0.02)


def test_identity_is_the_log_ratio_of_two_normal_densities(law_trace):
    found = walk_identity(law_trace, 0)
    x, sigma, a = law_trace["walk"][0].astype(float), law_trace.meta["sigma"], law_trace["alpha_bar"]
    item, positive = law_trace["item_embedding"].astype(float), law_trace["pair_item"][0]
    for t in (1, 20, 50):
        density = norm.logpdf(x[t], np.sqrt(a[t]) * item, np.sqrt(1 - a[t]) * sigma).sum(axis=1)
        others = np.delete(density, positive)
        assert found[t] == pytest.approx(density[positive] - others.max(), rel=1e-6, abs=1e-9)
    assert found[0] == np.inf


def test_identity_at_t_0_of_a_walk_that_ends_at_another_item_is_lost(law_trace):
    walk = law_trace["walk"].copy()
    walk[1, 0] = law_trace["item_embedding"][law_trace["pair_item"][0] - 1]
    other = Trace(law_trace.meta, {**law_trace.arrays, "walk": walk})
    assert walk_identity(other, 1)[0] == -np.inf


def test_identity_at_t_0_is_0_where_another_item_has_the_same_vector(law_trace):
    item = law_trace["item_embedding"].copy()
    positive = law_trace["pair_item"][law_trace["walk_pair"][0]]
    item[positive - 1] = item[positive]
    same = walk_identity(Trace(law_trace.meta, {**law_trace.arrays, "item_embedding": item}), 0)
    assert same[0] == 0
    assert same.max() == pytest.approx(0, abs=1e-9)


def test_walks_of_a_pair_are_found_by_source_and_those_there_are_are_listed():
    source = np.array(["forward", "reverse", "forward"])
    trace = Trace(META, {"walk_pair": np.array([4, 4, 2]), "walk_source": source})
    assert walks_of(trace, 4, None).tolist() == [0, 1]
    assert walks_of(trace, 4, "reverse").tolist() == [1]
    with pytest.raises(ValueError, match=r"one of the walks \[\(2, 'forward'\), .*\]; got 2, 'reverse'"):
        walks_of(trace, 2, "reverse")
