"""Results: run once, kept as small tables, and a page that anyone can write again from them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from PIL import Image

from adar_viz.cli import main
from adar_viz.commands.results import MANIFEST as PROJECTS
from adar_viz.comparison import cells
from adar_viz.experiment import parts as parts_of
from adar_viz.results.kept import GRID, TOGETHER, load
from adar_viz.results.manifest import ResultsError, read_manifest
from adar_viz.results.page import page, pictures, side_by_side
from adar_viz.results.trainings import collect, lay_out

pytestmark = pytest.mark.slow  # nearly all of them need the comparison that `made` trains

ROOT = Path(__file__).parents[2]
MANIFEST = """
arms = ["uniform", "adar(warmup=0)"]
[[entry]]
id = "small"
data = "synthetic"
controls = false
trials = 1
seeds = 2
plan = { epochs = 2 }
[[entry]]
id = "never"
data = "synthetic"
backbone = "lightgcn"
trials = 1
seeds = 1
[grid]
variants = { "reference" = "uniform", "default" = "adar(warmup=0)" }
[[grid.setting]]
id = "world"
data = "synthetic"
l2 = [0.001, 0.1]
plan = { epochs = 2 }
"""
FIGURES = """
[[figure]]
id = "compared"
display = "forest_plot"
table = "../results/small.csv"
caption = "Two arms after two epochs each."
alt = "Two lines."
"""


def ask(root: Path, *options: str) -> int:
    manifest, out = str(root / "results" / "manifest.toml"), str(root / "runs")
    return main(["results", "--manifest", manifest, "--out", out, "--quiet", *options])


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("project")
    (root / "results").mkdir()
    (root / "results" / "manifest.toml").write_text(MANIFEST)
    (root / "figures").mkdir()
    (root / "figures" / "manifest.toml").write_text(FIGURES)
    (root / "results" / "reading.md").write_text("Little can be said of two epochs.\n")
    with pytest.MonkeyPatch.context() as patch:
        looked_at: list[str] = []
        real = cells.evaluate
        for module in (parts_of, cells):  # where validation is ranked, and the test
            patch.setattr(module, "evaluate", lambda b, s, part: (looked_at.append(part), real(b, s, part))[1])
        assert ask(root, "--only", GRID) == 0
        assert set(looked_at) == {"validation"}  # the grid never looks at a test part
        assert ask(root, "--only", "small") == 0
        assert looked_at.count("test") == 4
    return root


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Path:
    shutil.copytree(made, tmp_path / "project")
    return tmp_path / "project"


@pytest.fixture
def trained(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    log: list[Any] = []
    real = parts_of.fit
    monkeypatch.setattr(parts_of, "fit", lambda *args, **options: (log.append(args), real(*args, **options))[1])
    return log


def test_the_page_has_the_numbers_the_reading_and_what_was_not_run(made: Path) -> None:
    text = (made / "RESULTS.md").read_text()
    table = pd.read_csv(made / "results" / "small.csv")
    row = table[(table["arm"] == "adar(warmup=0)") & (table["metric"] == "ndcg@20")].iloc[0]
    assert f"{row['mean']:.4f} [{row['low']:.4f}, {row['high']:.4f}]" in text
    assert "Little can be said of two epochs." in text
    assert "## never" not in text
    assert "| never | synthetic | lightgcn, bpr | not run |" in text
    assert "1 trials for each arm on validation, the best one trained with 2 seeds" in text
    facts = json.loads((made / "results" / "small.json").read_text())
    stored = [json.loads(path.read_text())["outcome"]["seconds"] for path in made.glob("runs/small/cells/*/cell.json")]
    assert facts["trainings"] == len(stored) == 4
    assert facts["hours"] == pytest.approx(sum(stored) / 3600, abs=1e-3)


def test_what_is_kept_is_small_and_names_every_arm(made: Path) -> None:
    assert (made / "results" / "small.csv").stat().st_size < 8_000
    table = pd.read_csv(made / "results" / "small.csv")
    assert set(table["metric"]) == {"ndcg@20", "recall@20", "ndcg@10", "recall@10"}
    assert set(table["arm"]) == {"uniform", "adar(warmup=0)"}


def test_variants_are_ranked_by_the_best_of_their_l2(made: Path) -> None:
    manifest = read_manifest(made / "results" / "manifest.toml")
    kept = load(manifest, GRID)
    assert kept is not None
    stored = [json.loads(path.read_text()) for path in made.glob("runs/grid/world/cells/*/cell.json")]
    assert len(stored) == kept.facts["trainings"] == 4
    for row in kept.table.to_dict("records"):
        tried = [
            s["outcome"]["validation"]["ndcg@20"] for s in stored if s["experiment"]["negatives"] == row["negatives"]
        ]
        assert row["validation"] == pytest.approx(max(tried), rel=1e-5)
    first, second = [line for line in page(manifest).splitlines() if line.startswith(("| reference", "| default"))]
    assert "(1) | 1.0 |" in first
    assert "(2) | 2.0 |" in second


def test_a_grid_that_lacks_a_setting_is_not_finished_and_the_page_says_so(
    project: Path, trained: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "results" / "manifest.toml"
    path.write_text(
        MANIFEST + '[[grid.setting]]\nid = "later"\ndata = "synthetic"\nl2 = [0.01]\nplan = { epochs = 1 }\n'
    )
    assert "Not run: later." in page(read_manifest(path))
    assert ask(project, "--only", GRID) == 0
    assert len(trained) == 2
    assert "| variant | spec | world | later | mean rank |" in (project / "RESULTS.md").read_text()


def test_what_is_finished_is_not_run_again_and_a_changed_entry_is(
    project: Path, trained: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    before = (project / "RESULTS.md").read_text()
    assert ask(project, "--only", "small", "--only", GRID) == 0
    assert trained == []
    assert (project / "RESULTS.md").read_text() == before
    path = project / "results" / "manifest.toml"
    path.write_text(path.read_text().replace("seeds = 2", "seeds = 3"))
    capsys.readouterr()
    assert ask(project, "--list") == 0
    assert capsys.readouterr().out.splitlines() == [
        "small: older than the manifest",
        "never: not run",
        "grid: finished",
    ]
    assert "**Older than the manifest" in page(read_manifest(path))
    assert ask(project, "--only", "small") == 0
    assert len(trained) == 4  # two arms with the new seed: to train, and to judge from the checkpoint
    assert "trained with 3 seeds" in (project / "RESULTS.md").read_text()


def test_the_page_can_be_written_from_the_numbers_alone(project: Path, trained: list[Any]) -> None:
    before = {path: path.read_bytes() for path in [project / "RESULTS.md", *project.glob("figures/compared.*")]}
    assert len(before) == 5
    shutil.rmtree(project / "runs")
    for path in before:
        path.unlink()
    assert ask(project, "--write") == 0
    assert trained == []
    assert {path: path.read_bytes() for path in before} == before


def test_a_run_that_is_cut_off_goes_on_elsewhere_from_the_trainings_that_are_kept(
    made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    project = tmp_path / "project"
    shutil.copytree(made / "results", project / "results", ignore=shutil.ignore_patterns("*.csv", "small.json"))
    shutil.copytree(made / "figures", project / "figures")
    real, log = parts_of.fit, list[Any]()

    def cut_off(*args: Any, **options: Any) -> Any:
        if len(log) == 1:
            raise KeyboardInterrupt
        log.append(args)
        return real(*args, **options)

    monkeypatch.setattr(parts_of, "fit", cut_off)
    assert ask(project, "--only", "small") == 130
    shutil.rmtree(project / "runs")  # another machine has only what the project keeps
    (line,) = pd.read_csv(project / "results" / "trainings" / "small.csv").to_dict("records")
    assert (line["negatives"], line["metric"], line["seed"]) == ("uniform", "ndcg@20", 0)
    capsys.readouterr()
    assert ask(project, "--list", "--only", "small") == 0
    assert capsys.readouterr().out == "small: begun, 1 trainings kept\n"
    monkeypatch.setattr(parts_of, "fit", lambda *args, **options: (log.append(args), real(*args, **options))[1])
    log.clear()
    assert ask(project, "--only", "small") == 0
    assert len(log) == 3 + 4  # the rest of two arms and seeds, and each to be judged
    once, twice = (pd.read_csv(root / "results" / "small.csv") for root in (made, project))
    times = ["seconds", "tuning_seconds"]
    pd.testing.assert_frame_equal(once.drop(columns=times), twice.drop(columns=times))


def test_a_diverged_training_is_kept_with_its_reason(tmp_path: Path) -> None:
    asked = {"negatives": "adar", "plan": {"learning_rate": 9.0, "l2": 0.0, "seed": 1, "metric": "ndcg@20"}}
    outcome = {"validation": {}, "best_epoch": 0, "seconds": 0.0, "failure": "epoch 0, step 3: not finite"}
    first = tmp_path / "cells" / "adar-seed1-abc" / cells.CELL
    first.parent.mkdir(parents=True)
    first.write_text(json.dumps({"experiment": asked, "outcome": outcome}))
    collect(tmp_path / "cells", tmp_path / "kept" / "small.csv")
    lay_out(tmp_path / "kept" / "small.csv", tmp_path / "elsewhere", "of the data")
    assert json.loads((tmp_path / "elsewhere" / first.parent.name / cells.CELL).read_text())["outcome"] == outcome
    collect(tmp_path / "elsewhere", tmp_path / "again" / "small.csv")  # and from there as it was
    assert (tmp_path / "again" / "small.csv").read_text() == (tmp_path / "kept" / "small.csv").read_text()


def test_a_spent_budget_starts_nothing_and_says_what_was_left(
    project: Path, trained: list[Any], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(project, "--budget", "0") == 0
    assert "the budget of 0 hours is spent; not run: never" in capsys.readouterr().out
    assert trained == []


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('id = "never"', 'id = "small"'), "ids must be unique; got small more than once"),
        (("trials = 1\nseeds = 2\n", "seeds = 2\ntrial = 1\n"), r"unknown: trial; missing: trials"),
        (('id = "small"', 'id = small"'), "must be a readable TOML file"),
        (("epochs = 2", "epoch = 2"), "entry 'small': .* unexpected keyword argument 'epoch'"),
        (("seeds = 2", "seeds = 2\nranges = { l2 = 0.1 }"), "the range of l2 must be two numbers, .*; got 0.1"),
        (("[[entry]]", "[[comparison]]"), "may have arms, entry, grid at its top; got comparison"),
        ((MANIFEST, "entry = 3"), r"entry must be a list of tables, \[\[entry\]\]; got 3"),
        ((MANIFEST, "grid = 3"), r"grid must be a table \[grid\] with a table \[grid.variants\]; got 3"),
        (("trials = 1", "trials = 0"), "entry 'small': trials must be a whole number of at least 1; got 0"),
        (("trials = 1", 'trials = "a"'), "entry 'small': trials must be a whole number of at least 1; got 'a'"),
        (("seeds = 2", "seeds = 2\nranges = 3"), "entry 'small': ranges must be a table; got 3"),
        (("seeds = 2", "seeds = 2\narms = []"), r"entry 'small': arms must be a list of specs; got \[\]"),
        (("trials = 1", "trials = true"), "entry 'small': trials must be a whole number of at least 1; got True"),
        (('id = "small"', "id = 3"), "entry 3: id must be text; got 3"),
        (('data = "synthetic"', "data = 3"), "entry 'small': data must be text; got 3"),
        (("controls = false", "controls = 3"), "entry 'small': controls must be true or false; got 3"),
        (("plan = { epochs = 2 }", "plan = 3"), "entry 'small': plan must be a table; got 3"),
        (("l2 = [0.001, 0.1]", "l2 = []"), r"setting 'world': l2 must be a list of numbers of at least 0; got \[\]"),
        (("l2 = [0.001, 0.1]", "l2 = [-1]"), r"setting 'world': l2 must be a list of numbers of at least 0; got"),
        (('"reference" = "uniform"', '"reference" = 3'), "grid variants: reference must be text; got 3"),
        (("seeds = 2", 'seeds = 2\narms = ["unifrom"]'), "entry 'small': negatives must be one of .*; got 'unifrom'"),
        (("seeds = 2", 'seeds = 2\nbackbone = "fm"'), "entry 'small': backbone must be one of .*; got 'fm'"),
        (("epochs = 2", 'epochs = 2, metric = "auc"'), "entry 'small': metric must be one of .*; got 'auc'"),
        (('"reference" = "uniform"', '"reference" = "dms"'), "grid variant 'reference': negatives must be one of .*"),
        (("epochs = 2", "epochs = 0"), "entry 'small': epochs must be a whole number of at least 1; got 0"),
    ],
)
def test_a_wrong_manifest_says_what_is_wrong(change: tuple[str, str], message: str, tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    path.write_text(MANIFEST.replace(*change))
    with pytest.raises(ResultsError, match=message):
        read_manifest(path)


def test_the_page_needs_no_folder_of_figures(project: Path) -> None:
    shutil.rmtree(project / "figures")
    assert ask(project, "--write") == 0
    assert "No figure: `figures/manifest.toml` has none" in (project / "RESULTS.md").read_text()
    assert not (project / "figures").exists()


@pytest.mark.parametrize(("name", "text"), [("small.json", ""), ("small.json", "{}"), ("small.csv", "")])
def test_kept_numbers_that_are_damaged_are_named(
    project: Path, name: str, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "results" / name).write_text(text)
    assert ask(project, "--write") == 2
    assert f"{project / 'results' / name}: expected " in capsys.readouterr().err


def test_a_manifest_that_is_no_text_is_named(tmp_path: Path) -> None:
    path = tmp_path / "manifest.toml"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ResultsError, match=r"manifest\.toml must be a readable TOML file: 'utf-8' codec"):
        read_manifest(path)


def test_an_unknown_name_lists_the_valid_ones(made: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert ask(made, "--only", "smal") == 2
    assert "no comparison is called smal; the manifest has small, never, grid" in capsys.readouterr().err


def test_the_command_s_default_manifest_is_the_project_s() -> None:
    manifest = read_manifest(ROOT / PROJECTS)
    assert (ROOT, len(manifest.entries) > 5) == (manifest.root, True)


def test_the_committed_page_and_figures_are_those_of_the_committed_numbers() -> None:
    manifest = read_manifest(ROOT / "results" / "manifest.toml")
    assert (ROOT / "RESULTS.md").read_text(encoding="utf-8") == page(manifest)
    for entry in manifest.entries:
        if kept := load(manifest, entry.id):
            figure = pictures(manifest)[entry.id]
            stamp = json.loads(Image.open(manifest.figures / f"{figure.id}.png").text["Source"])
            assert stamp == figure.make([kept.table]).stamp
    fresh, stored = side_by_side(manifest), pd.read_csv(manifest.table(TOGETHER))
    assert fresh is not None
    pd.testing.assert_frame_equal(fresh, stored, rtol=1e-5)
    figure = pictures(manifest)[TOGETHER]
    stamp = json.loads(Image.open(manifest.figures / f"{figure.id}.png").text["Source"])
    assert stamp == figure.make([stored]).stamp


def test_two_comparisons_stand_side_by_side(project: Path, trained: list[Any]) -> None:
    results = project / "results"
    assert "## All comparisons together" not in (project / "RESULTS.md").read_text()
    small = pd.read_csv(results / "small.csv")
    other = small.assign(difference=0.0123, difference_low=0.01, difference_high=0.02, dataset="other")
    other.to_csv(results / "never.csv", index=False)
    shutil.copy(results / "small.json", results / "never.json")
    assert ask(project, "--write") == 0
    assert trained == []
    row = small[(small["arm"] == "adar(warmup=0)") & (small["metric"] == "ndcg@20")].iloc[0]
    first = small[(small["arm"] == "uniform") & (small["metric"] == "ndcg@20")].iloc[0]["mean"]
    text = (project / "RESULTS.md").read_text()
    assert "| arm | [small](#small) | [never](#never) |" in text
    assert f"| `uniform` | {first:.4f} | {first:.4f} |" in text
    (line,) = [line for line in text.splitlines() if line.startswith("| `adar(warmup=0)` |") and "**" in line]
    one, two = (cell.strip() for cell in line.split("|")[2:4])
    assert one.strip("*") == f"{100 * row['difference'] / first:+.0f} %"
    assert two == f"**{100 * 0.0123 / first:+.0f} %**"
    kept = pd.read_csv(results / "together.csv")
    assert kept["comparison"].tolist() == ["small", "small", "never", "never"]


def test_a_comparison_without_a_figure_says_what_the_manifest_of_figures_lacks(project: Path) -> None:
    assert "![Two lines. 2 arms by ndcg@20" in page(read_manifest(project / "results" / "manifest.toml"))
    (project / "figures" / "manifest.toml").write_text("")
    text = page(read_manifest(project / "results" / "manifest.toml"))
    assert 'No figure: `figures/manifest.toml` has none with `table = "../results/small.csv"`.' in text
