"""The training loop: what it reports, when it stops, and that it can be cut off anywhere."""

from __future__ import annotations

import math
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from adar_viz.backbones import MF
from adar_viz.batches import PairRows
from adar_viz.core import Backbone, Context, Negatives, NegativeSampler, Observer, ignore
from adar_viz.diffusion import denoising_loss
from adar_viz.events import Drawn, Event
from adar_viz.known import KnownPositives
from adar_viz.losses import BPR, Softmax
from adar_viz.negatives import ADAR, DNS, Uniform
from adar_viz.training import CHECK_EVERY, EpochReport, TrainingDiverged, TrainingPlan, fit, make_optimizer

USERS, ITEMS, DIM = 30, 40, 8
PLAN = TrainingPlan(epochs=6, batch_size=64, learning_rate=0.02, l2=0.01, patience=None, metric="score", seed=3)


def rows() -> PairRows:
    generator = torch.Generator().manual_seed(0)
    pair = torch.randperm(USERS * ITEMS, generator=generator)[:300]
    return PairRows(pair // ITEMS, pair % ITEMS)


def known() -> KnownPositives:
    return KnownPositives.from_pairs(rows().user, rows().item, num_users=USERS, num_items=ITEMS)


def mf(**options: Any) -> MF:
    return MF(USERS, ITEMS, DIM, generator=torch.Generator().manual_seed(1), **options)


def adar(source: str = "forward", **options: Any) -> ADAR:
    return ADAR(DIM, source=source, warmup=1, generator=torch.Generator().manual_seed(2), **options)


def score(backbone: Backbone) -> Mapping[str, float]:
    assert isinstance(backbone, nn.Module)
    return {"score": -float(sum(p.square().sum() for p in backbone.parameters()))}


def train(backbone: Backbone, sampler: NegativeSampler, plan: TrainingPlan = PLAN, **options: Any) -> list[EpochReport]:
    return list(fit(backbone, sampler, BPR(), rows(), known(), validate=score, plan=plan, **options))


def weights(module: nn.Module) -> Tensor:
    return torch.cat([p.detach().flatten() for p in module.parameters()])


class Cut(Exception):
    """Stands for the power going off."""


def cut_off(sampler: ADAR, draws: int) -> ADAR:
    """Let the sampler raise at its draw number ``draws``, counted from 0."""
    original, left = sampler.sample, [draws]

    def sample(context: Context, *, observe: Observer = ignore) -> Negatives:
        left[0] -= 1
        if left[0] < 0:
            raise Cut
        return original(context, observe=observe)

    sampler.sample = sample  # type: ignore[method-assign]
    return sampler


def test_the_loss_falls() -> None:
    reports = train(
        mf(), Uniform(), TrainingPlan(epochs=30, batch_size=64, learning_rate=0.02, patience=None, metric="score")
    )
    assert reports[-1].losses["loss"] < 0.5 * reports[0].losses["loss"]
    assert [r.epoch for r in reports] == list(range(30))


@pytest.mark.parametrize("steps", [CHECK_EVERY - 1, CHECK_EVERY, 2 * CHECK_EVERY])
def test_an_epoch_may_have_any_number_of_steps(steps: int) -> None:
    few = PairRows(rows().user[:steps], rows().item[:steps])
    plan = TrainingPlan(epochs=1, batch_size=1, patience=None, metric="score")
    (report,) = fit(mf(), Uniform(), BPR(), few, known(), validate=score, plan=plan)
    assert 0 < report.losses["loss"] < 1


def test_the_positive_is_looked_up_once_and_carries_gradient_whoever_asks_first() -> None:
    backbone, batch, asked = mf(), rows().batch(torch.arange(20)), []
    encoded = backbone(batch)

    def lookup(item: Tensor) -> Tensor:
        asked.append(item)
        return encoded.lookup(item)

    counted = replace(encoded, lookup=lookup)
    context = Context(batch.user, batch.positive, counted, known(), torch.Generator().manual_seed(0))
    with torch.no_grad():
        score = context.positive_score
    assert torch.equal(score, (backbone.user(batch.user) * backbone.item(batch.positive)).sum(1))
    adar().scored_pair(context)
    assert context.positive_score is score
    assert len(asked) == 1
    score.sum().backward()
    assert backbone.item.weight.grad is not None
    with torch.no_grad():
        of_a_finished = Context(batch.user, batch.positive, backbone(batch), known(), torch.Generator())
    assert not of_a_finished.positive_score.requires_grad


def test_the_same_seed_gives_the_same_bits_and_another_does_not() -> None:
    ends = []
    for seed in (3, 3, 4):
        backbone = mf()
        train(backbone, adar("reverse"), TrainingPlan(**{**asdict(PLAN), "seed": seed}))
        ends.append(weights(backbone))
    assert torch.equal(ends[0], ends[1])
    assert not torch.equal(ends[0], ends[2])


@pytest.mark.parametrize("sampler", [Uniform, DNS, adar, lambda: adar("reverse", ground=None)])
def test_watching_a_training_changes_nothing(sampler: Any) -> None:
    seen: list[Event] = []

    ends = []
    for observe in (ignore, seen.append):
        backbone = mf()
        train(backbone, sampler(), observe=observe)
        ends.append(weights(backbone))
    assert torch.equal(*ends)
    assert any(isinstance(event, Drawn) for event in seen)


@pytest.mark.parametrize("draws", [0, 1, 4, 7, 11, 18, 29])
@pytest.mark.parametrize("source", ["forward", "reverse"])
def test_a_training_cut_off_anywhere_ends_with_the_same_bits(tmp_path: Path, draws: int, source: str) -> None:
    whole, cut, resumed = mf(), mf(), mf()
    sampler, same = adar(source), adar(source)
    reports = train(whole, sampler)
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(Cut):
        train(cut, cut_off(adar(source), draws), checkpoint=path)
    again = train(resumed, same, checkpoint=path)
    assert torch.equal(weights(whole), weights(resumed))
    assert torch.equal(weights(sampler), weights(same))
    assert [r.losses for r in again] == [r.losses for r in reports]
    assert sum(r.resumed for r in again) == draws // 5


def test_a_finished_training_is_only_read(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    first, second = mf(), mf()
    train(first, Uniform(), checkpoint=path)
    before = path.read_bytes()
    assert all(r.resumed for r in train(second, Uniform(), checkpoint=path))
    assert torch.equal(weights(first), weights(second))
    assert path.read_bytes() == before
    assert not first.training
    assert not second.training


def test_another_plan_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    train(mf(), Uniform(), checkpoint=path)
    with pytest.raises(ValueError, match="another plan; seed changed"):
        train(mf(), Uniform(), TrainingPlan(**{**asdict(PLAN), "seed": 9}), checkpoint=path)


def test_early_stopping_returns_the_best_weights() -> None:
    values = iter([0.1, 0.5, 0.4, 0.3, 0.2, 0.9])
    backbone, sampler, plan = mf(), adar("reverse"), TrainingPlan(**{**asdict(PLAN), "patience": 3})
    kept: list[tuple[Tensor, Tensor]] = []

    def validate(_: Backbone) -> Mapping[str, float]:
        kept.append((weights(backbone), weights(sampler)))
        return {"score": next(values)}

    reports = list(fit(backbone, sampler, BPR(), rows(), known(), validate=validate, plan=plan))
    assert [r.is_best for r in reports] == [True, True, False, False, False]
    assert torch.equal(weights(backbone), kept[1][0])
    assert torch.equal(weights(sampler), kept[1][1]), "the denoiser is that of the backbone"


class Poison:
    """Uniform negatives for some draws, nan from then on."""

    def __init__(self, good: float = 7) -> None:
        self.draws, self.good = 0, good

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        self.draws += 1
        found = Uniform().sample(context)
        return Negatives(found.embedding * (float("nan") if self.draws > self.good else 1.0), found.item)


def test_a_nan_names_its_step_and_term_and_spares_the_checkpoint(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    with pytest.raises(TrainingDiverged, match=r"epoch 1, step 2: the term 'loss' is nan; the usual causes"):
        train(mf(), Poison(), checkpoint=path)
    backbone = mf()
    assert train(backbone, Poison(good=math.inf), checkpoint=path)[0].resumed
    assert bool(weights(backbone).isfinite().all())


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_metric_that_is_no_number_is_never_the_best(value: float) -> None:
    values = iter([0.1, value])
    with pytest.raises(TrainingDiverged, match=f"epoch 1: validation score is {value}"):
        list(fit(mf(), Uniform(), BPR(), rows(), known(), validate=lambda _: {"score": next(values)}, plan=PLAN))


def test_a_checkpoint_goes_on_with_the_parts_that_it_was_made_with(tmp_path: Path) -> None:
    path = tmp_path / "checkpoint.safetensors"
    train(mf(), Uniform(), checkpoint=path)
    with pytest.raises(ValueError, match="made with the sampler Uniform; got DNS"):
        train(mf(), DNS(), checkpoint=path)
    with pytest.raises(ValueError, match="checkpoint must lie in a folder that exists"):
        train(mf(), Uniform(), checkpoint=tmp_path / "nowhere" / "checkpoint.safetensors")


class Flat:
    """Forgets the axis of the negatives."""

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        return Negatives(context.encoded.lookup(context.positive), context.positive)


class Many:
    """Gives fewer items than embeddings."""

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        item = context.positive[:, None]
        return Negatives(context.encoded.lookup(item.expand(-1, 4)), item)


def test_shapes_that_would_broadcast_are_refused() -> None:
    # Where shapes are checked while testing, that check speaks first, with a TypeError.
    def refused(message: str) -> Any:
        return pytest.raises((ValueError, TypeError), match=f"{message}|type-?check")

    with refused(r"\(row, k, dim\) with 64 rows, or 1 for all, and dim 8; got \(64, 8\)"):
        train(mf(), Flat())
    with refused(r"an item for each embedding, \(64, 4\); got \(64, 1\)"):
        train(mf(), Many())
    with refused(r"a loss must give one value for each row, \(64,\); got \(64, 1\)"):
        list(fit(mf(), Uniform(), lambda p, n, w=None: n - p[:, None], rows(), known(), validate=score, plan=PLAN))


def test_a_sampler_that_is_used_again_measures_the_new_catalogue() -> None:
    sampler, plan = ADAR(DIM, warmup=0), replace(PLAN, epochs=1)
    train(mf(), sampler, plan)
    train(mf(std=5.0), sampler, plan)
    assert float(sampler.catalogue.rms) > 3


def test_a_huge_learning_rate_is_named_as_the_cause() -> None:
    with pytest.raises(TrainingDiverged, match="learning rate"):
        train(mf(), Uniform(), TrainingPlan(**{**asdict(PLAN), "learning_rate": 1e30}))


def test_an_unknown_metric_lists_the_valid_ones() -> None:
    with pytest.raises(ValueError, match="metric must be one of score; got 'ndcg@20'"):
        train(mf(), Uniform(), TrainingPlan(epochs=1))


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 0}, "batch_size"),
        ({"learning_rate": 0.0}, "learning_rate"),
        ({"l2": -1.0}, "l2"),
        ({"patience": 0}, "patience"),
        ({"epochs": 2.5}, "epochs"),
        ({"batch_size": 1.5}, "batch_size"),
    ],
)
def test_impossible_plans_are_refused(option: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=f"{message} must be"):
        TrainingPlan(**option)


