"""One followed user at one epoch: the catalogue in the plane where the boundary is a straight line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float, Int
from numpy.typing import NDArray

from adar_viz.trace.drift import turns
from adar_viz.trace.measures import TOP_TENTH
from adar_viz.trace.plane import UserPlane
from adar_viz.trace.table import Trace


@dataclass(frozen=True)
class UserMoment:
    """A user's plane at one snapshot, and what is known of each followed item.

    The horizontal axis is the score of that epoch; the vertical one is the same direction at all
    snapshots of a run, as far as the user of that epoch does not see it.

    Attributes
    ----------
    epoch : int
    user : int
        Row of ``user_label``.
    item : Int[ndarray, "item"]
        Ids of the followed items; the arrays below have the same length.
    xy : Float[ndarray, "item 2"]
        Place in the plane: (score, position across).
    score : Float[ndarray, "item"]
        The scores once more, computed without the plane.
    observed, liked, drawn : Bool[ndarray, "item"]
        Training positives; truly liked items, known or not; negatives of the epoch that ended there.
    boundary, mean, sd : float
        ``mean + z sd`` of the user's scores of the whole catalogue at that epoch, and both of them.
    plane : UserPlane
    embedding : Float[ndarray, "item dim"]
    rms : float
        Root mean square of all item vectors: the scale of the noise.
    """

    epoch: int
    user: int
    item: Int[np.ndarray, " item"]
    xy: Float[np.ndarray, "item 2"]
    score: Float[np.ndarray, " item"]
    observed: Bool[np.ndarray, " item"]
    liked: Bool[np.ndarray, " item"]
    drawn: Bool[np.ndarray, " item"]
    boundary: float
    mean: float
    sd: float
    plane: UserPlane
    embedding: Float[np.ndarray, "item dim"]
    rms: float

    @property
    def unseen(self) -> Bool[np.ndarray, " item"]:
        """Truly liked, and not observed: drawn as a negative, such an item is a false one."""
        unseen: NDArray[np.bool_] = self.liked & ~self.observed
        return unseen

    def spread(self, number: int) -> Int[np.ndarray, " few"]:
        """Choose at most ``number`` observed positives, evenly spaced by score: places among them, in that order."""
        order = np.argsort(self.score[self.observed], kind="stable")
        few: NDArray[np.int64] = order[np.linspace(0, max(len(order) - 1, 0), min(number, len(order))).astype(int)]
        return few

    def noised(self, alpha_bar: float, seed: int = 0) -> Float[np.ndarray, "positive 2"]:
        """Place of x_t of each observed positive: ``sqrt(alpha_bar) x_0 + sqrt(1 - alpha_bar) rms noise``.

        One draw of the noise serves all t and all epochs, so x_t moves on a path.
        """
        x0 = self.embedding[self.observed]
        return self.plane.project(np.sqrt(alpha_bar) * x0 + np.sqrt(1 - alpha_bar) * self.noise(seed))

    def noise(self, seed: int = 0) -> Float[np.ndarray, "positive dim"]:
        """Noise of each observed positive, at full strength; an item has the same noise at all epochs."""
        unit = np.random.default_rng(seed).standard_normal((len(self.item), self.embedding.shape[1]))
        scaled: NDArray[np.float64] = self.rms * unit[self.observed]
        return scaled


def followed(trace: Trace) -> Int[np.ndarray, " user"]:
    """Users whose moments can be shown, rows of ``user_label``."""
    trace.require("snapshot_user", "snapshot_user_embedding", "snapshot_item_embedding", "snapshot_user_observed")
    return trace["snapshot_user"]


def typical_user(trace: Trace, least: int = 8, most: int = 30) -> int:
    """Choose a followed user to explain with: the median one by how far the positives stand above the rest.

    Measured at the last snapshot, in standard deviations of the user's scores, over the users with
    ``least`` to ``most`` observed items among the followed ones: enough to see, few enough to tell
    apart (over all users, where nobody has as many).
    """
    users = followed(trace)
    score = trace["snapshot_user_embedding"][-1] @ trace["snapshot_item_embedding"][-1].astype(np.float64).T
    observed = trace["snapshot_user_observed"][:, trace["snapshot_item"]]
    number = observed.sum(axis=1)
    above = (score * observed).sum(axis=1) / np.maximum(number, 1) - trace["snapshot_user_mean"][-1]
    above /= trace["snapshot_user_sd"][-1]
    fit = np.flatnonzero((number >= least) & (number <= most))
    among = fit if len(fit) else np.arange(len(users))
    return int(users[among[np.argsort(above[among], kind="stable")[(len(among) - 1) // 2]]])


def user_moments(trace: Trace, user: int | None = None, z: float = TOP_TENTH) -> list[UserMoment]:
    """Lay one user's plane at every snapshot.

    Parameters
    ----------
    trace
        With snapshots of users and items, and what the users were observed to like.
    user
        Row of ``user_label``; None takes the `typical_user`.
    z
        Boundary: ``mean + z sd`` of the user's scores; 1.28 leaves about one item in ten above it.

    Notes
    -----
    The snapshots are turned onto the last one first, which changes no score; see `turns`.
    """
    if isinstance(z, bool) or not np.isfinite(z):  # nan would draw every curve as a gap, true would count as 1
        raise ValueError(f"z must be a finite number; got {z}")
    users, trace_items = followed(trace), trace["snapshot_item"]
    user = typical_user(trace) if user is None else user
    if user not in users:
        raise ValueError(f"user must be one of those in the snapshots, {users.tolist()}; got {user}")
    row = int(np.flatnonzero(users == user)[0])
    x = np.asarray(trace["snapshot_item_embedding"], dtype=np.float64)
    query = np.asarray(trace["snapshot_user_embedding"][:, row], dtype=np.float64)
    turn = turns(x)
    towards = UserPlane.of(query[-1], x[-1]).across
    observed = trace["snapshot_user_observed"][row, trace_items]
    liked = trace["snapshot_user_liked"][row, trace_items] if "snapshot_user_liked" in trace else observed
    moments = []
    for s, epoch in enumerate(trace["snapshot_epoch"].tolist()):
        straight = x[s] @ turn[s]
        plane = UserPlane.of(query[s] @ turn[s], straight, towards)
        mean, sd = (float(trace[f"snapshot_user_{name}"][s, row]) for name in ("mean", "sd"))
        moments.append(
            UserMoment(
                epoch=epoch,
                user=int(user),
                item=trace_items,
                xy=plane.project(straight),
                score=x[s] @ query[s],
                observed=observed,
                liked=liked | observed,
                drawn=_drawn(trace, s, row),
                boundary=mean + z * sd,
                mean=mean,
                sd=sd,
                plane=plane,
                embedding=straight,
                rms=float(trace["snapshot_rms"][s]),
            )
        )
    return moments


def _drawn(trace: Trace, snapshot: int, row: int) -> Bool[np.ndarray, " item"]:
    """Which followed items were drawn as negatives of the user; none where no draws were kept."""
    if "snapshot_user_negative" not in trace:
        return np.zeros(len(trace["snapshot_item"]), dtype=bool)
    return np.isin(trace["snapshot_item"], trace["snapshot_user_negative"][snapshot, row])
