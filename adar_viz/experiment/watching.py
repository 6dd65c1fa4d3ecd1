"""What is watched and counted: the training as it goes, and pairs and draws of the finished run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

import numpy as np
import torch

import adar_viz
from adar_viz.draws import Draws, Likes
from adar_viz.evaluation import false_negative_rate
from adar_viz.experiment.configuration import TABLES, Experiment
from adar_viz.experiment.parts import Parts
from adar_viz.negatives import ADAR
from adar_viz.recorder import Recorder, catalogue_arrays, make_trace
from adar_viz.specs import as_line, resolve
from adar_viz.trace import Trace
from adar_viz.training import seeded
from adar_viz.walks import describe_lens, watch_pairs, watch_walks


def recorder_of(parts: Parts, num_users: int = 60, num_items: int = 1000) -> Recorder:
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


def count_false_negatives(
    parts: Parts, generator: torch.Generator, num_rows: int = 20_000
) -> dict[str, float | str | None] | None:
    """Draw negatives from the finished run and count the truly liked; None without truth or draws.

    The share is over draws for random training rows; see `adar_viz.evaluation.false_negative_rate`.
    """
    if parts.truth is None:
        return None
    with torch.no_grad():
        order = torch.randperm(len(parts.rows), generator=generator)[:num_rows]
        batch = parts.rows.batch(order)
        context = parts.late(generator)(user=batch.user, positive=batch.positive, encoded=parts.backbone(batch))
        drawn = parts.sampler.sample(context)
        if len(drawn.item) != len(context.user):
            return None  # the whole catalogue, the same for all rows: nothing was drawn
        table = context.encoded.table()
        found = false_negative_rate(drawn.item, context.user, parts.truth, embedding=drawn.embedding, table=table)
    return {**asdict(found), "truth": parts.truth.source}


def trace_of(
    experiment: Experiment, parts: Parts, name: str, config: Mapping[str, Any], recorder: Recorder, num_pairs: int = 300
) -> Trace:
    """Watch pairs of the finished run and put the trace together.

    The lens (`adar_viz.walks`) is the run's own ADAR. If the run used another sampler, its pairs are
    analysed with a default ADAR, of which only the denoiser is trained.
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
