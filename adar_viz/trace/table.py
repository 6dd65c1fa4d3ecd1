"""`Trace`: what was seen in one run, as a table of named arrays in one file."""

from __future__ import annotations

import hashlib
import io
import json
import os
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from adar_viz.files import whole
from adar_viz.trace.schema import FINITE, REQUIRED_META, SCHEMA, SCHEMA_VERSION, SOURCES, schema_table

META_ENTRY = "meta.json"
TRACE_FILE = "trace.npz"
"""Name of the trace in a run folder."""


class TraceError(ValueError):
    """A trace, or a file that should hold one, is not what the schema says."""


@dataclass(frozen=True)
class Trace:
    """A table of named arrays with documented axes, and the facts of the run they come from.

    Arrays are read-only. A trace without an array is a good trace: ask with ``name in trace`` or
    `require`.

    Parameters
    ----------
    meta : mapping
        Facts of the run, JSON values only; see `adar_viz.trace.META`.
    arrays : mapping of str to array
        Any of the arrays below.

    Raises
    ------
    TraceError
        If a name is unknown, a kind is wrong (of an array or a fact), or two arrays disagree about a shared axis.
    """

    meta: Mapping[str, Any]
    arrays: Mapping[str, NDArray[Any]]

    def __post_init__(self) -> None:
        frozen = {name: _read_only(value) for name, value in self.arrays.items()}
        object.__setattr__(self, "arrays", MappingProxyType(frozen))
        object.__setattr__(self, "meta", MappingProxyType(dict(self.meta)))
        _check_meta(self.meta)
        _check_shapes(frozen)
        _check_values(frozen)

    def __getitem__(self, name: str) -> NDArray[Any]:
        """Return one array by name."""
        self.require(name)
        return self.arrays[name]

    def __contains__(self, name: object) -> bool:
        """Whether the trace holds the array."""
        return name in self.arrays

    def __repr__(self) -> str:
        """Name the run and the sizes of the axes."""
        sizes = ", ".join(f"{axis} {size}" for axis, size in self.sizes.items())
        return f"Trace({self.meta['run']}: {sizes})"

    @property
    def sizes(self) -> dict[str, int]:
        """Length of each axis that occurs."""
        return {a: n for name, x in self.arrays.items() for a, n in zip(SCHEMA[name].axes, x.shape, strict=True)}

    @property
    def num_timesteps(self) -> int:
        """T, the last timestep."""
        return len(self["alpha_bar"]) - 1

    def require(self, *names: str) -> None:
        """Raise one `TraceError` that lists the arrays which are missing."""
        missing = [name for name in names if name not in self.arrays]
        if missing:
            maps = any("item_map" in name for name in missing)
            hint = f"; `adar-viz map {self.meta['run']}` makes them" if maps else ""
            raise TraceError(
                f"trace of run {self.meta['run']!r} lacks {', '.join(missing)}{hint}; it has {sorted(self.arrays)}"
            )

    def fact(self, name: str) -> Any:
        """Return a fact of the run; raise a `TraceError` that names it where the trace does not tell it."""
        if name not in self.meta:
            raise TraceError(f"trace of run {self.meta['run']!r} does not tell its {name}")
        return self.meta[name]

    def without(self, *names: str) -> Trace:
        """Return the trace without some arrays."""
        return Trace(self.meta, {name: x for name, x in self.arrays.items() if name not in names})

    def take(self, axis: str, index: Sequence[int] | ArrayLike) -> Trace:
        """Keep some positions of an axis, in the order given; a boolean mask keeps where it is true.

        Taking pairs keeps the walks of these pairs only and renumbers `walk_pair`. Items and users
        are referred to by id, and timesteps by number, so these axes cannot be thinned.
        """
        if axis in ("item", "user", "timestep", "dim", "plane") or axis not in self.sizes:
            raise ValueError(
                f"axis must be one that can be thinned, not item, user, timestep, dim or plane; got {axis!r}"
            )
        chosen = _positions(axis, index, self.sizes[axis])
        arrays = _take(self.arrays, axis, chosen)
        if axis == "pair" and "walk_pair" in arrays:
            place = np.full(self.sizes["pair"], -1)
            place[chosen] = np.arange(len(chosen))
            renumbered = place[arrays["walk_pair"]]
            arrays["walk_pair"] = renumbered
            arrays = _take(arrays, "walk", np.flatnonzero(renumbered >= 0))
        return Trace(self.meta, arrays)

    def checksum(self, names: Iterable[str] | None = None) -> str:
        """SHA-256 over the arrays (all, or those named), independent of the file and its meta."""
        digest = hashlib.sha256()
        for name in sorted(self.arrays if names is None else names):
            x = np.ascontiguousarray(self[name])
            digest.update(f"{name} {x.dtype.str} {x.shape}".encode() + x.tobytes())
        return digest.hexdigest()

    def save(self, path: str | os.PathLike[str]) -> Path:
        """Write one ``.npz``: numbers stored plainly (quick), text compressed; whole or not at all.

        The same trace gives the same bytes. ``numpy.load`` opens the file, too.
        """
        path = Path(path)
        path.parent.mkdir(parents=True, exist_ok=True)
        meta = json.dumps({"schema_version": SCHEMA_VERSION, **self.meta}, indent=1, sort_keys=True)
        with whole(path) as partial:
            with zipfile.ZipFile(partial, "w") as archive:
                _write(archive, META_ENTRY, meta.encode(), compress=True)
                for name, x in sorted(self.arrays.items()):
                    buffer = io.BytesIO()
                    np.lib.format.write_array(buffer, np.ascontiguousarray(x), allow_pickle=False)
                    _write(archive, f"{name}.npy", buffer.getbuffer(), compress=x.dtype.kind in "Ub")
            with partial.open("rb") as written:
                os.fsync(written.fileno())
        return path

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Trace:
        """Read a trace, or that of a run folder; nothing in the file is executed (no pickle).

        Raises
        ------
        FileNotFoundError
            If there is no such file.
        TraceError
            If the file is no trace, holds numbers that are none, or was written by a newer version.
        """
        path = trace_file(path)
        if not path.exists():
            raise FileNotFoundError(f"no trace at {path}")
        try:
            with zipfile.ZipFile(path) as archive:
                meta = json.loads(archive.read(META_ENTRY))
            version = meta.pop("schema_version")
        except (zipfile.BadZipFile, KeyError, ValueError, AttributeError, TypeError) as error:
            raise TraceError(f"{path} is not a trace of adar_viz: expected an .npz with {META_ENTRY}") from error
        if version != SCHEMA_VERSION:
            raise TraceError(
                f"{path} has trace schema version {version!r}; this adar_viz reads version {SCHEMA_VERSION}"
            )
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = {name: stored[name] for name in stored.files if name != META_ENTRY}
        except (ValueError, zipfile.BadZipFile, EOFError) as error:
            raise TraceError(f"{path} is damaged: {error}") from error
        try:
            _check_finite(arrays)
            return cls(meta, arrays)
        except TraceError as error:
            raise TraceError(f"{path}: {error}") from error


