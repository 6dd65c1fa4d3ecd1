"""Equal tuning: every arm gets the same number of trials.

The first round is the same for all arms: the configuration as it is, then points of one Sobol sequence,
whose first coordinates are what every arm tunes; so no arm is lucky in its learning rates or L2 weights.
A seeded TPE sampler draws the later ones, for each arm from what it has seen.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TypeVar

import numpy as np
import optuna
from jaxtyping import Float
from scipy.stats import qmc

from adar_viz.comparison.cells import Outcome, Place, train
from adar_viz.comparison.knobs import OWN, RANGES, Range, at, edge, within
from adar_viz.comparison.workers import Workers
from adar_viz.experiment import Experiment
from adar_viz.specs import take_apart

TOGETHER = 8
"""Trials of a round: chosen before any of them is known, so that they can be trained at the same time."""

COORDINATES = 8
"""Of the Sobol points: what every arm tunes, and room for a sampler's own hyper-parameters."""

Made = TypeVar("Made")


class Study:
    """The trials of one arm. It is kept in memory: replaying the stored outcomes rebuilds it exactly."""

    def __init__(self, base: Experiment, spec: str, ranges: Mapping[str, Range] = RANGES) -> None:
        self.base = base
        self.name, self.options, self.named = take_apart(spec)
        self.knobs = [
            knob
            for knob in OWN.get(self.name, ())
            if knob.option not in self.named and (knob.place is None or knob.place >= len(self.options))
        ]
        self.space = {**ranges, **{knob.option: knob.values for knob in self.knobs}}
        sampler = optuna.samplers.TPESampler(seed=base.plan.seed, n_startup_trials=TOGETHER)
        self.study = _quietly(lambda: optuna.create_study(direction="maximize", sampler=sampler))
        usual = {"learning_rate": base.plan.learning_rate, "l2": base.plan.l2}
        usual = {name: value for name, value in usual.items() if within(ranges[name], value)}
        self.study.enqueue_trial({**usual, **{knob.option: knob.usual for knob in self.knobs}})
        for point in shared_points(base.plan.seed):
            shares = dict(zip(self.space, point.tolist(), strict=False))  # coordinates that it has no use for are left
            self.study.enqueue_trial({name: at(self.space[name], share) for name, share in shares.items()})
        self.asked: list[Experiment] = []
        self.chosen: list[dict[str, float]] = []
        self.outcomes: list[Outcome] = []

    def ask(self) -> Experiment:
        """Choose the next setting."""
        chosen = self.study.ask({**self.space}).params
        own = {knob.option: knob.text.format(chosen[knob.option]) for knob in self.knobs}
        options = ", ".join([*self.options, *(f"{key}={value}" for key, value in {**self.named, **own}.items())])
        plan = replace(self.base.plan, learning_rate=chosen["learning_rate"], l2=chosen["l2"])
        spec = f"{self.name}({options})" if options else self.name
        self.asked.append(replace(self.base, negatives=spec, plan=plan))
        self.chosen.append(chosen)
        return self.asked[-1]

    def tell(self, outcome: Outcome) -> None:
        """Note what the next setting in order came to; a diverged one is a trial that failed."""
        number = len(self.outcomes)
        self.outcomes.append(outcome)
        if outcome.failure:
            self.study.tell(number, state=optuna.trial.TrialState.FAIL)
        else:
            self.study.tell(number, outcome.validation[self.base.plan.metric])

    @property
    def best(self) -> int | None:
        """Number of the best trial (the first of equals); None if all failed."""
        metric = self.base.plan.metric
        good = [i for i, outcome in enumerate(self.outcomes) if not outcome.failure]
        return max(good, key=lambda i: self.outcomes[i].validation[metric], default=None)

    @property
    def winner(self) -> Experiment:
        """The setting of the best trial."""
        assert self.best is not None
        return self.asked[self.best]

    @property
    def edges(self) -> list[str]:
        """Tuned values of the best trial that lie at an end of their range."""
        assert self.best is not None
        found = {name: edge(self.space[name], value) for name, value in self.chosen[self.best].items()}
        return [f"{name.replace('_', ' ')} near its {where}" for name, where in found.items() if where]


def shared_points(seed: int) -> Float[np.ndarray, "trial coordinate"]:
    """Return the first round's points after its first trial, as shares of the ranges: the same for all arms."""
    points: Float[np.ndarray, "trial coordinate"] = qmc.Sobol(COORDINATES, rng=seed).random(TOGETHER)
    return points[: TOGETHER - 1]


def tune(studies: Sequence[Study], trials: int, place: Place, workers: Workers) -> None:
    """Give every arm the same number of trials; those of a round are trained side by side."""
    for start in range(0, trials, TOGETHER):
        number = min(TOGETHER, trials - start)
        cells = [place.cell(study.ask()) for study in studies for _ in range(number)]
        outcomes = workers.each(train, cells, f"tuning, trials {start + 1} to {start + number} of {trials}")
        for i, outcome in enumerate(outcomes):
            studies[i // number].tell(outcome)


def _quietly(make: Callable[[], Made]) -> Made:
    """Call without optuna's line about each study, and leave its logging as it was."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return make()
    finally:
        optuna.logging.set_verbosity(before)
