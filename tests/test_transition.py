"""The mathematics of the turn, held against draws, against brute force, and across array libraries."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from jaxtyping import TypeCheckError
from scipy.special import ndtr

from adar_viz.diffusion import linear
from adar_viz.transition import (
    BOUNDARIES,
    SCORE_AWARE,
    Ahns,
    Constant,
    Fixed,
    Margin,
    Quantile,
    Random,
    Relative,
    ScoredPair,
    Snr,
    Threshold,
    catalogue_moments,
    crossing,
    first_timestep_below,
    log_likelihood_ratio,
    probability_negative,
    score_law,
    softmax_boundary,
    speciation,
    timestep_of,
)

quick = settings(max_examples=60, deadline=None, derandomize=True, database=None)
ALPHA_BAR = linear().alpha_bar.numpy()
DRAWS, STANDARD_ERRORS = 40_000, 4.5


def real(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


@st.composite
def turning(draw: Any) -> tuple[float, float, float]:
    """A pair that is positive at t = 0: score s, noise n, boundary b, with s > max(b, 0)."""
    s = draw(real(0.1, 5))
    return s, draw(real(0.2, 3)), draw(real(-3, s - 0.05))


def pair_of(score: Any, noise: float = 0.7, boundary: float = 0.4, mean: float = 0.2, sd: float = 0.5) -> ScoredPair:
    full = np.full_like if isinstance(score, np.ndarray) else torch.full_like
    return ScoredPair(score, *(full(score, v) for v in (noise, boundary, mean, sd)))


# The law ------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def noised() -> tuple[float, float, np.ndarray, np.ndarray]:
    """s, n, some alpha_bar, and scores of vectors that were really noised: (alpha_bar, draw)."""
    rng = np.random.default_rng(3)
    query, positive, sigma = rng.standard_normal(8), rng.standard_normal(8), 0.6
    positive *= np.sign(query @ positive)
    alpha_bar = np.array([0.98, 0.8, 0.5, 0.2, 0.01])
    eps = rng.standard_normal((len(alpha_bar), DRAWS, 8)) * sigma
    x = np.sqrt(alpha_bar)[:, None, None] * positive + np.sqrt(1 - alpha_bar)[:, None, None] * eps
    return float(query @ positive), float(np.linalg.norm(query) * sigma), alpha_bar, x @ query


def test_the_law_is_that_of_noised_vectors(noised: Any) -> None:
    s, n, alpha_bar, score = noised
    mean, sd = score_law(s, alpha_bar, n)
    assert (np.abs(score.mean(1) - mean) < STANDARD_ERRORS * sd / math.sqrt(DRAWS)).all()
    assert (np.abs(score.std(1) - sd) < STANDARD_ERRORS * sd / math.sqrt(2 * DRAWS)).all()


@pytest.mark.parametrize("b", [-1.0, 0.0, 0.5])
def test_probability_is_the_share_of_draws_below_the_boundary(noised: Any, b: float) -> None:
    s, n, alpha_bar, score = noised
    p = probability_negative(s, alpha_bar, n, b)
    error = np.sqrt(np.clip(p * (1 - p), 1 / DRAWS, None) / DRAWS)
    assert (np.abs((score < b).mean(1) - p) < STANDARD_ERRORS * error).all()


@pytest.mark.parametrize("p", [0.1, 0.5, 0.6])
def test_that_share_is_p_at_the_crossing(p: float) -> None:
    rng = np.random.default_rng(4)
    s, n, b = np.array([1.5]), np.array([0.9]), np.array([0.6])
    mean, sd = score_law(s, crossing(s, n, b, p), n)
    share = (mean + sd * rng.standard_normal(DRAWS) < b).mean()
    assert abs(share - p) < STANDARD_ERRORS * math.sqrt(p * (1 - p) / DRAWS)


def test_without_spread_the_probability_is_zero_or_one() -> None:
    s = np.array([1.0, 0.2, 0.5])
    assert probability_negative(s, np.ones(3), 1.0, 0.5).tolist() == [0, 1, 0]
    assert probability_negative(s, np.full(3, 0.25), 0.0, 0.3).tolist() == [0, 1, 1]


@quick
@given(turning())
def test_probability_rises_strictly_along_the_walk(pair: tuple[float, float, float]) -> None:
    s, n, b = pair
    a = np.linspace(0.99, 0.0, 100)
    p = probability_negative(s, a**2, n, b)
    assert (np.diff(p) >= 0).all()
    resolved = (p[1:] > 1e-9) & (p[1:] < 1 - 1e-6)
    assert (np.diff(p)[resolved] > 0).all()
    assert p[-1] == pytest.approx(ndtr(b / n))


@quick
@given(turning(), real(0.01, 0.99))
def test_crossing_inverts_the_probability(pair: tuple[float, float, float], p: float) -> None:
    s, n, b = pair
    highest = ndtr(b / n)
    assume(abs(p - highest) > 1e-3)
    found = crossing(np.array([s]), np.array([n]), np.array([b]), p)
    if p > highest:
        assert np.isnan(found).all()
    else:
        assert 0 < found[0] < 1
        assert probability_negative(s, found, n, b)[0] == pytest.approx(p, abs=1e-7)


@quick
@given(turning(), real(0.02, 0.5))
def test_the_timestep_of_the_crossing_is_the_first_at_that_level(pair: tuple[float, float, float], p: float) -> None:
    s, n, b = pair
    assume(p < ndtr(b / n) - 1e-3)
    t = int(timestep_of(crossing(np.array([s]), np.array([n]), np.array([b]), p), ALPHA_BAR)[0])
    along = probability_negative(s, ALPHA_BAR, n, b)
    reached = np.flatnonzero(along >= p - 1e-9)
    assert t == (reached[0] if len(reached) else len(ALPHA_BAR) - 1)


def test_special_cases_of_the_crossing() -> None:
    s, n, b = np.array([0.5, 2.0]), np.array([0.3, 0.8]), np.array([0.2, 1.5])
    assert crossing(s, n, b) == pytest.approx((b / s) ** 2)
    c = 1.3
    level = float(ndtr(-c))
    assert crossing(s, n, 0.0, level) == pytest.approx(c**2 * n**2 / (s**2 + c**2 * n**2))
    assert Snr(c).alpha_bar(ScoredPair(s, n, b, b, b)) == pytest.approx(c**2 * n**2 / (s**2 + c**2 * n**2))


@pytest.mark.parametrize("library", [np, torch])
def test_whole_numbers_are_numbers(library: Any) -> None:
    whole, asked = library.asarray([1, 2]), library.asarray([1.0, 2.0])
    np.testing.assert_allclose(crossing(whole, 1.0, 0.2), crossing(asked, 1.0, 0.2), rtol=1e-6)
    np.testing.assert_allclose(crossing(whole, 0.5, 0.7), crossing(asked, 0.5, 0.7), rtol=1e-6)
    np.testing.assert_allclose(
        probability_negative(whole, 0.5, 1.0, 0.2), probability_negative(asked, 0.5, 1.0, 0.2), rtol=1e-6
    )


def test_numbers_alone_are_enough() -> None:
    assert crossing(1.0, 1.0, 0.2) == pytest.approx(0.04)
    assert probability_negative(1.0, 0.04, 1.0, 0.2) == pytest.approx(0.5)


def test_pairs_that_never_turn_have_no_crossing() -> None:
    s, b = np.array([-0.5, 0.3, 1.0, 1.0]), np.array([-1.0, 0.4, 0.0, -0.1])
    assert np.isnan(crossing(s, 1.0, b)).all()
    assert np.isfinite(crossing(s, 1.0, b, 0.3)).tolist() == [False, False, True, True]


@pytest.mark.parametrize("p", [0.0, 1.0, -0.2, math.nan])
def test_a_level_outside_the_open_interval_is_refused(p: float) -> None:
    with pytest.raises(ValueError, match=r"p must lie in \(0, 1\); got"):
        crossing(np.ones(1), 1.0, 0.5, p)


# Timesteps ----------------------------------------------------------------------------------------


@quick
@given(st.lists(real(0, 1), min_size=1, max_size=20))
def test_timestep_of_is_the_first_at_most(wanted: list[float]) -> None:
    brute = [next((t for t, a in enumerate(ALPHA_BAR) if a <= w), len(ALPHA_BAR) - 1) for w in wanted]
    assert timestep_of(np.array(wanted), ALPHA_BAR).tolist() == brute
    assert timestep_of(torch.tensor(wanted, dtype=torch.float64), torch.from_numpy(ALPHA_BAR)).tolist() == brute


def test_timestep_of_inverts_the_schedule_and_knows_its_ends() -> None:
    assert (timestep_of(ALPHA_BAR, ALPHA_BAR) == np.arange(len(ALPHA_BAR))).all()
    assert timestep_of(np.array([np.nan, 1.0, 0.0]), ALPHA_BAR).tolist() == [0, 0, len(ALPHA_BAR) - 1]


@quick
@given(st.integers(1, 40), st.integers(0, 10_000))
def test_bisection_finds_what_brute_force_finds(num_timesteps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    score = np.sort(rng.standard_normal((6, num_timesteps + 1)))[:, ::-1]
    wanted = rng.standard_normal(6) * 1.5
    brute = [
        next((t for t, s in enumerate(row) if s <= w), num_timesteps) for row, w in zip(score, wanted, strict=True)
    ]
    found = first_timestep_below(lambda t: score[np.arange(6), t], wanted, num_timesteps)
    assert found.tolist() == brute
    table = torch.from_numpy(score.copy())
    assert (
        first_timestep_below(lambda t: table[torch.arange(6), t], torch.from_numpy(wanted), num_timesteps).tolist()
        == brute
    )


# Boundaries ---------------------------------------------------------------------------------------


def test_catalogue_moments_are_exact() -> None:
    rng = np.random.default_rng(5)
    query, item = rng.standard_normal((7, 4)), rng.standard_normal((50, 4)) + 0.3
    mean, sd = catalogue_moments(query, item.mean(0), np.cov(item.T, bias=True))
    score = query @ item.T
    assert mean == pytest.approx(score.mean(1), abs=1e-12)
    assert sd == pytest.approx(score.std(1), abs=1e-12)


def test_boundaries() -> None:
    mean, sd = np.array([0.5, -1.0]), np.array([2.0, 0.1])
    assert Constant(0.3).of(mean, sd).tolist() == [0.3, 0.3]
    assert Quantile(1.5).of(mean, sd) == pytest.approx(mean + 1.5 * sd)
    assert {type(make()) for make in BOUNDARIES.values()} == {Constant, Quantile}


def test_softmax_boundary_is_logsumexp_however_large_the_scores() -> None:
    score = torch.tensor([[1.0, 2.0, -3.0], [1000.0, 999.0, 1001.0], [-2000.0, -2000.0, -2000.0]])
    torch.testing.assert_close(softmax_boundary(score), torch.logsumexp(score, dim=1))


# Score-aware functions ----------------------------------------------------------------------------

increasing_scores = st.lists(real(0.05, 8), min_size=2, max_size=12, unique=True).map(sorted).map(np.array)
LATER = [Threshold(), Ahns(), Ahns(0.5, 0.7, -1.5), Snr(), Snr(2.0)]


@quick
@given(increasing_scores)
@pytest.mark.parametrize("target", LATER, ids=repr)
def test_better_pairs_turn_later(target: Any, score: np.ndarray) -> None:
    wanted = target.alpha_bar(pair_of(score))
    assert (np.diff(wanted) <= 1e-12).all()
    assert (np.diff(timestep_of(wanted, ALPHA_BAR)) >= 0).all()
    assert wanted[-1] < wanted[0] or wanted[0] == 1 or np.ptp(score) < 1e-6


@quick
@given(increasing_scores)
@pytest.mark.parametrize("target", [Margin(0.5), Margin(1.0, "score")], ids=repr)
def test_with_a_constant_margin_better_pairs_turn_earlier(target: Margin, score: np.ndarray) -> None:
    wanted = target.alpha_bar(pair_of(score))
    assert (np.diff(wanted) >= -1e-12).all()
    assert (np.diff(timestep_of(wanted, ALPHA_BAR)) <= 0).all()
    delta = target.delta * (0.5 if target.unit == "sd" else 1)
    reachable = score > delta
    assert (score - np.sqrt(wanted) * score)[reachable] == pytest.approx(delta)


@quick
@given(increasing_scores, real(0.05, 0.95), real(-1, 1))
def test_relative_tends_towards_kappa_squared(score: np.ndarray, kappa: float, mean: float) -> None:
    share = np.sqrt(Relative(kappa).alpha_bar(pair_of(score, mean=mean)))
    assert (np.diff(np.abs(share - kappa)) <= 1e-9).all()
    far = Relative(kappa).alpha_bar(pair_of(np.array([1e6]), mean=mean))
    assert far[0] == pytest.approx(kappa**2, rel=1e-3)


def test_fixed_does_not_look_at_the_score() -> None:
    pair = pair_of(np.array([-1.0, 0.5, 3.0]))
    assert Fixed(0.3).alpha_bar(pair).tolist() == [0.3, 0.3, 0.3]
    assert Fixed(0.25).wanted(pair) == pytest.approx([-0.5, 0.25, 1.5])


def test_ahns_moves_faster_than_threshold() -> None:
    pair = pair_of(np.array([2.0, 4.0]))
    near, far = Ahns().alpha_bar(pair)
    near_threshold, far_threshold = Threshold().alpha_bar(pair)
    assert far / near < far_threshold / near_threshold < 1


def test_the_expected_score_is_the_one_wanted() -> None:
    pair = pair_of(np.array([1.0, 2.5]), boundary=0.6)
    for target in (Threshold(), Ahns(beta=0.8), Snr(), Relative(), Margin(), Fixed()):
        mean, _ = score_law(pair.score, target.alpha_bar(pair), pair.noise)
        assert mean == pytest.approx(target.wanted(pair)), target


def test_pairs_that_are_negative_already_have_no_transition() -> None:
    pair = pair_of(np.array([-1.0, 0.0]))
    for target in (*LATER, Relative(), Margin()):
        assert np.isnan(target.alpha_bar(pair)).all(), target
    below = pair_of(np.array([0.1]), boundary=0.4)
    assert Threshold().alpha_bar(below).tolist() == [1.0]


def test_random_is_uniform_over_both_ends() -> None:
    timestep = Random().timestep(np.random.default_rng(6).random(DRAWS), 3, 7)
    share = np.bincount(timestep, minlength=9) / DRAWS
    assert share[[0, 1, 2, 8]].sum() == 0
    assert (np.abs(share[3:8] - 0.2) < STANDARD_ERRORS * math.sqrt(0.16 / DRAWS)).all()


def test_every_name_makes_a_function_with_defaults() -> None:
    assert [type(make()).__name__.lower() for make in SCORE_AWARE.values()] == list(SCORE_AWARE)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Ahns(p=-0.5), "p must be below -1, .* got -0.5"),
        (lambda: Ahns(alpha=-1.0), "alpha must be at least 0"),
        (lambda: Ahns(beta=0.0), "beta above 0; got 1.0 and 0.0"),
        (lambda: Fixed(1.2), r"level must lie in \[0, 1\]; got 1.2"),
    ],
)
def test_constants_out_of_range_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_an_unknown_unit_is_refused() -> None:
    # Where shapes are checked while testing, the checker comes first and says it in its own words.
    with pytest.raises((ValueError, TypeCheckError), match=r"(?s)unit.*'logit'"):
        Margin(unit="logit")  # type: ignore[arg-type]


# Other readings -----------------------------------------------------------------------------------


def test_log_likelihood_ratio_is_the_mean_over_draws() -> None:
    rng = np.random.default_rng(7)
    x0, sigma = rng.standard_normal(6), 0.8
    alpha_bar = np.array([0.9, 0.5, 0.05])
    left = (1 - alpha_bar)[:, None]
    origin = np.sqrt(alpha_bar)[:, None, None] * x0
    x = origin + np.sqrt(left)[..., None] * sigma * rng.standard_normal((3, DRAWS, 6))
    from_item = -((x - origin) ** 2).sum(-1) / (2 * left * sigma**2) - 3 * np.log(left)
    ratio = from_item + (x**2).sum(-1) / (2 * sigma**2)
    expected = log_likelihood_ratio((x0**2).sum() / sigma**2 * np.ones(3), 6, alpha_bar)
    assert (np.abs(ratio.mean(1) - expected) < STANDARD_ERRORS * ratio.std(1) / math.sqrt(DRAWS)).all()
    assert np.isposinf(log_likelihood_ratio(np.ones(1), 6, np.ones(1))).all()


def test_at_speciation_the_ratio_is_one_standard_deviation_from_zero() -> None:
    rng = np.random.default_rng(8)
    item, other, sigma = rng.standard_normal(5), np.zeros(5), 0.7
    alpha_bar = float(speciation(np.array(((item - other) ** 2).sum()), sigma))
    a, spread = math.sqrt(alpha_bar), math.sqrt(1 - alpha_bar) * sigma
    x = a * item + spread * rng.standard_normal((DRAWS, 5))
    ratio = (((x - a * other) ** 2).sum(1) - ((x - a * item) ** 2).sum(1)) / (2 * spread**2)
    # Mean and sd of n normal draws have errors sd / sqrt(n) and sd / sqrt(2 n).
    assert abs(ratio.mean() / ratio.std() - 1) < STANDARD_ERRORS * math.sqrt(1.5 / DRAWS)


# One text, two libraries --------------------------------------------------------------------------


@quick
@given(st.integers(0, 10_000))
def test_numpy_and_torch_agree(seed: int) -> None:
    rng = np.random.default_rng(seed)
    s, b = rng.normal(0.5, 2, 9), rng.normal(0, 1, 9)
    n, alpha_bar = rng.uniform(0.1, 2, 9), np.append(rng.uniform(0, 1, 8), 1.0)
    arrays = s, alpha_bar, n, b
    as_torch = tuple(torch.from_numpy(v) for v in arrays)

    def answers(s: Any, alpha_bar: Any, n: Any, b: Any) -> list[Any]:
        pair = ScoredPair(s, n, b, b * 0.5, n * 0.5)
        targets = Threshold(), Ahns(), Snr(), Relative(), Margin(), Margin(unit="score"), Fixed()
        law = *score_law(s, alpha_bar, n), probability_negative(s, alpha_bar, n, b)
        turns = crossing(s, n, b), crossing(s, n, b, 0.2)
        matrix = s[:, None] * b[None, :]
        moments = catalogue_moments(matrix, b, matrix.T @ matrix)
        readings = log_likelihood_ratio(n, 5, alpha_bar), speciation(n, 0.7), softmax_boundary(matrix)
        return [
            *law,
            *turns,
            *(t.alpha_bar(pair) for t in targets),
            *(t.wanted(pair) for t in targets),
            *moments,
            *readings,
        ]

    for left, right in zip(answers(*arrays), answers(*as_torch), strict=True):
        assert isinstance(left, np.ndarray)
        assert isinstance(right, torch.Tensor)
        np.testing.assert_allclose(left, right.numpy(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("level", [0.05, 0.3, 0.5, 0.7])
def test_the_threshold_is_met_with_the_probability_asked_for(level: float) -> None:
    rng = np.random.default_rng(1)
    pair = pair_of(rng.uniform(0.5, 3, 200), boundary=0.4)
    alpha_bar = Threshold(level).alpha_bar(pair)
    reached = probability_negative(pair.score, alpha_bar, pair.noise, pair.boundary)
    turns = alpha_bar > 0
    assert turns.any()
    np.testing.assert_allclose(reached[turns], level, atol=1e-9)
    assert (probability_negative(pair.score, 0 * alpha_bar, pair.noise, pair.boundary)[~turns] <= level).all()
