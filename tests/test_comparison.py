"""Comparisons: equal tuning, test touched once at the end, honest intervals, and nothing done twice."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch
from optuna.distributions import BaseDistribution, FloatDistribution, IntDistribution

from adar_viz.cli import main
from adar_viz.comparison import CONTROLS, Arm, Comparison, Cost, Outcome, as_markdown, bootstrap, compare
from adar_viz.comparison import cells as cells_of
from adar_viz.comparison import pace as pacing
from adar_viz.comparison.bootstrap import basis
from adar_viz.comparison.controls import equal_time
from adar_viz.comparison.cost import cost_of
from adar_viz.comparison.knobs import L2_OF, POOL, RANGES, at, edge, ranges
from adar_viz.comparison.tuning import TOGETHER, Study
from adar_viz.displays import ForestPlot
from adar_viz.experiment import Experiment, ExperimentError, prepare, run
from adar_viz.experiment import parts as parts_of
from adar_viz.training import TrainingDiverged, TrainingPlan

EPOCHS = 2
BASE = Experiment(dim=8, plan=TrainingPlan(epochs=EPOCHS, seed=3))
ARMS = ["uniform", "dns"]
COMMAND = [
    "compare",
    "--dim",
    "8",
    "--epochs",
    "2",
    "--trials",
    "2",
    "--seeds",
    "2",
    "--negatives",
    "uniform,dns",
    "--quiet",
]
ON_DASK = f"""
import sys
from distributed import LocalCluster
from adar_viz.cli import main

if __name__ == "__main__":
    with LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster:
        where = ["--jobs", "2", "--backend", "dask", "--scheduler", cluster.scheduler_address, "--out", sys.argv[1]]
        sys.exit(main([*{COMMAND}, *where]))
"""
NAMES = ("learning_rate", "l2")


def compared(folder: Path, **changes: Any) -> Comparison:
    settings = {"base": BASE, "arms": ARMS, "seeds": 2, "trials": 2, "progress": False}
    return compare(folder=folder, **{**settings, **changes})


def cells(folder: Path) -> list[dict[str, Any]]:
    return [json.loads(path.read_text()) for path in sorted(folder.glob("cells/*/cell.json"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("comparison")


@pytest.fixture(scope="module")
def done(folder: Path) -> Comparison:
    return compared(folder)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What is trained and ranked, in order."""
    log: list[str] = []

    def note(function: Callable[..., Any], what: Callable[..., str]) -> Callable[..., Any]:
        def noted(*args: Any, **options: Any) -> Any:
            log.append(what(*args, **options))
            return function(*args, **options)

        return noted

    for module in (parts_of, cells_of):  # validation is ranked while training, the test afterwards
        monkeypatch.setattr(module, "evaluate", note(module.evaluate, lambda model, split, part: part))
    monkeypatch.setattr(parts_of, "fit", note(parts_of.fit, lambda *_, **__: "fit"))
    return log


def test_every_arm_gets_the_same_trials_and_its_best_one_every_seed(done: Comparison, folder: Path) -> None:
    stored = cells(folder)
    assert len(stored) == 2 * 2 + 2  # trials on the first seed, and the winners with the second
    for arm in done.arms:
        assert (len(arm.trials), len(arm.seeds)) == (2, 2)
        best = max(trial.validation["ndcg@20"] for trial in arm.trials)
        assert arm.seeds[0].validation["ndcg@20"] == best  # the winner's first seed is its trial
        assert arm.seeds[0].validation != arm.seeds[1].validation
    assert {cell["split_seed"] for cell in stored} == {3}
    assert [cell["experiment"]["plan"]["seed"] for cell in stored].count(4) == 2


def test_the_first_trial_is_the_base_and_the_others_are_drawn(done: Comparison, folder: Path) -> None:
    for name, usual in (("uniform", "uniform"), ("dns", "dns(pool=uniform(16))")):
        tried = [c["experiment"] for c in cells(folder) if c["experiment"]["negatives"].startswith(name)]
        settings = {(e["negatives"], *(e["plan"][key] for key in NAMES)) for e in tried}
        assert len(settings) == 2
        assert (usual, BASE.plan.learning_rate, BASE.plan.l2) in settings


