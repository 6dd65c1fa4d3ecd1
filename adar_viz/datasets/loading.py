"""From a name or a path to data: search, read, threshold, core, split."""

from __future__ import annotations

import inspect
import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np

from adar_viz.datasets.catalogue import KNOWN
from adar_viz.datasets.dataset import Dataset
from adar_viz.datasets.errors import DataError
from adar_viz.datasets.interactions import Interactions
from adar_viz.datasets.readers import FORMATS, read
from adar_viz.datasets.splits import RULES, Split, as_published, given
from adar_viz.datasets.truth import Truth, complete_users, from_ratings
from adar_viz.datasets.world import World

SYNTHETIC = "synthetic"
DATA_VARIABLE = "ADAR_VIZ_DATA"


def search_places() -> list[Path]:
    """List the folders that named sets are looked for in: ``$ADAR_VIZ_DATA``, then ``data``."""
    named = os.environ.get(DATA_VARIABLE)
    return ([Path(named).expanduser()] if named else []) + [Path("data")]


def find(name: str) -> Path | None:
    """Find the folder of a named set; None where no search place has it."""
    folder = KNOWN[name].folder or name if name in KNOWN else name
    return next((place / folder for place in search_places() if (place / folder).exists()), None)


def load(
    name_or_path: str | Path,
    *,
    min_rating: float | Literal["default"] | None = "default",
    k_core: int | tuple[int, int] | None = None,
    format: str | None = None,
) -> Dataset:
    """Load data by name or from a path, ready to be split.

    Parameters
    ----------
    name_or_path : str or Path
        "synthetic" (the default `World`), a name of the `KNOWN` sets, or a path; with the name
        of a format before it, as in "pairs:my/file.txt", where ``format`` is not given.
    min_rating : float, "default" or None
        Ratings below are left out. "default" is the named set's own (none for other data and
        for data without ratings); None keeps all ratings. What was left out is in the report.
    k_core : int or (int, int), optional
        Then keep the k-core, for users and items.
    format : str, optional
        As in `read`.

    Raises
    ------
    DataError
        No such data, or they are malformed.
    """
    before, _, after = str(name_or_path).partition(":")
    if format is None and after and before in FORMATS:
        name_or_path, format = after, before
    name = str(name_or_path)
    if name == SYNTHETIC:
        if format is not None:
            raise DataError(name, "no format, since it is made and not read", repr(format))
        world = World()
        dataset = Dataset(world.interactions, truth=world.truth, format="world")
    else:
        dataset = read(_path_of(name_or_path), format or (KNOWN[name].format or None if name in KNOWN else None))
        dataset = replace(dataset, interactions=replace(dataset.interactions, name=name))  # as errors shall name it
    least = _least_rating(name, dataset, min_rating)
    dataset = _with_truth(name, dataset, least)
    if least is not None:
        dataset = dataset.threshold(least)
    return dataset if k_core is None else dataset.k_core(k_core)


def split(dataset: Dataset | Interactions, rule: str | None = None, *, seed: int = 0, **options: Any) -> Split:
    """Split data by the name of a rule.

    Parameters
    ----------
    dataset : Dataset or Interactions
        The data.
    rule : str, optional
        "ratio", "leave-one-out" or "temporal"; with a published test set "given" or
        "as-published". By default "given" where there is such a set, and "ratio" otherwise.
    seed : int
        For the rules that draw.
    **options
        Settings of the rule, such as ``validation=0.1``: see the functions of these names.
    """
    if isinstance(dataset, Interactions):
        dataset = Dataset(dataset)
    rules = tuple(RULES) if dataset.test is None else ("given", "as-published")
    rule = rule or {True: "ratio", False: "given"}[dataset.test is None]
    if rule not in rules:
        why = "data without a test set" if dataset.test is None else "data with a published test set"
        raise DataError(dataset.name, f"for {why} a rule out of {', '.join(rules)}", repr(rule))
    parameters = inspect.signature({"given": given, "as-published": as_published, **RULES}[rule]).parameters.values()
    settings = [p.name for p in parameters if p.kind is p.KEYWORD_ONLY and p.name != "seed"]
    if unknown := sorted(set(options) - set(settings)):
        raise DataError(dataset.name, f"settings of {rule} out of {', '.join(settings) or 'none'}", ", ".join(unknown))
    if dataset.test is not None:
        pair = dataset.interactions, dataset.test
        return given(*pair, seed=seed, **options) if rule == "given" else as_published(*pair, **options)
    drawn: Mapping[str, Any] = {"seed": seed} if rule == "ratio" else {}
    return RULES[rule](dataset.interactions, **drawn, **options)


def _path_of(name_or_path: str | Path) -> Path:
    """Turn a name into the folder that holds it; a path stays as it is."""
    name = str(name_or_path)
    found = find(name) if os.sep not in name and isinstance(name_or_path, str) else None
    if found is not None:
        return found
    if name not in KNOWN and Path(name).exists():
        return Path(name)
    places = " or ".join(str(place) for place in search_places())
    if name in KNOWN:
        way = f"`adar-viz data get {name}` fetches it" if KNOWN[name].url else "it has to be fetched by hand"
        raise DataError(name, f"a folder {KNOWN[name].folder or name} in {places} ({way})", "none")
    names = ", ".join((SYNTHETIC, *KNOWN))
    raise DataError(name, f"a path, a folder in {places}, or a name out of {names}", "nothing of this name")


def _least_rating(name: str, dataset: Dataset, asked: float | Literal["default"] | None) -> float | None:
    if asked != "default":
        return asked
    return KNOWN[name].min_rating if name in KNOWN and dataset.interactions.rating is not None else None


def _with_truth(name: str, dataset: Dataset, min_rating: float | None) -> Dataset:
    """Add what Coat's random cells and Jester's complete users tell of likes."""
    if name not in ("coat", "jester5k", "jester-complete"):
        return dataset
    least = (KNOWN[name].min_rating or 0.0) if min_rating is None else min_rating
    if name == "coat":
        if dataset.test is None:
            return dataset
        return replace(dataset, truth=from_ratings(dataset.test, min_rating=least, source="Coat's random test cells"))
    if name == "jester-complete":
        ratings, truth = complete_users(dataset.interactions, min_rating=least)
        return replace(dataset, interactions=ratings, truth=truth)
    rated = from_ratings(dataset.interactions, min_rating=least, source="Jester's users who rated every joke")
    judged = rated.judged & rated.judged.all(axis=1, keepdims=True)
    return replace(dataset, truth=Truth(np.asarray(rated.liked & judged), judged, rated.source))