Trace.__doc__ = f"{Trace.__doc__}\n    Notes\n    -----\n    ::\n\n" + "".join(
    f"        {line}\n" for line in schema_table().splitlines()
)


def trace_file(run_or_trace: str | os.PathLike[str]) -> Path:
    """Return the trace's file: in a run folder the one there, else the path itself."""
    path = Path(run_or_trace)
    return path / TRACE_FILE if path.is_dir() else path


def _read_only(value: ArrayLike) -> NDArray[Any]:
    view = np.asarray(value).view()
    view.flags.writeable = False
    return view


def _write(archive: zipfile.ZipFile, name: str, data: bytes | memoryview, *, compress: bool) -> None:
    # A ZipInfo of its own has the fixed date 1980-01-01, so that saving twice gives the same bytes.
    entry = zipfile.ZipInfo(name)
    entry.compress_type = zipfile.ZIP_DEFLATED if compress else zipfile.ZIP_STORED
    archive.writestr(entry, data)


def _positions(axis: str, index: Sequence[int] | ArrayLike, size: int) -> NDArray[np.int64]:
    """Return the positions that an index or a boolean mask means; whatever else is an error."""
    given = np.asarray(index)
    if given.ndim != 1:
        raise ValueError(f"index of axis {axis} must be a list of positions; got shape {given.shape}")
    if given.dtype.kind == "b":
        if len(given) != size:
            raise ValueError(f"a mask of axis {axis} must be {size} long; got {len(given)}")
        return np.flatnonzero(given)
    if not given.size:  # an empty list is one of floats
        return np.empty(0, dtype=np.int64)
    if given.dtype.kind not in "iu":
        raise ValueError(f"index of axis {axis} must be integers or a mask; got dtype {given.dtype}")
    low, high = int(given.min()), int(given.max())
    if low < 0 or high >= size:
        raise ValueError(f"index of axis {axis} must lie in [0, {size}); got {low} to {high}")
    return given.astype(np.int64)


