"""What is tuned: the ranges for every arm, and each sampler's own hyper-parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import exp, log

from optuna.distributions import FloatDistribution, IntDistribution

from adar_viz.specs import take_apart

Range = FloatDistribution | IntDistribution

RANGES: dict[str, Range] = {
    "learning_rate": FloatDistribution(1e-4, 3e-2, log=True),
    "l2": FloatDistribution(1e-6, 1e-1, log=True),
}
"""Tuned for every arm; a comparison may name others."""

L2_OF: Mapping[str, tuple[float, float]] = {"mf": (1e-4, 3e-1), "lightgcn": (1e-4, 3e-2)}
"""Backbones whose best weights of L2 are known from ``RESULTS.md``: few trials meet them in five decades, and too
small a weight for all arms has turned their order round. The plan's default lies within."""

EDGE = 0.05
"""Share of a range, at either end, where a tuned value suggests that the best lies beyond."""


@dataclass(frozen=True)
class Knob:
    """A hyper-parameter of a sampler: how its spec says it, and where it is looked for.

    Attributes
    ----------
    option, place
        Name of the option, and its place among those without a name (None: it always has one).
    text
        The option's value in a spec, to be formatted with a number.
    values, usual
        Range, and the value of the first trial.
    """

    option: str
    text: str
    values: Range
    usual: float
    place: int | None = None


POOL = Knob("pool", "uniform({})", IntDistribution(4, 64, log=True), 16, place=0)
OWN: Mapping[str, tuple[Knob, ...]] = {
    "adar": (Knob("target", "margin({:.6g})", FloatDistribution(0.1, 4.0, log=True), 0.5),),
    "ahns": (Knob("beta", "{:.6g}", FloatDistribution(0.05, 2.0, log=True), 0.1, place=2),),
    "dns": (POOL,),
    "mixgcf": (POOL,),
    "popularity": (Knob("alpha", "{:.6g}", FloatDistribution(0.0, 1.0), 0.75, place=0),),
}
"""Each sampler's own hyper-parameters; one that an arm's spec already sets is left as it is."""


def ranges(asked: Mapping[str, tuple[float, float]], backbone: str | None = None) -> dict[str, Range]:
    """Return `RANGES` with what is known of a backbone, and above all what is asked for, in their place.

    Parameters
    ----------
    asked
        By name, lowest and highest, both above 0.
    backbone
        A spec, whose name `L2_OF` may know; None for what holds of all.

    Raises
    ------
    ValueError
        The name is of nothing that every arm has, or the ends are not two numbers in order.
    """
    for name, ends in asked.items():
        if name not in RANGES:
            raise ValueError(f"a range must be for one of {', '.join(RANGES)}; got {name!r}")
        if not (isinstance(ends, Sequence) and len(ends) == 2 and all(isinstance(end, int | float) for end in ends)):
            raise ValueError(f"the range of {name} must be two numbers, lowest and highest; got {ends!r}")
        low, high = ends
        if not 0 < low < high < float("inf"):
            raise ValueError(f"the range of {name} must have 0 < lowest < highest; got {low:g} to {high:g}")
    known: dict[str, tuple[float, float]] = {}
    if backbone is not None and (kind := take_apart(backbone)[0]) in L2_OF:
        known["l2"] = L2_OF[kind]
    return RANGES | {name: FloatDistribution(*pair, log=True) for name, pair in {**known, **asked}.items()}


def at(values: Range, share: float) -> float:
    """Return the value that lies at a share, in [0, 1), of a range."""
    low, high = _on_scale(values, values.low, values.high)
    value = low + share * (high - low)
    value = exp(value) if values.log else value
    return round(value) if isinstance(values, IntDistribution) else value


def within(values: Range, value: float) -> bool:
    """Whether a range holds a number."""
    return isinstance(values, FloatDistribution) and values.low <= value <= values.high


def edge(values: Range, value: float) -> str | None:
    """Say at which end of its range a number lies, if it does."""
    low, value, high = _on_scale(values, values.low, value, values.high)
    share = (value - low) / (high - low)
    return "lowest" if share < EDGE else "highest" if share > 1 - EDGE else None


def _on_scale(values: Range, *numbers: float) -> list[float]:
    """Put numbers on the scale on which a range is even: logarithms, where it is drawn so."""
    return [log(number) if values.log else float(number) for number in numbers]
