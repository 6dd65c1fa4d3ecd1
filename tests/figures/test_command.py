"""The command draws what was asked for, and keeps other data, seeds and styles apart from the project's figures."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from adar_viz.figures import LOCK, Figure, FigureError
from adar_viz.figures.drawing import read_lock
from adar_viz.trace import Trace, TraceError
from tests.figures.conftest import MANIFEST, Command


def test_only_draws_one_and_says_what_it_wrote(
    home: Path, from_trace: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert from_trace(home, "--only", "schedule") == 0
    written = {Path(line).name for line in capsys.readouterr().out.split()}
    assert written == {"schedule.pdf", "schedule.svg", "schedule.png", "schedule.csv"}
    assert written == {p.name for p in (home / "out").iterdir()} - {LOCK}


def test_an_unknown_id_lists_the_valid_ones(home: Path, from_trace: Command) -> None:
    with pytest.raises(FigureError, match="no figure is called scedule; the manifest has schedule, one_pair"):
        from_trace(home, "--only", "scedule")


def test_traces_are_found_beside_the_manifest_and_one_value_is_changed_for_one_drawing(
    home: Path, command: Command, law_trace: Trace, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(home, "--only", "one_pair", "--set", "pair=5") == 0
    folder = home / "pair-5"
    assert {Path(line).parent for line in capsys.readouterr().out.split()} == {folder}
    table = pd.read_csv(folder / "one_pair.csv")
    assert table["mean"][0] == pytest.approx(law_trace["pair_score"][5], rel=1e-5)
    assert command(home, "--only", "one_pair", "--set", "pair=5", "--check") == 0


def test_of_a_whole_manifest_those_figures_are_changed_that_can_be(
    home: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(home, "--set", "pair=5") == 0
    captured = capsys.readouterr()
    assert {Path(line).stem for line in captured.out.split()} == {"one_pair"}
    assert captured.err == "left out, since they do not have pair: schedule\n"


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("pear=5", "'one_pair': cannot set pear; what can be set is traces, size, moments, pair"),
        ("pair=two", r"'one_pair': pair must be int \| None; got 'two'"),
        ("pair", "--set must be NAME=VALUE; got 'pair'"),
    ],
)
def test_a_wrong_setting_says_what_was_expected_and_draws_nothing(
    home: Path, command: Command, setting: str, message: str
) -> None:
    before = set(home.iterdir())
    with pytest.raises(FigureError, match=message):
        command(home, "--only", "one_pair", "--set", setting)
    assert set(home.iterdir()) == before


def test_another_seed_is_another_run(home: Path, command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def train(data: str, seed: int, negatives: str) -> Path:
        asked.append((data, seed, negatives))
        return home / "trace.npz"

    monkeypatch.setattr("adar_viz.commands.figures._demo_trace", train)
    assert command(home, "--only", "schedule", "--set", "seed=3", "--set", 'negatives=["uniform"]') == 0
    assert asked == [("synthetic", 3, "uniform")]
    assert (home / "seed-3-negatives-uniform" / "schedule.pdf").exists()


@pytest.mark.slow
def test_styles_and_footers_are_drawn_apart(home: Path, command: Command) -> None:
    for words in ((), ("--style", "poster"), ("--footer",)):
        assert command(home, "--only", "one_pair", *words) == 0
    assert {path.name for path in home.iterdir() if path.is_dir()} == {"poster", "footer"}
    plain, poster, footer = ((home / name / "one_pair.svg").read_text() for name in (".", "poster", "footer"))
    assert len({plain, poster, footer}) == 3
    assert len(footer) > len(plain), "letters are drawn as paths"


def test_a_trace_of_one_s_own_must_not_overwrite_the_project_s_figures(home: Path, command: Command) -> None:
    with pytest.raises(FigureError, match="--trace must come with --out"):
        command(home, "--trace", "x.npz")


def test_list_prints_ids_with_captions(home: Path, command: Command, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(home, "--list") == 0
    assert capsys.readouterr().out == "schedule: The schedule.\none_pair: One pair.\n"


COMPARING = """
[[figure]]
id = "both"
display = "two_runs"
traces = ["trace.npz", "trace.npz"]
caption = "Two runs."
alt = "Curves."

