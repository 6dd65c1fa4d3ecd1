"""The manifest is checked when it is read: every mistake is found before anything is drawn."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from adar_viz.displays import TimestepHardness
from adar_viz.figures import DISPLAYS, Figure, FigureError, choose, read_manifest
from adar_viz.trace import Trace
from tests.figures.conftest import MANIFEST

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('display = "noise_schedule"', 'display = "pie"', "display must be one of .*noise_schedule"),
        ('caption = "The schedule."', "", "missing: .*caption"),
        ('caption = "The schedule."', 'caption = "a"\ncolour = "red"', "unknown: .*colour"),
        ('id = "one_pair"', 'id = "schedule"', "repeated: .*schedule"),
        ("seed = 0", "seed = ", "readable TOML"),
        ("seed = 0", 'seed = "0"', "'schedule': seed must be a whole number; got '0'"),
        ("seed = 0", "", "it must have data and seed, or traces, or a table"),
        (
            "seed = 0",
            'seed = 0\ntraces = ["trace.npz"]',
            "it must have data and seed, or traces, or a table",
        ),
        (
            'data = "synthetic"\nseed = 0',
            'table = "a.csv"',
            "noise_schedule is drawn from trace; got 'a.csv'",
        ),
        ("seed = 0", 'seed = 0\nnegatives = ["adar", "dns"]', "'schedule': noise_schedule shows one run; got 2"),
        ("size = [5.0, 4.0]", 'size = ["a", 4]', "'one_pair': size must be two numbers above 0, in inches; got"),
        ("size = [5.0, 4.0]", "size = [5.0]", "'one_pair': size must be two numbers above 0, in inches; got"),
        ("size = [5.0, 4.0]", "size = [0, 4.0]", "'one_pair': size must be two numbers above 0, in inches; got"),
        ('traces = ["trace.npz"]', "traces = [3]", r"'one_pair': traces must be a list of texts; got \[3\]"),
        ("[[figure]]", "[[figures]]", "manifest.toml may have figure at its top; got figures"),
        (MANIFEST, "figure = 3", r"manifest.toml: figure must be a list of tables, \[\[figure\]\]; got 3"),
        (MANIFEST, '[figure]\nid = "a"', r"figure must be a list of tables, \[\[figure\]\]; got {'id': 'a'}"),
        ("seed = 0", "seed = true", "'schedule': seed must be a whole number; got True"),
        ("size = [5.0, 4.0]", "size = [nan, 4.0]", "'one_pair': size must be two numbers above 0, in inches; got"),
        ("size = [5.0, 4.0]", "moments = [0.5]", "'one_pair': moments must be a list of whole numbers; got"),
        ("pair = 0", "pair = true", r"'one_pair': pair must be int \| None; got True"),
        ("pair = 0", "pear = 0", "'one_pair': timestep_hardness has no option pear; it has pair"),
        ("pair = 0", 'pair = "first"', r"'one_pair': pair must be int \| None; got 'first'"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_reason(tmp_path: Path, old: str, new: str, message: str) -> None:
    path = tmp_path / "manifest.toml"
    assert old in MANIFEST
    path.write_text(MANIFEST.replace(old, new))
    with pytest.raises(FigureError, match=message):
        read_manifest(path)


def test_displays_are_named_like_their_classes() -> None:
    assert DISPLAYS["timestep_hardness"] is TimestepHardness
    assert "display" not in DISPLAYS


def test_a_display_of_several_runs_gets_them_in_the_order_of_the_manifest(
    law_trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Compared(TimestepHardness):
        @classmethod
        def from_traces(cls, traces: list[Trace], pair: int = 3) -> Any:
            shown = cls.from_trace(traces[0], pair=pair)
            shown.runs = [str(trace.meta["run"]) for trace in traces]
            return shown

    monkeypatch.setitem(DISPLAYS, "compared", Compared)
    other = Trace({**law_trace.meta, "run": "other"}, law_trace.arrays)
    figure = Figure("f", "compared", "c", "a", traces=("a.npz", "b.npz"), options={"pair": 1})
    assert figure.parameters == {"pair": int}
    assert figure.make([other, law_trace]).runs == ["other", "law"]


def test_a_change_for_one_drawing_leaves_the_entry_as_it_was() -> None:
    schedule, pair = read_manifest(ROOT / "figures" / "manifest.toml")[:2]
    other = schedule.changed({"seed": 3, "stops": 8})
    assert (other.seed, other.options) == (3, {**schedule.options, "stops": 8})
    assert schedule.seed == 0
    assert other.recipe() != schedule.recipe() == schedule.changed({}).recipe()
    assert pair.changed({"size": [4, 3]}).size == (4, 3)


def test_moments_are_drawn_as_small_multiples(law_trace: Trace) -> None:
    figure = Figure("f", "walk", "c", "a", traces=("a.npz",), moments=(0, 20, 50), options={"stops": 6})
    assert len(figure.draw([law_trace]).axes_) == 3
    assert len(figure.changed({"moments": [0, 50]}).draw([law_trace]).axes_) == 2


def test_an_unknown_setting_lists_the_valid_ones() -> None:
    stored = Figure("f", "timestep_hardness", "c", "a", traces=("a.npz",))
    with pytest.raises(FigureError, match="cannot set seed; what can be set is traces, size, moments, pair"):
        stored.changed({"seed": 3})
    with pytest.raises(FigureError, match="z must be a finite number; got 'high'"):
        Figure("f", "item_map", "c", "a", traces=("a.npz",)).changed({"z": "high"})


@pytest.mark.parametrize("z", [float("nan"), float("inf"), True])
def test_an_option_that_is_no_number_is_found_before_anything_is_trained(z: Any) -> None:
    with pytest.raises(FigureError, match=f"'f': z must be a finite number; got {z}"):
        Figure("f", "item_map", "c", "a", data="synthetic", seed=0, options={"z": z})
    assert Figure("f", "item_map", "c", "a", traces=("a.npz",), options={"z": -1}).options == {"z": -1}


def test_the_project_s_manifest_is_sound_and_uses_every_display() -> None:
    figures = read_manifest(ROOT / "figures" / "manifest.toml")
    assert {f.display for f in figures} == set(DISPLAYS)
    assert all(len(f.caption) > 40 and len(f.alt) > 20 for f in figures)
    assert choose(figures, None) == figures
