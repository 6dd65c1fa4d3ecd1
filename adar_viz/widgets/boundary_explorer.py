"""Scrub one user's boundary through training, beside a map or beside the same user in another run."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from adar_viz.displays import ComparedBoundaries, Display, MovingBoundary
from adar_viz.displays.moving_boundary import PATHS
from adar_viz.trace import TOP_TENTH, Trace, UserMoment, followed, map_quality, run_names, typical_user, user_moments
from adar_viz.widgets.packing import quantised, room, rounded
from adar_viz.widgets.view import State, View, titles


class BoundaryExplorer(View):
    """A user's plane at every snapshot, with what was drawn there and what the user truly likes.

    Beside it stands the stored map of the items, which has no boundary. Everything is sent once, for
    several users.

    Attributes
    ----------
    epoch : int
        Snapshot that is shown.
    t : int
        Timestep of the synthetic negatives.
    scale : str
        ``own``: axes of each epoch; ``same``: one pair of axes for the whole training.
    user : int
        Row of ``user_label``; of a user that was not sent the first one is shown.
    points : bytes
        Coordinates, (panel, user, epoch, item, 2), each user and epoch in its own frame; then the map.
    display : MovingBoundary
    """

    question = "Where does a user's boundary run, and who stands on the wrong side of it?"
    cannot = (
        "The rest of the space: the plane holds the whole score but only a part of the variance, so points that look "
        "close may be far apart.",
        "Other users: the picture is one user's, and the next user's boundary cuts the same items elsewhere.",
        "The truth of real data: what a user would like is known here because the world was made; a real data set "
        "knows it for few pairs, if any.",
        "A boundary on the map: UMAP keeps neighbours and no user, so no line on it could be right.",
    )
    _script = "boundary_explorer.js"

    epoch = State(0)
    t = State(0)
    scale = State("own")
    user = State(-1)

    @classmethod
    def from_trace(cls, trace: Trace, users: Sequence[int] | None = None, z: float = TOP_TENTH) -> Self:
        """Make the explorer for some followed users of a run, beside the map of its items where one is stored.

        Parameters
        ----------
        trace
            With snapshots of users and items; draws, true likes and a map are shown where they are.
        users
            Rows of ``user_label``; None takes the typical user and seven others, evenly spaced.
        z
            Boundary: ``mean + z sd`` of the user's scores of all items.
        """
        return cls._make([trace], users, z, "from_trace(trace")

    @classmethod
    def _make(cls, traces: list[Trace], users: Sequence[int] | None, z: float, call: str) -> Self:
        chosen = _choose_users(traces[0]) if users is None else list(users)
        moments = [[user_moments(run, user, z) for user in chosen] for run in traces]
        epochs = sorted(set.intersection(*({m.epoch for m in run[0]} for run in moments)))
        panels = [[[m for m in of_user if m.epoch in epochs] for of_user in run] for run in moments]
        sides = [[_sides([run[u][e] for run in panels]) for e in range(len(epochs))] for u in range(len(chosen))]
        points = [quantised(m.xy, sides[u][e]) for run in panels for u, es in enumerate(run) for e, m in enumerate(es)]
        given = "" if users is None else f", users={chosen}"
        scene = _scene(traces, panels, chosen, epochs) | {
            "sides": sides,
            "code": f"{cls.__name__}.{call}{given}, z={z})",
        }
        if len(traces) == 1 and "item_map" in traces[0]:
            xy = np.asarray(traces[0]["item_map"], dtype=np.float64)
            trust, overlap = map_quality(traces[0]["item_embedding"], xy, 10)
            points.append(quantised(xy[panels[0][0][0].item], room(xy, square=True)))
            scene["map"] = {"trustworthiness": rounded(trust), "overlap": rounded(overlap)}
        epoch, stops = epochs[len(epochs) // 2], scene["choices"]["t"]
        shown = cls._print(traces, chosen[0], epochs[-1], traces[0].num_timesteps // 2, z)
        made = cls(shown, scene, b"".join(points), epoch=epoch, t=stops[len(stops) // 2], user=chosen[0])
        made._traces, made._z = traces, z
        return made

    def picture(self) -> Display:
        """Draw the present user, epoch and t for print, between the first epoch and the last."""
        return self._print(self._traces, self._shown_user(), self.epoch, self.t, self._z)

    @staticmethod
    def _print(traces: list[Trace], user: int, epoch: int, t: int, z: float) -> Display:
        later = [e for e in traces[0]["snapshot_epoch"].tolist() if e > 0]
        middle = later[len(later) // 2] if epoch in (later[0], later[-1]) else epoch
        epochs = sorted((later[0], middle, later[-1])) if epoch else (0, later[0], later[-1])
        return MovingBoundary.from_trace(traces[0], user=user, epochs=epochs, timestep=t, z=z)

    def _shown_user(self) -> int:
        users: list[int] = self.scene["users"]
        return self.user if self.user in users else users[0]

    def now(self) -> dict[str, Any]:
        """Say what is shown: the state, and the numbers of each plane."""
        place = self.scene["users"].index(self._shown_user()), self.scene["choices"]["epoch"].index(self.epoch)
        planes = {p["name"]: p["numbers"][place[0]][place[1]] for p in self.scene["panels"]}
        return super().now() | {"planes": planes}


class BoundaryComparison(BoundaryExplorer):
    """The planes of one user in two runs, side by side: same epoch, same axes, same selection."""

    question = "What does another negative sampler do to the same user's boundary?"

    @classmethod
    def from_traces(cls, traces: Sequence[Trace], users: Sequence[int] | None = None, z: float = TOP_TENTH) -> Self:
        """Make the comparison of the first run with the next one on the same data whose users were followed.

        Parameters
        ----------
        traces
            Of them, the first one and one more are shown.
        users, z
            As in `BoundaryExplorer.from_trace`.
        """
        first, *others = traces
        checksum = first.meta["data_checksum"]
        fit = [t for t in others if "snapshot_user_observed" in t and t.meta["data_checksum"] == checksum]
        if not fit:
            raise ValueError(f"traces must hold a second run on the same data with snapshots; got {len(traces)} in all")
        return cls._make([first, fit[0]], users, z, "from_traces(traces")

    @staticmethod
    def _print(traces: list[Trace], user: int, epoch: int, t: int, z: float) -> Display:
        return ComparedBoundaries.from_traces(traces, user=user, epoch=epoch, timestep=t, z=z)


def _choose_users(trace: Trace, number: int = 8) -> list[int]:
    """Put the typical user first, then others evenly spaced among those in the snapshots."""
    users, first = followed(trace), typical_user(trace)
    spaced = users[np.unique(np.linspace(0, len(users) - 1, min(number, len(users))).astype(int))].tolist()
    return [first, *[user for user in spaced if user != first][: number - 1]]


def _sides(moments: list[UserMoment]) -> list[float]:
    """One frame for the planes of one user and epoch, with every boundary in it."""
    everything = np.concatenate([*(m.xy for m in moments), [[m.boundary, m.xy[0, 1]] for m in moments]])
    return room(everything)


def _stops(T: int) -> list[int]:
    return sorted(set(np.linspace(0, T, 11).round().astype(int).tolist()))


def _scene(
    traces: list[Trace], panels: list[list[list[UserMoment]]], users: list[int], epochs: list[int]
) -> dict[str, Any]:
    trace, first = traces[0], panels[0]
    names = ["this run"] if len(traces) == 1 else run_names(traces)
    return {
        "heading": f"One user's decision boundary {'over training' if len(traces) == 1 else 'in two runs'}",
        "intro": f"{len(first[0][0].item)} items in a plane in which the user's boundary is an exact straight line. "
        "Arrow keys step through the epochs, Space plays; click an item to select it.",
        "choices": {"epoch": epochs, "t": _stops(trace.num_timesteps), "scale": ["own", "same"]},
        "names": {i: name for i, name in titles(trace).items() if int(i) in set(first[0][0].item.tolist())},
        "users": users,
        "user_names": [_name(trace, m[0]) for m in first],
        "items": first[0][0].item.tolist(),
        "alpha_bar": rounded(trace["alpha_bar"]),
        "observed": [np.flatnonzero(m[0].observed).tolist() for m in first],
        "unseen": [np.flatnonzero(m[0].unseen).tolist() for m in first],
        "panels": [
            {
                "name": name,
                "drawn": [[np.flatnonzero(m.drawn).tolist() for m in of_user] for of_user in run],
                "numbers": [[_numbers(m) for m in of_user] for of_user in run],
                "noised": [[_paths(m) for m in of_user] for of_user in run],
            }
            for name, run in zip(names, panels, strict=True)
        ],
    }


def _name(trace: Trace, m: UserMoment) -> str:
    return f"user {trace['user_label'][m.user]} ({m.observed.sum()} positives)"


def _numbers(m: UserMoment) -> dict[str, Any]:
    above = m.score >= m.boundary
    return {
        "boundary": rounded(m.boundary),
        "explained": rounded(m.plane.explained),
        "items": rounded(above.mean()),
        "positives": [int(above[m.observed].sum()), int(m.observed.sum())],
        "unseen": [int(above[m.unseen].sum()), int(m.unseen.sum())],
        "drawn": int(m.drawn.sum()),
        "false": int((m.drawn & m.unseen).sum()),
    }


def _paths(m: UserMoment) -> list[list[float]]:
    """Place a few positives, their noise at full strength, and the origin: (score, across) of each.

    The first two are seen from the origin of the space, so that the browser can place x_t at any t:
    ``sqrt(alpha_bar)`` of the one plus ``sqrt(1 - alpha_bar)`` of the other, plus the origin.
    """
    some = m.spread(PATHS)
    origin = m.plane.project(np.zeros(m.embedding.shape[1]))
    start, noise = m.xy[m.observed][some] - origin, m.plane.project(m.noise()[some]) - origin
    offset = np.broadcast_to(origin, start.shape)
    paths: list[list[float]] = rounded(np.hstack([start, noise, offset]))
    return paths
