"""The run folder: its name and files, whose it is, and what is read from it."""

from __future__ import annotations

import hashlib
import json
import platform
import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch

import adar_viz
from adar_viz.experiment.configuration import TABLES, Experiment, ExperimentError
from adar_viz.experiment.parts import Parts
from adar_viz.files import whole
from adar_viz.specs import resolve
from adar_viz.trace import TRACE_FILE
from adar_viz.training import EpochReport

CONFIG, METRICS, HISTORY, TRACE = "config.json", "metrics.json", "history.csv", TRACE_FILE
CHECKPOINT, RECORDED = "checkpoint.safetensors", "recorded.safetensors"


@dataclass(frozen=True)
class Result:
    """What a finished run came to."""

    folder: Path
    validation: Mapping[str, float]
    test: Mapping[str, float]
    best_epoch: int
    seconds: float
    false_negatives: Mapping[str, Any] | None = None
    selected_on: str = "validation"
    """The part that chose the epoch; "test" where a published protocol was asked for that does so."""
    ratings: tuple[float, float] | None = None
    """Lowest and highest rating of the training pairs, each of which counts as a like."""


def read_result(folder: Path) -> Result:
    """Read what `run` came to."""
    stored = read_json(folder / METRICS, "validation", "test", "best_epoch", "seconds")
    names = ("validation", "test", "best_epoch", "seconds", "false_negatives", "selected_on", "ratings")
    return Result(folder, **{name: stored[name] for name in names if name in stored})


def default_folder(experiment: Experiment, runs: Path = Path("runs"), prefix: str = "") -> Path:
    """Name a run by its parts, and by a digest of the whole configuration."""
    digest = hashlib.sha256(json.dumps(asdict(experiment), sort_keys=True).encode()).hexdigest()[:8]
    data, seed = Path(experiment.data).name, f"seed{experiment.plan.seed}"
    words = [prefix, data, seed] if prefix else [data, experiment.backbone, experiment.negatives, seed]
    return runs / "-".join([*(re.sub(r"\W+", "_", word).strip("_")[:40] for word in words), digest])


def describe(experiment: Experiment, parts: Parts) -> dict[str, Any]:
    """Return the whole configuration as plain data, with every default resolved."""
    train = parts.split.train
    return {
        **asdict(experiment),
        "split": parts.split.name,
        "backbone": resolve(parts.backbone, TABLES),
        "negatives": resolve(parts.sampler, TABLES),
        "loss": resolve(parts.loss, TABLES),
        "data_checksum": train.checksum(),
        "held_out_checksum": parts.split.held_out_checksum(),
        "sizes": {
            "users": parts.split.num_users,
            "items": parts.split.num_items,
            **{part: len(getattr(parts.split, part)) for part in ("train", "validation", "test")},
        },
        "versions": {
            "adar_viz": adar_viz.__version__,
            "python": platform.python_version(),
            "torch": torch.__version__,
            "numpy": np.__version__,
        },
    }


def claim(folder: Path, config: Mapping[str, Any]) -> None:
    """Write the configuration of a run, or see that the one there is the same.

    Raises
    ------
    ExperimentError
        The folder holds a run of another configuration, or one whose configuration is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    if is_claimed(folder):
        require_same(folder, config)
        return
    if begun := [name for name in (METRICS, CHECKPOINT) if (folder / name).exists()]:
        raise ExperimentError(
            f"{folder} must hold {CONFIG}, which says what was run; got {' and '.join(begun)} without it; "
            "choose another folder"
        )
    write_json(folder / CONFIG, config)


def is_claimed(folder: Path) -> bool:
    """Whether a folder holds a configuration, and more than what is left by one that was killed at its start."""
    names = {path.name for path in folder.iterdir() if path.suffix != ".partial"}
    return CONFIG in names and not names <= {CONFIG, RECORDED}  # a recording is of use with its checkpoint only


def require_same(folder: Path, config: Mapping[str, Any], *, what: str = "run", may_grow: tuple[str, ...] = ()) -> None:
    """See that a folder's configuration is this one; versions may differ, and what begins with ``may_grow`` may be new.

    Raises
    ------
    ExperimentError
        It is another one.
    """
    there, now = _leaves(read_json(folder / CONFIG)), _leaves(json.loads(json.dumps(config)))
    welcome = {key for key in now if key not in there and (key in _LATER or key.startswith(may_grow))}
    changed = sorted(key for key in {*there, *now} - welcome if there.get(key) != now.get(key))
    if changed:
        said = "; ".join(f"{key} {there.get(key)!r} there, {now.get(key)!r} now" for key in changed)
        raise ExperimentError(f"{folder} holds a {what} of another configuration ({said}); choose another folder")


def release(folder: Path) -> None:
    """Take a claim back, unless there is something to go on from."""
    if (folder / CHECKPOINT).exists():
        return
    for name in (CONFIG, RECORDED):
        (folder / name).unlink(missing_ok=True)
    with suppress(OSError):  # something else lies in the folder, which is not ours to remove
        folder.rmdir()


def _leaves(value: Any, place: str = "") -> dict[str, Any]:
    """Flatten nested data to dotted names, without the versions."""
    if not isinstance(value, dict):
        return {place: value}
    inner = (_leaves(v, f"{place}.{k}" if place else k) for k, v in value.items() if k != "versions")
    return {name: leaf for leaves in inner for name, leaf in leaves.items()}


def history(reports: Sequence[EpochReport]) -> pd.DataFrame:
    """One row for each epoch: its seconds, losses, what the sampler reported, and metrics."""
    rows = [
        {
            "epoch": r.epoch + 1,
            "seconds": r.seconds,
            **{f"loss:{k}": v for k, v in r.losses.items()},
            **{f"sampler:{k}": v for k, v in r.sampler.items()},
            **r.metrics,
            "is_best": r.is_best,
        }
        for r in reports
    ]
    return pd.DataFrame(rows)


_LATER = ("held_out_checksum", "pairs")
"""What configurations of older versions do not say."""


def read_json(path: Path, *keys: str) -> dict[str, Any]:
    """Read a table that `write_json` or `write_text` wrote, with certain keys in it.

    Raises
    ------
    ExperimentError
        The file is damaged.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ExperimentError(f"{path}: expected JSON written by adar-viz; got {error}") from error
    if not isinstance(found, dict):
        raise ExperimentError(f"{path}: expected a table written by adar-viz; got {found!r}")
    if missing := [key for key in keys if key not in found]:
        raise ExperimentError(f"{path}: expected {', '.join(keys)}; {', '.join(missing)} missing")
    return found


def write_json(path: Path, value: Any) -> None:
    """Write plain data as a file that appears whole or not at all."""
    write_text(path, json.dumps(value, indent=2, default=str) + "\n")


def write_text(path: Path, text: str) -> None:
    """Write a file that appears whole or not at all."""
    with whole(path) as partial:
        partial.write_text(text, encoding="utf-8")
