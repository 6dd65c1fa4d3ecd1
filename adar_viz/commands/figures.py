"""The ``figures`` command: draw the figures of a manifest, or check them."""

from __future__ import annotations

import argparse
import re
import sys
import tomllib
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from adar_viz.displays.style import CONTEXTS
from adar_viz.figures.checking import check
from adar_viz.figures.drawing import Source, draw, read_inputs, read_lock
from adar_viz.figures.manifest import INPUTS, MANIFEST, Figure, FigureError, choose, read_manifest
from adar_viz.trace import Trace, trace_file


def add_parser(subparsers: Any) -> None:
    """Add the ``figures`` command to the command line's subparsers."""
    parser = subparsers.add_parser(
        "figures",
        help="draw every figure of the manifest, or check them",
        description="Draw every figure of the manifest into PDF, SVG, PNG and CSV, training first where needed.",
    )
    parser.add_argument("--only", metavar="ID", action="append", help="draw or check this figure alone (repeatable)")
    parser.add_argument(
        "--set",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        dest="settings",
        help="another value than the manifest's: for data, seed, negatives, traces, table, size, moments or an option "
        "of the display; draws into a folder of its own (repeatable)",
    )
    parser.add_argument("--style", default="paper", choices=tuple(CONTEXTS), help="size of text and lines")
    parser.add_argument("--footer", action="store_true", help="print run, seed, data and version below each figure")
    parser.add_argument(
        "--check", action="store_true", help="draw nothing; say which figure no longer matches its data"
    )
    parser.add_argument("--list", action="store_true", help="list the figures with their captions")
    parser.add_argument(
        "--trace",
        type=Path,
        metavar="FILE",
        action="append",
        help="draw from this trace instead of a demo run (repeatable; needs --out)",
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write here instead of beside the manifest")
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help=f"default: {MANIFEST}")
    parser.set_defaults(run=execute)


def execute(args: argparse.Namespace) -> int:
    """Run the command; 0 is good, 1 means that a figure is out of date.

    Raises
    ------
    ValueError
        If the question was wrong: an unknown figure, name or value.
    """
    drawn = choose(read_manifest(args.manifest), args.only)
    if args.list:
        print("\n".join(f"{figure.id}: {figure.caption}" for figure in drawn))
        return 0
    if args.trace is not None and args.out is None:
        raise FigureError("--trace must come with --out, so that figures of other data stay apart")
    settings = _settings(args.settings)
    if args.trace is not None and (without := sorted(INPUTS & set(settings))):
        raise FigureError(f"--set {without[0]} says what a figure is drawn from, and so does --trace; got both")
    figures = _changed(drawn, settings, alone=bool(args.only))
    if args.trace is not None:
        figures = _of_traces(figures, len(args.trace), alone=bool(args.only))
        figures = [_as_given(figure, args.trace, args.manifest.parent, settings) for figure in figures]
        for path in args.trace:  # one that cannot be read is no reason to leave out figure after figure
            Trace.load(path)
    folder = args.out or args.manifest.parent / _apart(args, changed=figures != drawn)
    source: Source = _finder(args.manifest.parent) if args.trace is None else lambda figure: args.trace
    if not args.check:
        _draw(figures, args, folder, source)
        return 0
    if _may_leave_out(args):
        figures = _feedable(figures, folder, source)
    reasons = check(figures, folder, source)
    for name, reason in reasons.items():
        print(f"{name}: {reason}")
    print(f"{len(figures) - len(reasons)} of {len(figures)} figures match their data")
    return 1 if reasons else 0


def _may_leave_out(args: argparse.Namespace) -> bool:
    """Whether figures that cannot be drawn may be left out: of a whole manifest, few traces feed every figure."""
    return args.trace is not None and not args.only


