"""The loop over epochs: everything that a checkpoint holds, and goes on with."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from copy import deepcopy
from dataclasses import asdict, replace
from functools import partial
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np
import torch
from lightning_fabric import Fabric
from lightning_utilities import apply_to_collection
from torch import Tensor, nn

from adar_viz import checkpoint as checkpoints
from adar_viz.batches import PairRows, SequenceRows, shuffled
from adar_viz.core import Backbone, Batch, Context, Loss, NegativeSampler, Observer, Updatable, ignore
from adar_viz.known import KnownPositives
from adar_viz.training.objective import Objective, make_optimizer
from adar_viz.training.plan import EpochReport, TrainingPlan
from adar_viz.training.seeds import seeded
from adar_viz.training.terms import TermHistory, TrainingDiverged


def fit(
    backbone: Backbone,
    sampler: NegativeSampler,
    loss: Loss,
    rows: PairRows | SequenceRows,
    known: KnownPositives,
    *,
    validate: Callable[[Backbone], Mapping[str, float]],
    plan: TrainingPlan | None = None,
    checkpoint: Path | None = None,
    observe: Observer = ignore,
    fabric: Fabric | None = None,
) -> Iterator[EpochReport]:
    """Train, yielding a report after each epoch; at the end the best epoch's weights are loaded, the sampler's too.

    Every random draw of an epoch follows from ``(plan.seed, epoch, process)``, so a run that is
    killed and resumed from its checkpoint ends with the same bits as an uninterrupted one. The
    checkpoint of an epoch is written when the caller asks for the next report: what the caller
    did with this one is then finished too.

    Parameters
    ----------
    validate
        Scores the backbone on validation data (never on test); must return ``plan.metric``.
    checkpoint
        Written atomically after each validation. If it exists, training goes on from it, and the
        epochs that it holds are reported first, marked ``resumed``. It knows the plan and the classes
        of backbone, sampler and loss; that their options and the rows are the same is the caller's care.
    fabric
        Where to run; by default one process on the CPU.

    Raises
    ------
    TrainingDiverged
        A loss, weight or ``plan.metric`` is not finite; names the step and the term. The checkpoint stays good.
    ValueError
        ``checkpoint`` was made under another plan or with other parts, its folder is missing, negatives or
        losses have the wrong shape, or ``validate`` lacks ``plan.metric``.
    """
    plan = plan or TrainingPlan()
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    run = _Run(backbone, sampler, loss, plan, fabric)
    known = known.to(fabric.device)
    if checkpoint is not None and not checkpoint.parent.is_dir():
        raise ValueError(f"checkpoint must lie in a folder that exists; got {checkpoint}")
    if checkpoint is not None and checkpoint.exists():
        run.restore(checkpoint)
        yield from (replace(report, resumed=True) for report in run.reports)
    while not run.is_over():
        epoch, began = len(run.reports), time.perf_counter()
        losses, sampled = run.train_epoch(rows, known, epoch, observe)
        metrics: Mapping[str, float] = {}
        if (epoch + 1) % plan.validate_every == 0 or epoch + 1 == plan.epochs:
            run.check_weights(epoch)
            metrics = run.validate(validate)
        is_best = run.note_best(metrics)
        run.reports.append(EpochReport(epoch, time.perf_counter() - began, losses, sampled, metrics, is_best))
        yield run.reports[-1]
        if checkpoint is not None and metrics:
            run.save(checkpoint)
    run.load_best()


class _Run:
    """The moving parts of one training: everything that a checkpoint holds."""

    def __init__(
        self, backbone: Backbone, sampler: NegativeSampler, loss: Loss, plan: TrainingPlan, fabric: Fabric
    ) -> None:
        if not isinstance(backbone, nn.Module):
            raise TypeError(f"backbone must be a torch.nn.Module; got {type(backbone).__name__}")
        self.backbone, self.sampler, self.plan, self.fabric = backbone, sampler, plan, fabric
        of_parts = {"backbone": backbone, "sampler": sampler, "loss": loss}
        self.parts = {name: type(part).__qualname__ for name, part in of_parts.items()}
        objective = Objective(backbone, sampler, loss, plan.l2)
        self.step_module, self.optimizer = fabric.setup(objective, make_optimizer(backbone, plan.learning_rate))
        self.objective = objective
        if isinstance(sampler, nn.Module):
            sampler.to(fabric.device)
        self.reports: list[EpochReport] = []
        self.best: dict[str, Any] | None = None

    def train_epoch(
        self, rows: PairRows | SequenceRows, known: KnownPositives, epoch: int, observe: Observer
    ) -> tuple[dict[str, float], dict[str, float]]:
        """Take one pass; return the mean of each loss term and of what the sampler reported."""
        plan, fabric = self.plan, self.fabric
        order = seeded("cpu", plan.seed, epoch, 0)
        draws = seeded(fabric.device, plan.seed, epoch, 1 + fabric.global_rank)
        batch_size = plan.batch_size or rows.usual_batch_size
        batches = shuffled(rows, batch_size, generator=order, rank=fabric.global_rank, world_size=fabric.world_size)
        num_steps = -(-len(rows) // batch_size)
        history, reported = TermHistory(epoch), TermHistory(epoch)
        self.step_module.train()
        with torch.random.fork_rng():  # dropout draws from the global generator; leave the caller's alone
            torch.manual_seed(
                int(torch.randint(2**62, (), generator=seeded("cpu", plan.seed, epoch, -1 - fabric.global_rank)))
            )
            for step, batch in enumerate(batches):

                def make_context(step: int = step, **row: Any) -> Context:
                    progress = min(1.0, (epoch + step / num_steps) / plan.epochs)
                    return Context(known=known, generator=draws, epoch=epoch, progress=progress, **row)

                history.add(self.take_step(batch, make_context, observe))
                if isinstance(self.sampler, Updatable):
                    assert self.objective.seen is not None
                    context, negatives, _ = self.objective.seen
                    reported.add(self.sampler.update(context, negatives))
        self.objective.seen = None
        self._average_sampler()
        return self._means(history), self._means(reported)

    def take_step(self, batch: Batch, make_context: Callable[..., Context], observe: Observer) -> Mapping[str, Tensor]:
        self.optimizer.zero_grad(set_to_none=True)
        total = self.step_module(batch, make_context, observe)
        self.fabric.backward(total)
        self.optimizer.step()
        assert self.objective.seen is not None
        return {name: term.detach() for name, term in self.objective.seen[2].items()}

    def _means(self, history: TermHistory) -> dict[str, float]:
        means = history.means()
        if self.fabric.world_size == 1:
            return means
        return {name: float(_mean_over_processes(self.fabric, torch.tensor(value))) for name, value in means.items()}

    def _average_sampler(self) -> None:
        """Let the processes agree on a sampler that each trained on its own rows, its optimiser included."""
        if self.fabric.world_size > 1 and isinstance(self.sampler, nn.Module):
            mean = partial(_mean_over_processes, self.fabric)
            self.sampler.load_state_dict(apply_to_collection(self.sampler.state_dict(), Tensor, mean))

    def check_weights(self, epoch: int) -> None:
        for name, parameter in self.backbone.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                raise TrainingDiverged(
                    f"epoch {epoch}: {name} is not finite after the epoch; the learning rate is the usual cause"
                )

    def validate(self, validate: Callable[[Backbone], Mapping[str, float]]) -> dict[str, float]:
        self.step_module.eval()
        with torch.no_grad():
            metrics = {name: float(value) for name, value in validate(self.backbone).items()}
        if self.plan.metric not in metrics:
            raise ValueError(f"metric must be one of {', '.join(sorted(metrics))}; got {self.plan.metric!r}")
        if not isfinite(metrics[self.plan.metric]):
            value = metrics[self.plan.metric]
            raise TrainingDiverged(f"epoch {len(self.reports)}: validation {self.plan.metric} is {value}")
        return metrics

    def note_best(self, metrics: Mapping[str, float]) -> bool:
        if not metrics:
            return False
        best = max((r.metrics[self.plan.metric] for r in self.reports if r.is_best), default=-np.inf)
        if metrics[self.plan.metric] <= best:
            return False
        self.best = deepcopy(self._weights())
        return True

    def is_over(self) -> bool:
        if len(self.reports) >= self.plan.epochs:
            return True
        since_best = 0
        for report in self.reports:
            since_best = 0 if report.is_best else since_best + bool(report.metrics)
        return self.plan.patience is not None and since_best >= self.plan.patience

    def load_best(self) -> None:
        if self.best is not None:
            self._load(self.best)
        self.step_module.eval()

    def _weights(self) -> dict[str, Any]:
        sampler = self.sampler.state_dict() if isinstance(self.sampler, nn.Module) else None
        return {"backbone": self.backbone.state_dict(), "sampler": sampler}

    def _load(self, weights: Mapping[str, Any]) -> None:
        self.backbone.load_state_dict(weights["backbone"])
        if isinstance(self.sampler, nn.Module):
            self.sampler.load_state_dict(weights["sampler"])

    def save(self, path: Path) -> None:
        if self.fabric.is_global_zero:
            state = {
                "plan": asdict(self.plan),
                "parts": self.parts,
                "reports": [asdict(report) for report in self.reports],
                "best": self.best,
                "optimizer": self.optimizer.state_dict(),
                **self._weights(),
            }
            checkpoints.save(path, state)
        self.fabric.barrier()

    def restore(self, path: Path) -> None:
        state = checkpoints.load(path)
        if state["plan"] != asdict(self.plan):
            changed = sorted(k for k, v in asdict(self.plan).items() if state["plan"].get(k) != v)
            raise ValueError(f"{path}: made under another plan; {', '.join(changed)} changed")
        for name, was in state["parts"].items():
            if was != self.parts[name]:
                raise ValueError(f"{path}: made with the {name} {was}; got {self.parts[name]}")
        self.reports = [EpochReport(**report) for report in state["reports"]]
        self.best = state["best"]
        self.optimizer.load_state_dict(state["optimizer"])
        self._load(state)


def _mean_over_processes(fabric: Fabric, value: Tensor) -> Tensor:
    if not value.is_floating_point():  # a table of ids, say, which no process changes
        return value
    mean = fabric.all_reduce(value.detach().clone(), reduce_op="mean")
    assert isinstance(mean, Tensor)
    return mean
