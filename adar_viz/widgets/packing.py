"""Numbers made small enough to send to a browser once and keep there."""

from __future__ import annotations

from typing import Any

import numpy as np
from jaxtyping import Float
from numpy.typing import ArrayLike, NDArray

DIGITS = 5


def rounded(values: ArrayLike) -> Any:
    """Round to five significant digits, as floats and nested lists; nan, which JSON has not, becomes None."""
    x = np.asarray(values, dtype=np.float64)
    if x.ndim:
        return [rounded(row) for row in x]
    return None if np.isnan(x) else float(f"{float(x):.{DIGITS}g}")


def room(xy: Float[np.ndarray, "*any 2"], *, x: float | None = None, square: bool = False) -> list[float]:
    """Return [left, right, bottom, top] around points, with a margin of 4 % on each side.

    Parameters
    ----------
    xy
        The points that must be seen.
    x
        A horizontal position that must be seen, too: a boundary.
    square
        One unit for both directions: as high as wide.
    """
    flat = np.asarray(xy, dtype=np.float64).reshape(-1, 2)
    low, high = flat.min(axis=0), flat.max(axis=0)
    if x is not None:
        low[0], high[0] = min(low[0], x), max(high[0], x)
    span = np.where(high > low, high - low, 1.0)
    if square:
        span[:] = span.max()
    middle = (low + high) / 2
    low, high = middle - 0.54 * span, middle + 0.54 * span
    sides: list[float] = rounded([low[0], high[0], low[1], high[1]])
    return sides


def quantised(xy: Float[np.ndarray, "*any 2"], sides: list[float]) -> bytes:
    """Pack points as little-endian uint16 shares of the plane with these sides; those outside lie on its edge."""
    left, right, bottom, top = sides
    share = (np.asarray(xy, dtype=np.float64) - [left, bottom]) / [right - left, top - bottom]
    scaled: NDArray[np.uint16] = np.round(np.clip(share, 0, 1) * 65535).astype("<u2")
    return scaled.tobytes()
