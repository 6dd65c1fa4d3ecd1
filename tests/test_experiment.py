"""Run folders: what is in them, that they resume after a kill, and the errors of the command line."""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import torch

from adar_viz import checkpoint
from adar_viz.cli import main
from adar_viz.commands.run import table
from adar_viz.experiment import Experiment, ExperimentError, read_result, run
from adar_viz.experiment import parts as parts_of
from adar_viz.experiment.folder import claim
from adar_viz.trace import Trace
from adar_viz.training import TrainingPlan

OPTIONS = ["--dim", "8", "--epochs", "14", "--learning-rate", "0.01", "--quiet", "--pairs", "40", "--threads", "1"]
SMALL = Experiment(dim=8, plan=TrainingPlan(epochs=3, learning_rate=0.01))


def small(**changes: Any) -> Experiment:
    return Experiment(**{**vars(SMALL), **changes})


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    experiment = small(negatives="adar(warmup=1)")
    return run(experiment, tmp_path_factory.mktemp("runs") / "small", progress=False, num_pairs=50).folder


def test_a_run_folder_tells_everything(folder: Path) -> None:
    config = json.loads((folder / "config.json").read_text())
    assert config["negatives"]["target"] == {"name": "margin", "delta": 0.5, "unit": "sd"}
    assert config["negatives"]["ground"] == {"name": "uniform", "num_negatives": 16}
    assert config["negatives"]["schedule"] == "linear"
    assert {"python", "torch", "numpy", "adar_viz"} == set(config["versions"])
    assert len(config["data_checksum"]) == 64
    metrics = json.loads((folder / "metrics.json").read_text())
    assert metrics["epochs"] == 3
    assert 0 < metrics["test"]["recall@20"] < 1
    history = pd.read_csv(folder / "history.csv")
    assert history["epoch"].tolist() == [1, 2, 3]
    assert history.loc[history["is_best"], "ndcg@20"].iloc[-1] == pytest.approx(
        metrics["validation"]["ndcg@20"], rel=1e-4
    )
    assert not list(folder.glob("*partial*"))


def test_the_trace_holds_what_the_run_saw(folder: Path) -> None:
    trace = Trace.load(folder / "trace.npz")
    sizes = trace.sizes
    assert (sizes["pair"], sizes["timestep"], sizes["epoch"]) == (50, 51, 3)
    assert trace["snapshot_epoch"].tolist() == [0, 1, 2, 3]
    assert np.isnan(trace["timestep_quantile"][0]).all()  # the warm-up generates nothing
    assert np.isfinite(trace["timestep_quantile"][1:]).all()
    assert set(trace["walk_source"]) == {"forward", "reverse", "renoise"}
    forward = trace["walk"][trace["walk_source"] == "forward"]
    positive = trace["item_embedding"][trace["pair_item"][trace["walk_pair"][: len(forward)]]]
    np.testing.assert_allclose(forward[:, 0], positive, atol=1e-5)
    counted = (trace["score"] < trace["boundary"][:, None, None]).mean()
    assert 0 < counted < 1


