"""The manifest: what every figure is drawn from, by which display, and with which options."""

from __future__ import annotations

import hashlib
import inspect
import json
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, get_type_hints

import pandas as pd

from adar_viz import displays
from adar_viz.displays import Display
from adar_viz.manifests import (
    TABLE,
    TEXT,
    WHOLE,
    Kind,
    ManifestError,
    check_keys,
    check_kinds,
    chosen,
    is_number,
    is_whole,
    list_of,
    read_toml,
    repeated,
    tables,
)
from adar_viz.specs import fits
from adar_viz.trace import Trace

MANIFEST = Path("figures/manifest.toml")
DISPLAYS: Mapping[str, type[Display]] = {
    re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower(): shown
    for name in displays.__all__
    if inspect.isclass(shown := getattr(displays, name)) and issubclass(shown, Display) and shown is not Display
}
"""Every display, by the name of its class in small letters: ``timestep_hardness``."""
INPUTS = frozenset({"data", "seed", "negatives", "traces", "table"})
"""Keys of an entry that say what a figure is drawn from."""


class FigureError(ManifestError):
    """The manifest, or what was asked of it, is wrong."""


@dataclass(frozen=True)
class Figure:
    """One entry of the manifest.

    It is drawn from demo runs (``data`` and ``seed``, one run for each of ``negatives``), which are
    trained when needed; or from stored ``traces``; or from the ``table`` of a comparison.

    Attributes
    ----------
    id : str
        Name of the files.
    display : str
        One of `DISPLAYS`.
    caption : str
        For print.
    alt : str
        What is seen in the manifest's runs; the numbers come from ``describe``.
    data, seed
        The runs it is drawn from.
    negatives : tuple of str
        Specs of their negative samplers; a display that compares runs takes several.
    traces : tuple of str
        Files, seen from the manifest's folder.
    table : str
        A CSV file, seen from the manifest's folder, for a display of a comparison's results.
    options : mapping
        Arguments of the display's ``from_trace``, ``from_traces`` or ``from_table``.
    size : tuple of float or None
        Width and height in inches.
    moments : tuple of int
        Draw one small panel for each of these timesteps, where the display moves.
    """

    id: str
    display: str
    caption: str
    alt: str
    data: str | None = None
    seed: int | None = None
    negatives: tuple[str, ...] = ("adar",)
    traces: tuple[str, ...] = ()
    table: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    size: tuple[float, float] | None = None
    moments: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        if self.display not in DISPLAYS:
            raise self._error(f"display must be one of {', '.join(DISPLAYS)}; got {self.display!r}")
        sources = {"data": self.data is not None, "traces": bool(self.traces), "table": self.table is not None}
        if sum(sources.values()) != 1 or (self.data is None) != (self.seed is None):
            raise self._error("it must have data and seed, or traces, or a table")
        if sources["table"] != (self.maker == "from_table"):
            raise self._error(f"{self.display} is drawn from {self.maker.removeprefix('from_')}; got {self.table!r}")
        if self.maker == "from_trace" and len(self.traces or self.negatives) != 1:
            raise self._error(f"{self.display} shows one run; got {len(self.traces or self.negatives)}")
        for name, value in self.options.items():
            if name not in self.parameters:
                raise self._error(f"{self.display} has no option {name}; it has {', '.join(self.parameters)}")
            if not fits(value, self.parameters[name]):
                raise self._error(f"{name} must be {_words(self.parameters[name])}; got {value!r}")

    def _error(self, reason: str) -> FigureError:
        return FigureError(f"figure {self.id!r}: {reason}")

    @property
    def maker(self) -> str:
        """How the display is computed: ``from_table``, ``from_traces`` (it compares runs) or ``from_trace``."""
        makers = ("from_table", "from_traces", "from_trace")
        return next(name for name in makers if hasattr(DISPLAYS[self.display], name))

    def stored_inputs(self, home: Path) -> list[Path]:
        """Return where its stored traces or its table lie, seen from the manifest's folder; none for demo runs."""
        return [home / name for name in (self.traces or [self.table]) if name]

    @property
    def number_of_traces(self) -> int:
        """How many traces it is drawn from; 0 where it is drawn from a table."""
        return 0 if self.table else len(self.traces or self.negatives)

    @property
    def parameters(self) -> dict[str, Any]:
        """Options of the display, with their types."""
        make = getattr(DISPLAYS[self.display], self.maker)
        hints = get_type_hints(make)
        return {name: hints.get(name) for name in list(inspect.signature(make).parameters)[1:]}

    @property
    def settings(self) -> list[str]:
        """What can be set to another value for one drawing: the runs, the size, options of the display."""
        runs = ["traces"] if self.traces else ["table"] if self.table else ["data", "seed", "negatives"]
        return [*runs, "size", "moments", *self.parameters]

    def recipe(self) -> str:
        """SHA-256 of everything that the manifest says about the figure."""
        said = {name: value for name, value in asdict(self).items() if value not in (None, (), {})}
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()

    def changed(self, settings: Mapping[str, Any]) -> Figure:
        """Return the figure drawn from other runs or with other options.

        Drawn from other runs, it is `of_other_runs`; ``names`` among the settings are kept.

        Parameters
        ----------
        settings
            A value for any of `Figure.settings`.

        Raises
        ------
        FigureError
            If a name is none of these, or a value does not fit.
        """
        if unknown := [name for name in settings if name not in self.settings]:
            raise self._error(f"cannot set {', '.join(unknown)}; what can be set is {', '.join(self.settings)}")
        options = {name: value for name, value in settings.items() if name in self.parameters}
        rest = {name: value for name, value in settings.items() if name not in options}
        typed = _typed(self.id, rest)
        others = any(typed[name] != getattr(self, name) for name in INPUTS & set(typed))
        base = self.of_other_runs() if others else self
        return replace(base, **typed, options={**base.options, **options})

    def of_other_runs(self) -> Figure:
        """Return the figure without what holds for the manifest's runs alone: names, caption and alt text."""
        options = {name: value for name, value in self.options.items() if name != "names"}
        return replace(self, caption="", alt="", options=options)

    def make(self, inputs: Sequence[Trace | pd.DataFrame]) -> Display:
        """Compute the display from its traces, in the order of the manifest, or from its table."""
        make = getattr(DISPLAYS[self.display], self.maker)
        given = (inputs,) if self.maker == "from_traces" else inputs
        display: Display = make(*given, **self.options)
        return display

    def draw(self, inputs: Sequence[Trace | pd.DataFrame], context: str = "paper", *, footer: bool = False) -> Display:
        """Compute and draw it, in one picture or in small multiples."""
        display = self.make(inputs)
        if self.moments:
            return display.small_multiples(self.moments, context=context, footer=footer)
        return display.plot(context=context, size=self.size, footer=footer)


