"""What would the transition be, had the run been set differently: asked of the closed form, no retraining."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np

from adar_viz.trace.measures import boundaries
from adar_viz.trace.schedules import SCHEDULES
from adar_viz.trace.table import Trace, TraceError
from adar_viz.transition import BOUNDARIES, SCORE_AWARE, Boundary, Margin, Random, ScoreAware, ScoredPair, timestep_of

CLAMP = (0.05, 0.95)
"""Smallest and largest t*, as shares of T, where a trace does not say."""


def what_if(
    trace: Trace,
    *,
    target: ScoreAware | None = None,
    boundary: Boundary | None = None,
    schedule: str | None = None,
    num_timesteps: int | None = None,
    noise: float = 1.0,
) -> Trace:
    """Return the trace with t* as it would be for the same embeddings under other settings.

    Only the transition is asked again: embeddings, and with them scores, stay what training made of
    them, though another setting would have trained others. O(pairs).

    Parameters
    ----------
    trace
        With alpha_bar and all arrays of the pairs.
    target
        Score-aware function; None keeps the run's (`Margin` where that draws at random).
    boundary
        Rule for the decision boundary; None keeps the run's.
    schedule, num_timesteps
        ``linear``, ``cosine`` or ``sigmoid``, and T; None keeps the run's.
    noise
        Factor on the noise scale.

    Returns
    -------
    Trace
        Without recorded draws and walks where schedule or noise changed: they belong to the old ones.
    """
    if not noise > 0:
        raise ValueError(f"noise must be a factor above 0; got {noise}")
    target = target or target_of(trace)
    alpha_bar, name = _levels(trace, schedule, num_timesteps)
    b = boundaries(trace) if boundary is None else boundary.of(trace["mean"], trace["sd"])
    n = noise * trace["noise"].astype(np.float64)
    values = (trace["pair_score"], n, b, trace["mean"], trace["sd"])
    wanted = target.alpha_bar(ScoredPair(*(np.asarray(v, dtype=np.float64) for v in values)))
    asked = timestep_of(wanted, alpha_bar)
    low, high = clamp_of(trace, len(alpha_bar) - 1)
    timestep = np.clip(asked, low, high)
    changed = schedule is not None or num_timesteps is not None or noise != 1
    kept = trace.without(*(_DRAWN if changed else ()))
    meta = {"schedule": {"name": name, "T": len(alpha_bar) - 1}, "target": describe(target, SCORE_AWARE)}
    if boundary is not None:
        meta["boundary"] = describe(boundary, BOUNDARIES)
    if "sigma" in trace.meta:
        meta["sigma"] = noise * trace.meta["sigma"]
    arrays = {
        "alpha_bar": alpha_bar,
        "noise": n,
        "boundary": np.asarray(b, dtype=np.float64),
        "transition_timestep": timestep,
        "transition_alpha_bar": wanted,
        "clamped": (timestep != asked) | np.isnan(wanted),
    }
    return Trace({**trace.meta, **meta}, {**kept.arrays, **arrays})


def target_of(trace: Trace) -> ScoreAware:
    """Return the run's score-aware function; `Margin` where it has none or draws t* at random."""
    given = dict(trace.meta.get("target", {"name": "margin"}))
    try:
        rule = SCORE_AWARE[given.pop("name")](**given)
    except (KeyError, TypeError, ValueError) as error:
        raise TraceError(f"target must be a score-aware function; got {trace.meta['target']!r}") from error
    return Margin() if isinstance(rule, Random) else rule


def clamp_of(trace: Trace, num_timesteps: int) -> tuple[int, int]:
    """Return the smallest and the largest t* that the run allows."""
    low, high = trace.meta.get("clamp", CLAMP)
    return round(low * num_timesteps), round(high * num_timesteps)


def describe(rule: Any, table: Mapping[str, type[Any]]) -> dict[str, Any]:
    """Return a rule as plain data: its name in the table, and its constants."""
    return {"name": next(name for name, kind in table.items() if kind is type(rule)), **asdict(rule)}


_DRAWN = ("score", "walk", "walk_prediction", "walk_query", "walk_pair", "walk_source")


def _levels(trace: Trace, schedule: str | None, num_timesteps: int | None) -> tuple[np.ndarray, str]:
    name = schedule or trace.meta.get("schedule", {}).get("name", "own")
    T = num_timesteps or trace.num_timesteps
    if schedule is None and num_timesteps is None:
        return trace["alpha_bar"].astype(np.float64), name
    if name not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(SCHEDULES)}; got {name!r}")
    if T < 1:
        raise ValueError(f"num_timesteps must be at least 1; got {T}")
    return SCHEDULES[name](T), name