def _draw(figures: list[Figure], args: argparse.Namespace, folder: Path, source: Source) -> None:
    """Draw one after the other, and say which the given traces cannot feed; none at all is an error."""
    able = 0
    for figure in figures:
        try:
            for path in draw([figure], folder, source, args.style, footer=args.footer):
                print(path)
            able += 1
        except ValueError as error:
            if isinstance(error, FigureError) or not _may_leave_out(args):
                raise
            _say_left_out([figure], [], _brief(error))
    if figures and not able:
        raise FigureError(f"--trace must feed at least one figure; got none out of {len(figures)}")


def _feedable(figures: list[Figure], folder: Path, source: Source) -> list[Figure]:
    """Keep the figures that were drawn or could be, and say which could not."""
    lock, able = read_lock(folder), []
    for figure in figures:
        try:
            if figure.id not in lock:
                figure.draw(read_inputs(figure, source))
            able.append(figure)
        except ValueError as error:
            _say_left_out([figure], [], _brief(error))
    return able


def _brief(error: ValueError) -> str:
    return str(error).partition("; it has")[0]  # not the names of all arrays


def _changed(figures: list[Figure], settings: Mapping[str, Any], *, alone: bool) -> list[Figure]:
    """Change the figures that were asked for; of a whole manifest, those that have everything that is set."""
    able = [figure for figure in figures if alone or set(settings) <= set(figure.settings)] or figures
    _say_left_out(figures, able, f"they do not have {', '.join(settings)}")
    return [figure.changed(settings) for figure in able]


def _of_traces(figures: list[Figure], number: int, *, alone: bool) -> list[Figure]:
    """Keep the figures that are drawn from so many traces; one that was asked for by name has to be."""
    able = [figure for figure in figures if figure.number_of_traces == number]
    for figure in figures:
        if figure not in able and (alone or not able):
            takes = f"{figure.number_of_traces} traces" if figure.number_of_traces else "a table"
            raise FigureError(f"figure {figure.id!r}: it is drawn from {takes}; got --trace {number} times")
    _say_left_out(figures, able, "they are not drawn from as many traces")
    return able


def _as_given(figure: Figure, traces: list[Path], home: Path, settings: Mapping[str, Any]) -> Figure:
    """Drop what the manifest says of its own runs where the given traces are others; names that were set stay."""
    if [trace_file(path).resolve() for path in traces] == [path.resolve() for path in figure.stored_inputs(home)]:
        return figure
    return figure.of_other_runs().changed({name: value for name, value in settings.items() if name == "names"})


def _say_left_out(figures: list[Figure], able: list[Figure], reason: str) -> None:
    if left_out := ", ".join(figure.id for figure in figures if figure not in able):
        print(f"left out, since {reason}: {left_out}", file=sys.stderr)


def _settings(words: list[str]) -> dict[str, Any]:
    """Read ``NAME=VALUE``: a TOML value (3, 0.5, true, [1, 2]), or else text."""
    settings = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise FigureError(f"--set must be NAME=VALUE; got {word!r}")
        try:
            settings[name] = tomllib.loads(f"value = {value}")["value"]
        except tomllib.TOMLDecodeError:
            settings[name] = value
    return settings


def _apart(args: argparse.Namespace, *, changed: bool) -> str:
    """Name the folder of figures that are not the manifest's: ``seed-3-slides``; empty for those that are."""
    words = [*args.settings] if changed else []
    words += [args.style] if args.style != "paper" else []
    words += ["footer"] if args.footer else []
    return "-".join(re.sub(r"[^\w.]+", "-", word).strip("-") for word in words)


def _finder(home: Path) -> Source:
    """Find the traces or the table of a figure beside the manifest, or traces in runs that are trained when needed."""
    train: Callable[[str, int, str], Path] = cache(_demo_trace)

    def find(figure: Figure) -> list[Path]:
        if figure.data is None or figure.seed is None:
            return figure.stored_inputs(home)
        return [train(figure.data, figure.seed, negatives) for negatives in figure.negatives]

    return find


def _demo_trace(data: str, seed: int, negatives: str) -> Path:
    # Training needs torch; drawing from traces does not.
    from adar_viz.experiment import TRACE, demo_run

    return demo_run(data, seed, negatives) / TRACE
