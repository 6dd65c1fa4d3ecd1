"""Training: one loop for every backbone, sampler and loss, on one process or many."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from lightning_fabric import Fabric
from torch import Tensor, nn

from adar_viz import checkpoint as checkpoints
from adar_viz.batches import PairRows, SequenceRows, shuffled
from adar_viz.core import Backbone, Batch, Context, Loss, Negatives, NegativeSampler, Observer, Updatable, ignore
from adar_viz.events import Drawn
from adar_viz.known import KnownPositives

CHECK_EVERY = 50
"""Steps between looks for non-finite losses; the step is still named exactly."""


class TrainingDiverged(ArithmeticError):
    """A loss or a weight stopped being finite."""


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how hard to train.

    Attributes
    ----------
    epochs
        At most this many passes over the training rows.
    batch_size
        Rows or sequences in a step, over all processes; None is 2048 rows (collaborative filtering)
        or 256 sequences (sequential).
    learning_rate, l2
        Of Adam; ``l2`` multiplies `Backbone.l2`. Tune it for every sampler: an untuned ``l2``
        hides more than most samplers add.
    patience
        Stop after this many validations without a new best; None never stops early.
    validate_every
        Epochs between validations, and between checkpoints.
    metric
        The validation metric that selects the best epoch; higher is better.
    seed
        Of the order of the rows, the draws of the sampler and the dropout of the backbone.
    """

    epochs: int = 200
    batch_size: int | None = None
    learning_rate: float = 1e-3
    l2: float = 1e-4
    patience: int | None = 10
    validate_every: int = 1
    metric: str = "ndcg@20"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "validate_every"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1; got {getattr(self, name)}")
        for name in ("batch_size", "patience"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, or None; got {getattr(self, name)}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0; got {self.learning_rate}")
        if not self.l2 >= 0:
            raise ValueError(f"l2 must be at least 0; got {self.l2}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0; got {self.seed}")


@dataclass(frozen=True)
class EpochReport:
    """What happened in one epoch: means over its steps, and the validation metrics if taken."""

    epoch: int
    seconds: float
    losses: Mapping[str, float]
    sampler: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    is_best: bool = False
    resumed: bool = False
    """Read from a checkpoint: an earlier process trained this epoch."""


class _Objective(nn.Module):
    """One step's loss as a module, so that Fabric can wrap it for several processes.

    The sampler stays outside the module tree: it trains itself, apart from the recommender.
    """

    def __init__(self, backbone: Backbone, sampler: NegativeSampler, loss: Loss, l2: float) -> None:
        super().__init__()
        self.backbone = backbone
        self._unregistered = (sampler, loss)
        self._loss_takes_log_prob = "log_prob" in inspect.signature(loss).parameters
        self.l2 = l2
        self.seen: tuple[Context, Negatives, dict[str, Tensor]] | None = None

    def forward(self, batch: Batch, make_context: Callable[..., Context], observe: Observer) -> Tensor:
        sampler, loss = self._unregistered
        encoded = self.backbone(batch)
        context = make_context(user=batch.user, positive=batch.positive, encoded=encoded)
        negatives = sampler.sample(context, observe=observe)
        positive = context.positive_score
        negative = encoded.score(negatives.embedding)
        known = {"log_prob": negatives.log_prob} if self._loss_takes_log_prob else {}
        terms = {"loss": loss(positive, negative, negatives.weight, **known).mean(), **negatives.auxiliary}
        if self.l2 > 0:
            terms["l2"] = self.l2 * self.backbone.l2(batch, negatives.item)
        if observe is not ignore:
            item = negatives.item.expand_as(negative)  # one row may serve all
            scores, vectors = (positive.detach(), negative.detach()), negatives.embedding.detach()
            weight, log_prob = negatives.weight, negatives.log_prob
            observe(Drawn(batch.user, batch.positive, item, *scores, weight, log_prob, vectors, encoded))
        self.seen = context, negatives, terms
        return torch.stack(list(terms.values())).sum()


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
    """Train, yielding a report after each epoch; at the end the best epoch's weights are loaded.

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
        epochs that it holds are reported first, marked ``resumed``.
    fabric
        Where to run; by default one process on the CPU.

    Raises
    ------
    TrainingDiverged
        A loss or weight is not finite; names the step and the term. The checkpoint stays good.
    ValueError
        ``checkpoint`` was made under another plan, or ``validate`` lacks ``plan.metric``.
    """
    plan = plan or TrainingPlan()
    fabric = fabric or Fabric(accelerator="cpu", devices=1)
    run = _Run(backbone, sampler, loss, plan, fabric)
    known = known.to(fabric.device)
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
        objective = _Objective(backbone, sampler, loss, plan.l2)
        self.step_module, self.optimizer = fabric.setup(objective, make_optimizer(backbone, plan.learning_rate))
        self.objective = objective
        if isinstance(sampler, nn.Module):
            sampler.to(fabric.device)
        self.reports: list[EpochReport] = []
        self.best: dict[str, Tensor] | None = None

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
        history, reported = _TermHistory(epoch), _TermHistory(epoch)
        self.step_module.train()
        with torch.random.fork_rng():  # dropout draws from the global generator; leave the caller's alone
            torch.manual_seed(int(torch.randint(2**62, (), generator=seeded("cpu", plan.seed, epoch, -1))))
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

    def _means(self, history: _TermHistory) -> dict[str, float]:
        means = history.means()
        if self.fabric.world_size == 1:
            return means
        return {name: float(_mean_over_processes(self.fabric, torch.tensor(value))) for name, value in means.items()}

    def _average_sampler(self) -> None:
        """Let the processes agree on a sampler that each of them trained on its own rows."""
        if self.fabric.world_size > 1 and isinstance(self.sampler, nn.Module):
            with torch.no_grad():
                for parameter in self.sampler.parameters():
                    parameter.copy_(_mean_over_processes(self.fabric, parameter))

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
        return metrics

    def note_best(self, metrics: Mapping[str, float]) -> bool:
        if not metrics:
            return False
        best = max((r.metrics[self.plan.metric] for r in self.reports if r.is_best), default=-np.inf)
        if metrics[self.plan.metric] <= best:
            return False
        self.best = {name: value.detach().clone() for name, value in self._weights().items()}
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
            self.backbone.load_state_dict(self.best)

    def _weights(self) -> dict[str, Tensor]:
        weights: dict[str, Tensor] = self.backbone.state_dict()
        return weights

    def save(self, path: Path) -> None:
        if self.fabric.is_global_zero:
            state = {
                "plan": asdict(self.plan),
                "reports": [asdict(report) for report in self.reports],
                "best": self.best,
                "backbone": self._weights(),
                "optimizer": self.optimizer.state_dict(),
                "sampler": self.sampler.state_dict() if isinstance(self.sampler, nn.Module) else None,
            }
            checkpoints.save(path, state)
        self.fabric.barrier()

    def restore(self, path: Path) -> None:
        state = checkpoints.load(path)
        if state["plan"] != asdict(self.plan):
            changed = sorted(k for k, v in asdict(self.plan).items() if state["plan"].get(k) != v)
            raise ValueError(f"{path}: made under another plan; {', '.join(changed)} changed")
        self.reports = [EpochReport(**report) for report in state["reports"]]
        self.best = state["best"]
        self.backbone.load_state_dict(state["backbone"])
        self.optimizer.load_state_dict(state["optimizer"])
        if isinstance(self.sampler, nn.Module):
            self.sampler.load_state_dict(state["sampler"])


class _TermHistory:
    """The named values of each step, looked at now and then for the first that is not finite."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.names: list[str] = []
        self.steps: list[Float[Tensor, " term"]] = []
        self.checked = 0

    def add(self, terms: Mapping[str, Tensor | float]) -> None:
        if terms:
            self.names = list(terms)
            self.steps.append(torch.stack([torch.as_tensor(value) for value in terms.values()]))
            if len(self.steps) - self.checked >= CHECK_EVERY:
                self.check()

    def check(self) -> None:
        if self.checked == len(self.steps):
            return
        finite = torch.isfinite(torch.stack(self.steps[self.checked :]))
        if not bool(finite.all()):
            step, term = (~finite).nonzero()[0].tolist()
            value = float(self.steps[self.checked + step][term])
            raise TrainingDiverged(
                f"epoch {self.epoch}, step {self.checked + step}: the term {self.names[term]!r} is {value}; "
                "the usual causes are a learning rate that is too high or a weight that is not finite"
            )
        self.checked = len(self.steps)

    def means(self) -> dict[str, float]:
        if not self.steps:
            return {}
        self.check()
        return dict(zip(self.names, torch.stack(self.steps).double().mean(0).tolist(), strict=True))


def make_optimizer(backbone: nn.Module, learning_rate: float) -> torch.optim.Optimizer:
    """Return Adam, lazily sparse where the backbone's embeddings ask for sparse gradients."""
    sparse = any(isinstance(m, nn.Embedding) and m.sparse for m in backbone.modules())
    if sparse:
        return torch.optim.SparseAdam(backbone.parameters(), lr=learning_rate)
    return torch.optim.Adam(backbone.parameters(), lr=learning_rate, fused=True)


def _mean_over_processes(fabric: Fabric, value: Tensor) -> Tensor:
    mean = fabric.all_reduce(value.detach().clone(), reduce_op="mean")
    assert isinstance(mean, Tensor)
    return mean


def seeded(device: torch.device | str, *seed: int) -> torch.Generator:
    """Return a generator whose stream depends on every number of ``seed``."""
    state = np.random.SeedSequence([value % 2**32 for value in seed]).generate_state(1, np.uint64)[0]
    return torch.Generator(device=device).manual_seed(int(state) % 2**63)