def test_the_denoiser_learns_and_never_moves_the_recommender() -> None:
    backbone, sampler = mf(), adar("reverse", learning_rate=0.01)
    train(backbone, sampler, TrainingPlan(**{**asdict(PLAN), "epochs": 30}))
    x0, query = backbone.item(rows().item) / sampler.sigma, backbone.user(rows().user) / sampler.sigma
    error = [  # of an untrained net, and of the trained one
        float(denoising_loss(net, x0.detach(), query.detach(), generator=torch.Generator().manual_seed(0)).detach())
        for net in (adar("reverse").denoiser, sampler.denoiser)
    ]
    assert error[1] < 0.95 * error[0]  # these small random vectors leave little to learn
    batch = rows().batch(torch.arange(20))
    context = Context(batch.user, batch.positive, backbone(batch), known(), torch.Generator().manual_seed(0))
    backbone.zero_grad(set_to_none=True)
    sampler.update(context, Uniform().sample(context))
    assert all(parameter.grad is None for parameter in backbone.parameters())


def test_sparse_gradients_train() -> None:
    backbone = mf(sparse=True)
    assert isinstance(make_optimizer(backbone, 0.01), torch.optim.SparseAdam)
    reports = train(backbone, adar())
    assert reports[-1].losses["loss"] < reports[0].losses["loss"]


