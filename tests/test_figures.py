"""Figures come from one manifest, and `--check` finds the one that no longer matches its data."""

from __future__ import annotations

import argparse
import hashlib
import json
import shutil
from pathlib import Path

import pandas as pd
import pytest

from adar_viz.figures import DISPLAYS, FORMATS, LOCK, FigureError, add_parser, choose, read_manifest
from adar_viz.trace import Trace

ROOT = Path(__file__).parents[1]
MANIFEST = """
[[figure]]
id = "schedule"
display = "noise_schedule"
data = "synthetic"
seed = 0
caption = "The schedule."
alt = "Two curves."

[[figure]]
id = "one_pair"
display = "timestep_hardness"
data = "synthetic"
seed = 0
caption = "One pair."
alt = "A curve."
options = { pair = 0 }
size = [5.0, 4.0]
"""


@pytest.fixture
def home(tmp_path, law_trace):
    (tmp_path / "manifest.toml").write_text(MANIFEST)
    law_trace.save(tmp_path / "trace.npz")
    return tmp_path


@pytest.fixture(scope="module")
def drawn_once(tmp_path_factory, law_trace):
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "manifest.toml").write_text(MANIFEST)
    law_trace.save(folder / "trace.npz")
    assert command(folder) == 0
    return folder


@pytest.fixture
def drawn(drawn_once, tmp_path):
    """A folder of its own in which everything has been drawn."""
    return shutil.copytree(drawn_once, tmp_path / "home")


def command(home, *words):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    base = ["figures", "--manifest", str(home / "manifest.toml"), "--trace", str(home / "trace.npz")]
    args = parser.parse_args([*base, "--out", str(home / "out"), *words])
    return args.run(args)


def test_every_figure_is_written_in_every_format_with_its_numbers(home, capsys):
    assert command(home) == 0
    expected = {f"{name}.{suffix}" for name in ("schedule", "one_pair") for suffix in (*FORMATS, "csv")}
    assert {p.name for p in (home / "out").iterdir()} == {*expected, LOCK}
    assert {Path(line).name for line in capsys.readouterr().out.split()} == expected
    lock = json.loads((home / "out" / LOCK).read_text())
    assert lock["one_pair"]["alt"].startswith("A curve. For one pair the expected score")
    assert lock["one_pair"]["stamp"]["run"] == "law"


def test_drawing_again_gives_the_same_bytes(drawn):
    before = {p.name: p.read_bytes() for p in (drawn / "out").iterdir()}
    shutil.rmtree(drawn / "out")
    command(drawn)
    assert {p.name: p.read_bytes() for p in (drawn / "out").iterdir()} == before


def test_only_draws_one_and_an_unknown_id_lists_the_valid_ones(home, capsys):
    assert command(home, "--only", "schedule") == 0
    assert not (home / "out" / "one_pair.pdf").exists()
    assert command(home, "--only", "scedule") == 2
    assert "no figure is called scedule; the manifest has schedule, one_pair" in capsys.readouterr().err


def test_check_is_content_after_drawing(drawn, capsys):
    assert command(drawn, "--check") == 0
    assert "2 of 2 figures match their data" in capsys.readouterr().out


def changed(home: Path, what: str) -> None:
    if what == "data":
        trace = Trace.load(home / "trace.npz")
        Trace(trace.meta, {**trace.arrays, "score": trace["score"] - 1}).save(home / "trace.npz")
    elif what == "run":
        trace = Trace.load(home / "trace.npz")
        Trace({**trace.meta, "seed": 1, "version": "9.9.9"}, trace.arrays).save(home / "trace.npz")
    elif what == "manifest":
        (home / "manifest.toml").write_text(MANIFEST.replace("pair = 0", "pair = 1"))
    elif what == "missing":
        (home / "out" / "one_pair.svg").unlink()
    elif what == "edited":
        (home / "out" / "one_pair.png").write_bytes(b"other")


