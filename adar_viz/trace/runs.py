"""Several runs beside each other: what tells them apart, and the epoch at which each is judged."""

from __future__ import annotations

import ast
from collections.abc import Sequence

import numpy as np

from adar_viz.trace.table import Trace

_FACTS = ("backbone", "dataset", "seed")


def run_names(traces: Sequence[Trace]) -> list[str]:
    """Name each run by its negative sampler, and by what else tells it from the others.

    Options are named where runs of one sampler differ in them (``dns (n=4)``), then backbone,
    data and seed; runs alike in all of these are numbered.
    """
    samplers = [_options(str(trace.meta["negatives"])) for trace in traces]
    names = []
    for trace, (head, options) in zip(traces, samplers, strict=True):
        others = [found for other, found in samplers if other == head]
        parts = [f"{k}={v}" for k, v in options.items() if any(found.get(k) != v for found in others)]
        parts += [f"{k}={trace.meta[k]}" for k in _FACTS if any(t.meta[k] != trace.meta[k] for t in traces)]
        names.append(f"{head} ({', '.join(parts)})" if parts else head)
    return [name if names.count(name) == 1 else f"{name} #{names[:i].count(name) + 1}" for i, name in enumerate(names)]


def name_runs(traces: Sequence[Trace], names: Sequence[str] | None, most: int) -> list[str]:
    """Return the names as given, or what tells the runs apart; one for each of at most ``most`` traces."""
    if not 1 <= len(traces) <= most:
        raise ValueError(f"traces must be 1 to {most}; got {len(traces)}")
    names = run_names(traces) if names is None else list(names)
    if len(names) != len(traces):
        raise ValueError(f"names must be {len(traces)}, one for each trace; got {len(names)}")
    if len(set(names)) < len(names):
        raise ValueError(f"names must tell the traces apart; got {', '.join(names)}")
    return names


def best_epoch(trace: Trace) -> int:
    """Index of the epoch with the best selecting metric, whose weights the run kept; the last where none was taken."""
    trace.require("epoch")
    metric = trace["metric"][:, 0] if "metric" in trace and trace["metric"].size else np.array([np.nan])
    return int(np.nanargmax(metric)) if np.isfinite(metric).any() else len(trace["epoch"]) - 1


def _options(line: str) -> tuple[str, dict[str, str]]:
    """Take a sampler's line apart: its name, and its options as text."""
    head, _, _ = line.partition("(")
    try:
        call = ast.parse(line, mode="eval").body
    except SyntaxError:  # a sampler from elsewhere may write its line as it likes
        return line, {}
    return head, {str(k.arg): ast.unparse(k.value) for k in call.keywords} if isinstance(call, ast.Call) else {}