def _take(arrays: Mapping[str, NDArray[Any]], axis: str, index: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
    return {
        name: np.take(x, index, axis=SCHEMA[name].axes.index(axis)) if axis in SCHEMA[name].axes else x
        for name, x in arrays.items()
    }


def _check_meta(meta: Mapping[str, Any]) -> None:
    missing = [key for key in REQUIRED_META if key not in meta]
    if missing:
        raise TraceError(f"meta must hold {', '.join(REQUIRED_META)}; {', '.join(missing)} missing")
    try:
        json.dumps(dict(meta), allow_nan=False)
    except (TypeError, ValueError) as error:
        raise TraceError(f"meta must hold JSON values only: {error}") from error
    for name in ("schedule", "target", "boundary"):
        table = meta.get(name, {"name": ""})
        if not (isinstance(table, Mapping) and isinstance(table.get("name"), str)):
            raise TraceError(f"meta: {name} must be a table with a name; got {table!r}")
    if not _is_number(meta.get("sigma", 0)):
        raise TraceError(f"meta: sigma must be a number; got {meta['sigma']!r}")
    clamp = meta.get("clamp", (0, 1))
    if not (isinstance(clamp, list | tuple) and len(clamp) == 2 and all(map(_is_number, clamp))):
        raise TraceError(f"meta: clamp must be two numbers; got {clamp!r}")


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _check_finite(arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, x in arrays.items():
        if x.dtype.kind != "f":
            continue  # of a kind that the schema may refuse, in its own words
        if name in FINITE and not np.isfinite(x).all():
            raise TraceError(f"{name} must be finite; got nan or infinity")
        if np.isinf(x).any():
            raise TraceError(f"{name} must hold no infinity; got {int(np.isinf(x).sum())} of {x.size}")


def _check_shapes(arrays: Mapping[str, NDArray[Any]]) -> None:
    seen: dict[str, tuple[int, str]] = {}
    for name, x in arrays.items():
        if name not in SCHEMA:
            raise TraceError(f"unknown array {name!r}; the schema has {', '.join(SCHEMA)}")
        column = SCHEMA[name]
        if not column.holds(x.dtype):
            raise TraceError(f"{name} must be of kind {column.kind}; got dtype {x.dtype}")
        if x.ndim != len(column.axes):
            raise TraceError(f"{name} must have axes ({', '.join(column.axes)}); got shape {x.shape}")
        for axis, size in zip(column.axes, x.shape, strict=True):
            other_size, other = seen.setdefault(axis, (size, name))
            if size != other_size:
                raise TraceError(f"axis {axis} is {size} long in {name} but {other_size} in {other}")


def _check_values(arrays: Mapping[str, NDArray[Any]]) -> None:
    alpha_bar = arrays.get("alpha_bar")
    if alpha_bar is not None and not (len(alpha_bar) and alpha_bar[0] == 1 and np.all(np.diff(alpha_bar) <= 0)):
        raise TraceError("alpha_bar must start at 1 and never rise")
    if "walk_source" in arrays and not set(arrays["walk_source"].tolist()) <= set(SOURCES):
        raise TraceError(f"walk_source must be one of {SOURCES}; got {sorted(set(arrays['walk_source'].tolist()))}")
    limits = {"pair_user": "user_label", "pair_item": "item_label", "walk_pair": "pair_score"}
    limits |= {"snapshot_user": "user_label", "snapshot_item": "item_label", "transition_timestep": "alpha_bar"}
    limits |= {"snapshot_user_negative": "item_label"}
    for name, table in limits.items():
        if name in arrays and table in arrays and arrays[name].size:
            low, high, size = int(arrays[name].min()), int(arrays[name].max()), len(arrays[table])
            least = -1 if name == "snapshot_user_negative" else 0
            if low < least or high >= size:
                raise TraceError(f"{name} must lie in [{least}, {size}), the rows of {table}; got {low} to {high}")