def test_the_callers_global_random_state_is_left_alone() -> None:
    backbone, before = mf(), torch.get_rng_state()
    train(backbone, adar("reverse"))
    assert torch.equal(before, torch.get_rng_state())


def test_a_loss_that_asks_for_it_gets_the_log_probability() -> None:
    reports = list(fit(mf(), Uniform(4), Softmax(log_q=True), rows(), known(), validate=score, plan=PLAN))
    assert reports[-1].losses["loss"] < reports[0].losses["loss"]


IN_TWO_PROCESSES = """
import sys
from pathlib import Path
from lightning_fabric import Fabric
from adar_viz.experiment import Experiment, prepare
from adar_viz.training import TrainingPlan

def reports(checkpoint):
    return prepare(experiment).fit(plan, checkpoint=checkpoint, fabric=fabric)

fabric = Fabric(accelerator="cpu", devices=2)
fabric.launch()
plan = TrainingPlan(epochs=3, batch_size=4096, patience=None)
experiment = Experiment(negatives="adar(source=reverse, ground=None, warmup=0)", dim=8, plan=plan)
folder = Path(sys.argv[1])
whole = [*reports(folder / "whole")]
cut = reports(folder / "cut")
for _ in range(2):
    next(cut)  # the first epoch is kept, the second lost
cut.close()
fabric.barrier()
resumed = [*reports(folder / "cut")]
assert [(r.losses, r.sampler) for r in resumed] == [(r.losses, r.sampler) for r in whole]
"""


@pytest.mark.slow
def test_two_processes_that_were_cut_off_end_with_the_same_bits(tmp_path: Path) -> None:
    script = tmp_path / "train.py"
    script.write_text(IN_TWO_PROCESSES)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2"]
    done = subprocess.run(
        [*launch, str(script), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, done.stderr
