"""Anchors: published numbers, with everything that is needed to look for them again."""

from __future__ import annotations

import hashlib
import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from adar_viz.evaluation import require_metric
from adar_viz.experiment import Experiment, check_specs
from adar_viz.manifests import (
    COUNT,
    TABLE,
    Kind,
    ManifestError,
    check_keys,
    check_kinds,
    is_number,
    list_of,
    read_toml,
    repeated,
    tables,
)
from adar_viz.training import TrainingPlan

ANCHORS = Path("verification/anchors.toml")
BEST = "best"
"""The reading of a run that is over: the test at the selected epoch. Other readings are numbers of epochs."""
FALSE_NEGATIVES = "false negatives"
"""Metric: the share of drawn negatives that are truly liked, where the data tell."""
ROUNDING = 0.00005
"""Half a unit of the fourth decimal: as closely as numbers are published."""


class AnchorError(ManifestError):
    """The manifest of anchors, or what was asked of it, is wrong."""


@dataclass(frozen=True)
class Anchor:
    """One entry of the manifest.

    Attributes
    ----------
    id, what, source
        Its name, what was measured, and by whom it was published.
    published
        Reading (`BEST`, or the number of epochs) to metric to value.
    tolerance
        Largest relative difference that counts as the same; 0 asks for the same four decimals.
    minutes
        About how long one seed takes on one quiet core.
    run
        Options of an `Experiment` and its `TrainingPlan` that differ from their defaults.
    seeds
        How many seeds are tried, from that of ``run`` on; their mean is compared.
    count
        Parts whose pairs are counted: then items are ranked by popularity, and nothing is trained.
    notes
        What is known of the published settings, where ours depart, and what explains a difference.
    """

    id: str
    what: str
    source: str
    published: Mapping[str, Mapping[str, float]]
    tolerance: float
    minutes: float
    run: Mapping[str, Any]
    seeds: int = 1
    count: tuple[str, ...] = ()
    notes: str = ""
    experiment: Experiment = field(init=False)

    def __post_init__(self) -> None:
        if self.seeds < 1 or (self.count and self.seeds > 1):
            raise AnchorError(f"anchor {self.id!r}: seeds must be at least 1, and 1 for a count; got {self.seeds}")
        of_plan = {f.name for f in fields(TrainingPlan)}
        options: dict[str, Any] = {name: None if value == "none" else value for name, value in self.run.items()}
        try:
            plan = TrainingPlan(**{name: value for name, value in options.items() if name in of_plan})
            rest = {name: value for name, value in options.items() if name not in of_plan}
            object.__setattr__(self, "experiment", Experiment(plan=plan, **rest))
            check_specs(self.experiment)
            for metric in sorted({name for metrics in self.published.values() for name in metrics} - {FALSE_NEGATIVES}):
                require_metric(metric)
        except (TypeError, ValueError) as error:
            raise AnchorError(f"anchor {self.id!r}: {error}") from error
        epochs = [reading for reading in self.published if reading != BEST]
        if not all(reading.isdigit() for reading in epochs):
            raise AnchorError(f"anchor {self.id!r}: a reading is 'best' or a number of epochs; got {epochs}")
        if epochs and not self.selects_on_test:
            raise AnchorError(f"anchor {self.id!r}: readings at an epoch need split = 'as-published'; got {epochs}")

    @property
    def trainings(self) -> list[Anchor]:
        """One anchor for each seed, the first one under its own name."""
        first = self.experiment.plan.seed
        further = [
            replace(self, id=f"{self.id}-seed{seed}", run={**self.run, "seed": seed}, seeds=1)
            for seed in range(first + 1, first + self.seeds)
        ]
        return [replace(self, seeds=1), *further]

    @property
    def all_minutes(self) -> float:
        """About how long all seeds take, one after the other."""
        return self.minutes * self.seeds

    @property
    def selects_on_test(self) -> bool:
        """Whether the published protocol stopped, or chose its epoch, on the test."""
        return self.experiment.split == "as-published"

    @property
    def recipe(self) -> str:
        """Digest of all that decides our number."""
        return hashlib.sha256(json.dumps([dict(self.run), self.count], sort_keys=True).encode()).hexdigest()[:12]

    @property
    def command(self) -> str:
        """The same training by hand."""
        words = [f"--{name.replace('_', '-')} {shlex.quote(str(value))}" for name, value in self.run.items()]
        return f"adar-viz run {' '.join(words)}"

    def agrees(self, published: float, ours: float) -> bool:
        """Whether our number is within the tolerance of the published one."""
        return abs(ours - published) <= max(self.tolerance * abs(published), ROUNDING)


def _is_published(value: Any) -> bool:
    tables_of_numbers = isinstance(value, dict) and all(isinstance(metrics, dict) for metrics in value.values())
    return tables_of_numbers and all(is_number(one) for metrics in value.values() for one in metrics.values())


_NUMBER = Kind("a number of at least 0", lambda value: is_number(value) and value >= 0)
_KINDS: Mapping[str, Kind] = {
    "published": Kind("a table of readings, each a table of metrics and numbers", _is_published),
    "tolerance": _NUMBER,
    "minutes": _NUMBER,
    "run": TABLE,
    "seeds": COUNT,
    "count": list_of("train, validation, test", ("train", "validation", "test").__contains__),
}
"""Of an anchor's values; the others are texts."""


def read_anchors(path: Path = ANCHORS) -> list[Anchor]:
    """Read the manifest: a table ``[[anchor]]`` each.

    Raises
    ------
    AnchorError
        It cannot be read, or an entry lacks a key, has an unknown one, or repeats an id.
    """
    known = {f.name for f in fields(Anchor) if f.init}
    needed = known - {"seeds", "count", "notes"}
    anchors = []
    for entry in tables(read_toml(path, AnchorError), "anchor", {"anchor"}, path, AnchorError):
        check_keys(entry, needed, known, f"{path}: anchor", AnchorError)
        check_kinds(entry, _KINDS, f"{path}: anchor {entry['id']!r}", AnchorError)
        anchors.append(Anchor(**{**entry, "count": tuple(entry.get("count", ()))}))
    if twice := repeated([anchor.id for anchor in anchors]):
        raise AnchorError(f"{path}: ids must be unique; repeated: {twice}")
    return anchors
