"""Checkpoints: nested state in one safetensors file, written atomically, without pickle."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from adar_viz.files import whole

FORMAT = "adar_viz checkpoint 2"


class CheckpointError(ValueError):
    """A file that is not a readable checkpoint of this package."""


def save(path: Path, state: Any) -> None:
    """Write nested dicts, lists, numbers, strings and tensors to ``path``.

    Tensors go into the file's tensor section, everything else as JSON into its header. The file
    appears whole or not at all: it is written beside its place and then renamed onto it.

    Raises
    ------
    TypeError
        ``state`` holds something that is neither a tensor nor plain data.
    """
    tensors: dict[str, Tensor] = {}
    skeleton = _strip(state, "state", tensors)
    with whole(path) as partial:
        save_file(tensors, partial, metadata={"format": FORMAT, "state": json.dumps(skeleton)})
        with open(partial, "rb") as file:
            os.fsync(file.fileno())


def load(path: Path) -> Any:
    """Read what `save` wrote, with tensors on the CPU.

    Raises
    ------
    CheckpointError
        The file is missing, damaged, or not one of ours.
    """
    try:
        with safe_open(path, framework="pt") as file:
            metadata = file.metadata() or {}
            if metadata.get("format") != FORMAT:
                raise CheckpointError(f"{path}: expected a file marked {FORMAT!r}; got {metadata.get('format')!r}")
            tensors = {key: file.get_tensor(key) for key in file.keys()}  # noqa: SIM118 (not a dict)
    except (OSError, SafetensorError) as error:
        raise CheckpointError(f"{path}: expected a readable checkpoint; got {error}") from error
    return _fill(json.loads(metadata["state"]), tensors)


def _strip(value: Any, place: str, tensors: dict[str, Tensor]) -> Any:
    """Move the tensors of ``value`` into ``tensors``; return JSON that says where they were."""
    if isinstance(value, Tensor):
        key = str(len(tensors))  # numbered: joined names could collide
        tensors[key] = value.detach().cpu().clone(memory_format=torch.contiguous_format)
        return {"tensor": key}
    if isinstance(value, dict):
        # Pairs, not a JSON object: the state of an optimiser has integer keys.
        return {"dict": [[name, _strip(item, f"{place}/{name}", tensors)] for name, item in value.items()]}
    if isinstance(value, list | tuple):
        return {"list": [_strip(item, f"{place}/{index}", tensors) for index, item in enumerate(value)]}
    if value is None or isinstance(value, bool | int | float | str):
        return {"value": value}
    raise TypeError(f"{place}: expected tensors and plain data; got {type(value).__name__}")


def _fill(skeleton: dict[str, Any], tensors: dict[str, Tensor]) -> Any:
    """Undo `_strip` (tuples come back as lists)."""
    (kind, value), *_ = skeleton.items()
    if kind == "tensor":
        return tensors[value]
    if kind == "dict":
        return {name: _fill(item, tensors) for name, item in value}
    if kind == "list":
        return [_fill(item, tensors) for item in value]
    return value
