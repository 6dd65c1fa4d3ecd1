"""The mathematics of the turn: when a diffused positive becomes a negative.

Notation, as in every figure: ``s = <query, positive>`` is the positive's score, ``n = |query| sigma``
the noise of the score, ``b`` the decision boundary (a score below it is negative), ``alpha_bar`` the
share of signal left. A diffused positive is ``x_t = sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) sigma eps``.
In a trace they are ``pair_score``, ``noise``, ``boundary`` and ``alpha_bar``.

All functions take and return arrays of one library (NumPy or torch, through the array API), element
by element and broadcasting; nothing here imports torch.

Notes
-----
ADAR (arXiv 2601.01448) states that the timestep at which a positive turns negative is identified
theoretically and that a *score-aware function* chooses it. The paper's exact form was not available
to us: everything below is our reconstruction, derived from the law of the score alone.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from array_api_compat import array_namespace, is_numpy_namespace
from scipy.special import ndtr, ndtri

Array = Any
"""A NumPy array or a torch tensor; all arguments of one call are of the same library."""


# The law of the score -----------------------------------------------------------------------------


def score_law(s: Array, alpha_bar: Array, n: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of the score of x_t, which is normal.

    ``<query, x_t> ~ Normal(sqrt(alpha_bar) s, (1 - alpha_bar) n^2)``.
    """
    return alpha_bar**0.5 * s, (1 - alpha_bar) ** 0.5 * n


def probability_negative(s: Array, alpha_bar: Array, n: Array, b: Array) -> Array:
    """Return P(t), the probability that the score of x_t lies below the boundary ``b``.

    Where the score has no spread (t = 0, or n = 0) it is 0 or 1; a score on the boundary counts 0.
    """
    s, alpha_bar, n, b = _together(s, alpha_bar, n, b)
    xp = array_namespace(s)
    mean, sd = score_law(s, alpha_bar, n)
    gap = b - mean
    spread = sd > 0
    z = gap / xp.where(spread, sd, xp.ones_like(sd))
    return xp.where(spread, _normal_cdf(z), xp.astype(gap > 0, mean.dtype))


def crossing(s: Array, n: Array, b: Array, p: float = 0.5) -> Array:
    """Return the alpha_bar at which P(t) reaches the level ``p``: the transition, equation (T).

    For ``s > max(b, 0)`` P rises strictly, from 0 at t = 0 to ``Phi(b / n)`` in pure noise, so each
    level in between is reached exactly once, where (with ``q = Phi^-1(p)``)

        sqrt(alpha_bar*) = [b s - q n sqrt(s^2 + q^2 n^2 - b^2)] / (s^2 + q^2 n^2).

    Returns
    -------
    Array
        nan where there is no transition: the pair is negative already (``s <= max(b, 0)``), or the
        level lies at or above ``Phi(b / n)``. At p = 1/2 and b <= 0 nothing ever turns: the
        *expected* score never becomes negative.

    Raises
    ------
    ValueError
        ``p`` outside (0, 1).
    """
    if not 0 < p < 1:
        raise ValueError(f"p must lie in (0, 1); got {p}")
    s, n, b = _together(s, n, b)
    xp = array_namespace(s, n, b)
    q = float(ndtri(p))
    turns = (s > 0) & (s > b) & (q * n < b)
    square = xp.where(turns, s**2 + (q * n) ** 2, xp.ones_like(s))
    root = xp.where(turns, square - b**2, xp.zeros_like(s)) ** 0.5
    return xp.where(turns, ((b * s - q * n * root) / square) ** 2, xp.full_like(s, math.nan))


def timestep_of(alpha_bar_star: Array, alpha_bar: Array) -> Array:
    """Return the first timestep whose alpha_bar is at most ``alpha_bar_star``; O(log T) each.

    Parameters
    ----------
    alpha_bar_star
        Values in [0, 1]; nan (no transition) gives 0, below ``alpha_bar[T]`` gives T.
    alpha_bar : (T + 1,)
        Strictly decreasing, from ``alpha_bar[0] = 1``.
    """
    xp = array_namespace(alpha_bar_star, alpha_bar)
    asked, last = xp.astype(alpha_bar_star, alpha_bar.dtype, copy=False), alpha_bar.shape[0] - 1
    # Counted from the end of the schedule, where it rises; nan is sorted beyond its clean start.
    reached = xp.searchsorted(xp.flip(alpha_bar), asked, side="right")
    return xp.clip(last + 1 - reached, None, last)


