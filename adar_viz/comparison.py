"""Samplers side by side: the same data, the same number of trials for each, and intervals.

Every training is a *cell*: a folder named by a digest of its whole configuration. What a finished
cell holds is read, never made again, so a comparison that was cut off goes on where it was, and
one with more arms, seeds or trials trains only what is new.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar

import joblib
import numpy as np
import optuna
import pandas as pd
import torch
from jaxtyping import Float
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution
from tqdm.auto import tqdm

from adar_viz import checkpoint as checkpoints
from adar_viz.evaluation import evaluate
from adar_viz.experiment import CHECKPOINT, Experiment, Parts, prepare, write_text
from adar_viz.specs import take_apart
from adar_viz.training import TrainingDiverged, fit

CELL, TEST = "cell.json", "test.safetensors"
TOGETHER = 8
"""Trials that are chosen before any of them is known, so that they can be trained at the same time."""

RANGES: dict[str, BaseDistribution] = {
    "learning_rate": FloatDistribution(1e-4, 3e-2, log=True),
    "l2": FloatDistribution(1e-6, 1e-1, log=True),
}
"""Tuned for every arm."""

CONTROLS = (
    "uniform(2)",
    "adar(target=fixed(1.0), clamp=(0, 1))",
    "adar(target=fixed(0.5))",
    "adar(target=random())",
    "dns(uniform(16))",
)
"""What stands beside ADAR: a second uniform negative, no noise at all, the same timestep for every
pair, a random one, and the hardest of the very pool that ADAR is grounded in."""

Answer = TypeVar("Answer")


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
    values: BaseDistribution
    usual: float
    place: int | None = None


POOL = Knob("pool", "uniform({})", IntDistribution(4, 64, log=True), 16, place=0)
OWN: Mapping[str, tuple[Knob, ...]] = {
    "adar": (Knob("target", "margin({:.6g})", FloatDistribution(0.1, 2.0), 0.5),),
    "ahns": (Knob("beta", "{:.6g}", FloatDistribution(0.05, 2.0, log=True), 0.1, place=2),),
    "dns": (POOL,),
    "mixgcf": (POOL,),
    "popularity": (Knob("alpha", "{:.6g}", FloatDistribution(0.0, 1.0), 0.75, place=0),),
}
"""Each sampler's own hyper-parameters; one that an arm's spec already sets is left as it is."""


@dataclass(frozen=True)
class Cell:
    """One training: a configuration, the seed of its split, and the folder that it lives in."""

    experiment: Experiment
    split_seed: int
    folder: Path


@dataclass(frozen=True)
class Outcome:
    """What a cell's training came to; ``failure`` says why there are no metrics."""

    validation: Mapping[str, float] = field(default_factory=dict)
    best_epoch: int = 0
    seconds: float = 0.0
    failure: str | None = None


@dataclass(frozen=True)
class Arm:
    """One sampler after tuning: its best setting, what was tried, and a training for each seed."""

    name: str
    winner: Experiment
    trials: Sequence[Outcome]
    seeds: Sequence[Outcome]


