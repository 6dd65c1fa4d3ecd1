"""Where cells are computed: here, in processes beside each other, or on a cluster."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

import joblib
import torch
from tqdm.auto import tqdm

from adar_viz.comparison.cells import Cell

Answer = TypeVar("Answer")


@dataclass(frozen=True)
class Workers:
    """Where cells are computed, and whether a bar is shown.

    Attributes
    ----------
    jobs, backend, options
        Processes at a time; any backend of joblib, and its options. In parallel each cell has one thread.
    progress
        Whether a bar is shown.
    """

    jobs: int = 1
    backend: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    progress: bool = True

    def __post_init__(self) -> None:
        if self.jobs < 1 and self.jobs != -1:
            raise ValueError(f"jobs must be at least 1, or -1 for every core; got {self.jobs}")
        if self.backend == "threading":
            raise ValueError("backend must run processes, since random seeds are the process's; got 'threading'")

    def each(self, function: Callable[[Cell], Answer], cells: Sequence[Cell], what: str) -> list[Answer]:
        """Return the function's answer for each cell, in order."""
        if self.backend == "ray":  # unlike Dask, Ray has to be made known to joblib first
            _register_ray()
        chosen: dict[str, Any] = {"backend": self.backend, **self.options} if self.backend else {}
        alone = self.jobs == 1 and self.backend is None
        with joblib.parallel_config(n_jobs=self.jobs, **chosen):
            call = joblib.delayed(function if alone else _with_one_thread)
            once = dict.fromkeys(cells)  # two arms may meet in the same setting
            rest: Iterable[Any] = (call(cell) if alone else call(function, cell) for cell in once)
            answers = joblib.Parallel(return_as="generator")(rest)
            bar = tqdm(answers, total=len(once), unit="cell", desc=what, disable=not self.progress)
            found = dict(zip(once, bar, strict=True))
        return [found[cell] for cell in cells]


def _register_ray() -> None:
    try:
        from ray.util.joblib import register_ray
    except ImportError as error:
        raise ValueError(f"backend 'ray' needs Ray to be installed; got {error}") from error
    register_ray()


def _with_one_thread(function: Callable[[Cell], Answer], cell: Cell) -> Answer:
    torch.set_num_threads(1)
    return function(cell)
