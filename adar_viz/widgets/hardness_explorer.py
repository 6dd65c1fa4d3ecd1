"""Ask of a finished run when its positives would turn negative, had it been set differently."""

from __future__ import annotations

from dataclasses import fields
from typing import Any, Self

import numpy as np
from jaxtyping import Float
from matplotlib import colormaps
from matplotlib.colors import to_hex

from adar_viz.displays import HardnessMap, HardnessOverTraining, style
from adar_viz.trace import TOP_TENTH, Trace, boundaries, item_names, what_if
from adar_viz.trace.closed_form import CLAMP, target_of
from adar_viz.trace.schedules import SCHEDULES
from adar_viz.transition import BOUNDARIES, SCORE_AWARE
from adar_viz.widgets.view import State, View

SHADES = 65
"""Colours of the heat map that are sent."""

_TRAINING = {"epoch", "quantile", "timestep_quantile", "diffused_hardness", "hardness"}


class HardnessExplorer(View):
    """Heat map of P(t), its mean and the histogram of t*, redrawn while schedule, rule, boundary or noise change.

    The closed form is computed in the browser: embeddings stay what training made of them, nothing
    is retrained, and the kernel hears nothing until the focus leaves.

    Attributes
    ----------
    schedule, timesteps, noise
        Noise schedule, T, and a factor on the noise scale.
    target, level, alpha, beta, p, c, kappa, delta, unit
        Score-aware function, and the constants of all of them; see `adar_viz.transition`.
    boundary, z, value
        Rule for the decision boundary, and its constants.
    display : HardnessMap
        The run as it was, for print; `picture` gives the present state.
    """

    question = "At which amount of noise do positives turn negative, and what decides it?"
    cannot = (
        "Another training: the embeddings are those of this run; under other settings it would have learnt others.",
        "Whether a negative is a true one: P(negative) speaks of the model's score alone.",
        "Other scorers than the inner product: the law of the score holds for that one only.",
        "Which setting is best: that is measured on held-out data, not seen here.",
    )
    _script = "hardness_explorer.js"

    schedule, timesteps, noise = State("linear"), State(50), State(1.0)
    target, level, alpha, beta, p = State("margin"), State(0.5), State(1.0), State(1.0), State(-2.0)
    c, kappa, delta, unit = State(1.0), State(0.5), State(0.5), State("sd")
    boundary, z, value = State("quantile"), State(TOP_TENTH), State(0.0)

    @classmethod
    def from_trace(cls, trace: Trace, points: int = 400) -> Self:
        """Start from the run's own settings.

        Parameters
        ----------
        trace
            With alpha_bar and all arrays of the pairs; titles of the catalogue where they are known.
        points
            At most so many pairs, evenly spaced by score.
        """
        s = trace["pair_score"]
        order = np.argsort(s, kind="stable")[np.unique(np.linspace(0, len(s) - 1, min(points, len(s))).astype(int))]
        part = trace.take("pair", order)
        own = _own_settings(part)
        named = {"pair_item", "item_label"} <= set(trace.arrays)
        scene = {
            "heading": f"When do {len(order)} positives turn negative?",
            "intro": _intro(trace),
            "choices": {name: _choices(name, own, part) for name in own},
            "code": cls.call(points=points),
            "pairs": _pairs(part),
            "alpha_bar": part["alpha_bar"].tolist(),
            "clamp": list(trace.meta.get("clamp", CLAMP)),
            "constants": {name: [f.name for f in fields(rule)] for name, rule in SCORE_AWARE.items()},
            "shades": [to_hex(colormaps[style.SEQUENTIAL](x)) for x in np.linspace(0, 1, SHADES)],
        }
        if named:
            names = item_names(trace)
            scene["pairs"]["item"] = part["pair_item"].tolist()
            scene["names"] = {str(i): str(names[i]) for i in np.unique(part["pair_item"])}
        if set(trace.arrays) >= _TRAINING and len(trace["epoch"]) > 1:
            scene["training"] = _training(HardnessOverTraining.from_trace(trace))
        view = cls(HardnessMap.from_trace(part), scene, **own)
        view._trace = part
        return view

    def asked(self) -> Trace:
        """Return the trace as it would be under the present settings."""
        kinds = {"target": SCORE_AWARE, "boundary": BOUNDARIES}
        rules: dict[str, Any] = {}
        for name, table in kinds.items():
            if (chosen := getattr(self, name)) in table:
                rules[name] = table[chosen](**{f.name: getattr(self, f.name) for f in fields(table[chosen])})
        if self.schedule in SCHEDULES:
            rules |= {"schedule": self.schedule, "num_timesteps": self.timesteps}
        return what_if(self._trace, noise=self.noise, **rules)

    def picture(self) -> HardnessMap:
        """Return the heat map of the present settings."""
        return HardnessMap.from_trace(self.asked())

    def now(self) -> dict[str, Any]:
        """Say what is shown: medians of t* and of where P reaches one half, shares of clamped and negative pairs."""
        shown = self.picture()
        turned = shown.even[(shown.even >= 0) & ~shown.already]
        return super().now() | {
            "transition": float(np.median(shown.transition)),
            "half": float(np.median(turned)) if len(turned) else None,
            "clamped": float(shown.clamped.mean()),
            "already_negative": float(shown.already.mean()),
        }