@pytest.mark.slow
def test_a_number_in_the_table_is_that_of_a_run(done: Comparison, tmp_path: Path) -> None:
    test = run(done.arms[1].winner, tmp_path / "run", progress=False, num_pairs=10).test
    for metric in ("ndcg@20", "recall@10"):
        assert done.test[metric][1, 0].mean() == pytest.approx(test[metric], rel=1e-12)


@pytest.mark.slow
def test_the_test_part_is_ranked_once_and_last(tmp_path: Path, watched: list[str]) -> None:
    compared(tmp_path)
    assert watched.count("test") == 2 * 2
    first = watched.index("test")
    assert watched[:first].count("validation") == EPOCHS * (2 * 2 + 2)
    assert "validation" not in watched[first:]  # the fits after it only load weights


def test_a_finished_comparison_does_nothing_again(done: Comparison, folder: Path, watched: list[str]) -> None:
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.parent != folder}
    table = (folder / "comparison.csv").read_text()
    again = compared(folder)
    assert watched == []
    assert before == {path: path.stat().st_mtime_ns for path in folder.rglob("*.*") if path.parent != folder}
    assert (folder / "comparison.csv").read_text() == table
    assert again.markdown() == done.markdown()


@pytest.mark.slow
def test_one_that_was_cut_off_ends_as_if_it_had_not_been(
    done: Comparison, tmp_path: Path, watched: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    real = parts_of.fit

    def interrupted(*args: Any, **options: Any) -> Any:
        if watched.count("fit") == 3:
            raise KeyboardInterrupt
        return real(*args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(parts_of, "fit", interrupted)
        with pytest.raises(KeyboardInterrupt):
            compared(tmp_path)
    assert len(cells(tmp_path)) == 3
    resumed = compared(tmp_path)
    assert watched.count("validation") == EPOCHS * (2 * 2 + 2)
    for metric, values in done.test.items():
        np.testing.assert_array_equal(resumed.test[metric], values)


@pytest.mark.slow
def test_more_seeds_train_only_what_is_new(tmp_path: Path, watched: list[str]) -> None:
    compared(tmp_path, seeds=1)
    watched.clear()
    compared(tmp_path, seeds=2)
    assert watched.count("validation") == 2 * EPOCHS
    assert watched.count("test") == 2


@pytest.fixture
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_processes_find_what_one_finds(tmp_path: Path) -> None:
    alone, parallel = compared(tmp_path / "alone"), compared(tmp_path / "parallel", jobs=2, backend="loky")
    for metric, values in alone.test.items():
        np.testing.assert_array_equal(parallel.test[metric], values)


@pytest.mark.slow
@pytest.mark.usefixtures("one_thread")
def test_a_dask_cluster_finds_what_one_process_finds(tmp_path: Path) -> None:
    subprocess.run([sys.executable, "-c", ON_DASK, str(tmp_path / "dask")], check=True, capture_output=True)
    assert main([*COMMAND, "--out", str(tmp_path / "alone")]) == 0
    columns = [
        "arm",
        "metric",
        "mean",
        "low",
        "high",
        "difference_low",
        "difference_high",
        "negatives",
        "learning_rate",
    ]
    one, other = (pd.read_csv(tmp_path / name / "comparison.csv")[columns] for name in ("dask", "alone"))
    pd.testing.assert_frame_equal(one, other)


def test_what_a_spec_sets_is_not_tuned() -> None:
    def tried(spec: str) -> set[str]:
        study = Study(BASE, spec)
        return {study.ask().negatives for _ in range(3)}

    for spec in (
        "uniform(2)",
        "adar(target=fixed(0.5))",
        "dns(uniform(16))",
        "popularity(0.5)",
        "ahns(uniform(8), 1.0, 0.2)",
    ):
        assert tried(spec) == {spec}
    for spec in ("adar", "adar(source=reverse)", "dns(n=2)", "popularity", "ahns(uniform(8), 1.0)", "mixgcf"):
        assert len(tried(spec)) == 3, spec


def test_every_control_and_every_setting_that_is_tried_can_be_built() -> None:
    for spec in (*CONTROLS, "adar", "ahns", "dns", "mixgcf", "popularity"):
        study = Study(BASE, spec)
        for _ in range(2):
            prepare(study.ask())


def test_the_first_round_is_the_same_for_every_arm_and_spread_over_the_ranges() -> None:
    space = ranges({"l2": (1e-3, 1e-1)})
    tried = {}
    for spec in ("uniform", "dns", "adar"):
        study = Study(BASE, spec, space)
        plans = [study.ask().plan for _ in range(TOGETHER)]
        tried[spec] = [(plan.learning_rate, plan.l2) for plan in plans]
    assert tried["uniform"] == tried["dns"] == tried["adar"]
    drawn = np.array(tried["uniform"][1:])
    assert ((drawn[:, 1] >= 1e-3) & (drawn[:, 1] <= 1e-1)).all()
    for column, values in zip(drawn.T, space.values(), strict=True):  # a Sobol point in each eighth but one
        eighths = {int(8 * share) for share in np.log(column / at(values, 0)) / np.log(at(values, 1) / at(values, 0))}
        assert len(eighths) == TOGETHER - 1
    assert tried["uniform"] != [(p.plan.learning_rate, p.plan.l2) for p in _asked(4, space)]


def _asked(seed: int, space: dict[str, BaseDistribution]) -> list[Experiment]:
    study = Study(replace(BASE, plan=replace(BASE.plan, seed=seed)), "uniform", space)
    return [study.ask() for _ in range(TOGETHER)]


@pytest.mark.parametrize("values", [*RANGES.values(), POOL.values])
def test_a_share_of_a_range_and_its_value(values: BaseDistribution) -> None:
    assert isinstance(values, FloatDistribution | IntDistribution)
    assert (at(values, 0), at(values, 1)) == (pytest.approx(values.low), pytest.approx(values.high))
    assert at(values, 0.5) == pytest.approx(np.sqrt(values.low * values.high), rel=1e-6)
    assert (edge(values, at(values, 0.01)), edge(values, at(values, 0.99))) == ("lowest", "highest")


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"dropout": (0.1, 0.5)}, "a range must be for one of learning_rate, l2; got 'dropout'"),
        ({"l2": (0.1, 0.01)}, "the range of l2 must have 0 < lowest < highest; got 0.1 to 0.01"),
        ({"l2": (0.0, 0.1)}, "the range of l2 must have 0 < lowest < highest; got 0 to 0.1"),
        ({"l2": (0.1, float("nan"))}, "the range of l2 must have 0 < lowest < highest; got 0.1 to nan"),
    ],
)
def test_an_impossible_range_is_refused(asked: dict[str, tuple[float, float]], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        ranges(asked)


def test_the_range_of_l2_is_that_of_the_backbone_unless_another_is_asked_for() -> None:
    found = {spec: ranges({}, spec)["l2"] for spec in ("mf", "mf(std=0.1)", "lightgcn", "sasrec")}
    assert found["mf"] == found["mf(std=0.1)"] == FloatDistribution(1e-4, 3e-1, log=True)
    assert found["lightgcn"] == FloatDistribution(1e-4, 3e-2, log=True)
    assert found["sasrec"] == RANGES["l2"]
    assert ranges({"l2": (1e-5, 1e-2)}, "mf")["l2"] == FloatDistribution(1e-5, 1e-2, log=True)
    assert ranges({}, "mf")["learning_rate"] == RANGES["learning_rate"]


def test_the_help_tells_the_ranges_as_they_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["compare", "--help"])
    told = capsys.readouterr().out.split("default: learning_rate", 1)[1].split(")", 1)[0]
    ends = [(values.low, values.high) for values in (RANGES["learning_rate"], RANGES["l2"])]
    ends[1:1] = [L2_OF["mf"], L2_OF["lightgcn"]]
    numbers = re.findall(r"(?<![a-z])\d[\d.e-]*", told)
    assert [float(number) for number in numbers] == [end for pair in ends for end in pair]


