"""Every figure of the project, drawn from one manifest by the displays that the notebooks use.

A figure is its picture (PDF, SVG, PNG) and its numbers (CSV). The lock beside them records what
each was made from, so that `check` can say which one no longer matches its data: the entry in the
manifest, the facts of the run (data, sampler, seed, …) and the files must be the same. Where the run
was trained anew, its numbers may differ a little: training is bit-identical on one machine, not
across machines. Pictures are never compared across machines.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from adar_viz.displays import (
    FORMATS,
    DecisionBoundary,
    Display,
    EmbeddingDrift,
    NoiseSchedule,
    TimestepHardness,
    TrainingCurves,
    TransitionMap,
    Walk,
)
from adar_viz.trace import Trace

DISPLAYS: Mapping[str, type[Display]] = {
    "decision_boundary": DecisionBoundary,
    "embedding_drift": EmbeddingDrift,
    "noise_schedule": NoiseSchedule,
    "timestep_hardness": TimestepHardness,
    "training_curves": TrainingCurves,
    "transition_map": TransitionMap,
    "walk": Walk,
}
MANIFEST = Path("figures/manifest.toml")
LOCK = "figures.lock.json"
TOLERANCE, ROWS, LABELS = 0.1, 0.95, 0.5
"""Numbers within a tenth of their column's range are no change, if 95 in 100 rows are; of labels half must agree.