@dataclass(frozen=True, eq=False)
class Comparison:
    """Arms side by side.

    Attributes
    ----------
    base
        The configuration that all arms share.
    arms
        In the order given; differences are to the first.
    test : mapping of str to Float[np.ndarray, "arm seed user"]
        Metrics of every judged user, by name.
    draws, seed
        Number of bootstrap draws, and their seed.
    """

    base: Experiment
    arms: Sequence[Arm]
    test: Mapping[str, Float[np.ndarray, "arm seed user"]]
    draws: int = 2000
    seed: int = 0

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line for each arm and metric: mean, 95 % intervals, difference, and what it took."""
        lines = []
        # All arms meet the same resampled users and seeds, so their differences are paired.
        every = bootstrap(np.concatenate([*self.test.values()]), self.draws, np.random.default_rng(self.seed))
        for (metric, values), drawn in zip(self.test.items(), np.split(every, len(self.test)), strict=True):
            mean = values.mean((1, 2))
            low, high = np.quantile(drawn, (0.025, 0.975), axis=1)
            least, most = np.quantile(drawn - drawn[0], (0.025, 0.975), axis=1)
            for i, arm in enumerate(self.arms):
                intervals = {"mean": mean[i], "low": low[i], "high": high[i]}
                paired = {"difference": mean[i] - mean[0], "difference_low": least[i], "difference_high": most[i]}
                lines.append({"arm": arm.name, "metric": metric, **intervals, **paired, **_effort(arm)})
        return pd.DataFrame(lines)

    def markdown(self) -> str:
        """Write the metric that selected the epochs as a table, and the protocol as a sentence."""
        metric, base = self.base.plan.metric, self.base
        lines = [
            f"# {base.data}, {base.backbone}: {metric} on test",
            "",
            f"{len(self.arms[0].trials)} trials for each arm on validation, the best one trained with "
            f"{len(self.arms[0].seeds)} seeds on one split, {self.test[metric].shape[2]} users judged. In brackets "
            f"95 % intervals from a bootstrap over users and seeds; differences are paired, to `{self.arms[0].name}`.",
            "",
            f"| arm | {metric} | difference | learning rate | l2 | seconds | best epoch | failed trials |",
            "| --- | --- | --- | --- | --- | --- | --- | --- |",
        ]
        table = self.frame[self.frame["metric"] == metric]
        for i, row in enumerate(table.to_dict("records")):
            difference = _with_interval(row, "difference", "difference_low", "difference_high", "+") if i else "–"
            cells = [
                f"`{row['arm']}`" + ("" if row["negatives"] == row["arm"] else f" as `{row['negatives']}`"),
                _with_interval(row, "mean", "low", "high"),
                difference,
                *(f"{row[name]:.2g}" for name in ("learning_rate", "l2")),
                *(f"{row[name]:.1f}" for name in ("seconds", "best_epoch")),
                str(row["failed_trials"]),
            ]
            lines.append(f"| {' | '.join(cells)} |")
        return "\n".join(lines) + "\n"


def compare(
    base: Experiment,
    arms: Mapping[str, str] | Sequence[str],
    *,
    seeds: int,
    trials: int,
    folder: Path,
    jobs: int = 1,
    backend: str | None = None,
    backend_options: Mapping[str, Any] | None = None,
    progress: bool = True,
) -> Comparison:
    """Tune every arm equally on validation, train the winners with every seed, then test them once.

    All cells share the split of ``base.plan.seed``, so that no seed is tested on what another was
    tuned on. The first trial of each arm is ``base``'s own setting; the others are drawn by a seeded
    TPE sampler, `TOGETHER` at a time, on the first seed. No test pair is ranked before the last
    winner is trained. Writes ``comparison.md`` and ``comparison.csv`` into ``folder``.

    Parameters
    ----------
    arms
        Negatives specs, by name or alone.
    seeds
        Number of seeds, from ``base.plan.seed`` on.
    trials
        Trials for each arm, at least 1.
    jobs, backend, backend_options
        Processes at a time, and where they run: any backend of joblib, such as ``dask`` with
        ``{"scheduler_host": "host:port"}``, or ``ray``. Workers of a cluster must see ``folder`` and
        the data under the same paths. In parallel each training has one thread.

    Raises
    ------
    ValueError
        An arm's spec, the data or a number is wrong, or an arm diverged in every trial.
    TrainingDiverged
        A winner diverged with another seed.
    """
    named = _named(arms)
    _check(base, named, seeds, trials, jobs)
    if backend == "threading":
        raise ValueError("backend must run processes, since random seeds are the process's; got 'threading'")
    workers = _Workers(jobs, backend, backend_options or {}, progress)
    checksum = ""
    for spec in named.values():  # a wrong spec is found now, not after an hour
        checksum = prepare(replace(base, negatives=spec)).split.train.checksum()
    place = _Place(folder / "cells", base.plan.seed, checksum)
    studies = [_Study(base, spec) for spec in named.values()]
    _tune(studies, trials, place, workers)
    for name, study in zip(named, studies, strict=True):
        if study.best is None:
            raise ValueError(f"{name}: training diverged in each of {trials} trials; {study.outcomes[0].failure}")
    winners = [study.winner for study in studies]
    _forget_weights([e for study in studies for e in study.asked if e not in winners], place)
    numbers = range(base.plan.seed, base.plan.seed + seeds)
    cells = [place.cell(replace(w, plan=replace(w.plan, seed=number))) for w in winners for number in numbers]
    outcomes = workers.each(train_winner, cells, "training")
    judged = workers.each(judge, cells, "testing")
    done = [
        Arm(name, study.winner, study.outcomes, outcomes[i * seeds : (i + 1) * seeds])
        for i, (name, study) in enumerate(zip(named, studies, strict=True))
    ]
    test = {metric: np.stack([one[metric] for one in judged]).reshape(len(named), seeds, -1) for metric in judged[0]}
    comparison = Comparison(base, done, test)
    write_text(folder / "comparison.csv", comparison.frame.to_csv(index=False, float_format="%.6g"))
    write_text(folder / "comparison.md", comparison.markdown())
    return comparison


def train(cell: Cell) -> Outcome:
    """Train a cell and write what validation says of it; a finished one is read."""
    path = cell.folder / CELL
    if path.exists():
        return Outcome(**json.loads(path.read_text(encoding="utf-8"))["outcome"])
    cell.folder.mkdir(parents=True, exist_ok=True)
    try:
        _, outcome = _fit(cell)
    except TrainingDiverged as error:
        outcome = Outcome(failure=str(error))
    stored = {"experiment": asdict(cell.experiment), "split_seed": cell.split_seed, "outcome": asdict(outcome)}
    write_text(path, json.dumps(stored, indent=2) + "\n")
    return outcome


def train_winner(cell: Cell) -> Outcome:
    """Train a cell whose weights are wanted.

    Raises
    ------
    TrainingDiverged
        It diverged: a winner without a result would bias the table.
    """
    outcome = train(cell)
    if outcome.failure:
        seed = cell.experiment.plan.seed
        raise TrainingDiverged(f"{cell.experiment.negatives}, the best on validation, seed {seed}: {outcome.failure}")
    return outcome


def judge(cell: Cell) -> dict[str, Float[np.ndarray, " user"]]:
    """Rank the test part with a trained cell's best weights: once, then what was found is read."""
    path = cell.folder / TEST
    if not path.exists():
        parts, _ = _fit(cell)  # from its checkpoint, so nothing is trained
        found = evaluate(parts.backbone, parts.split, "test")
        checkpoints.save(path, {name: torch.as_tensor(value) for name, value in found.per_user.items()})
    return {name: value.numpy() for name, value in checkpoints.load(path).items()}


