"""Candidates: the real items, some for each row, that a sampler chooses from."""

from __future__ import annotations

from adar_viz.core import Context, Negatives, NegativeSampler, Observer, ignore


def draw(pool: NegativeSampler, context: Context, observe: Observer = ignore) -> Negatives:
    """Draw the candidates of every row.

    Raises
    ------
    ValueError
        The pool gives synthetic negatives, or some that all rows share or that are not of equal weight.
    """
    found = pool.sample(context, observe=observe)
    if len(found.item) != len(context.user) or found.weight is not None:
        raise ValueError(f"the pool must give each row items of its own, all alike; {type(pool).__name__} does not")
    if bool((found.item < 0).any()):
        raise ValueError(f"the pool must give items; got synthetic negatives from {type(pool).__name__}")
    return found