@pytest.mark.parametrize(
    ("what", "reason"),
    [
        ("data", "one_pair: its data have changed: column q0.05"),
        ("run", "one_pair: its run has changed: seed"),
        ("manifest", "one_pair: its entry in the manifest has changed"),
        ("missing", "one_pair: one_pair.svg is missing"),
        ("edited", "one_pair: one_pair.png is not the file that was drawn"),
    ],
)
def test_check_names_the_figure_that_is_out_of_date_and_why(drawn, capsys, what, reason):
    changed(drawn, what)
    assert command(drawn, "--check") == 1
    out = capsys.readouterr().out
    assert reason in out
    assert f"{0 if what == 'run' else 1} of 2 figures match" in out


def test_check_names_what_was_never_drawn(home, capsys):
    assert command(home, "--check") == 1
    assert "schedule: it was never drawn" in capsys.readouterr().out


def test_numbers_that_a_new_training_may_change_are_no_change(drawn):
    trace = Trace.load(drawn / "trace.npz")
    Trace(trace.meta, {**trace.arrays, "score": trace["score"] * 1.03}).save(drawn / "trace.npz")
    assert command(drawn, "--check") == 0


def test_the_table_holds_the_numbers_of_the_picture(drawn, law_trace):
    table = pd.read_csv(drawn / "out" / "one_pair.csv")
    assert table["mean"][0] == pytest.approx(law_trace["pair_score"][0], rel=1e-5)


def test_a_trace_of_one_s_own_must_not_overwrite_the_project_s_figures(home, capsys):
    parser = argparse.ArgumentParser()
    add_parser(parser.add_subparsers())
    args = parser.parse_args(["figures", "--manifest", str(home / "manifest.toml"), "--trace", "x.npz"])
    assert args.run(args) == 2
    assert "--trace must come with --out" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('display = "noise_schedule"', 'display = "pie"', "display must be one of .*noise_schedule"),
        ('caption = "The schedule."', "", "missing: .*caption"),
        ('caption = "The schedule."', 'caption = "a"\ncolour = "red"', "unknown: .*colour"),
        ('id = "one_pair"', 'id = "schedule"', "repeated: .*schedule"),
        ("seed = 0", "seed = ", "readable TOML"),
    ],
)
def test_a_wrong_manifest_is_refused_with_the_reason(tmp_path, old, new, message):
    path = tmp_path / "manifest.toml"
    path.write_text(MANIFEST.replace(old, new))
    with pytest.raises(FigureError, match=message):
        read_manifest(path)


def test_the_project_s_manifest_is_sound_and_uses_every_display(law_trace):
    figures = read_manifest(ROOT / "figures" / "manifest.toml")
    assert {f.display for f in figures} == set(DISPLAYS)
    assert all(len(f.caption) > 40 and len(f.alt) > 20 for f in figures)
    assert choose(figures, None) == figures

    assert all(f.draw(law_trace).describe() for f in figures)


def test_list_prints_ids_with_captions(home, capsys):
    assert command(home, "--list") == 0
    assert capsys.readouterr().out == "schedule: The schedule.\none_pair: One pair.\n"


def test_the_committed_figures_are_those_of_the_manifest():
    """Without training: entries, files and the data set; `adar-viz figures --check` compares the numbers, too."""
    folder = ROOT / "figures"
    lock = json.loads((folder / LOCK).read_text())
    figures = read_manifest(folder / "manifest.toml")
    assert set(lock) == {figure.id for figure in figures}
    checksum = Trace.load(ROOT / "notebooks" / "traces" / "demo.npz").meta["data_checksum"]
    for figure in figures:
        record = lock[figure.id]
        assert record["recipe"] == figure.recipe(), f"{figure.id}: draw it again"
        assert record["facts"]["data_checksum"] == checksum
        for name, digest in record["sha256"].items():
            assert hashlib.sha256((folder / name).read_bytes()).hexdigest() == digest, name