def first_timestep_below(score_at: Callable[[Array], Array], wanted: Array, num_timesteps: int) -> Array:
    """Bisect for the first timestep at which a falling score is at most ``wanted``.

    For scores that are no inner product, where no law is known: ``score_at`` takes one timestep for
    each row and returns, say, the mean score over a few noise draws. Calls it ``log2(T)`` times.
    Rows that never fall so far get T. The answer is right only as far as the score does fall along t.
    """
    xp = array_namespace(wanted)
    low = xp.astype(xp.zeros_like(wanted), xp.int64)
    high = low + num_timesteps
    for _ in range(math.ceil(math.log2(num_timesteps + 1))):
        middle = (low + high) // 2
        below = score_at(middle) <= wanted
        high = xp.where(below, middle, high)
        low = xp.where(below, low, xp.minimum(middle + 1, high))
    return high


# The decision boundary ----------------------------------------------------------------------------


def catalogue_moments(query: Array, mean_embedding: Array, covariance: Array) -> tuple[Array, Array]:
    """Return mean and standard deviation of each user's scores over the catalogue, exactly.

    Parameters
    ----------
    query : (row, dim)
    mean_embedding : (dim,)
        Mean of the catalogue's embeddings.
    covariance : (dim, dim)
        Their covariance (divided by the number of items).

    Returns
    -------
    tuple of (row,)
        ``<query, mean>`` and ``sqrt(query' C query)``; O(row x dim^2), whatever the catalogue.
    """
    xp = array_namespace(query, mean_embedding, covariance)
    variance = xp.sum((query @ covariance) * query, axis=-1)
    return query @ mean_embedding, xp.clip(variance, 0, None) ** 0.5


@dataclass(frozen=True)
class Constant:
    """One boundary for all: 0 is calibrated for BCE, whose score is a log-odds."""

    value: float = 0.0

    def __post_init__(self) -> None:
        _require_finite(value=self.value)

    def of(self, mean: Array, sd: Array) -> Array:
        """Return the boundary of each row."""
        return mean * 0 + self.value


@dataclass(frozen=True)
class Quantile:
    """As hard as the user's top scores: ``mean + z sd`` over the catalogue (z = 1.28: top decile)."""

    z: float = 1.28

    def __post_init__(self) -> None:
        _require_finite(z=self.z)

    def of(self, mean: Array, sd: Array) -> Array:
        """Return the boundary of each row."""
        return mean + self.z * sd


Boundary = Constant | Quantile
BOUNDARIES: dict[str, type[Boundary]] = {"constant": Constant, "quantile": Quantile}


def softmax_boundary(scores: Array) -> Array:
    """Return the boundary of a softmax loss: logsumexp of the sampled negatives' scores, (row, k) -> (row,)."""
    xp = array_namespace(scores)
    top = xp.max(scores, axis=-1, keepdims=True)
    return xp.squeeze(top, axis=-1) + xp.log(xp.sum(xp.exp(scores - top), axis=-1))


# Score-aware functions ----------------------------------------------------------------------------


@dataclass(frozen=True)
class ScoredPair:
    """What a score-aware function may look at, one value for each row."""

    score: Array
    noise: Array
    boundary: Array
    mean: Array
    """Mean of the user's scores over the catalogue."""
    sd: Array
    """Their standard deviation."""


class ScoreAware:
    """Chooses how hard a negative should be from the pair's score: ``g(s)``.

    The timestep follows: the expected score of x_t is ``sqrt(alpha_bar) s``, so
    ``sqrt(alpha_bar*) = clip(g(s) / s, 0, 1)``.
    """

    def wanted(self, pair: ScoredPair) -> Array:
        """Return g(s), the expected score wanted of the negative."""
        raise NotImplementedError

    def alpha_bar(self, pair: ScoredPair) -> Array:
        """Return alpha_bar* of each row; nan where ``s <= 0`` (negative already)."""
        xp = array_namespace(pair.score)
        s = xp.where(pair.score > 0, pair.score, math.nan)
        return xp.clip(self.wanted(pair) / s, 0, 1) ** 2