def bootstrap(
    values: Float[np.ndarray, "arm seed user"], draws: int, rng: np.random.Generator
) -> Float[np.ndarray, "arm draw"]:
    """Resample users and seeds, each with replacement, and take the mean of every draw.

    Users and seeds are crossed, so both are resampled in every draw (Owen 2007, the pigeonhole
    bootstrap): never too narrow on average, somewhat wide for few seeds. O(arm x seed x user x draw).
    """
    _, num_seeds, num_users = values.shape
    seed = rng.multinomial(num_seeds, np.full(num_seeds, 1 / num_seeds), draws) / num_seeds
    means = []
    for part in np.array_split(seed, -(-draws * num_users // 2**23)):  # 64 MB of weights at a time
        user = rng.multinomial(num_users, np.full(num_users, 1 / num_users), len(part)) / num_users
        means.append(np.einsum("asd,ds->ad", values @ user.T, part))
    return np.concatenate(means, axis=1)


@dataclass(frozen=True)
class _Workers:
    """Where cells are computed, and whether a bar is shown."""

    jobs: int
    backend: str | None
    options: Mapping[str, Any]
    progress: bool

    def each(self, function: Callable[[Cell], Answer], cells: Sequence[Cell], what: str) -> list[Answer]:
        """Return the function's answer for each cell, in order."""
        if self.backend == "ray":  # unlike Dask, Ray has to be made known to joblib first
            _register_ray()
        chosen: dict[str, Any] = {"backend": self.backend, **self.options} if self.backend else {}
        alone = self.jobs == 1 and self.backend is None
        with joblib.parallel_config(n_jobs=self.jobs, **chosen):
            call = joblib.delayed(function if alone else _with_one_thread)
            once = dict.fromkeys(cells)  # two arms may meet in the same setting
            rest: Iterable[Any] = (call(cell) if alone else call(function, cell) for cell in once)
            answers = joblib.Parallel(return_as="generator")(rest)
            bar = tqdm(answers, total=len(once), unit="cell", desc=what, disable=not self.progress)
            found = dict(zip(once, bar, strict=True))
        return [found[cell] for cell in cells]


def _register_ray() -> None:
    try:
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise ValueError(f"backend 'ray' needs Ray to be installed; got {error}") from error
    register_ray()


def _with_one_thread(function: Callable[[Cell], Answer], cell: Cell) -> Answer:
    torch.set_num_threads(1)
    return function(cell)


@dataclass(frozen=True)
class _Place:
    """Names the folder of a configuration on this data."""

    cells: Path
    split_seed: int
    checksum: str

    def cell(self, experiment: Experiment) -> Cell:
        whole = json.dumps([asdict(experiment), self.split_seed, self.checksum], sort_keys=True)
        name, _, _ = take_apart(experiment.negatives)
        digest = hashlib.sha256(whole.encode()).hexdigest()[:16]
        return Cell(experiment, self.split_seed, self.cells / f"{name}-seed{experiment.plan.seed}-{digest}")


class _Study:
    """The trials of one arm. It is kept in memory: replaying the stored outcomes rebuilds it exactly."""

    def __init__(self, base: Experiment, spec: str) -> None:
        self.base = base
        self.name, self.options, self.named = take_apart(spec)
        self.knobs = [
            knob
            for knob in OWN.get(self.name, ())
            if knob.option not in self.named and (knob.place is None or knob.place >= len(self.options))
        ]
        self.space = {**RANGES, **{knob.option: knob.values for knob in self.knobs}}
        sampler = optuna.samplers.TPESampler(seed=base.plan.seed, n_startup_trials=TOGETHER)
        self.study = _quietly(lambda: optuna.create_study(direction="maximize", sampler=sampler))
        usual = {"learning_rate": base.plan.learning_rate, "l2": base.plan.l2}
        usual = {name: value for name, value in usual.items() if _within(RANGES[name], value)}
        self.study.enqueue_trial({**usual, **{knob.option: knob.usual for knob in self.knobs}})
        self.asked: list[Experiment] = []
        self.outcomes: list[Outcome] = []

    def ask(self) -> Experiment:
        """Choose the next setting."""
        chosen = self.study.ask(self.space).params
        own = {knob.option: knob.text.format(chosen[knob.option]) for knob in self.knobs}
        options = ", ".join([*self.options, *(f"{key}={value}" for key, value in {**self.named, **own}.items())])
        plan = replace(self.base.plan, learning_rate=chosen["learning_rate"], l2=chosen["l2"])
        spec = f"{self.name}({options})" if options else self.name
        self.asked.append(replace(self.base, negatives=spec, plan=plan))
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


def _tune(studies: Sequence[_Study], trials: int, place: _Place, workers: _Workers) -> None:
    """Give every arm the same number of trials; those of a round are trained side by side."""
    for start in range(0, trials, TOGETHER):
        number = min(TOGETHER, trials - start)
        cells = [place.cell(study.ask()) for study in studies for _ in range(number)]
        outcomes = workers.each(train, cells, f"tuning, trials {start + 1} to {start + number} of {trials}")
        for i, outcome in enumerate(outcomes):
            studies[i // number].tell(outcome)


def _forget_weights(losers: Sequence[Experiment], place: _Place) -> None:
    """Delete what only winners still need: a checkpoint is four times the size of its model."""
    for experiment in losers:
        (place.cell(experiment).folder / CHECKPOINT).unlink(missing_ok=True)


def _fit(cell: Cell) -> tuple[Parts, Outcome]:
    """Train from the cell's checkpoint on, if there is one; return it with the best weights."""
    parts = prepare(cell.experiment, split_seed=cell.split_seed)
    reports = list(
        fit(
            parts.backbone,
            parts.sampler,
            parts.loss,
            parts.rows,
            parts.known,
            validate=lambda backbone: evaluate(backbone, parts.split, "validation").metrics,
            plan=cell.experiment.plan,
            checkpoint=cell.folder / CHECKPOINT,
        )
    )
    best = next(report for report in reversed(reports) if report.is_best)
    return parts, Outcome(dict(best.metrics), best.epoch + 1, sum(report.seconds for report in reports))


def _named(arms: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    if isinstance(arms, Mapping):
        return dict(arms)
    twice = sorted({arm for arm in arms if list(arms).count(arm) > 1})
    if twice:
        raise ValueError(f"each arm must be named once; got {', '.join(twice)} more than once")
    return {arm: arm for arm in arms}


def _check(base: Experiment, arms: Mapping[str, str], seeds: int, trials: int, jobs: int) -> None:
    if len(arms) < 2:
        raise ValueError(f"a comparison must have at least 2 arms; got {', '.join(arms) or 'none'}")
    for name, value in (("seeds", seeds), ("trials", trials)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1; got {value}")
    if jobs < 1 and jobs != -1:
        raise ValueError(f"jobs must be at least 1, or -1 for every core; got {jobs}")
    if base.plan.metric.startswith("coverage"):
        raise ValueError(f"metric must have a value for each user, such as ndcg@20; got {base.plan.metric!r}")


def _within(values: BaseDistribution, value: float) -> bool:
    return isinstance(values, FloatDistribution) and values.low <= value <= values.high


def _quietly(make: Callable[[], Answer]) -> Answer:
    """Call without optuna's line about each study, and leave its logging as it was."""
    before = optuna.logging.get_verbosity()
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    try:
        return make()
    finally:
        optuna.logging.set_verbosity(before)


def _effort(arm: Arm) -> dict[str, Any]:
    """Say what an arm is and what it took; seconds and epochs are means over seeds."""
    return {
        "negatives": arm.winner.negatives,
        "learning_rate": arm.winner.plan.learning_rate,
        "l2": arm.winner.plan.l2,
        "trials": len(arm.trials),
        "failed_trials": sum(outcome.failure is not None for outcome in arm.trials),
        "seeds": len(arm.seeds),
        "seconds": float(np.mean([outcome.seconds for outcome in arm.seeds])),
        "best_epoch": float(np.mean([outcome.best_epoch for outcome in arm.seeds])),
        "tuning_seconds": sum(outcome.seconds for outcome in arm.trials),
    }


def _with_interval(row: Mapping[Any, Any], middle: str, low: str, high: str, sign: str = "") -> str:
    return f"{row[middle]:{sign}.4f} [{row[low]:{sign}.4f}, {row[high]:{sign}.4f}]"
