"""The protocol: tune every arm equally on validation, train the winners with every seed, test once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from adar_viz.comparison import knobs
from adar_viz.comparison.arms import Arm
from adar_viz.comparison.cells import Cell, Place, forget_weights, judge, train_winner
from adar_viz.comparison.controls import CONTROLS, equal_time, role_of
from adar_viz.comparison.cost import cost_of
from adar_viz.comparison.pace import pace
from adar_viz.comparison.table import Comparison
from adar_viz.comparison.tuning import Study, tune
from adar_viz.comparison.workers import Workers
from adar_viz.displays import ForestPlot
from adar_viz.experiment import TABLES, Experiment, prepare, write_text
from adar_viz.experiment.folder import CONFIG, is_claimed, require_same, write_json
from adar_viz.specs import resolve


def compare(
    base: Experiment,
    arms: Mapping[str, str] | Sequence[str],
    *,
    seeds: int,
    trials: int,
    folder: Path,
    longer: tuple[str, str] | None = None,
    ranges: Mapping[str, tuple[float, float]] | None = None,
    jobs: int = 1,
    backend: str | None = None,
    backend_options: Mapping[str, Any] | None = None,
    progress: bool = True,
    guard: bool = False,
) -> Comparison:
    """Tune every arm equally on validation, train the winners with every seed, then test them once.

    All cells share the split of ``base.plan.seed``, so that no seed is tested on what another was
    tuned on. Trials are trained with the first seed and chosen as `adar_viz.comparison.tuning` says.
    No test pair is ranked before the last winner is trained. Writes ``comparison.md``,
    ``comparison.csv``, the figure and ``config.json`` (what all arms share, the ranges and the arms)
    into ``folder``.

    Parameters
    ----------
    arms
        Negatives specs, by name or alone.
    seeds
        Number of seeds, from ``base.plan.seed`` on.
    trials
        Trials for each arm, at least 1.
    longer
        Two arms: the winner of the first is trained once more, in the time that the second's took.
    ranges
        Where ``learning_rate`` and ``l2`` are looked for, lowest and highest, if not where
        `adar_viz.comparison.knobs.ranges` says for the backbone.
    jobs, backend, backend_options
        Processes at a time, and where they run: any backend of joblib, such as ``dask`` with
        ``{"scheduler_host": "host:port"}``, or ``ray``. Workers of a cluster must see ``folder`` and
        the data under the same paths. In parallel each training has one thread.
    guard
        Refuse a ``folder`` whose ``config.json`` tells of another comparison; more arms, seeds and trials of
        the same one are welcome. Without it the tables are those of the latest, as `adar-viz results` wants
        where its manifest has changed.

    Raises
    ------
    ValueError
        An arm's spec, the data or a number is wrong, two arms are the same, an arm diverged in every
        trial, or ``folder`` holds trainings that were judged by other validation and test parts.
    ExperimentError
        ``folder`` holds another comparison.
    TrainingDiverged
        A winner diverged with another seed.
    """
    named = _named(arms)
    _check(base, named, seeds, trials, longer)
    space = knobs.ranges(ranges or {}, base.backbone)
    workers = Workers(jobs, backend, backend_options or {}, progress)
    studies = {name: Study(base, spec, space) for name, spec in named.items()}
    alike: dict[str, str] = {}
    for name, study in studies.items():  # a wrong spec is found now, not after an hour
        parts = prepare(replace(base, negatives=named[name]))
        parts.rehearse()
        # A sampler whose pool is tuned is not the one whose spec sets that same pool.
        known = alike.setdefault(str((resolve(parts.sampler, TABLES), study.knobs)), name)
        if known != name:
            raise ValueError(f"arms must be different samplers; got {known} and {name}, which are the same")
    split = parts.split
    place = Place(folder / "cells", base.plan.seed, split.train.checksum(), split.held_out_checksum())
    _claim(folder, base, named, space, place, guard)
    tune([*studies.values()], trials, place, workers)
    done = _train(named, studies, seeds, place, workers)
    if longer:
        done.append(_train_longer(done, longer, seeds, place, folder / "pace.json", workers))
    judged = workers.each(judge, [cell for arm in done for cell in _cells(arm.winner, seeds, place)], "testing")
    test = {metric: np.stack([one[metric] for one in judged]).reshape(len(done), seeds, -1) for metric in judged[0]}
    comparison = Comparison(base, done, test, place.checksum)
    write_text(folder / "comparison.csv", comparison.csv())
    write_text(folder / "comparison.md", comparison.markdown())
    ForestPlot.from_table(comparison.frame, base.plan.metric).save(folder / "comparison")
    return comparison


def _claim(
    folder: Path,
    base: Experiment,
    named: Mapping[str, str],
    space: Mapping[str, knobs.Range],
    place: Place,
    guard: bool,
) -> None:
    """Write down what is compared, or see that what was compared here is the same with fewer arms."""
    config = {
        **{name: value for name, value in asdict(base).items() if name != "negatives"},
        "data_checksum": place.checksum,
        "held_out_checksum": place.held_out,
        "ranges": {name: [values.low, values.high] for name, values in space.items()},
        "arms": dict(named),
    }
    folder.mkdir(parents=True, exist_ok=True)
    if guard and is_claimed(folder):
        require_same(folder, config, what="comparison", may_grow=("arms.",))
    write_json(folder / CONFIG, config)


def _train(
    named: Mapping[str, str], studies: Mapping[str, Study], seeds: int, place: Place, workers: Workers
) -> list[Arm]:
    """Train every arm's winner with every seed; what only tuning needed is forgotten."""
    for name, study in studies.items():
        if study.best is None:
            raise ValueError(
                f"{name}: training diverged in each of {len(study.outcomes)} trials; {study.outcomes[0].failure}"
            )
    winners = [study.winner for study in studies.values()]
    forget_weights([place.cell(e) for study in studies.values() for e in study.asked if e not in winners])
    outcomes = workers.each(train_winner, [c for w in winners for c in _cells(w, seeds, place)], "training")
    return [
        Arm(
            name,
            study.winner,
            study.outcomes,
            outcomes[i * seeds : (i + 1) * seeds],
            role_of(named[name]),
            CONTROLS.get(named[name], ""),
            cost_of(study.winner, place.split_seed),
            study.edges,
        )
        for i, (name, study) in enumerate(studies.items())
    ]


