"""A wrong option is one line that names it, and ends with status 2, whatever the command."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from adar_viz.cli import main


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["run", "--pairs", "0"], "argument --pairs: must be at least 1; got 0"),
        (["run", "--threads", "0"], "argument --threads: must be at least 1; got 0"),
        (["run", "--devices", "two"], "argument --devices: invalid integer value: 'two'"),
        (
            ["run", "--epoch", "3", "--colour", "red"],
            "adar-viz run: error: unrecognized arguments: --colour red (see adar-viz run --help)",
        ),
        (["run", "--overlap", "ask"], "argument --overlap: invalid choice: 'ask'"),
        (["run", "--format", "excel"], "argument --format: invalid choice: 'excel'"),
        (["compare", "--format", "excel"], "argument --format: invalid choice: 'excel'"),
        (["compare", "--threads", "-1"], "argument --threads: must be at least 1; got -1"),
        (["results", "--threads", "0"], "argument --threads: must be at least 1; got 0"),
        (["results", "--budget", "-1"], "argument --budget: must be at least 0; got -1"),
        (["results", "--budget", "nan"], "argument --budget: must be at least 0; got nan"),
        (["verify", "--at-most", "soon"], "argument --at-most: invalid duration value: 'soon'"),
        (["map", "run", "--neighbors", "1"], "argument --neighbors: must be at least 2; got 1"),
        (["map"], "the following arguments are required: run_or_trace"),
        (["draw"], "argument run|compare|results|verify|figures|map|site|data: invalid choice: 'draw'"),
    ],
)
def test_a_wrong_option_is_one_line(arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stop:
        main(arguments)
    error = capsys.readouterr().err
    assert stop.value.code == 2
    assert message in error
    assert (error.count("\n"), "--help" in error) == (1, True)


def test_a_run_reads_its_data_as_the_format_that_was_asked_for_and_keeps_it(tmp_path: Path) -> None:
    path, folder = tmp_path / "mine.txt", tmp_path / "run"
    path.write_text("".join(f"{user} {user} {user + 1} {user + 2} {user + 3}\n" for user in range(20)))
    options = ["--data", str(path), "--format", "sequence", "--split", "leave-one-out", "--negatives", "uniform"]
    assert main(["run", *options, "--epochs", "1", "--dim", "4", "--quiet", "--out", str(folder)]) == 0
    assert json.loads((folder / "config.json").read_text())["data"] == f"sequence:{path}"


SHOWING = """
import sys
from adar_viz.cli import main
try:
    main(["map"])
except SystemExit:
    print("torch" in sys.modules)
"""


def test_a_showing_command_says_so_without_importing_torch() -> None:
    done = subprocess.run([sys.executable, "-c", SHOWING], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"


@pytest.mark.parametrize("command", ["run", "compare", "site"])
def test_a_file_is_no_folder_to_write_to(command: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("mine")
    with pytest.raises(SystemExit) as stop:
        main([command, "--out", str(path)])
    assert stop.value.code == 2
    assert f"argument --out: must be a folder; got the file {path}" in capsys.readouterr().err


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("arguments", [["data", "list"], ["data", "--help"]])
def test_a_reader_that_has_seen_enough_is_no_error(arguments: list[str], unbuffered: str) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    environment = {**os.environ, "PYTHONUNBUFFERED": unbuffered}
    with os.fdopen(writing, "w") as pipe:
        done = subprocess.run(
            [sys.executable, "-m", "adar_viz.cli", *arguments],
            stdout=pipe,
            stderr=subprocess.PIPE,
            env=environment,
            check=False,
        )
    assert done.stderr == b""
    assert done.returncode in (0, 128 + signal.SIGPIPE)  # 0: argparse itself says nothing of it


STOPPED = """
import sys
from adar_viz import cli
def stop(name):
    raise KeyboardInterrupt
cli.importlib.import_module = stop
sys.exit(cli.main(["run"]))
"""


IMPORTING = """
import signal, sys
from adar_viz import cli
def interrupted(name):  # as NumPy's import may end
    try:
        signal.raise_signal(signal.SIGINT)
    except KeyboardInterrupt as error:
        raise RecursionError("maximum recursion depth exceeded") from error
cli.importlib.import_module = interrupted
sys.exit(cli.main(["run"]))
"""


@pytest.mark.parametrize("start", [STOPPED, IMPORTING])
def test_an_interrupt_while_it_starts_is_as_quiet_as_a_later_one(start: str) -> None:
    done = subprocess.run([sys.executable, "-c", start], capture_output=True, text=True, check=False)
    assert done.returncode == 130
    assert "Traceback" not in done.stderr
    assert "the same command goes on from there" in done.stderr