Two trainings of the demo on different instruction sets differed by up to 5 % and by one epoch.
"""
PASSING = ("run", "version", "sigma")
"""Facts of a run that may change while the figure stays true."""

Source = Callable[[str, int], Path]


class FigureError(ValueError):
    """The manifest, or what was asked of it, is wrong."""


@dataclass(frozen=True)
class Figure:
    """One entry of the manifest.

    Attributes
    ----------
    id : str
        Name of the files.
    display : str
        One of `DISPLAYS`.
    data, seed
        The run it is drawn from.
    caption : str
        For print.
    alt : str
        What is seen in general; the numbers of the present data come from ``describe``.
    options : mapping
        Arguments of the display's ``from_trace``.
    size : tuple of float or None
        Width and height in inches.
    """

    id: str
    display: str
    data: str
    seed: int
    caption: str
    alt: str
    options: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.display not in DISPLAYS:
            raise FigureError(f"figure {self.id!r}: display must be one of {', '.join(DISPLAYS)}; got {self.display!r}")

    def recipe(self) -> str:
        """SHA-256 of everything the manifest says about the figure."""
        return hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()

    def draw(self, trace: Trace, context: str = "paper") -> Display:
        """Compute and draw."""
        return DISPLAYS[self.display].from_trace(trace, **self.options).plot(context=context, size=self.size)


def read_manifest(path: Path) -> list[Figure]:
    """Read the figures of a manifest: a table ``[[figure]]`` each.

    Raises
    ------
    FigureError
        If an entry lacks a key, has an unknown one, or repeats an id.
    """
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("figure", [])
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise FigureError(f"{path} must be a readable TOML file: {error}") from error
    known = {f.name for f in fields(Figure)}
    figures = []
    for entry in entries:
        unknown, missing = set(entry) - known, known - {"options", "size"} - set(entry)
        if unknown or missing:
            raise FigureError(
                f"{path}: figure {entry.get('id', '?')!r} must have {', '.join(sorted(known))}; "
                f"unknown: {sorted(unknown)}, missing: {sorted(missing)}"
            )
        figures.append(Figure(**{**entry, "size": tuple(entry["size"]) if "size" in entry else None}))
    ids = [figure.id for figure in figures]
    if repeated := {name for name in ids if ids.count(name) > 1}:
        raise FigureError(f"{path}: ids must be unique; repeated: {sorted(repeated)}")
    return figures


def choose(figures: Iterable[Figure], only: Iterable[str] | None) -> list[Figure]:
    """Keep the figures with the given ids, all where none is given; an unknown id lists the valid ones."""
    figures = list(figures)
    wanted, valid = list(only or ()), [figure.id for figure in figures]
    if unknown := [name for name in wanted if name not in valid]:
        raise FigureError(f"no figure is called {', '.join(unknown)}; the manifest has {', '.join(valid)}")
    return [figure for figure in figures if not wanted or figure.id in wanted]


def draw(figures: Iterable[Figure], folder: Path, source: Source, context: str = "paper") -> list[Path]:
    """Draw figures into a folder and record in its lock what they were made from."""
    written = []
    lock = _read_lock(folder)
    for figure in figures:
        trace = Trace.load(source(figure.data, figure.seed))
        display = figure.draw(trace, context)
        table = folder / f"{figure.id}.csv"
        paths = [*display.save(folder / figure.id, FORMATS), table]
        table.write_text(_to_csv(display.frame()), encoding="utf-8")
        lock[figure.id] = {
            "recipe": figure.recipe(),
            "facts": _facts(trace),
            "trace": trace.checksum(),
            "stamp": display.stamp,
            "alt": f"{figure.alt} {display.describe()}",
            "sha256": {path.name: _sha256(path) for path in paths},
        }
        written += paths
    text = json.dumps(dict(sorted(lock.items())), indent=1, sort_keys=True, ensure_ascii=False)
    (folder / LOCK).write_text(text + "\n", encoding="utf-8")
    return written


def check(figures: Iterable[Figure], folder: Path, source: Source) -> dict[str, str]:
    """Say, for each figure that is no longer true, why: its id and one reason."""
    lock = _read_lock(folder)
    reasons = {}
    for figure in figures:
        if reason := _stale(figure, folder, lock.get(figure.id), source):
            reasons[figure.id] = reason
    return reasons


def _stale(figure: Figure, folder: Path, record: Mapping[str, Any] | None, source: Source) -> str | None:
    if record is None:
        return "it was never drawn"
    if record["recipe"] != figure.recipe():
        return "its entry in the manifest has changed"
    for name, digest in record["sha256"].items():
        if not (folder / name).exists():
            return f"{name} is missing"
        if _sha256(folder / name) != digest:
            return f"{name} is not the file that was drawn"
    trace = Trace.load(source(figure.data, figure.seed))
    if changed := [key for key, value in _facts(trace).items() if record.get("facts", {}).get(key) != value]:
        return f"its run has changed: {', '.join(changed)}"
    if trace.checksum() == record["trace"]:
        return None
    stored = pd.read_csv(folder / f"{figure.id}.csv")
    fresh = pd.read_csv(io.StringIO(_to_csv(DISPLAYS[figure.display].from_trace(trace, **figure.options).frame())))
    return _difference(stored, fresh)


def _facts(trace: Trace) -> dict[str, Any]:
    return {key: value for key, value in trace.meta.items() if key not in PASSING}


def _difference(stored: pd.DataFrame, fresh: pd.DataFrame) -> str | None:
    """Say where two tables differ by more than a new training may, if anywhere."""
    rows = min(len(stored), len(fresh))
    if list(stored.columns) != list(fresh.columns) or rows < ROWS * max(len(stored), len(fresh)):
        return f"its data have changed: the table has the shape {fresh.shape}, not {stored.shape}"
    for name in stored.columns:
        old, new = stored[name][:rows], fresh[name][:rows]
        if pd.api.types.is_float_dtype(old) and pd.api.types.is_float_dtype(new):
            x, y = old.to_numpy(dtype=float), new.to_numpy(dtype=float)
            finite = np.isfinite(x)
            span = float(np.ptp(x[finite])) if finite.any() else 0.0
            agree, least = np.isclose(x, y, rtol=TOLERANCE, atol=TOLERANCE * span, equal_nan=True), ROWS
        else:
            agree, least = (old.astype(str) == new.astype(str)).to_numpy(), LABELS
        if agree.mean() < least:
            return f"its data have changed: column {name} differs in {(~agree).sum()} of {rows} rows"
    return None


def _to_csv(frame: pd.DataFrame) -> str:
    return frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")


def _sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _read_lock(folder: Path) -> dict[str, Any]:
    path = folder / LOCK
    if not path.exists():
        return {}
    stored: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return stored


@cache
def _demo_trace(data: str, seed: int) -> Path:
    """Find or train the run that a figure is drawn from."""
    # Training needs torch; drawing from traces does not.
    from adar_viz.experiment import demo_run

    folder: Path = demo_run(data, seed)
    return folder / "trace.npz"


def add_parser(subparsers: Any) -> argparse.ArgumentParser:
    """Add the ``figures`` command."""
    parser: argparse.ArgumentParser = subparsers.add_parser(
        "figures",
        help="draw every figure of the manifest, or check them",
        description="Draw every figure of the manifest into PDF, SVG, PNG and CSV, training first where needed.",
    )
    parser.add_argument("--only", metavar="ID", action="append", help="draw or check this figure alone (repeatable)")
    parser.add_argument(
        "--check", action="store_true", help="draw nothing; say which figure no longer matches its data"
    )
    parser.add_argument("--list", action="store_true", help="list the figures with their captions")
    parser.add_argument("--data", help="draw from this data set instead of the manifest's, into a folder of its name")
    parser.add_argument(
        "--seed", type=int, help="draw from this seed instead of the manifest's, into a folder of its own"
    )
    parser.add_argument(
        "--trace", type=Path, metavar="FILE", help="draw from this trace instead of a demo run (needs --out)"
    )
    parser.add_argument(
        "--style", default="paper", choices=("paper", "slides", "poster"), help="size of text and lines"
    )
    parser.add_argument("--out", type=Path, metavar="FOLDER", help="write here instead of beside the manifest")
    parser.add_argument("--manifest", type=Path, default=MANIFEST, help=f"default: {MANIFEST}")
    parser.set_defaults(run=run)
    return parser


def run(args: argparse.Namespace) -> int:
    """Run the command; 0 is good, 1 means that a figure is out of date, 2 that the question was wrong."""
    try:
        figures = choose(read_manifest(args.manifest), args.only)
        if args.trace is not None and args.out is None:
            raise FigureError("--trace must come with --out, so that figures of other data stay apart")
    except FigureError as error:
        print(f"adar-viz figures: {error}", file=sys.stderr)
        return 2
    if args.list:
        print("\n".join(f"{figure.id}: {figure.caption}" for figure in figures))
        return 0
    return _draw_or_check(args, figures)


def _draw_or_check(args: argparse.Namespace, figures: list[Figure]) -> int:
    figures, folder = _redirect(args, figures)
    source: Source = _demo_trace if args.trace is None else lambda data, seed: args.trace
    if args.check:
        reasons = check(figures, folder, source)
        for name, reason in reasons.items():
            print(f"{name}: {reason}")
        print(f"{len(figures) - len(reasons)} of {len(figures)} figures match their data")
        return 1 if reasons else 0
    for path in draw(figures, folder, source, args.style):
        print(path)
    return 0


def _redirect(args: argparse.Namespace, figures: list[Figure]) -> tuple[list[Figure], Path]:
    """Put other data, seed or style in their place, and write them apart from the committed figures."""
    changed = [replace(f, data=args.data or f.data, seed=f.seed if args.seed is None else args.seed) for f in figures]
    home: Path = args.manifest.parent
    apart = [args.data] if args.data and any(f.data != args.data for f in figures) else []
    apart += [f"seed{args.seed}"] if args.seed is not None and any(f.seed != args.seed for f in figures) else []
    apart += [args.style] if args.style != "paper" else []
    return changed, args.out or (home / "-".join(apart) if apart else home)