@dataclass(frozen=True)
class Threshold(ScoreAware):
    """The transition itself: P(t) reaches ``level``; t* moves later as s grows.

    At the default level 1/2 the expected score meets the boundary, g = b. Pairs that never turn so
    surely (`crossing`) get alpha_bar* = 0, pure noise.
    """

    level: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.level < 1:
            raise ValueError(f"level must lie in (0, 1); got {self.level}")

    def wanted(self, pair: ScoredPair) -> Array:
        """Return sqrt(alpha_bar*) s; s itself where the pair is negative already."""
        xp = array_namespace(pair.score)
        share = self.alpha_bar(pair) ** 0.5
        return xp.where(xp.isnan(share), pair.score, share * pair.score)

    def alpha_bar(self, pair: ScoredPair) -> Array:
        """Return the crossing of the law; 1 where ``0 < s <= b`` and nan where ``s <= 0`` (negative already)."""
        xp = array_namespace(pair.score)
        found = crossing(pair.score, pair.noise, pair.boundary, self.level)
        end = xp.astype(pair.score <= pair.boundary, found.dtype)
        return xp.where(xp.isnan(found) & (pair.score > 0), end, found)


@dataclass(frozen=True)
class Ahns(ScoreAware):
    """The target of AHNS (arXiv 2401.05191): g = beta (s + alpha)^(p + 1), p < -1; later, faster.

    For p >= -1 better positives would get harder negatives, which `adar_viz.negatives.AHNS` allows. beta is 1
    here: the target is compared with the positive's own score, not with those of a pool.
    """

    alpha: float = 1.0
    beta: float = 1.0
    p: float = -2.0

    def __post_init__(self) -> None:
        if not self.p < -1:
            raise ValueError(f"p must be below -1, so that better positives get easier negatives; got {self.p}")
        if not (self.alpha >= 0 and self.beta > 0):
            raise ValueError(f"alpha must be at least 0 and beta above 0; got {self.alpha} and {self.beta}")

    def wanted(self, pair: ScoredPair) -> Array:
        """Return beta (s + alpha)^(p + 1); rows with s <= 0 are negative already and get no say."""
        xp = array_namespace(pair.score)
        return self.beta * xp.clip(pair.score + self.alpha, 1e-6, None) ** (self.p + 1)


@dataclass(frozen=True)
class Snr(ScoreAware):
    """Mean equals ``c`` standard deviations of the score: alpha_bar* = c^2 n^2 / (s^2 + c^2 n^2); later."""

    c: float = 1.0

    def __post_init__(self) -> None:
        _require_finite(c=self.c)
        if not self.c > 0:
            raise ValueError(f"c must be above 0; got {self.c}")

    def wanted(self, pair: ScoredPair) -> Array:
        """Return s c n / sqrt(s^2 + c^2 n^2)."""
        s, noise = pair.score, self.c * pair.noise
        return s * noise / (s**2 + noise**2) ** 0.5


@dataclass(frozen=True)
class Relative(ScoreAware):
    """A share ``kappa`` of the way from the user's mean score to s; later, towards alpha_bar = kappa^2."""

    kappa: float = 0.5

    def __post_init__(self) -> None:
        _require_finite(kappa=self.kappa)

    def wanted(self, pair: ScoredPair) -> Array:
        """Return m + kappa (s - m)."""
        return pair.mean + self.kappa * (pair.score - pair.mean)