def test_a_finished_run_is_not_run_again(folder: Path) -> None:
    before = {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}
    run(small(negatives="adar(warmup=1)"), folder, progress=False, num_pairs=50)
    assert before == {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_a_folder_of_another_configuration_is_refused(folder: Path) -> None:
    with pytest.raises(ExperimentError, match=r"another configuration \(negatives.warmup 1 there, 5 now\)"):
        run(SMALL, folder, progress=False, num_pairs=50)
    with pytest.raises(ExperimentError, match=r"another configuration \(pairs 50 there, 60 now\)"):
        run(small(negatives="adar(warmup=1)"), folder, progress=False, num_pairs=60)


def test_a_run_of_an_older_version_that_said_less_goes_on(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "older")
    path = tmp_path / "older" / "config.json"
    said = json.loads(path.read_text())
    path.write_text(json.dumps({k: v for k, v in said.items() if k not in ("held_out_checksum", "pairs")}))
    assert run(small(negatives="adar(warmup=1)"), tmp_path / "older", progress=False, num_pairs=50).test


def test_a_run_that_is_stopped_before_its_first_checkpoint_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stopped(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(parts_of, "fit", stopped)
        with pytest.raises(KeyboardInterrupt):
            run(SMALL, tmp_path / "run", progress=False)
    assert not (tmp_path / "run").exists()


def test_a_claim_without_a_run_is_taken_over(folder: Path, tmp_path: Path) -> None:
    other = json.loads((folder / "config.json").read_text())
    for name in ("config.json", "recorded.safetensors", ".recorded.safetensors.17.partial"):  # what SIGKILL may leave
        shutil.copy(folder / name.replace(".17.partial", "").removeprefix("."), tmp_path / name)
    claim(tmp_path, {**other, "dim": 99})
    assert json.loads((tmp_path / "config.json").read_text())["dim"] == 99
    (tmp_path / "cells").mkdir()  # a comparison's
    with pytest.raises(ExperimentError, match=r"another configuration \(dim 99 there, 8 now\)"):
        claim(tmp_path, other)


@pytest.mark.parametrize("left", ["metrics.json", "checkpoint.safetensors"])
def test_a_run_whose_configuration_is_lost_is_not_taken_for_another(left: str, folder: Path, tmp_path: Path) -> None:
    shutil.copy(folder / left, tmp_path / left)
    with pytest.raises(ExperimentError, match=rf"must hold config.json, .*; got {left} without it; choose another"):
        run(small(dim=4), tmp_path, progress=False)
    assert not (tmp_path / "config.json").exists()


def test_a_trace_that_is_gone_is_made_again_from_the_checkpoint(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / "trace.npz").unlink()
    found = run(small(negatives="adar(warmup=1)"), tmp_path / "run", progress=False, num_pairs=50)
    assert found.test == read_result(folder).test
    whole, again = (Trace.load(path / "trace.npz") for path in (folder, tmp_path / "run"))
    assert {k: v for k, v in whole.meta.items() if k != "run"} == {k: v for k, v in again.meta.items() if k != "run"}
    for name in whole.arrays:
        np.testing.assert_array_equal(whole[name], again[name])


def test_a_trace_that_cannot_be_made_again_is_said_to_be_missing(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    for name in ("trace.npz", "checkpoint.safetensors"):
        (tmp_path / "run" / name).unlink()
    with pytest.raises(ExperimentError, match=r"must hold trace.npz, or checkpoint.safetensors to make it from"):
        run(small(negatives="adar(warmup=1)"), tmp_path / "run", progress=False, num_pairs=50)
    assert (tmp_path / "run" / "metrics.json").exists()


def test_a_recording_that_is_shorter_than_the_checkpoint_is_refused(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    for name in ("trace.npz", "metrics.json"):
        (tmp_path / "run" / name).unlink()
    path = tmp_path / "run" / "recorded.safetensors"
    recorded = checkpoint.load(path)
    checkpoint.save(path, {**recorded, "epochs": recorded["epochs"][:2]})
    message = r"recorded.safetensors must reach as far as checkpoint.safetensors: expected at least 3 epochs; got 2"
    with pytest.raises(ExperimentError, match=message):
        run(small(negatives="adar(warmup=1)"), tmp_path / "run", progress=False, num_pairs=50)


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("config.json", "", "config.json: expected JSON written by adar-viz; got Expecting value"),
        ("metrics.json", "[]", r"metrics.json: expected a table written by adar-viz; got \[\]"),
        ("metrics.json", "{}", "metrics.json: expected validation, test, best_epoch, seconds; validation, test, "),
    ],
)
def test_a_damaged_file_of_a_run_is_named(name: str, text: str, message: str, folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path / "run")
    (tmp_path / "run" / name).write_text(text)
    with pytest.raises(ExperimentError, match=message):
        run(small(negatives="adar(warmup=1)"), tmp_path / "run", progress=False, num_pairs=50)


def test_paths_may_be_of_either_kind(tmp_path: Path) -> None:
    data = tmp_path / "ratings.csv"
    rows = "".join(f"{u},{(u * 7 + i * i) % 30},4,{i}\n" for u in range(20) for i in range(12))
    data.write_text(f"userId,movieId,rating,timestamp\n{rows}")
    plan = TrainingPlan(epochs=1, batch_size=64)
    result = run(Experiment(data=data, dim=4, plan=plan), str(tmp_path / "run"), progress=False, num_pairs=5)
    assert Trace.load(result.folder / "trace.npz").meta["dataset"] == str(data)


def test_the_metric_that_selects_is_in_the_table(folder: Path) -> None:
    result = read_result(folder)
    assert "ndcg@5" not in table(result)
    assert "ndcg@5 " in table(result, "ndcg@5")


def command(folder: Path, *more: str) -> list[str]:
    return [sys.executable, "-m", "adar_viz.cli", "run", *OPTIONS, *more, "--out", str(folder)]


@pytest.mark.slow
def test_a_run_that_is_killed_again_and_again_ends_with_the_same_bits(tmp_path: Path) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    subprocess.run(command(whole), check=True, capture_output=True)
    moments = random.Random(7)
    for epochs_done in (1, 4, 9):
        with subprocess.Popen(command(killed), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            deadline = time.monotonic() + 120
            while finished_epochs(killed) < epochs_done and process.poll() is None and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(moments.uniform(0, 0.15))
            process.send_signal(signal.SIGKILL)
        assert process.returncode == -signal.SIGKILL
    subprocess.run(command(killed), check=True, capture_output=True)
    one, other = (checkpoint.load(path / "checkpoint.safetensors") for path in (whole, killed))
    for part in ("backbone", "best", "sampler"):
        assert same(one[part], other[part]), part
    traces = [Trace.load(path / "trace.npz") for path in (whole, killed)]
    assert traces[0].checksum() == traces[1].checksum()


def finished_epochs(folder: Path) -> int:
    path = folder / "checkpoint.safetensors"
    return len(checkpoint.load(path)["reports"]) if path.exists() else 0


def same(one: Any, other: Any) -> bool:
    if isinstance(one, torch.Tensor):
        return torch.equal(one, other)
    if isinstance(one, dict):
        return set(one) == set(other) and all(same(one[key], other[key]) for key in one)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other)


@pytest.mark.slow
@pytest.mark.parametrize(("backbone", "negatives"), [("mf", "adar(source=reverse)"), ("lightgcn", "adar(warmup=1)")])
def test_two_processes_end_where_one_does(tmp_path: Path, backbone: str, negatives: str) -> None:
    more = ["--backbone", backbone, "--negatives", negatives, "--batch-size", "512"]
    subprocess.run(command(tmp_path / "one", *more), check=True, capture_output=True)
    launch = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node=2", "-m", "adar_viz.cli"]
    environment = {**os.environ, "OMP_NUM_THREADS": "1"}
    arguments = ["run", *OPTIONS, *more, "--devices", "2", "--out", str(tmp_path / "two")]
    subprocess.run([*launch, *arguments], check=True, capture_output=True, env=environment)
    one, two = (json.loads((tmp_path / name / "metrics.json").read_text())["validation"] for name in ("one", "two"))
    assert two["ndcg@20"] == pytest.approx(one["ndcg@20"], rel=0.15)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--negatives", "foo"],
            "negatives must be one of adar, ahns, all_items, dns, mixgcf, popularity",
        ),
        (["--backbone", "mf(dims=3)"], "mf takes num_users, num_items, dim, std, sparse, generator; got 'dims'"),
        (["--negatives", "adar(target=margin(unit=mile))"], "unit must be 'sd' or 'score'; got 'mile'"),
        (["--negatives", "adar(ground=3)"], "ground must be NegativeSampler or None; got 3"),
        (["--negatives", "adar(ground=mixgcf)"], "the pool must give items; got synthetic negatives from MixGCF"),
        (["--negatives", "adar(target=margin(None))"], "margin(None): delta must be a number; got None"),
        (["--negatives", "adar(clamp=(0.5,))"], "clamp must be (a number, a number); got (0.5,)"),
        (["--negatives", "uniform(2.5)"], "num_negatives must be a whole number; got 2.5"),
        (["--negatives", "adar(source=reverse(2.5))"], "steps must be a whole number or None; got 2.5"),
        (["--negatives", "adar", "--loss", "softmax(log_q=True)"], "log_q needs the log-probability of every negative"),
        (["--data", "nowhere"], "nowhere: expected a path"),
        (["--split", "leave"], "a rule out of ratio, leave-one-out, temporal"),
        (["--split", "ratio(share=0.2)"], "settings of ratio out of validation, test, round_down; got share"),
        (["--split", "ratio("], "a split must be a rule with settings, as in ratio(test=0.5); got 'ratio('"),
        (["--split", "ratio(seed=3)"], "the seed of a split is that of the run; got 'ratio(seed=3)'"),
        (["--split", "ratio(test='a')"], "shares must lie in (0, 1) and add up to less than 1; got 0.1, 'a'"),
        (["--backbone", "mf(num_users=3)"], "num_users is not to be set, since it follows from the data; got 'mf(num"),
        (["--accelerator", "abacus"], "--accelerator must be one of this machine; got 'abacus'"),
        (["--split", "ratio(0.2)"], "settings of a split have names, as in ratio(test=0.5); got 'ratio(0.2)'"),
        (["--split", "as-published"], "a rule out of ratio, leave-one-out, temporal; got 'as-published'"),
        (["--metric", "speed"], "metric must be one of coverage@10"),
        (["--l2", "-1"], "l2 must be at least 0; got -1.0"),
        (["--seed", "-1"], "seed must be at least 0; got -1"),
        (["--learning-rate", "inf"], "epoch 0, step 1: the term 'loss' is nan"),
        (
            ["--backbone", "sasrec", "--split", "ratio", "--learning-rate", "inf"],
            "a sequential backbone needs an item before each user's first",
        ),
    ],
)
def test_bad_input_is_one_clear_line(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "run"
    assert main(["run", "--quiet", "--dim", "4", "--epochs", "1", "--out", str(out), *arguments]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1
    assert not out.exists()


def published(folder: Path, shift: int) -> Path:
    """Write a published split of 40 users and 20 items; ``shift`` moves the test items, and nothing else."""
    folder.mkdir()
    for name, items in (("train", range(8)), ("test", range(8 + shift, 11 + shift))):
        lines = [" ".join(map(str, [user, *((user + item) % 20 for item in items)])) for user in range(40)]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n")
    return folder


@pytest.mark.slow
def test_the_test_part_selects_only_where_it_is_asked_for_by_name(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {}
    for name, rule, shift in (("honest", "given", 0), ("moved", "given", 5), ("loud", "as-published", 0)):
        words = ["--data", str(published(tmp_path / name, shift)), "--split", rule, "--negatives", "uniform"]
        assert (
            main(["run", *OPTIONS, *words, "--epochs", "3", "--pairs", "5", "--out", str(tmp_path / f"run-{name}")])
            == 0
        )
        found[name] = json.loads((tmp_path / f"run-{name}" / "metrics.json").read_text())
        said = "AS PUBLISHED: the epoch was selected ON THE TEST PART" in capsys.readouterr().out
        assert said == (name == "loud")
        assert found[name]["selected_on"] == ("test" if name == "loud" else "validation")
    for key in ("validation", "best_epoch"):
        assert found["honest"][key] == found["moved"][key]
    assert found["honest"]["test"] != found["moved"]["test"]
    assert found["loud"]["validation"] == pytest.approx(found["loud"]["test"])


def test_help_names_every_part(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["run", "--help"])
    text = capsys.readouterr().out
    for name in ("lightgcn", "adar", "softmax", "--l2", "default: 0.0001"):
        assert name in text


def test_false_negatives_are_counted_where_truth_is_known(folder: Path) -> None:
    found = json.loads((folder / "metrics.json").read_text())["false_negatives"]
    assert found["num_judged"] == found["num_drawn"] > 10_000
    assert 0.05 < found["rate"] < 0.6
    assert found["truth"].startswith("synthetic world")
    synthetic = run(small(negatives="adar(warmup=1, ground=None)"), folder.with_name("synthetic"), progress=False)
    assert synthetic.false_negatives is not None
    assert synthetic.false_negatives["distance"] > 0
