"""The examples of CONTRIBUTING.md do what the guide asks of a sampler, a backbone and a display."""

from __future__ import annotations

import re
import sys
import types
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import torch

from adar_viz.batches import make_rows
from adar_viz.core import Batch, Context, Encoded
from adar_viz.datasets import World, split
from adar_viz.events import Pool
from adar_viz.known import KnownPositives
from adar_viz.losses import BPR
from adar_viz.trace import REQUIRED_META, Trace
from adar_viz.training import TrainingPlan, fit

GUIDE = Path(__file__).parents[1] / "CONTRIBUTING.md"
USERS, ITEMS, DIM = 6, 30, 8


def example(defines: str) -> types.ModuleType:
    """Run the one Python block of the guide that defines a class of this name, as a module."""
    blocks = re.findall(r"^```python\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    (block,) = [block for block in blocks if f"\nclass {defines}" in block]
    module = types.ModuleType(f"contributing_{defines.lower()}")
    sys.modules[module.__name__] = module  # dataclasses look their module up
    exec(compile(block, f"{GUIDE.name}: {defines}", "exec"), module.__dict__)
    return module


@pytest.fixture(autouse=True)
def forget_examples() -> Iterator[None]:
    yield
    for name in [name for name in sys.modules if name.startswith("contributing_")]:
        del sys.modules[name]


def context() -> Context:
    generator = torch.Generator().manual_seed(0)
    liked = torch.rand(USERS, ITEMS, generator=generator) < 0.5
    user, item = liked.nonzero(as_tuple=True)
    known = KnownPositives.from_pairs(user, item, num_users=USERS, num_items=ITEMS)
    table = torch.randn(ITEMS, DIM, generator=generator, requires_grad=True)
    query = torch.randn(USERS, DIM, generator=generator)[user]
    return Context(user, item, Encoded(query, lookup=lambda ids: table[ids], table=lambda: table), known, generator)


def test_every_python_block_is_tested_here() -> None:
    classes = re.findall(r"^class (\w+)", GUIDE.read_text(), re.MULTILINE)
    assert GUIDE.read_text().count("```python") == len(classes)
    assert set(classes) == {"Easiest", "GMF", "TransitionTimes"}


def test_the_sampler_keeps_the_lowest_score_of_a_pool_of_unknown_items() -> None:
    rows, pools = context(), []
    drawn = example("Easiest").Easiest().sample(rows, observe=pools.append)
    (pool,) = pools
    assert isinstance(pool, Pool)
    assert not rows.known.contains(rows.user[:, None], drawn.item).any()
    torch.testing.assert_close(rows.encoded.score(drawn.embedding), pool.score.min(1, keepdim=True).values)
    assert drawn.embedding.requires_grad


def test_watching_the_sampler_changes_nothing() -> None:
    sampler = example("Easiest").Easiest()
    alone, watched = context(), context()
    first, second = sampler.sample(alone), sampler.sample(watched, observe=lambda event: None)
    assert torch.equal(first.item, second.item)
    assert torch.equal(first.embedding, second.embedding)
    assert torch.equal(alone.generator.get_state(), watched.generator.get_state())


def test_the_backbone_scores_alike_by_lookup_and_by_table() -> None:
    torch.manual_seed(0)
    backbone = example("GMF").GMF(USERS, ITEMS, DIM)
    torch.nn.init.normal_(backbone.importance)
    batch = Batch(torch.tensor([0, 3]), torch.tensor([4, 29]))
    encoded = backbone(batch)
    every = torch.arange(ITEMS).expand(2, ITEMS)
    torch.testing.assert_close(encoded.score(encoded.lookup(every)), encoded.score_all())
    penalty = backbone.l2(batch, torch.tensor([[1], [-1]]))
    used = [backbone.user.weight[[0, 3]], backbone.item.weight[[4, 29]], backbone.item.weight[[1]]]
    torch.testing.assert_close(penalty, sum(x.square().sum() for x in used) / 4)


def test_both_examples_learn_together() -> None:
    parts = split(World(seed=1).interactions)
    train = parts.train
    rows = make_rows(train.user, train.item, train.timestamp, None)
    known = KnownPositives.from_pairs(rows.user, rows.item, num_users=train.num_users, num_items=train.num_items)
    torch.manual_seed(0)
    backbone = example("GMF").GMF(train.num_users, train.num_items, 16)

    def validate(trained: torch.nn.Module) -> dict[str, float]:
        """Share of held-out pairs that score above the user's own average."""
        held = parts.validation
        batch = Batch(torch.as_tensor(held.user), torch.as_tensor(held.item))
        scores = trained(batch).score_all()
        return {"above": float((scores.gather(1, batch.positive[:, None])[:, 0] > scores.mean(1)).float().mean())}

    plan = TrainingPlan(epochs=3, batch_size=256, learning_rate=1e-2, metric="above")
    reports = list(fit(backbone, example("Easiest").Easiest(), BPR(), rows, known, validate=validate, plan=plan))
    assert reports[-1].losses["loss"] < reports[0].losses["loss"]
    assert max(report.metrics["above"] for report in reports) > 0.7


def test_the_display_counts_draws_tells_and_saves_the_same_bytes_twice(tmp_path: Path) -> None:
    arrays = {"alpha_bar": np.linspace(1, 0.01, 6), "transition_timestep": np.array([1, 3, 3, 5])}
    trace = Trace(dict.fromkeys(REQUIRED_META, "example"), arrays)
    display = example("TransitionTimes").TransitionTimes.from_trace(trace)
    assert display.plot() is display
    assert [bar.get_height() for bar in display.bars_] == display.frame()["pairs"].tolist() == [0, 1, 0, 2, 0, 1]
    assert display.describe() == "4 pairs by their transition timestep: half have turned negative by t = 3."
    first = [path.read_bytes() for path in display.save(tmp_path / "first")]
    again = example("TransitionTimes").TransitionTimes.from_trace(trace)
    assert first == [path.read_bytes() for path in again.save(tmp_path / "again")]