def _train_longer(
    done: Sequence[Arm], longer: tuple[str, str], seeds: int, place: Place, measured: Path, workers: Workers
) -> Arm:
    """Train a cheap arm's winner in the time of a dear one's; its trials are those of the cheap arm."""
    by_name = {arm.name: arm for arm in done}
    cheap, dear = (by_name[name] for name in longer)
    winner = equal_time(cheap, dear, pace(cheap.winner, dear.winner, place.split_seed, measured))
    outcomes = workers.each(train_winner, _cells(winner, seeds, place), "equal time")
    name, about = f"{cheap.name} in the time of {dear.name}", f"equal wall time, {winner.plan.epochs} epochs"
    return replace(cheap, name=name, winner=winner, seeds=outcomes, role="control", about=about)


def _cells(winner: Experiment, seeds: int, place: Place) -> list[Cell]:
    numbers = range(place.split_seed, place.split_seed + seeds)
    return [place.cell(replace(winner, plan=replace(winner.plan, seed=number))) for number in numbers]


def _named(arms: Mapping[str, str] | Sequence[str]) -> dict[str, str]:
    if isinstance(arms, Mapping):
        return dict(arms)
    twice = sorted({arm for arm in arms if list(arms).count(arm) > 1})
    if twice:
        raise ValueError(f"each arm must be named once; got {', '.join(twice)} more than once")
    return {arm: arm for arm in arms}


def _check(base: Experiment, arms: Mapping[str, str], seeds: int, trials: int, longer: tuple[str, str] | None) -> None:
    if len(arms) < 2:
        raise ValueError(f"a comparison must have at least 2 arms; got {', '.join(arms) or 'none'}")
    for name, value in (("seeds", seeds), ("trials", trials)):
        if value < 1:
            raise ValueError(f"{name} must be at least 1; got {value}")
    if unknown := [name for name in longer or () if name not in arms]:
        raise ValueError(f"longer must name two of the arms {', '.join(arms)}; got {', '.join(unknown)}")
    if (base.split or "").startswith("as-published"):
        raise ValueError("split must have a validation part to tune on; got 'as-published', which selects on the test")
    if base.plan.metric.startswith("coverage"):
        raise ValueError(f"metric must have a value for each user, such as ndcg@20; got {base.plan.metric!r}")