def test_trials_beyond_the_first_round_learn_from_it_and_are_the_same_again() -> None:
    def play(good: float) -> list[float]:
        study = Study(BASE, "uniform")
        for _ in range(2):
            asked = [study.ask() for _ in range(TOGETHER)]
            for trial in asked:
                distance = abs(np.log(trial.plan.learning_rate / good))
                study.tell(Outcome({"ndcg@20": -float(distance)}))
        return [e.plan.learning_rate for e in study.asked]

    first, second = play(3e-4), play(2e-2)
    assert first == play(3e-4)
    assert first[:TOGETHER] == second[:TOGETHER]
    assert np.median(first[TOGETHER:]) < np.median(second[TOGETHER:])


@pytest.mark.slow
def test_a_trial_that_diverges_counts_and_cannot_win(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = parts_of.fit

    def diverging(*args: Any, plan: TrainingPlan, **options: Any) -> Any:
        if plan.learning_rate == BASE.plan.learning_rate:
            raise TrainingDiverged("the term 'loss' is nan")
        return real(*args, plan=plan, **options)

    monkeypatch.setattr(parts_of, "fit", diverging)
    table = compared(tmp_path).frame
    assert table["failed_trials"].eq(1).all()
    assert table["trials"].eq(2).all()
    assert table["learning_rate"].ne(BASE.plan.learning_rate).all()
    with pytest.raises(ValueError, match="uniform: training diverged in each of 1 trials; the term 'loss' is nan"):
        compared(tmp_path, trials=1)


def planted(values: np.ndarray) -> Comparison:
    outcome = Outcome({"ndcg@20": 0.1}, 7, 1.5)
    arms = [Arm(f"arm{i}", BASE, [outcome], [outcome], "peer", "", Cost(1, 1, 1)) for i in range(len(values))]
    return Comparison(BASE, arms, {"ndcg@20": values})


def test_a_small_planted_difference_shows_only_in_pairs() -> None:
    rng = np.random.default_rng(1)
    user = rng.uniform(size=(1, 1, 300)) + 0.02 * rng.standard_normal((1, 4, 300))
    better = user + 0.02 + 0.02 * rng.standard_normal(user.shape)
    table = planted(np.concatenate([user, better, user[:, :, ::-1]])).frame
    assert table["low"][1] < table["mean"][0] < table["high"][1]  # the intervals overlap widely
    assert 0 < table["difference_low"][1] < 0.02 < table["difference_high"][1]
    assert table["difference"][1] == pytest.approx((better - user).mean())
    assert table["difference_low"][2] < 0 < table["difference_high"][2]
    assert (table[["difference", "difference_low", "difference_high"]].loc[0] == 0).all()


def test_what_seeds_do_to_all_users_alike_counts_in_full() -> None:
    rng = np.random.default_rng(4)
    spread = []
    for _ in range(300):
        values = rng.standard_normal((3, 1)) + 0.1 * rng.standard_normal((3, 50))
        spread.append(bootstrap(values[None], 200, rng).var())
    assert np.mean(spread) == pytest.approx(1 / 3, rel=0.15)  # the variance of a mean of three; it was 2 / 9


def test_the_bootstrap_is_that_of_a_loop() -> None:
    rng = np.random.default_rng(2)
    values = rng.uniform(size=(2, 5, 40)) + rng.standard_normal((1, 5, 1))
    drawn = bootstrap(values, 4000, np.random.default_rng(0))
    naive = []
    for _ in range(4000):
        seed, user = rng.integers(5, size=5), rng.integers(40, size=40)
        middle = [np.mean([arm[s, u] for s in range(5) for u in user]) for arm in values]
        drawn_seeds = [np.mean([[arm[s, u] for u in user] for s in seed]) for arm in values]
        naive.append([m + (d - m) * (5 / 4) ** 0.5 for m, d in zip(middle, drawn_seeds, strict=True)])
    quantiles = (0.025, 0.25, 0.5, 0.75, 0.975)
    assert drawn.shape == (2, 4000)
    np.testing.assert_allclose(np.quantile(drawn, quantiles, 1).T, np.quantile(naive, quantiles, 0).T, atol=0.1)
    one = bootstrap(values[:, :1], 4000, np.random.default_rng(0))
    np.testing.assert_allclose(one.std(1), values[:, 0].std(1) / 40**0.5, rtol=0.1)  # one seed: users alone


@pytest.mark.parametrize(
    ("spec", "candidates", "negatives"),
    [
        ("uniform", 1, 1),
        ("uniform(2)", 2, 2),
        ("dns(pool=uniform(9), n=3)", 9, 1),
        ("mixgcf(pool=uniform(7))", 7, 1),
        ("adar", 16, 1),
        ("adar(ground=None)", 2, 2),
        ("adar(ground=dns(uniform(16)))", 16, 1),
        ("ahns(dns(uniform(16)))", 16, 1),
        ("adar(ground=None, beside=dns(uniform(16)))", 17, 2),
        ("mixgcf(dns(dns(uniform(9))))", 9, 1),
    ],
)
def test_a_cost_counts_candidates_negatives_and_steps(spec: str, candidates: int, negatives: int) -> None:
    experiment = replace(BASE, negatives=spec, plan=replace(BASE.plan, batch_size=1000))
    pairs = len(prepare(experiment).rows)
    assert cost_of(experiment, 3) == Cost(candidates, negatives, -(-pairs // 1000))


def an_arm(spec: str, *seeds: tuple[int, float], **plan: Any) -> Arm:
    outcomes = [Outcome({"ndcg@20": 0.1}, best_epoch, seconds) for best_epoch, seconds in seeds]
    experiment = replace(BASE, negatives=spec, plan=replace(BASE.plan, **plan))
    return Arm(spec, experiment, outcomes[:1], outcomes, "peer", "", Cost(1, 1, 10))


def test_equal_time_is_as_many_epochs_as_fit() -> None:
    plan = {"epochs": 100, "patience": 5, "validate_every": 2}
    cheap, dear = an_arm("uniform", (10, 4.0), **plan), an_arm("adar", (20, 15.0), (30, 40.0), **plan)
    longer = equal_time(cheap, dear, pace=2.5)  # to the 30 and 40 epochs of the dear one
    assert longer == replace(cheap.winner, plan=replace(cheap.winner.plan, epochs=round(35 * 2.5), patience=None))
    assert dear.effort()["updates"] == 350


def test_the_pace_is_that_of_the_quickest_epochs_after_the_warm_up_and_is_measured_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reports(seconds: list[float]) -> Callable[..., Iterator[Any]]:
        return lambda *_, plan, **__: (SimpleNamespace(seconds=s) for s in [*seconds, 9.0][: plan.epochs])

    sides = iter([reports([0.1, 0.1, 0.3, 0.2, 0.4, 0.2, 0.7]), reports([0.1, 0.1, 3.0, 1.0, 0.5, 8.0, 4.0])])
    monkeypatch.setattr(parts_of, "fit", lambda *args, **options: next(sides)(*args, **options))
    cheap, dear = replace(BASE, negatives="uniform"), replace(BASE, negatives="adar(warmup=2)")
    assert pacing.pace(cheap, dear, 3, tmp_path / "pace.json") == 0.5 / 0.2
    assert pacing.pace(cheap, dear, 3, tmp_path / "pace.json") == 0.5 / 0.2  # read: there are no more epochs to time


@pytest.mark.slow
def test_a_dearer_sampler_has_a_pace_above_one(tmp_path: Path) -> None:
    cheap, dear = replace(BASE, negatives="uniform"), replace(BASE, negatives="dns(uniform(1000))")
    assert pacing.pace(cheap, dear, 3, tmp_path / "pace.json") > 2


@pytest.mark.parametrize(
    ("best_epoch", "plan", "epochs", "cut_off"),
    [
        (20, {"epochs": 100, "patience": 5, "validate_every": 2}, 30, False),
        (90, {"epochs": 100, "patience": 5, "validate_every": 2}, 100, False),
        (92, {"epochs": 100, "patience": 5, "validate_every": 2}, 100, True),
        (40, {"epochs": 100, "patience": None}, 100, False),
        (100, {"epochs": 100, "patience": None}, 100, True),
    ],
)
def test_a_training_that_the_limit_ended_is_told_apart(
    best_epoch: int, plan: dict[str, Any], epochs: int, cut_off: bool
) -> None:
    outcome, whole = Outcome({}, best_epoch), replace(BASE.plan, **plan)
    assert (outcome.epochs(whole), outcome.was_cut_off(whole)) == (epochs, cut_off)


def test_the_epochs_are_those_that_were_trained(done: Comparison) -> None:
    plan = TrainingPlan(epochs=30, patience=1, validate_every=2, learning_rate=0.02, seed=3)
    parts = prepare(replace(BASE, plan=plan))
    reports = list(parts.fit(plan))
    best = max(report.epoch for report in reports if report.is_best) + 1
    assert Outcome({}, best).epochs(plan) == len(reports) < 30


def test_a_winner_at_an_end_of_its_range_says_so() -> None:
    study = Study(replace(BASE, plan=replace(BASE.plan, l2=0.09)), "dns")
    for validation in (0.2, 0.1):
        study.ask()
        study.tell(Outcome({"ndcg@20": validation}))
    assert study.edges == ["l2 near its highest"]
    assert edge(RANGES["l2"], 1.2e-6) == "lowest"
    assert edge(POOL.values, 64) == "highest"
    assert edge(POOL.values, 16) is None
    arm = replace(an_arm("dns", (2, 1.0), (1, 1.0), patience=1), edges=study.edges)
    assert arm.effort()["notes"] == "l2 near its highest; 1 of 2 seeds ended by the epoch limit"


def test_a_figure_is_drawn_beside_the_table(done: Comparison, folder: Path) -> None:
    for name in ("png", "svg", "pdf"):
        assert (folder / f"comparison.{name}").stat().st_size > 1000
    shown = ForestPlot.from_table(done.frame)
    assert b"table " in (folder / "comparison.png").read_bytes()
    assert shown.frame()["arm"].tolist() == ARMS


def test_the_table_reads_as_markdown_and_as_csv(done: Comparison, folder: Path) -> None:
    text = (folder / "comparison.md").read_text()
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")]
    assert [len(row) for row in rows] == [12] * 4
    assert rows[2][0].startswith("`uniform`")
    assert rows[3][0].startswith("`dns` as `dns(pool=uniform(")
    assert f"{done.test['ndcg@20'][1].mean():.4f} [" in rows[3][1]
    assert rows[2][2] == "–"
    assert rows[3][2][0] in "+-"
    assert "2 trials for each arm on validation" in text
    assert f"95 % intervals from {basis(2)}; differences" in text
    table = pd.read_csv(folder / "comparison.csv")
    assert set(table["arm"]) == set(ARMS)
    assert {"recall@10", "ndcg@20"} <= set(table["metric"])
    assert (table["low"] <= table["mean"]).all()
    assert (table["mean"] <= table["high"]).all()
    by_seed = np.array([[float(value) for value in line.split()] for line in table["by_seed"]])
    assert by_seed.shape == (len(table), 2)
    np.testing.assert_allclose(by_seed.mean(1), table["mean"], rtol=1e-4)


def test_intervals_say_what_they_come_from() -> None:
    rng = np.random.default_rng(5)
    one, two = (planted(rng.uniform(size=(2, seeds, 30))) for seeds in (1, 2))
    assert "a bootstrap over users; one seed does not show what another would change" in one.markdown()
    assert f"{basis(2)}; differences" in two.markdown()
    earlier = "\n".join(as_markdown(two.frame.drop(columns="intervals"), "ndcg@20"))
    assert "the spread of the seeds counted (seeds - 1) / seeds only" in earlier


def test_a_folder_holds_one_comparison_which_may_grow(
    done: Comparison, folder: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(folder, tmp_path / "out")
    config = json.loads((tmp_path / "out" / "config.json").read_text())
    assert config["arms"] == {"uniform": "uniform", "dns": "dns"}
    assert (config["dim"], config["plan"]["epochs"], config["ranges"]["l2"]) == (8, 2, [1e-4, 0.3])

    command = ["compare", "--quiet", "--dim", "8", "--seed", "3", "--trials", "2", "--out", str(tmp_path / "out")]
    kept = (tmp_path / "out" / "comparison.md").read_bytes()
    for change, message in (
        (["--epochs", "3"], "(plan.epochs 2 there, 3 now); choose another folder"),
        (["--negatives", "uniform,ahns"], "(arms.dns 'dns' there, None now); choose another folder"),
        (
            ["--tune", "l2", "0.001", "0.1"],
            "a comparison of another configuration (ranges.l2 [0.0001, 0.3] there",
        ),
    ):
        options = ["--epochs", "2", "--negatives", "uniform,dns", "--seeds", "2", *change]
        assert main([*command, *options]) == 2
        assert message in capsys.readouterr().err
        assert (tmp_path / "out" / "comparison.md").read_bytes() == kept
    (tmp_path / "begun").mkdir()  # by one that was killed before its first training
    shutil.copy(tmp_path / "out" / "config.json", tmp_path / "begun")
    assert compared(tmp_path / "begun", arms=["uniform", "uniform(2)"], trials=1, seeds=1, guard=True).arms
    assert main([*command, "--epochs", "2", "--negatives", "uniform,dns,uniform(2)", "--seeds", "3"]) == 0
    assert [*json.loads((tmp_path / "out" / "config.json").read_text())["arms"]] == [*ARMS, "uniform(2)"]


def test_a_sampler_whose_pool_is_tuned_is_not_the_one_with_that_pool(tmp_path: Path) -> None:
    arms = ["dns", "dns(uniform(16))"]
    assert [arm.name for arm in compared(tmp_path, arms=arms, trials=1, seeds=1).arms] == arms


def test_other_held_out_pairs_are_not_judged_by_an_earlier_comparison(tmp_path: Path) -> None:
    data, held_out = tmp_path / "data", ["0 2", "1 3"]
    data.mkdir()
    (data / "train.txt").write_text("0 0 1 4 5 6\n1 1 2 4 7\n2 0 3 5 7\n")
    (data / "test.txt").write_text("\n".join(held_out))
    base = replace(BASE, data=str(data))
    first = compared(tmp_path / "out", base=base, trials=1, seeds=1)
    again = compared(tmp_path / "out", base=base, trials=1, seeds=1)
    pd.testing.assert_frame_equal(first.frame, again.frame)
    (data / "test.txt").write_text("\n".join(["0 3", "1 0"]))
    with pytest.raises(ValueError, match=r"expected a training judged by this data's .*; choose another folder"):
        compared(tmp_path / "out", base=base, trials=1, seeds=1)
    (tmp_path / "out" / "config.json").unlink()  # of an older version: what its trainings say is still checked
    with pytest.raises(ValueError, match=r"expected a training judged by this data's .*; choose another folder"):
        compared(tmp_path / "out", base=base, trials=1, seeds=1, guard=True)
    run(replace(base, negatives="uniform"), tmp_path / "run", progress=False)
    (data / "test.txt").write_text("\n".join(held_out))
    with pytest.raises(ExperimentError, match=r"another configuration \(held_out_checksum"):
        run(replace(base, negatives="uniform"), tmp_path / "run", progress=False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--negatives", "uniform,foo"],
            "negatives must be one of adar, ahns, all_items, dns, mixgcf, popularity, uniform; got 'foo'",
        ),
        (["--tune", "l2", "1", "much"], "--tune l2 must have two numbers; got 1 and much"),
        (["--tune", "l2", "1", "0.1"], "the range of l2 must have 0 < lowest < highest; got 1 to 0.1"),
        (["--negatives", "uniform"], "a comparison must have at least 2 arms; got uniform"),
        (
            ["--negatives", "uniform,uniform(1)"],
            "arms must be different samplers; got uniform and uniform(1), which are the same",
        ),
        (["--negatives", "adar,adar(warmup=5)"], "got adar and adar(warmup=5), which are the same"),
        (["--negatives", "uniform,dns,uniform"], "each arm must be named once; got uniform more than once"),
        (["--seeds", "0"], "seeds must be at least 1; got 0"),
        (["--trials", "0"], "trials must be at least 1; got 0"),
        (["--jobs", "0"], "jobs must be at least 1, or -1 for every core; got 0"),
        (["--metric", "coverage@20"], "metric must have a value for each user, such as ndcg@20; got 'coverage@20'"),
        (["--split", "as-published"], "split must have a validation part to tune on; got 'as-published'"),
        (["--data", "nowhere"], "nowhere: expected a path"),
        (["--backend", "threading"], "backend must run processes"),
        (["--backend", "dask"], "--backend dask must come with --scheduler HOST:PORT; got --scheduler None"),
        (["--backend", "dask", "--scheduler", "here"], "--scheduler HOST:PORT; got --scheduler here"),
        (["--l2", "0"], "--l2 must lie in its range, 0.0001 to 0.3 (--tune); got 0"),
        (["--learning-rate", "5"], "--learning-rate must lie in its range, 0.0001 to 0.03 (--tune); got 5"),
        (["--scheduler", "127.0.0.1:1"], "--scheduler must come with --backend dask; got --backend None"),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--quiet", "--dim", "4", "--epochs", "1", "--out", str(tmp_path / "out"), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
def test_the_command_sets_controls_beside_adar(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = ["--quiet", "--dim", "4", "--epochs", "1", "--trials", "1", "--seeds", "1", "--out", str(tmp_path)]
    assert main(["compare", *common, "--negatives", "uniform,adar,uniform(2)", "--controls"]) == 0
    shown = capsys.readouterr().out
    assert shown == (tmp_path / "comparison.md").read_text()
    arms = pd.read_csv(tmp_path / "comparison.csv")["arm"].unique().tolist()
    assert arms == ["uniform", "adar", *CONTROLS, "uniform in the time of adar"]
