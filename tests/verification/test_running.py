"""Running an anchor: the numbers of the run by hand, kept, and gone on with where it was cut off."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from adar_viz.datasets import load, split
from adar_viz.evaluation import by_popularity, evaluate
from adar_viz.experiment import run
from adar_viz.training import EpochReport
from adar_viz.verification import Found, running, verify
from tests.verification.test_anchors import RUN, anchor

ASKED = {"best": {"recall@20": 0.2, "ndcg@10": 0.1, "false negatives": 0.3}}


@pytest.mark.slow
def test_it_finds_what_the_run_by_hand_finds(tmp_path: Path) -> None:
    one = anchor(published=ASKED)
    found = verify(one, tmp_path / "out", progress=False)
    by_hand = run(one.experiment, tmp_path / "by_hand", progress=False, num_pairs=5)
    assert by_hand.false_negatives is not None
    assert found.metrics["best"] == pytest.approx(
        {
            "recall@20": by_hand.test["recall@20"],
            "ndcg@10": by_hand.test["ndcg@10"],
            "false negatives": by_hand.false_negatives["rate"],
        },
        abs=1e-6,
    )
    assert (found.epochs, found.best_epoch, found.finished) == (4, by_hand.best_epoch, True)


def test_popularity_is_counted_in_the_parts_that_are_named(tmp_path: Path) -> None:
    parts = split(load("synthetic"))
    leaky = anchor(count=("train", "validation", "test"))
    found = {one.count: verify(one, tmp_path, progress=False) for one in (leaky, anchor(count=("train",)))}
    counts = sum(getattr(parts, part).popularity() for part in leaky.count)
    expected = evaluate(by_popularity(counts), parts, "test").metrics["recall@20"]
    assert found[leaky.count].metrics == {"best": {"recall@20": pytest.approx(expected, abs=1e-6)}}
    assert found[leaky.count].metrics["best"]["recall@20"] > found[("train",)].metrics["best"]["recall@20"]


def test_a_run_that_was_cut_off_ends_with_the_same_numbers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one = anchor(published=ASKED)
    whole = verify(one, tmp_path / "whole", progress=False)
    monkeypatch.setattr(running, "_found", cut_off_after(3))
    with pytest.raises(KeyboardInterrupt):
        verify(one, tmp_path / "cut", progress=False)
    monkeypatch.undo()
    partial = running.read_found(one, tmp_path / "cut")
    assert partial is not None
    assert (partial.epochs, partial.finished, partial.metrics) == (2, False, {})
    again = verify(one, tmp_path / "cut", progress=False)
    assert (again.metrics, again.epochs, again.best_epoch) == (whole.metrics, whole.epochs, whole.best_epoch)
    assert verify(one, tmp_path / "cut", progress=False) == again  # finished: only read


def cut_off_after(epochs: int) -> Callable[..., Found]:
    """Stand for the power going off when this epoch's numbers are written."""
    original = running._found

    def gather(one: running.Anchor, reports: list[EpochReport], best: dict[str, float] | None = None) -> Found:
        if len(reports) == epochs:
            raise KeyboardInterrupt
        return original(one, reports, best)

    return gather


def test_other_settings_have_a_folder_of_their_own(tmp_path: Path) -> None:
    one, other = anchor(count=("train",)), anchor(count=("train",), run={**RUN, "seed": 1})
    for each in (one, other):
        verify(each, tmp_path, progress=False)
    assert len(list(tmp_path.glob("one-*/found.json"))) == 2
