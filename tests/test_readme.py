"""What the README and the other guides promise is there."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
GUIDES = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "RESULTS.md", "data/README.md")


def blocks(guide: str, language: str) -> list[str]:
    text = (ROOT / guide).read_text()
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def commands(program: str) -> list[list[str]]:
    """Every call of a program in the shell blocks of the guides, without its comment."""
    lines = [line for guide in GUIDES for block in blocks(guide, "sh") for line in block.splitlines()]
    words = [shlex.split(line, comments=True) for line in lines]
    return [line[line.index(program) + 1 :] for line in words if program in line]


@pytest.mark.parametrize("guide", GUIDES)
def test_every_link_and_picture_of_a_guide_exists(guide: str) -> None:
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", (ROOT / guide).read_text())
    local = [target for target in targets if "://" not in target]
    assert not [target for target in local if not ((ROOT / guide).parent / target).exists()]


def test_every_picture_of_the_readme_says_what_it_shows() -> None:
    pictures = re.findall(r"!\[([^\]]*)\]\(", (ROOT / "README.md").read_text())
    assert pictures
    assert all(len(alt) > 20 for alt in pictures)


def test_every_folder_that_the_readme_names_exists() -> None:
    folders = re.findall(r"`([a-z_]+/)`", (ROOT / "README.md").read_text())
    assert folders
    assert not [folder for folder in folders if not (ROOT / folder).is_dir()]


def test_every_make_target_that_a_guide_names_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = {word for line in commands("make") for word in line if "=" not in word}
    assert {"figures", "test", "check"} <= named <= targets


def test_the_command_line_takes_every_option_that_a_guide_names(capsys: pytest.CaptureFixture[str]) -> None:
    from adar_viz.cli import main

    assert commands("adar-viz")
    for name, *words in commands("adar-viz"):
        with pytest.raises(SystemExit) as stop:
            main([name, "--help"])
        assert stop.value.code == 0
        explained = capsys.readouterr().out
        assert not [word for word in words if word.startswith("--") and word not in explained], name


@pytest.mark.slow
def test_the_example_runs_and_is_short(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (example,) = blocks("README.md", "python")
    assert len([line for line in example.splitlines() if line.strip()]) <= 15
    monkeypatch.chdir(tmp_path)
    exec(compile(example, "README.md", "exec"), {"__name__": "readme"})
    assert "NDCG@20" in capsys.readouterr().out
    assert {path.suffix for path in tmp_path.glob("hardness.*")} == {".pdf", ".svg", ".png"}
