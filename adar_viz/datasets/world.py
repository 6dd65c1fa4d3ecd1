"""A synthetic world with known truth: who likes what, and why only some of it was ever seen."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from jaxtyping import Bool, Float, Int
from scipy.special import expit

from adar_viz.datasets.interactions import Interactions
from adar_viz.datasets.titles import GENRES, film_titles
from adar_viz.datasets.truth import Truth

DAY = 86_400
FIRST_DAY = 946_684_800
"""2000-01-01, in Unix seconds: when the world begins."""


@dataclass(frozen=True)
class World:
    """Users with tastes, films with genres, and a platform that shows some films more than others.

    Each film is a point in a space of tastes, near the centres of its one or two genres; each
    user has a taste in the same space, which drifts in a straight line while the world lasts.
    The utility of a film for a user is the match of the two plus the quality of the film; what
    lies above the user's own bar is liked. Of the films a user likes, those that the platform
    promotes are met first. So an unobserved pair is of two kinds, not liked or never met,
    and here it is known which.

    Parameters
    ----------
    num_users, num_items : int
        Sizes, at least 1.
    seed : int
        The same seed and knobs give the same world, bit for bit.
    taste_dim : int
        Dimensions of the space of tastes, at least 2.
    genre_spread : float
        Standard deviation of a film around its genres' centre (the centres are 1 from the
        origin): higher makes genres less telling.
    quality : float
        Weight of a film's quality, on which all users agree, against taste; 0 is none.
    liked_share : float
        Share of the films that a user likes at one moment, in (0, 1).
    drift : float
        How far a taste moves, relative to its length; 0 keeps all tastes.
    mean_activity : float
        Pairs that a user has on average, before the few who run out of liked films.
    activity_spread : float
        Standard deviation of the logarithm of activity; 0 makes all users equally active.
    exposure : float
        Standard deviation of the logarithm of a film's chance to be met: the long tail and the
        exposure bias. 0 shows all films alike.
    exposure_quality : float
        Share of that which follows quality, in [0, 1]; the rest is luck and promotion.
    days : float
        How long the world lasts.

    Notes
    -----
    The defaults make a long tail like that of MovieLens latest-small (rating >= 4, items with
    three or more ratings): `adar_viz.datasets.long_tail` measures both, and a test compares.
    The world has no noise in it: every observed pair was truly liked when it happened.
    """

    num_users: int = 600
    num_items: int = 1000
    seed: int = 0
    taste_dim: int = 8
    genre_spread: float = 0.3
    quality: float = 0.35
    liked_share: float = 0.15
    drift: float = 0.7
    mean_activity: float = 45.0
    activity_spread: float = 1.1
    exposure: float = 1.8
    exposure_quality: float = 0.3
    days: float = 1500.0

    def __post_init__(self) -> None:
        for what, least in (("num_users", 1), ("num_items", 2), ("taste_dim", 2)):
            if getattr(self, what) < least:
                raise ValueError(f"{what} must be at least {least}; got {getattr(self, what)}")
        if not 0 < self.liked_share < 1:
            raise ValueError(f"liked_share must lie in (0, 1); got {self.liked_share}")
        if not 0 <= self.exposure_quality <= 1:
            raise ValueError(f"exposure_quality must lie in [0, 1]; got {self.exposure_quality}")
        for what in ("genre_spread", "quality", "drift", "activity_spread", "exposure"):
            if getattr(self, what) < 0:
                raise ValueError(f"{what} must be at least 0; got {getattr(self, what)}")
        for what in ("mean_activity", "days"):
            if getattr(self, what) <= 0:
                raise ValueError(f"{what} must be above 0; got {getattr(self, what)}")

    def utility_at(self, time: float) -> Float[np.ndarray, "user item"]:
        """Return the utility of each film above the user's bar, at a time in [0, 1].

        Positive means liked at that time. Linear in time, because tastes move in straight lines.
        """
        if not 0 <= time <= 1:
            raise ValueError(f"time must lie in [0, 1]; got {time}")
        begin, end = self._utility
        return (1 - time) * begin + time * end

    @cached_property
    def preference(self) -> Float[np.ndarray, "user item"]:
        """How much each user likes each film over the whole time: in (0, 1), above 1/2 is liked at its middle."""
        middle = self.utility_at(0.5)
        probability: Float[np.ndarray, "user item"] = expit(2 * middle / middle.std())
        return probability

    @cached_property
    def liked(self) -> Bool[np.ndarray, "user item"]:
        """Whether each user likes each film at some time; every observed pair is among them."""
        begin, end = self._utility
        return (begin > 0) | (end > 0)

    @property
    def truth(self) -> Truth:
        """`liked` as a `Truth` that knows every cell."""
        return Truth(self.liked, np.ones_like(self.liked), f"synthetic world, seed {self.seed}")

    @cached_property
    def exposed(self) -> Float[np.ndarray, " item"]:
        """Chance of each film to be met, relative to the average film."""
        luck = self._rng("luck").standard_normal(self.num_items)
        share = self.exposure_quality
        pull = self.exposure * (np.sqrt(share) * self._quality + np.sqrt(1 - share) * luck)
        chance: Float[np.ndarray, " item"] = np.exp(pull) / np.exp(pull).mean()
        return chance

    @cached_property
    def interactions(self) -> Interactions:
        """What was observed: liked films that were met, with times, titles and genres."""
        rng = self._rng("events")
        shape = (self.num_users, self.num_items)
        time = rng.random(shape)
        begin, end = self._utility
        liked = (1 - time) * begin + time * end > 0
        # The largest of log-weight + Gumbel are a weighted draw without replacement.
        chance = np.where(liked, np.log(self.exposed) + rng.gumbel(size=shape), -np.inf)
        wish = self.mean_activity * np.exp(self.activity_spread * rng.standard_normal(self.num_users))
        wish *= np.exp(-(self.activity_spread**2) / 2)
        count = np.clip(np.rint(wish), 3, np.maximum(liked.sum(axis=1), 1)).astype(int)
        rank = np.argsort(np.argsort(-chance, axis=1), axis=1)
        user, item = np.nonzero(liked & (rank < count[:, None]))
        seconds = FIRST_DAY + np.floor(time[user, item] * self.days * DAY).astype(np.int64)
        order = np.lexsort((seconds, user))
        return Interactions(
            user=user[order],
            item=item[order],
            user_label=np.arange(1, self.num_users + 1).astype(str),
            item_label=np.arange(1, self.num_items + 1).astype(str),
            timestamp=seconds[order],
            title=film_titles(self._genre, self._rng("titles")),
            genre=np.array(["|".join(GENRES[g] for g in sorted(set(pair))) for pair in self._genre.tolist()]),
            time_kind="clock",
            name=f"synthetic(seed={self.seed})",
        )

    def _rng(self, what: str) -> np.random.Generator:
        """One stream for each part of the world, so that a knob of one does not stir the others."""
        return np.random.default_rng([self.seed, *what.encode()])

    @cached_property
    def _genre(self) -> Int[np.ndarray, "item 2"]:
        """Two genres for each film; twice the same where it has one."""
        rng = self._rng("genres")
        share = 1 / np.arange(2, len(GENRES) + 2)
        genre = rng.choice(len(GENRES), size=(self.num_items, 2), p=share / share.sum())
        single = rng.random(self.num_items) < 0.4
        genre[single, 1] = genre[single, 0]
        return genre

    @cached_property
    def _quality(self) -> Float[np.ndarray, " item"]:
        return self._rng("quality").standard_normal(self.num_items)

    @cached_property
    def _utility(self) -> tuple[Float[np.ndarray, "user item"], Float[np.ndarray, "user item"]]:
        """Utility above the user's bar at the beginning and at the end of the world."""
        rng = self._rng("tastes")
        centre = rng.standard_normal((len(GENRES), self.taste_dim))
        centre /= np.linalg.norm(centre, axis=1, keepdims=True)
        item = centre[self._genre].mean(axis=1)
        item += self.genre_spread * rng.standard_normal(item.shape) / np.sqrt(self.taste_dim)
        taste, move = rng.standard_normal((2, self.num_users, self.taste_dim)) / np.sqrt(self.taste_dim)
        scale = (taste @ item.T).std()
        quality = self.quality * self._quality
        begin, end = ((taste + side * self.drift / 2 * move) @ item.T / scale + quality for side in (-1, 1))
        # One bar for each user and for all times: the share that is liked holds at the middle.
        bar = np.quantile((begin + end) / 2, 1 - self.liked_share, axis=1, keepdims=True)
        return begin - bar, end - bar