def _own_settings(trace: Trace) -> dict[str, Any]:
    """Return the state in which the view shows the run as it was."""
    rule: Any = target_of(trace)
    name, T = trace.meta.get("schedule", {}).get("name", "own"), trace.num_timesteps
    known = name in SCHEDULES and not (name == "linear" and T < 20)
    if not (known and np.allclose(SCHEDULES[name](T), trace["alpha_bar"], rtol=1e-6)):
        name = "own"
    bound = dict(trace.meta.get("boundary", {"name": "recorded"}))
    constants = {f.name: f.default for kind in SCORE_AWARE.values() for f in fields(kind)}
    constants |= {f.name: getattr(rule, f.name) for f in fields(rule)}
    kind = next(n for n, k in SCORE_AWARE.items() if k is type(rule))
    start = {"schedule": name, "timesteps": T, "noise": 1.0, "target": kind, **constants}
    return {**start, "boundary": bound.pop("name"), "z": TOP_TENTH, "value": 0.0, **bound}


def _choices(name: str, own: dict[str, Any], trace: Trace) -> list[Any]:
    """Return the values that a control offers; the run's own is always among them."""
    s = trace["pair_score"]
    span = max(1.0, np.ceil(float(np.abs(s).max())))
    grids: dict[str, list[Any]] = {
        "schedule": [n for n in SCHEDULES if n != "linear" or trace.num_timesteps >= 20],
        "timesteps": [20, 30, 50, 100, 200],
        "noise": [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 3.0, 4.0],
        "target": [n for n in SCORE_AWARE if n != "random"],
        "level": _grid(0.02, 0.98, 0.02),
        "alpha": _grid(0, 4, 0.1),
        "beta": _grid(0.1, 4, 0.1),
        "p": _grid(-4, -1.1, 0.1),
        "c": _grid(0.1, 4, 0.1),
        "kappa": _grid(-0.5, 1, 0.05),
        "delta": _grid(0, 4, 0.1),
        "unit": ["sd", "score"],
        "boundary": list(BOUNDARIES),
        "z": _grid(0, 3, 0.05),
        "value": _grid(-span, span, span / 50),
    }
    values = grids[name]
    if own[name] in values:
        return values
    return [own[name], *values] if isinstance(own[name], str) else sorted([own[name], *values])


def _grid(low: float, high: float, step: float) -> list[float]:
    # Plus 0, so that no -0 is among them.
    values: list[float] = (np.round(np.arange(low, high + step / 2, step), 6) + 0.0).tolist()
    return values


def _pairs(trace: Trace) -> dict[str, Any]:
    """Return what the closed form needs of each pair, with nine digits: a float32 has no more."""
    arrays = {
        "score": trace["pair_score"],
        "noise": trace["noise"],
        "boundary": boundaries(trace),
        "mean": trace["mean"],
        "sd": trace["sd"],
    }
    return {name: [float(f"{v:.9g}") for v in values] for name, values in arrays.items()}


def _training(shown: HardnessOverTraining) -> dict[str, Any]:
    """Return how t* and the hardness there moved in the run: lowest, middle and highest quantile of each epoch."""

    def numbers(values: Float[np.ndarray, "epoch quantile"], quantile: int) -> list[float | None]:
        return [float(f"{v:.6g}") if np.isfinite(v) else None for v in values[:, quantile]]

    def curve(what: str, colour: str, values: Float[np.ndarray, "epoch quantile"]) -> dict[str, Any]:
        return {"what": what, "colour": colour, "quantiles": [numbers(values, i) for i in (0, shown.half, -1)]}

    band = f"{shown.level[0]:.0%} to {shown.level[-1]:.0%}"
    timestep = curve(f"As the run trained: t* (median, {band})", "star", shown.timestep)
    hardness = curve("As the run trained: hardness of x_t* (dashed: of the drawn)", "positive", shown.hardness)
    curves = [*([timestep] if len(shown.made) else []), hardness | {"drawn": numbers(shown.drawn, shown.half)}]
    return {"epochs": shown.epoch.tolist(), "curves": curves, "sentence": shown.describe()}


def _intro(trace: Trace) -> str:
    random = trace.meta.get("target", {}).get("name") == "random"
    start = "The run drew t* at random; the controls start at margin." if random else "It starts as the run was."
    return f"{start} Move a control: all is asked again of the closed form, for the same embeddings."
