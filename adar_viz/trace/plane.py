"""The plane in which one user's decision boundary is an exact straight line."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float


@dataclass(frozen=True)
class UserPlane:
    """A plane through the embedding space, aligned with one user.

    The horizontal coordinate of a vector x is its score ``<query, x>``; so every item lies on the
    side of the boundary that its score says, without exception. The vertical coordinate is the
    first principal direction of what the query does not see.

    Attributes
    ----------
    query : Float[ndarray, "dim"]
        The user's vector.
    centre, across : Float[ndarray, "dim"]
        Mean of the catalogue, and the unit vector of the vertical axis (orthogonal to the query).
    explained : float
        Share of the catalogue's variance that lies in the plane.
    """

    query: Float[np.ndarray, " dim"]
    centre: Float[np.ndarray, " dim"]
    across: Float[np.ndarray, " dim"]
    explained: float

    @classmethod
    def of(
        cls,
        query: Float[np.ndarray, " dim"],
        embedding: Float[np.ndarray, "item dim"],
        towards: Float[np.ndarray, " dim"] | None = None,
    ) -> UserPlane:
        """Lay the plane for one user through a catalogue; O(item x dim^2).

        ``towards`` is a direction for the vertical axis instead of the principal one, as far as the
        query does not see it: so the planes of several moments look the same way.
        """
        query = np.asarray(query, dtype=np.float64)
        length = float(np.linalg.norm(query))
        if length == 0:
            raise ValueError("query must have a direction; got a vector of length 0")
        along = query / length
        centre = np.asarray(embedding, dtype=np.float64).mean(axis=0)
        centred = embedding - centre
        seen = centred @ along
        rest = centred - seen[:, None] * along
        across = _principal(rest) if towards is None else _orthogonal(towards, along)
        total = float((centred**2).sum() / len(centred))
        held = float((seen**2).mean()) + float(((rest @ across) ** 2).mean())
        return cls(query, centre, across, held / total if total else 1.0)

    def project(self, x: Float[np.ndarray, "*any dim"]) -> Float[np.ndarray, "*any 2"]:
        """Coordinates in the plane: (score, position across)."""
        score = np.asarray(x, dtype=np.float64) @ self.query
        return np.stack([score, (x - self.centre) @ self.across], axis=-1)


def _principal(rest: Float[np.ndarray, "item dim"]) -> Float[np.ndarray, " dim"]:
    """First principal direction; the sign of an eigenvector is free, so it is fixed: two machines draw alike."""
    vector = np.linalg.eigh(rest.T @ rest)[1][:, -1]
    fixed: Float[np.ndarray, " dim"] = vector * np.sign(vector[np.argmax(np.abs(vector))])
    return fixed


def _orthogonal(direction: Float[np.ndarray, " dim"], along: Float[np.ndarray, " dim"]) -> Float[np.ndarray, " dim"]:
    rest = np.asarray(direction, dtype=np.float64) - (direction @ along) * along
    length = float(np.linalg.norm(rest))
    if length == 0:
        raise ValueError("towards must not lie along the query; got a direction that does")
    orthogonal: Float[np.ndarray, " dim"] = rest / length
    return orthogonal