@dataclass(frozen=True)
class Margin(ScoreAware):
    """A constant expected margin, so a constant weight in BPR: g = s - delta; earlier as s grows.

    ``unit="sd"`` measures delta in standard deviations of the user's scores over the catalogue,
    which makes it free of the scale of the embeddings; ``unit="score"`` is absolute.
    """

    delta: float = 0.5
    unit: Literal["sd", "score"] = "sd"

    def __post_init__(self) -> None:
        if self.unit not in ("sd", "score"):
            raise ValueError(f"unit must be 'sd' or 'score'; got {self.unit!r}")
        _require_finite(delta=self.delta)

    def wanted(self, pair: ScoredPair) -> Array:
        """Return s - delta."""
        return pair.score - (self.delta * pair.sd if self.unit == "sd" else self.delta)


@dataclass(frozen=True)
class Fixed(ScoreAware):
    """The same alpha_bar for every pair: the ablation without adaptivity."""

    level: float = 0.5

    def __post_init__(self) -> None:
        if not 0 <= self.level <= 1:
            raise ValueError(f"level must lie in [0, 1]; got {self.level}")

    def wanted(self, pair: ScoredPair) -> Array:
        """Return sqrt(level) s."""
        return self.level**0.5 * pair.score

    def alpha_bar(self, pair: ScoredPair) -> Array:
        """Return the level, whatever the score."""
        return pair.score * 0 + self.level


@dataclass(frozen=True)
class Random:
    """A uniformly random timestep: the other ablation. It needs a draw, so it has a verb of its own."""

    def timestep(self, uniform: Array, low: int, high: int) -> Array:
        """Return timesteps in [low, high] from draws in [0, 1)."""
        xp = array_namespace(uniform)
        return xp.clip(xp.astype(uniform * (high - low + 1), xp.int64) + low, low, high)


SCORE_AWARE: dict[str, type[Any]] = {
    "threshold": Threshold,
    "ahns": Ahns,
    "snr": Snr,
    "relative": Relative,
    "margin": Margin,
    "fixed": Fixed,
    "random": Random,
}


# Other readings of the walk from x_0 to noise ------------------------------------------------------------------


def log_likelihood_ratio(square_norm: Array, dim: int, alpha_bar: Array) -> Array:
    """Return the mean log-ratio of "x_t was made from x_0" against "x_t is pure noise", in nats.

    ``(alpha_bar (|x_0|^2 - d) - d ln(1 - alpha_bar)) / 2``, with ``square_norm = |x_0|^2 / sigma^2``;
    infinite at t = 0.
    """
    xp = array_namespace(square_norm, alpha_bar)
    left = xp.where(alpha_bar < 1, 1 - alpha_bar, xp.zeros_like(alpha_bar))
    clean = left == 0
    logarithm = xp.where(clean, xp.full_like(left, -math.inf), xp.log(xp.where(clean, xp.ones_like(left), left)))
    return (alpha_bar * (square_norm - dim) - dim * logarithm) / 2


def speciation(square_distance: Array, sigma: float) -> Array:
    """Return the alpha_bar at which the item's identity is lost against a typical item's.

    There the mean of the log-likelihood ratio between the two equals its standard deviation:
    ``4 sigma^2 / (4 sigma^2 + |e_i - mean(e)|^2)`` (the speciation criterion of arXiv 2402.18491).
    """
    return 4 * sigma**2 / (4 * sigma**2 + square_distance)


def _require_finite(**options: float) -> None:
    for name, value in options.items():
        if not math.isfinite(value):
            raise ValueError(f"{name} must be a finite number; got {value}")


def _normal_cdf(z: Array) -> Array:
    xp = array_namespace(z)
    return ndtr(z) if is_numpy_namespace(xp) else xp.erfc(-z / math.sqrt(2)) / 2


def _together(*values: Array) -> tuple[Array, ...]:
    """Broadcast numbers and arrays to floating arrays of one shape."""
    arrays = [v for v in values if hasattr(v, "shape")] or [np.zeros(())]
    xp = array_namespace(*arrays)
    floating = [v.dtype for v in arrays if xp.isdtype(v.dtype, "real floating")]
    like = xp.zeros_like(arrays[0], dtype=floating[0] if floating else xp.float64)
    filled = (v if hasattr(v, "shape") else xp.full_like(like, v) for v in values)
    return tuple(xp.broadcast_arrays(*(v if v.dtype in floating else xp.astype(v, like.dtype) for v in filled)))