[[figure]]
id = "compared"
display = "forest_plot"
table = "table.csv"
caption = "Arms."
alt = "Lines."
"""


MAPPED = """
[[figure]]
id = "mapped"
display = "item_map"
traces = ["trace.npz"]
caption = "A map."
alt = "Dots."
"""


@pytest.mark.slow
def test_a_figure_that_the_trace_cannot_feed_is_left_out_and_the_others_are_recorded(
    home: Path, from_trace: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    Trace.load(home / "trace.npz").without("item_map").save(home / "trace.npz")
    (home / "manifest.toml").write_text(MAPPED + MANIFEST)
    assert from_trace(home) == 0
    said = capsys.readouterr().err
    assert said.startswith("left out, since trace of run 'law' lacks ")
    assert said.endswith("makes them: mapped\n")
    assert {*read_lock(home / "out")} == {"schedule", "one_pair"}
    assert from_trace(home, "--check") == 0
    assert capsys.readouterr().out == "2 of 2 figures match their data\n"
    with pytest.raises(TraceError, match="lacks"):
        from_trace(home, "--only", "mapped")


def test_a_trace_that_feeds_no_figure_or_cannot_be_read_is_an_error_and_makes_nothing(
    home: Path, from_trace: Command
) -> None:
    Trace(Trace.load(home / "trace.npz").meta, {}).save(home / "trace.npz")
    with pytest.raises(FigureError, match="--trace must feed at least one figure; got none out of 2"):
        from_trace(home)
    (home / "trace.npz").write_text("no trace")
    with pytest.raises(TraceError, match=r"trace.npz is not a trace"):
        from_trace(home)
    assert not (home / "out").exists()


def test_what_a_figure_is_drawn_from_is_said_once(home: Path, from_trace: Command) -> None:
    for name, value in {"data": "a", "seed": "3", "negatives": '["dns"]', "traces": '["a.npz"]'}.items():
        with pytest.raises(FigureError, match=f"--set {name} says what a figure is drawn from, and so does --trace"):
            from_trace(home, "--set", f"{name}={value}")


@pytest.mark.slow
def test_of_a_whole_manifest_those_figures_are_drawn_that_take_as_many_traces(
    home: Path, from_trace: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    with (home / "manifest.toml").open("a") as manifest:
        manifest.write(COMPARING)
    assert from_trace(home) == 0
    captured = capsys.readouterr()
    assert {Path(line).stem for line in captured.out.split()} == {"schedule", "one_pair"}
    assert captured.err == "left out, since they are not drawn from as many traces: both, compared\n"


@pytest.mark.parametrize(("figure", "takes"), [("both", "2 traces"), ("compared", "a table")])
def test_a_figure_that_is_asked_for_has_to_take_as_many_traces(
    home: Path, from_trace: Command, figure: str, takes: str
) -> None:
    with (home / "manifest.toml").open("a") as manifest:
        manifest.write(COMPARING)
    with pytest.raises(FigureError, match=f"figure '{figure}': it is drawn from {takes}; got --trace 1 times"):
        from_trace(home, "--only", figure)
    assert not (home / "out").exists()


NAMED = """
[[figure]]
id = "named"
display = "two_runs"
traces = ["first.npz", "second.npz"]
caption = "The first run is better."
alt = "The first curve lies higher."
options = { names = ["ADAR", "its control"] }
"""


@pytest.fixture
def runs(home: Path) -> Path:
    """A folder with a figure of two named runs, and the traces of four samplers."""
    (home / "manifest.toml").write_text(NAMED)
    trace = Trace.load(home / "trace.npz")
    for name, sampler in {"first": "adar", "second": "uniform", "third": "mixgcf", "fourth": "dns"}.items():
        Trace({**trace.meta, "negatives": sampler}, trace.arrays).save(home / f"{name}.npz")
    return home


def told(folder: Path) -> str:
    return str(read_lock(folder)["named"]["alt"])


def of(home: Path, *names: str) -> list[str]:
    """Words that draw the figure from these traces."""
    traces = [word for name in names for word in ("--trace", str(home / f"{name}.npz"))]
    return ["--only", "named", "--out", str(home / "out"), *traces]


def test_traces_of_other_runs_have_names_of_their_own_and_no_findings_of_the_manifest_s(
    runs: Path, command: Command
) -> None:
    assert command(runs, *of(runs, "third", "fourth")) == 0
    assert told(runs / "out").startswith("dns minus mixgcf where they differ")
    assert command(runs, *of(runs, "third", "fourth"), "--check") == 0
    assert command(runs, "--only", "named", "--set", 'traces=["third.npz", "fourth.npz"]') == 0
    assert told(runs / "traces-third.npz-fourth.npz") == told(runs / "out")


def test_the_manifest_s_own_traces_and_names_that_are_set_are_kept(runs: Path, command: Command) -> None:
    assert command(runs, *of(runs, "first", "second")) == 0
    assert told(runs / "out").startswith("The first curve lies higher. its control minus ADAR")
    assert command(runs, *of(runs, "third", "fourth"), "--set", 'names=["harder", "easier"]') == 0
    assert told(runs / "out").startswith("easier minus harder")


def test_a_trace_that_is_given_twice_is_numbered(runs: Path, command: Command) -> None:
    assert command(runs, *of(runs, "third", "third")) == 0
    assert "mixgcf #1" in told(runs / "out")
    assert "mixgcf #2" in told(runs / "out")


def test_another_seed_or_sampler_is_not_told_by_the_manifest_s_alt_text() -> None:
    figure = Figure("f", "walk", "c", "a", data="synthetic", seed=0)
    for setting in ({"seed": 1}, {"data": "toy"}, {"negatives": ["dns"]}):
        assert figure.changed(setting).alt == ""
    for setting in ({"seed": 0}, {"negatives": ["adar"]}, {"stops": 8}):
        assert figure.changed(setting).alt == "a"
