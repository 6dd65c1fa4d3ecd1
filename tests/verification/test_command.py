"""``adar-viz verify``: what it runs, writes, keeps and refuses."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from adar_viz.cli import main

MANIFEST = """
[[anchor]]
id = "counted"
what = "Popularity"
source = "Here"
tolerance = 0.9
minutes = 0.1
run = { data = "synthetic" }
count = ["train"]
published.best = { "recall@20" = 0.3 }

[[anchor]]
id = "trained"
what = "A small training"
source = "Here"
tolerance = 0
minutes = 2
seeds = 2
run = { data = "synthetic", negatives = "uniform", dim = 4, epochs = 1 }
published.best = { "recall@20" = 0.999 }

[[anchor]]
id = "absent"
what = "Data that are not there"
source = "Nowhere"
tolerance = 0
minutes = 30
run = { data = "gowalla" }
published.best = { "recall@20" = 0.1 }
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "verification").mkdir()
    (tmp_path / "verification" / "anchors.toml").write_text(MANIFEST)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ADAR_VIZ_DATA", raising=False)
    return tmp_path


def test_it_runs_what_is_chosen_and_says_what_is_missing(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--quiet", "--at-most", "1"]) == 0
    text = (project / "runs" / "verification" / "VERIFICATION.md").read_text()
    assert "1 of 1 numbers lie within" in text
    assert "2 were not run" in text
    assert main(["verify", "--quiet", "--only", "trained"]) == 1  # .999 is out of reach
    assert main(["verify", "--quiet", "--only", "trained", "--only", "absent"]) == 2  # one that was named is missing
    assert "absent: not run: gowalla: expected a folder gowalla" in capsys.readouterr().err
    assert not (project / "VERIFICATION.md").exists()
    text = (project / "runs" / "verification" / "VERIFICATION.md").read_text()
    assert "| trained | best | recall@20 | 0.9990 | 0." in text
    assert " | 2: 0." in text  # both seeds
    assert len(list((project / "runs" / "verification").glob("trained*/found.json"))) == 2


def test_write_keeps_what_was_found_and_trains_nothing(project: Path) -> None:
    assert main(["verify", "--quiet", "--only", "counted"]) == 0
    assert main(["verify", "--write"]) == 0
    kept = json.loads((project / "verification" / "found.json").read_text())
    assert list(kept) == ["counted"]
    page = (project / "VERIFICATION.md").read_text()
    assert "1 of 1 numbers lie within" in page
    for path in sorted((project / "runs").rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    assert main(["verify", "--write"]) == 0  # from what was kept
    assert (project / "VERIFICATION.md").read_text() == page


def test_the_list_names_every_anchor(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--list"]) == 0
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == ["counted", "trained", "absent"]


def test_an_unknown_anchor_is_one_clear_line(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["verify", "--only", "counter"]) == 2
    error = capsys.readouterr().err
    assert error == ("adar-viz verify: error: no anchor is called counter; the manifest has counted, trained, absent\n")


def test_one_that_was_named_and_has_no_data_is_one_line_whatever_its_seeds(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = project / "verification" / "anchors.toml"
    path.write_text(MANIFEST.replace('run = { data = "gowalla" }', 'seeds = 3\nrun = { data = "gowalla" }'))
    assert main(["verify", "--quiet", "--only", "absent"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("absent: not run: gowalla: expected a folder gowalla")


@pytest.mark.parametrize("text", ["", "[]", '{"counted": 3}', '{"counted": {"recipes": "a"}}'])
def test_what_was_kept_and_is_damaged_is_named(project: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "verification" / "found.json").write_text(text)
    assert main(["verify", "--write"]) == 2
    assert "verification/found.json: expected " in capsys.readouterr().err
    assert not (project / "VERIFICATION.md").exists()


@pytest.mark.parametrize("text", ["", "{}"])
def test_what_a_folder_holds_and_is_damaged_is_named(
    project: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["verify", "--quiet", "--only", "counted"]) == 0
    (found,) = (project / "runs" / "verification").glob("counted-*/found.json")
    found.write_text(text)
    assert main(["verify", "--quiet", "--only", "counted"]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert str(found.relative_to(project)) in line
