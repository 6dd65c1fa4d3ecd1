"""The manifest of anchors: what it may say, and that the committed one can be run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from adar_viz.experiment import TABLES, prepare
from adar_viz.specs import take_apart
from adar_viz.verification import Anchor, AnchorError, read_anchors

MANIFEST = Path(__file__).parents[2] / "verification" / "anchors.toml"
COMMITTED = read_anchors(MANIFEST)
ENTRY = """
[[anchor]]
id = "one"
what = "A test"
source = "Here"
tolerance = 0.05
minutes = 1
run = {}
published.best = { "recall@20" = 0.2 }
"""
RUN = {"dim": 8, "negatives": "uniform", "learning_rate": 0.01, "epochs": 4, "patience": "none"}


def anchor(**changes: Any) -> Anchor:
    told = {"id": "one", "what": "a test", "source": "here", "published": {"best": {"recall@20": 0.2}}}
    return Anchor(**{**told, "tolerance": 0.05, "minutes": 0.1, "run": RUN, **changes})


def test_options_go_to_the_experiment_and_to_its_plan() -> None:
    experiment = anchor().experiment
    assert (experiment.dim, experiment.negatives) == (8, "uniform")
    assert (experiment.plan.epochs, experiment.plan.patience) == (4, None)
    assert (
        anchor().command == "adar-viz run --dim 8 --negatives uniform --learning-rate 0.01 --epochs 4 --patience none"
    )


def test_the_recipe_changes_with_what_decides_the_number_alone() -> None:
    assert anchor().recipe == anchor(notes="other words", published={"best": {"ndcg@10": 0.1}}).recipe
    assert anchor().recipe != anchor(run={**RUN, "seed": 1}).recipe
    assert anchor().recipe != anchor(count=("train",)).recipe


def test_every_seed_is_a_training_of_its_own() -> None:
    three = anchor(run={**RUN, "seed": 4}, seeds=3).trainings
    assert [one.id for one in three] == ["one", "one-seed5", "one-seed6"]
    assert [one.experiment.plan.seed for one in three] == [4, 5, 6]
    assert len({one.recipe for one in three}) == 3
    assert three[0].recipe == anchor(run={**RUN, "seed": 4}).recipe  # more seeds leave the first one as it was


@pytest.mark.parametrize(
    ("tolerance", "ours", "agree"), [(0.05, 0.209, True), (0.05, 0.211, False), (0, 0.20004, True), (0, 0.2001, False)]
)
def test_numbers_agree_within_the_tolerance_or_to_four_decimals(tolerance: float, ours: float, agree: bool) -> None:
    assert anchor(tolerance=tolerance).agrees(0.2, ours) == agree


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"run": {"depth": 3}}, "anchor 'one': .*depth"),
        ({"run": {"epochs": 0}}, "anchor 'one': epochs must be a whole number of at least 1; got 0"),
        ({"run": {"negatives": "unifrom"}}, "anchor 'one': negatives must be one of .*; got 'unifrom'"),
        ({"published": {"best": {"auc": 0.2}}}, "anchor 'one': metric must be one of .*; got 'auc'"),
        ({"seeds": 0}, "seeds must be at least 1, and 1 for a count; got 0"),
        ({"seeds": 2, "count": ("train",)}, "seeds must be at least 1, and 1 for a count; got 2"),
        ({"published": {"50": {"recall@20": 0.2}}}, "readings at an epoch need split = 'as-published'; got"),
        ({"published": {"end": {"recall@20": 0.2}}}, "a reading is 'best' or a number of epochs; got"),
    ],
)
def test_an_impossible_anchor_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(AnchorError, match=message):
        anchor(**changes)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[anchor]]\nid = 'a'\n", "anchor 'a' must have id, minutes, published, run, source, tolerance, what"),
        ("anchor = 3", r"anchor must be a list of tables, \[\[anchor\]\]; got 3"),
        ("[[anchors]]\nid = 'a'\n", "may have anchor at its top; got anchors"),
        ("[[anchor]", "must be a readable TOML file"),
    ],
)
def test_a_manifest_that_says_too_little_is_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "anchors.toml").write_text(text)
    with pytest.raises(AnchorError, match=message):
        read_anchors(tmp_path / "anchors.toml")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("tolerance = 0.05", 'tolerance = "a"', "anchor 'one': tolerance must be a number of at least 0; got 'a'"),
        ("minutes = 1", "minutes = -1", "anchor 'one': minutes must be a number of at least 0; got -1"),
        ('what = "A test"', "what = 3", "anchor 'one': what must be text; got 3"),
        ("run = {}", "run = 3", "anchor 'one': run must be a table; got 3"),
        ("run = {}", 'run = {}\nseeds = "a"', "anchor 'one': seeds must be a whole number of at least 1; got 'a'"),
        ("run = {}", "run = {}\ncount = 3", "anchor 'one': count must be a list of train, validation, test; got 3"),
        ("run = {}", 'run = {}\ncount = ["all"]', r"count must be a list of train, validation, test; got \['all'\]"),
        ('{ "recall@20" = 0.2 }', "3", "published must be a table of readings, each a table of metrics and numbers"),
        ("0.2", '"high"', "published must be a table of readings, each a table of metrics and numbers"),
    ],
)
def test_a_value_of_another_kind_is_refused(tmp_path: Path, old: str, new: str, message: str) -> None:
    assert old in ENTRY
    (tmp_path / "anchors.toml").write_text(ENTRY.replace(old, new))
    with pytest.raises(AnchorError, match=message):
        read_anchors(tmp_path / "anchors.toml")


def test_an_id_stands_once(tmp_path: Path) -> None:
    entry = MANIFEST.read_text().split("[[anchor]]")[1]
    (tmp_path / "anchors.toml").write_text(f"[[anchor]]{entry}[[anchor]]{entry}")
    with pytest.raises(AnchorError, match="ids must be unique; repeated: poprec-beauty"):
        read_anchors(tmp_path / "anchors.toml")


@pytest.mark.parametrize("entry", COMMITTED, ids=lambda entry: entry.id)
def test_a_committed_anchor_names_parts_that_there_are(entry: Anchor) -> None:
    for kind in ("backbone", "negatives", "loss"):
        assert take_apart(getattr(entry.experiment, kind))[0] in TABLES[kind]
    assert all(0 < value < 1 for metrics in entry.published.values() for value in metrics.values())
    plan = entry.experiment.plan
    assert all(int(reading) % plan.validate_every == 0 for reading in entry.published if reading != "best")


@pytest.mark.slow
@pytest.mark.skipif("ADAR_VIZ_DATA" not in os.environ, reason="needs real data: set ADAR_VIZ_DATA")
@pytest.mark.parametrize("entry", COMMITTED, ids=lambda entry: entry.id)
def test_a_committed_anchor_can_be_prepared(entry: Anchor) -> None:
    parts = prepare(entry.experiment)
    assert parts.split.selects_on_test == entry.selects_on_test