def read_manifest(path: Path) -> list[Figure]:
    """Read the figures of a manifest: a table ``[[figure]]`` each.

    Raises
    ------
    FigureError
        If an entry lacks a key, has an unknown one, or repeats an id.
    """
    known, needed = {f.name for f in fields(Figure)}, {"id", "display", "caption", "alt"}
    figures = []
    for entry in tables(read_toml(path, FigureError), "figure", {"figure"}, path, FigureError):
        check_keys(entry, needed, known, f"{path}: figure", FigureError)
        figures.append(Figure(**_typed(entry["id"], entry)))
    if twice := repeated([figure.id for figure in figures]):
        raise FigureError(f"{path}: ids must be unique; repeated: {twice}")
    return figures


def choose(figures: Sequence[Figure], only: Collection[str] | None) -> list[Figure]:
    """Keep the figures with the given ids, all where none is given; an unknown id lists the valid ones."""
    names = chosen([figure.id for figure in figures], only, "figure", FigureError)
    return [figure for figure in figures if figure.id in names]


_KINDS: Mapping[str, Kind] = {
    "seed": WHOLE,
    "options": TABLE,
    "negatives": list_of("texts", TEXT.fits),
    "traces": list_of("texts", TEXT.fits),
    "size": Kind(
        "two numbers above 0, in inches", lambda v: isinstance(v, list) and list(map(_is_length, v)) == [True] * 2
    ),
    "moments": list_of("whole numbers", is_whole),
}


def _typed(figure: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    """Check the kinds of an entry's values, and make its lists tuples."""
    check_kinds(entry, _KINDS, f"figure {figure!r}", FigureError)
    return {name: tuple(value) if isinstance(value, list) else value for name, value in entry.items()}


def _is_length(value: Any) -> bool:
    return is_number(value) and bool(value > 0)


def _words(hint: Any) -> str:
    return "a finite number" if hint is float else inspect.formatannotation(hint)
