"""What a configuration stands for: data loaded, every part built, ready to train."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
from jaxtyping import Int
from lightning_fabric import Fabric
from torch import Tensor, nn

from adar_viz.batches import PairRows, SequenceRows, make_rows
from adar_viz.core import Backbone, Context, Loss, Negatives, NegativeSampler, Observer, ignore
from adar_viz.datasets import Split, Truth, load, split
from adar_viz.evaluation import evaluate, evaluating, require_judge, require_metric
from adar_viz.experiment.configuration import TABLES, Experiment, ExperimentError
from adar_viz.known import KnownPositives
from adar_viz.specs import SpecError, build, take_apart
from adar_viz.training import EpochReport, Objective, TrainingPlan, fit, seeded


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

    def rehearse(self) -> Negatives:
        """Put a few rows through the loss as late in training, when no warm-up is in force, and return their negatives.

        What does not go together then fails at once, not after an hour; a copy of the sampler draws. On the CPU.

        Raises
        ------
        ValueError
            Sampler, backbone and loss do not go together.
        """
        objective = Objective(self.backbone, copy.deepcopy(self.sampler), self.loss, l2=1.0)
        with torch.no_grad(), evaluating(self.backbone):
            objective(self.rows.batch(torch.arange(min(4, len(self.rows)))), self.late(seeded("cpu", 0)), ignore)
        assert objective.seen is not None
        return objective.seen[1]

    def late(self, generator: torch.Generator) -> Callable[..., Context]:
        """Return what makes the context of rows at the end of training."""
        return partial(Context, known=self.known, generator=generator, epoch=2**31, progress=1.0)

    def to(self, device: torch.device | str) -> Parts:
        """Move the modules to a device, and return them with the rows there."""
        for part in (self.backbone, self.sampler):
            if isinstance(part, nn.Module):
                part.to(device)
        return replace(self, rows=self.rows.to(device), known=self.known.to(device))


def prepare(experiment: Experiment, *, split_seed: int | None = None) -> Parts:
    """Load the data and build every part, on the CPU.

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
    backbone, sampler, loss = _build(experiment, user, item, parts.num_users, parts.num_items)
    require_judge(backbone, parts, experiment.plan.metric)
    rows = make_rows(train.user, train.item, train.timestamp, backbone.history_length)
    known = KnownPositives.from_pairs(user, item, num_users=parts.num_users, num_items=parts.num_items)
    return Parts(parts, backbone, sampler, loss, rows, known, dataset.truth)


def check_specs(experiment: Experiment) -> None:
    """Build every part for a user and two items, without data: what is spelt wrong fails at once.

    Raises
    ------
    ValueError
        A spec is wrong by itself, or no metric has the plan's name.
    """
    require_metric(experiment.plan.metric)
    _split_rule(experiment.split)
    _build(experiment, torch.zeros(2, dtype=torch.long), torch.arange(2), num_users=1, num_items=2)


def _build(
    experiment: Experiment, user: Int[Tensor, " pair"], item: Int[Tensor, " pair"], num_users: int, num_items: int
) -> tuple[Backbone, NegativeSampler, Loss]:
    surroundings = {
        "num_users": num_users,
        "num_items": num_items,
        "dim": experiment.dim,
        "counts": torch.bincount(item, minlength=num_items),
        "user": user,
        "item": item,
        "generator": seeded("cpu", experiment.plan.seed),
    }
    for spec in (experiment.backbone, experiment.negatives, experiment.loss):
        for option in sorted({*take_apart(spec)[2]} & {*surroundings} - {"dim"}):
            raise ExperimentError(f"{option} is not to be set, since it follows from the data; got {spec!r}")
    return (
        build(experiment.backbone, "backbone", TABLES, surroundings),
        build(experiment.negatives, "negatives", TABLES, surroundings),
        build(experiment.loss, "loss", TABLES, surroundings),
    )


def _split_rule(text: str | None) -> tuple[str | None, dict[str, Any]]:
    """Take ``ratio(test=0.5)`` apart into the name of the rule and its settings."""
    name, bracket, rest = (text or "").partition("(")
    if not bracket:
        return text, {}
    try:
        _, unnamed, named = take_apart(f"rule({rest}")
    except SpecError as error:
        raise ExperimentError(f"a split must be a rule with settings, as in ratio(test=0.5); got {text!r}") from error
    if unnamed:
        raise ExperimentError(f"settings of a split have names, as in ratio(test=0.5); got {text!r}")
    if "seed" in named:
        raise ExperimentError(f"the seed of a split is that of the run; got {text!r}")
    try:
        return name.strip(), {key: ast.literal_eval(value) for key, value in named.items()}
    except ValueError as error:
        raise ExperimentError(f"settings of a split must be plain values; got {text!r}") from error
