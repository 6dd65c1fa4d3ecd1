"""The examples of CONTRIBUTING.md do what the guide asks of a sampler, a backbone and a display."""

from __future__ import annotations

import inspect
import re
import sys
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from traitlets import TraitError

from adar_viz.batches import PairRows, make_rows
from adar_viz.core import Batch, Context, Encoded
from adar_viz.datasets import World, split
from adar_viz.events import Pool
from adar_viz.known import KnownPositives
from adar_viz.losses import BPR
from adar_viz.negatives import ADAR, Uniform
from adar_viz.trace import REQUIRED_META, Trace
from adar_viz.training import TrainingPlan, fit
from adar_viz.widgets import view
from tests.backbones.test_known_answers import checkerboard
from tests.contract import cases
from tests.contract import test_backbones as backbone_contract
from tests.contract import test_samplers as sampler_contract

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


def promises(contract: types.ModuleType, given: set[str]) -> list[Any]:
    """Every test of a contract that asks for nothing but what is given."""
    tests = {name: test for name, test in vars(contract).items() if name.startswith("test_")}
    asked = {name: set(inspect.signature(test).parameters) for name, test in tests.items()}
    return [pytest.param(tests[name], id=name.removeprefix("test_")) for name in tests if asked[name] <= given]


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
    assert classes == ["Easiest", "GMF", "TwoTables", "Adapter", "TransitionTimes", "TransitionCounter"]
    assert GUIDE.read_text().count("```python") == len(classes) - 1  # the adapter stands beside its model


def test_the_sampler_keeps_the_lowest_score_of_a_pool_of_unknown_items() -> None:
    rows, pools = context(), []
    drawn = example("Easiest").Easiest().sample(rows, observe=pools.append)
    (pool,) = pools
    assert isinstance(pool, Pool)
    assert not rows.known.contains(rows.user[:, None], drawn.item).any()
    torch.testing.assert_close(rows.encoded.score(drawn.embedding), pool.score.min(1, keepdim=True).values)
    assert drawn.embedding.requires_grad


@pytest.mark.parametrize("promise", promises(sampler_contract, {"make"}))
def test_the_sampler_keeps_every_promise_of_the_contract(promise: Callable[..., None]) -> None:
    promise(make=example("Easiest").Easiest)


@pytest.mark.parametrize("promise", promises(backbone_contract, {"make", "backbone", "rows", "encoded"}))
def test_the_backbone_keeps_every_promise_of_the_contract(promise: Callable[..., None]) -> None:
    gmf = example("GMF").GMF

    def make() -> Any:
        return gmf(cases.USERS, cases.ITEMS, cases.DIM, generator=cases.seeded(0))

    backbone, rows = make(), cases.batch()
    given = {"make": make, "backbone": backbone, "rows": rows, "encoded": backbone(rows)}
    promise(**{name: given[name] for name in inspect.signature(promise).parameters})


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


def adapted(num_users: int, num_items: int) -> Any:
    """A model that does not come from this package, joined as the guide says."""
    guide = example("Adapter")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return guide.Adapter(guide.TwoTables(num_users, num_items, DIM))


@pytest.mark.parametrize("promise", promises(backbone_contract, {"backbone", "rows", "encoded"}))
def test_an_adapted_model_keeps_every_promise_of_the_contract(promise: Callable[..., None]) -> None:
    backbone, rows = adapted(cases.USERS, cases.ITEMS), cases.batch()
    given = {"backbone": backbone, "rows": rows, "encoded": backbone(rows)}
    promise(**{name: given[name] for name in inspect.signature(promise).parameters})


@pytest.mark.parametrize("make", [Uniform, lambda: ADAR(DIM, warmup=2)])
def test_an_adapted_model_completes_the_checkerboard(make: Callable[[], Any]) -> None:
    user, item, held = checkerboard()
    num_users, num_items = held.shape
    rows = PairRows(user, item)
    known = KnownPositives.from_pairs(user, item, num_users=num_users, num_items=num_items)

    def validate(trained: torch.nn.Module) -> dict[str, float]:
        """Share of the held-out items among as many best ones, apart from what is known."""
        everyone = torch.arange(num_users)
        score = trained(Batch(everyone, torch.zeros_like(everyone))).score_all()
        score[user, item] = -torch.inf
        return {"found": float(held.gather(1, score.topk(int(held[0].sum())).indices).float().mean())}

    plan = TrainingPlan(epochs=24, batch_size=128, learning_rate=0.02, l2=0.05, patience=None, metric="found")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        sampler = make()
    reports = list(fit(adapted(num_users, num_items), sampler, BPR(), rows, known, validate=validate, plan=plan))
    assert reports[0].metrics["found"] < 0.3
    assert max(report.metrics["found"] for report in reports) == 1.0
    if isinstance(sampler, ADAR):  # its timesteps were found by bisection, most of them inside the limits
        assert reports[-1].sampler["clamped"] < 0.5


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


@pytest.fixture
def counter(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The guide's widget, with its display where the guide puts it and its script as if it stood in ``js/``."""
    (script,) = re.findall(r"^```js\n(.*?)^```$", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    monkeypatch.setitem(sys.modules, "adar_viz.displays.transition_times", example("TransitionTimes"))
    monkeypatch.setattr(view, "own_script", {"transition_counter.js": script}.__getitem__)
    arrays = {"alpha_bar": np.linspace(1, 0.01, 6), "transition_timestep": np.array([1, 3, 3, 5])}
    trace = Trace(dict.fromkeys(REQUIRED_META, "example"), arrays)
    widget = example("TransitionCounter").TransitionCounter.from_trace(trace)
    yield widget
    widget.close()


def test_the_widget_is_checked_told_and_exported(counter: Any, tmp_path: Path) -> None:
    assert counter.drive(t=3).scene["turned"][3] == 3
    with pytest.raises(TraitError, match=r"t must lie in \[0, 5\]; got 6"):
        counter.drive(t=6)
    assert counter.as_code() == "TransitionCounter.from_trace(trace).drive(t=3)"
    assert counter.describe().startswith("4 pairs")
    assert "fillRect(0, 20" in counter.export_html(tmp_path / "counter.html").read_text()
    assert "fillRect(0, 20" in counter._esm
