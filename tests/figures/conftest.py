from __future__ import annotations

import argparse
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from adar_viz.commands.figures import add_parser
from adar_viz.trace import Trace

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
traces = ["trace.npz"]
caption = "One pair."
alt = "A curve."
options = { pair = 0 }
size = [5.0, 4.0]
"""

Command = Callable[..., int]


@pytest.fixture
def home(tmp_path: Path, law_trace: Trace) -> Path:
    """A folder with a manifest of two figures and a trace."""
    (tmp_path / "manifest.toml").write_text(MANIFEST)
    law_trace.save(tmp_path / "trace.npz")
    return tmp_path


@pytest.fixture(scope="session")
def command() -> Command:
    """``adar-viz figures`` on the manifest of a folder, with other words behind it."""

    def run(home: Path, *words: str) -> int:
        parser = argparse.ArgumentParser()
        add_parser(parser.add_subparsers())
        args = parser.parse_args(["figures", "--manifest", str(home / "manifest.toml"), *words])
        return int(args.run(args))

    return run


@pytest.fixture(scope="session")
def from_trace(command: Command) -> Command:
    """The same, drawing everything from the folder's trace into ``out``."""
    return lambda home, *words: command(home, "--trace", str(home / "trace.npz"), "--out", str(home / "out"), *words)


@pytest.fixture(scope="session")
def drawn_once(tmp_path_factory: pytest.TempPathFactory, law_trace: Trace, from_trace: Command) -> Path:
    folder = tmp_path_factory.mktemp("drawn")
    (folder / "manifest.toml").write_text(MANIFEST)
    law_trace.save(folder / "trace.npz")
    assert from_trace(folder) == 0
    return folder


@pytest.fixture
def drawn(drawn_once: Path, tmp_path: Path) -> Path:
    """A folder of its own in which both figures have been drawn."""
    return shutil.copytree(drawn_once, tmp_path / "home")
