"""The command line: ``adar-viz run | compare | results | verify | figures | map | site | data``."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import NoReturn

COMMANDS = ("run", "compare", "results", "verify", "figures", "map", "site", "data")
"""Each is a module of `adar_viz.commands`; only the one that is asked for is imported."""


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        """Say what is wrong in one line, as all other bad input is said, without a screen of usage before it."""
        self.exit(2, f"{self.prog}: error: {message} (see {self.prog} --help)\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; return 0, 1 where a check failed, 2 for bad input, 130 when stopped, 141 if nobody reads on."""
    try:
        try:
            return _run(list(sys.argv[1:] if arguments is None else arguments))
        finally:
            print(end="", flush=True)  # Python's own flush at exit could only complain
    except OSError as error:  # of the output: `_run` deals with all others
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # nothing is left to fail at exit
        if isinstance(error, BrokenPipeError):  # the reader, such as `head`, has seen enough
            return 128 + signal.SIGPIPE
        print(f"adar-viz: error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nstopped; what is finished is kept, and the same command goes on from there", file=sys.stderr)
        return 130


def _run(arguments: list[str]) -> int:
    os.environ.setdefault("THP_MEM_ALLOC_ENABLE", "1")  # torch's large tables in huge pages (Linux): far rows cost less
    parser = _Parser(prog="adar-viz", description="Watch a positive item turn into a negative.")
    parser.add_argument("--version", action="version", version=_version())
    subparsers = parser.add_subparsers(dest="command", metavar="|".join(COMMANDS))
    asked = next((a for a in arguments if not a.startswith("-")), None)
    for name in [asked] if asked in COMMANDS else COMMANDS:
        with _interrupts_held_back():
            command = importlib.import_module(f"adar_viz.commands.{name}")
        command.add_parser(subparsers)
    args, unknown = parser.parse_known_args(arguments)
    if unknown:
        subparsers.choices.get(args.command, parser).error(f"unrecognized arguments: {' '.join(unknown)}")
    if args.command is None:
        parser.print_help()
        return 2
    try:
        return int(args.run(args))
    except BrokenPipeError:
        raise  # no bad input
    except (ValueError, ArithmeticError, OSError) as error:
        print(f"adar-viz {args.command}: error: {error}", file=sys.stderr)
        return 2


@contextmanager
def _interrupts_held_back() -> Iterator[None]:
    """Let an import end before Ctrl-C counts: stopped halfway, NumPy's turns the interrupt into other errors."""
    if threading.current_thread() is not threading.main_thread() or (
        signal.getsignal(signal.SIGINT) is not signal.default_int_handler
    ):
        yield  # no signal comes here, or someone else deals with it
        return
    held: list[int] = []
    signal.signal(signal.SIGINT, lambda number, _: held.append(number))
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    if held:
        raise KeyboardInterrupt


def _version() -> str:
    from adar_viz import __version__

    return f"adar_viz {__version__}"


if __name__ == "__main__":
    sys.exit(main())
