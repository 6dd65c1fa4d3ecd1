"""One typed configuration to one run folder: train, watch, test, and keep everything to draw it again."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import platform
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import torch
from lightning_fabric import Fabric
from torch import nn
from tqdm.auto import tqdm

import adar_viz
from adar_viz import checkpoint as checkpoints
from adar_viz.backbones import MF, GRU4Rec, LightGCN, SASRec
from adar_viz.batches import PairRows, SequenceRows, make_rows
from adar_viz.core import Backbone, Context, Loss, NegativeSampler, Observer, ignore
from adar_viz.datasets import Split, Truth, load, split
from adar_viz.draws import Draws, Likes
from adar_viz.evaluation import evaluate, false_negative_rate
from adar_viz.known import KnownPositives
from adar_viz.losses import BCE, BPR, GBCE, Softmax
from adar_viz.negatives import ADAR, AHNS, DNS, SOURCES, AllItems, MixGCF, Popularity, Uniform
from adar_viz.recorder import Recorder, catalogue_arrays, describe_lens, make_trace, watch_pairs, watch_walks
from adar_viz.specs import as_line, build, resolve, take_apart
from adar_viz.trace import TRACE_FILE, Trace
from adar_viz.training import EpochReport, TrainingPlan, fit, seeded
from adar_viz.transition import BOUNDARIES, SCORE_AWARE

TABLES: Mapping[str, Mapping[str, type]] = {
    "backbone": {"gru4rec": GRU4Rec, "lightgcn": LightGCN, "mf": MF, "sasrec": SASRec},
    "negatives": {
        "adar": ADAR,
        "ahns": AHNS,
        "all_items": AllItems,
        "dns": DNS,
        "mixgcf": MixGCF,
        "popularity": Popularity,
        "uniform": Uniform,
    },
    "loss": {"bce": BCE, "bpr": BPR, "gbce": GBCE, "softmax": Softmax},
    "source": SOURCES,
    "target": SCORE_AWARE,
    "boundary": BOUNDARIES,
}
"""The names that a configuration may use."""

CONFIG, METRICS, HISTORY, TRACE = "config.json", "metrics.json", "history.csv", TRACE_FILE
CHECKPOINT, RECORDED = "checkpoint.safetensors", "recorded.safetensors"


class ExperimentError(ValueError):
    """A configuration that cannot be run, or a run folder that belongs to another one."""


@dataclass(frozen=True)
class Experiment:
    """Everything that decides a run.

    Attributes
    ----------
    data
        ``synthetic``, a known name, or a path.
    split
        The rule (`adar_viz.datasets.split`), with settings if wanted: ``ratio(test=0.2)``; None is the
        data's own. ``as-published`` selects on the test, as much published code does: asked for by
        this name alone, and said by every result.
    min_rating, k_core
        Filters; ``"default"`` is the threshold that belongs to a known set.
    overlap
        What to do about test pairs of a published split that are training pairs too: ``raise``,
        ``drop`` or ``keep``.
    backbone, negatives, loss
        Specs, such as ``adar(source=reverse, target=margin(1.0))``.
    dim
        Width of the embeddings.
    plan
        How to train; ``plan.seed`` is the seed of everything, the split included.
    """

    data: str = "synthetic"
    split: str | None = None
    min_rating: float | Literal["default"] | None = "default"
    k_core: int | None = None
    overlap: str = "raise"
    backbone: str = "mf"
    negatives: str = "adar"
    loss: str = "bpr"
    dim: int = 64
    plan: TrainingPlan = field(default_factory=TrainingPlan)


@dataclass(frozen=True)
class Parts:
    """What a configuration stands for, built and ready to train."""

    split: Split
    backbone: Backbone
    sampler: NegativeSampler
    loss: Loss
    rows: PairRows | SequenceRows
    known: KnownPositives
    truth: Truth | None = None

    def fit(
        self,
        plan: TrainingPlan,
        *,
        checkpoint: Path | None = None,
        observe: Observer = ignore,
        fabric: Fabric | None = None,
    ) -> Iterator[EpochReport]:
        """Train as `adar_viz.training.fit` does, with the validation part as the judge."""
        return fit(
            self.backbone,
            self.sampler,
            self.loss,
            self.rows,
            self.known,
            validate=lambda backbone: evaluate(backbone, self.split, "validation").metrics,
            plan=plan,
            checkpoint=checkpoint,
            observe=observe,
            fabric=fabric,
        )


@dataclass(frozen=True)
class Result:
    """What a finished run came to."""

    folder: Path
    validation: Mapping[str, float]
    test: Mapping[str, float]
    best_epoch: int
    seconds: float
    false_negatives: Mapping[str, Any] | None = None
    selected_on: str = "validation"
    """The part that chose the epoch; "test" where a published protocol was asked for that does so."""


def prepare(experiment: Experiment, device: torch.device | str = "cpu", *, split_seed: int | None = None) -> Parts:
    """Load the data and build every part.

    ``split_seed`` is the seed of the split alone, for runs that share one; by default ``plan.seed``.

    Raises
    ------
    ValueError
        Data, rule or spec are wrong; the message says what was expected and what came.
    """
    dataset = load(experiment.data, min_rating=experiment.min_rating, k_core=experiment.k_core)
    rule, settings = _split_rule(experiment.split)
    if dataset.test is not None and rule in (None, "given"):
        settings = {"overlap": experiment.overlap, **settings}
    parts = split(dataset, rule, **settings, seed=experiment.plan.seed if split_seed is None else split_seed)
    train = parts.train
    user, item = torch.as_tensor(train.user), torch.as_tensor(train.item)
    surroundings = {
        "num_users": parts.num_users,
        "num_items": parts.num_items,
        "dim": experiment.dim,
        "counts": torch.as_tensor(train.popularity()),
        "user": user,
        "item": item,
        "generator": seeded("cpu", experiment.plan.seed),
    }
    backbone = build(experiment.backbone, "backbone", TABLES, surroundings)
    sampler = build(experiment.negatives, "negatives", TABLES, surroundings)
    loss = build(experiment.loss, "loss", TABLES, surroundings)
    rows = make_rows(train.user, train.item, train.timestamp, backbone.history_length, device)
    known = KnownPositives.from_pairs(user, item, num_users=parts.num_users, num_items=parts.num_items)
    return Parts(parts, backbone, sampler, loss, rows, known, dataset.truth)


def _split_rule(text: str | None) -> tuple[str | None, dict[str, Any]]:
    """Take ``ratio(test=0.5)`` apart into the name of the rule and its settings."""
    name, bracket, rest = (text or "").partition("(")
    if not bracket:
        return text, {}
    _, unnamed, named = take_apart(f"rule({rest}")
    if unnamed:
        raise ExperimentError(f"settings of a split have names, as in ratio(test=0.5); got {text!r}")
    try:
        return name.strip(), {key: ast.literal_eval(value) for key, value in named.items()}
    except ValueError as error:
        raise ExperimentError(f"settings of a split must be plain values; got {text!r}") from error


def run(
    experiment: Experiment, folder: Path, *, progress: bool = True, num_pairs: int = 300, fabric: Fabric | None = None
) -> Result:
    """Train, test once with the best epoch's weights, and write the run folder.

    The folder holds ``config.json`` (every default resolved, versions, data checksum),
    ``metrics.json``, ``history.csv``, ``trace.npz`` and the checkpoint. A run that was cut off goes
    on where it was; one that is finished is not run again.

    Raises
    ------
    ExperimentError
        The folder holds a run of another configuration.
    """
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    folder.mkdir(parents=True, exist_ok=True)
    parts = prepare(experiment, fabric.device)
    config = describe(experiment, parts)
    _claim(folder, config)
    if (folder / METRICS).exists():
        return read_result(folder)
    recorder = _recorder(parts)
    reports = list(_train(experiment, parts, folder, recorder, progress, fabric))
    if fabric.is_global_zero:
        _finish(experiment, parts, folder, config, recorder, reports, num_pairs)
    fabric.barrier()
    return read_result(folder)


def read_result(folder: Path) -> Result:
    """Read what `run` came to."""
    stored = json.loads((folder / METRICS).read_text(encoding="utf-8"))
    names = ("validation", "test", "best_epoch", "seconds", "false_negatives", "selected_on")
    return Result(folder, **{name: stored[name] for name in names if name in stored})


def demo_run(data: str = "synthetic", seed: int = 0, negatives: str = "adar", *, runs: Path = Path("runs")) -> Path:
    """Return the folder of the run that figures and notebooks are drawn from, training it if needed.

    It trains matrix factorisation, with 32 dimensions so that the trace stays small, on ADAR's
    default negatives or those of another sampler. Another configuration gets a folder of its own.
    """
    plan = TrainingPlan(seed=seed, l2=0.03, learning_rate=3e-3, epochs=120)
    experiment = Experiment(data=data, negatives=negatives, dim=32, plan=plan)
    return run(experiment, default_folder(experiment, runs, "demo")).folder


def default_folder(experiment: Experiment, runs: Path = Path("runs"), prefix: str = "") -> Path:
    """Name a run by its parts, and by a digest of the whole configuration."""
    digest = hashlib.sha256(json.dumps(asdict(experiment), sort_keys=True).encode()).hexdigest()[:8]
    data, seed = Path(experiment.data).name, f"seed{experiment.plan.seed}"
    words = [prefix, data, seed] if prefix else [data, experiment.backbone, experiment.negatives, seed]
    return runs / "-".join([*(re.sub(r"\W+", "_", word).strip("_")[:40] for word in words), digest])


def describe(experiment: Experiment, parts: Parts) -> dict[str, Any]:
    """Return the whole configuration as plain data, with every default resolved."""
    train = parts.split.train
    return {
        **asdict(experiment),
        "split": parts.split.name,
        "backbone": resolve(parts.backbone, TABLES),
        "negatives": resolve(parts.sampler, TABLES),
        "loss": resolve(parts.loss, TABLES),
        "data_checksum": train.checksum(),
        "sizes": {
            "users": parts.split.num_users,
            "items": parts.split.num_items,
            **{part: len(getattr(parts.split, part)) for part in ("train", "validation", "test")},
        },
        "versions": {
            "adar_viz": adar_viz.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def _claim(folder: Path, config: Mapping[str, Any]) -> None:
    """Write the configuration, or see that the one there is the same (versions may differ)."""
    path = folder / CONFIG
    if not path.exists():
        _write_json(path, config)
        return
    stored = json.loads(path.read_text(encoding="utf-8"))
    fresh = json.loads(json.dumps(config))
    there, now = _leaves(stored), _leaves(fresh)
    changed = sorted(key for key in {*there, *now} if there.get(key) != now.get(key))
    if changed:
        said = "; ".join(f"{key} {there.get(key)!r} there, {now.get(key)!r} now" for key in changed)
        raise ExperimentError(f"{folder} holds a run of another configuration ({said}); choose another folder")


def _leaves(value: Any, place: str = "") -> dict[str, Any]:
    """Flatten nested data to dotted names, without the versions."""
    if not isinstance(value, dict):
        return {place: value}
    inner = (_leaves(v, f"{place}.{k}" if place else k) for k, v in value.items() if k != "versions")
    return {name: leaf for leaves in inner for name, leaf in leaves.items()}


def _train(
    experiment: Experiment, parts: Parts, folder: Path, recorder: Recorder, progress: bool, fabric: Fabric
) -> Iterator[EpochReport]:
    epochs = parts.fit(experiment.plan, checkpoint=folder / CHECKPOINT, observe=recorder, fabric=fabric)
    metric, num_resumed = experiment.plan.metric, 0
    quiet = not (progress and fabric.is_global_zero)
    recorder.snapshot(0, parts.backbone)
    with tqdm(total=experiment.plan.epochs, unit="epoch", disable=quiet, desc=folder.name) as bar:
        for report in epochs:
            if report.resumed:
                num_resumed += 1
            else:
                if num_resumed and len(recorder.epochs) < num_resumed:
                    recorder.restore(checkpoints.load(folder / RECORDED), num_resumed)
                recorder.end_epoch(report, parts.backbone)
                if fabric.is_global_zero and report.metrics:
                    checkpoints.save(folder / RECORDED, recorder.state())
            bar.update()
            if report.metrics:
                bar.set_postfix_str(f"validation {metric} {report.metrics[metric]:.4f}")
            yield report
    if num_resumed > len(recorder.epochs):
        recorder.restore(checkpoints.load(folder / RECORDED), num_resumed)


def _recorder(parts: Parts, num_users: int = 60, num_items: int = 1000) -> Recorder:
    """Follow the busiest users and the most popular items, and as many evenly spaced others."""
    train = parts.split.train

    def choose(count: np.ndarray, number: int) -> list[int]:
        order = np.argsort(-count, kind="stable")
        if number >= len(order):
            return list(range(len(order)))
        spaced = order[np.linspace(0, len(order) - 1, min(number, len(order))).astype(int)]
        chosen: list[int] = np.unique(np.concatenate([order[: number // 2], spaced[: number // 2 * 2 : 2]])).tolist()
        return chosen

    activity, popularity = train.activity(), train.popularity()
    likes = None if parts.truth is None else Likes(parts.truth, activity, popularity)
    return Recorder(choose(activity, num_users), choose(popularity, num_items), Draws(parts.loss, likes))


def _finish(
    experiment: Experiment,
    parts: Parts,
    folder: Path,
    config: Mapping[str, Any],
    recorder: Recorder,
    reports: list[EpochReport],
    num_pairs: int,
) -> None:
    """Write the results; the metrics last, since they mark the run as finished."""
    backbone = parts.backbone
    assert isinstance(backbone, nn.Module)
    backbone.eval()
    best = next(r for r in reversed(reports) if r.is_best)
    test = evaluate(backbone, parts.split, "test").metrics
    trace_of(experiment, parts, folder.name, config, recorder, num_pairs).save(folder / TRACE)
    write_text(folder / HISTORY, _history(reports).to_csv(index=False, float_format="%.6g"))
    metrics = {
        "validation": dict(best.metrics),
        "test": dict(test),
        "selected_on": "test" if parts.split.selects_on_test else "validation",
        "best_epoch": best.epoch + 1,
        "epochs": len(reports),
        "seconds": sum(r.seconds for r in reports),
        "false_negatives": count_false_negatives(parts, seeded("cpu", experiment.plan.seed, 2**21)),
    }
    _write_json(folder / METRICS, metrics)


def count_false_negatives(
    parts: Parts, generator: torch.Generator, num_rows: int = 20_000
) -> dict[str, float | str | None] | None:
    """Draw negatives from the finished run and count the truly liked; None without truth or draws.

    The share is over draws for random training rows; see `adar_viz.evaluation.false_negative_rate`.
    """
    if parts.truth is None:
        return None
    with torch.no_grad():
        order = torch.randperm(len(parts.rows), generator=generator)[:num_rows].to(parts.rows.user.device)
        batch = parts.rows.batch(order)
        encoded = parts.backbone(batch)
        context = Context(batch.user, batch.positive, encoded, parts.known, generator, epoch=2**31, progress=1.0)
        drawn = parts.sampler.sample(context)
        if len(drawn.item) != len(batch.user):
            return None  # the whole catalogue, the same for all rows: nothing was drawn
        found = false_negative_rate(
            drawn.item, batch.user, parts.truth, embedding=drawn.embedding, table=encoded.table()
        )
    return {**asdict(found), "truth": parts.truth.source}


def trace_of(
    experiment: Experiment, parts: Parts, name: str, config: Mapping[str, Any], recorder: Recorder, num_pairs: int = 300
) -> Trace:
    """Watch pairs of the finished run and put the trace together.

    A run without ADAR is looked at through ADAR's default lens, untrained but for its denoiser.
    """
    generator = seeded("cpu", experiment.plan.seed, 2**20)
    lens = parts.sampler if isinstance(parts.sampler, ADAR) else ADAR(experiment.dim, generator=generator)
    watched = watch_pairs(parts.backbone, lens, parts.rows, parts.known, num_pairs=num_pairs, generator=generator)
    walks = watch_walks(watched, parts.rows, parts.backbone, generator=generator)
    meta = {
        "run": name,
        "dataset": experiment.data,
        "data_checksum": config["data_checksum"],
        "backbone": as_line(config["backbone"]),
        "negatives": as_line(config["negatives"]),
        "seed": experiment.plan.seed,
        "version": adar_viz.__version__,
        "target": resolve(lens.target, TABLES),
        "boundary": resolve(lens.boundary, TABLES),
        **describe_lens(lens),
    }
    training = recorder.arrays(experiment.plan.metric)
    likes = recorder.snapshots.likes(parts.split.train, parts.truth)
    catalogue = catalogue_arrays(parts.split.train, parts.backbone)
    return make_trace(meta, watched.arrays, walks, catalogue, training, likes)


def _history(reports: list[EpochReport]) -> pd.DataFrame:
    rows = [
        {
            "epoch": r.epoch + 1,
            "seconds": r.seconds,
            **{f"loss:{k}": v for k, v in r.losses.items()},
            **{f"sampler:{k}": v for k, v in r.sampler.items()},
            **r.metrics,
            "is_best": r.is_best,
        }
        for r in reports
    ]
    return pd.DataFrame(rows)


def _write_json(path: Path, value: Any) -> None:
    write_text(path, json.dumps(value, indent=2, default=str) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    partial = path.with_name(path.name + ".partial")
    partial.write_text(text, encoding="utf-8")
    os.replace(partial, path)
