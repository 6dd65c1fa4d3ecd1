"""Scrub the epochs of several samplers at once: hardness, false negatives, and where their scores lie."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from jaxtyping import Int

from adar_viz.displays import Display, DrawnScores
from adar_viz.displays.drawn_scores import MOST
from adar_viz.trace import Trace, best_epoch
from adar_viz.widgets.packing import rounded
from adar_viz.widgets.view import State, View


class SamplerExplorer(View):
    """Samplers side by side at one epoch, on shared axes.

    Where the truth is known, a plane shows the share of false negatives against the rank of the negatives in
    their users' catalogues. A run that stopped earlier stays at its last epoch.

    Attributes
    ----------
    epoch : int
        Epoch shown, one of those that the longest run recorded.
    display : DrawnScores
        The same runs over all epochs, for print.
    """

    question = "How hard are a sampler's negatives, and how many of them are false?"
    cannot = (
        "Which sampler recommends better: hard negatives may teach more than their false ones harm. That is measured "
        "under equal tuning, not seen here.",
        "Other seeds and other data: each sampler was trained once.",
        "Scores across models: they grow at a different pace, so compare ranks, not scores.",
        "What a synthetic negative is: it counts as its nearest real item, which may lie far away.",
    )
    _script = "sampler_explorer.js"

    epoch = State(1)
    _traces: list[Trace]
    _names: list[str]

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Show one sampler alone."""
        return cls.from_traces([trace])

    @classmethod
    def from_traces(cls, traces: Sequence[Trace], names: list[str] | None = None) -> Self:
        """Set up to four runs side by side.

        Parameters
        ----------
        traces
            With the training record; false negatives where the truth was known. Of more than four, the first
            four are shown.
        names
            Of the runs; None takes what tells them apart, see `adar_viz.trace.run_names`.
        """
        given = "" if names is None else f", names={names!r}"
        traces, names = traces[:MOST], names and names[:MOST]
        display = DrawnScores.from_traces(traces, names)
        names = [run.name for run in display.runs]
        for trace in traces:
            trace.require("hardness", "negative_percentile", "metric", "metric_name")
        epochs = np.unique(np.concatenate([trace["epoch"] for trace in traces]))
        truth = all("false_negative" in trace for trace in traces)
        runs = [_run(trace, name, epochs, truth) for trace, name in zip(traces, names, strict=True)]
        scores = np.concatenate([q.ravel() for run in display.runs for k, q in run.quantiles.items() if "score" in k])
        ranks = np.concatenate([run["rank"] for run in runs]).astype(float)
        scene = {
            "heading": f"{len(runs)} samplers, epoch by epoch" if len(runs) > 1 else f"{names[0]}, epoch by epoch",
            "intro": "Boxes hold the middle half, lines 5 to 95 %, marks the median. Arrow keys step, Space plays.",
            "choices": {"epoch": epochs.tolist()},
            "code": f"{cls.__name__}.from_traces(traces{given})",
            "runs": runs,
            "truth": truth,
            "metric": str(traces[0]["metric_name"][0]),
            "scores": _sides(scores),
            "ranks": _sides(ranks),
            "most": 1.1 * max(float(np.nanmax(t["false_negative"])) for t in traces) if truth else 1.0,
        }
        view = cls(display, scene, epoch=int(max(t["epoch"][best_epoch(t)] for t in traces)))
        view._traces, view._names = list(traces), names
        return view

    def picture(self) -> Display:
        """Return the runs over all epochs, with the present one marked."""
        return DrawnScores.from_traces(self._traces, self._names, epoch=self.epoch)

    def now(self) -> dict[str, Any]:
        """Say for each run how hard, how often false and how heavy its negatives are at the present epoch."""
        k = self.scene["choices"]["epoch"].index(self.epoch)
        named = {"hardness": "hardness", "rank": "rank", "share": "false_negative", "pull": "gradient_weight"}
        numbers = {
            run["name"]: {word: None if run[key] is None else run[key][k] for key, word in named.items()}
            for run in self.scene["runs"]
        }
        return super().now() | {"runs": numbers}


def _run(trace: Trace, name: str, epochs: Int[np.ndarray, " epoch"], truth: bool) -> dict[str, Any]:
    """Return one run's numbers at each of ``epochs``; after its end, those of its last epoch."""
    rows = np.clip(np.searchsorted(trace["epoch"], epochs, side="right") - 1, 0, None)
    half = len(trace["quantile"]) // 2
    return {
        "name": name,
        "last": int(trace["epoch"][-1]),
        "hardness": rounded(trace["hardness"][rows, half]),
        "rank": rounded(trace["negative_percentile"][rows, half]),
        "share": rounded(trace["false_negative"][rows]) if truth else None,
        "gradient": rounded(trace["false_negative_gradient"][rows]) if truth else None,
        "pull": rounded(trace["gradient_weight_mean"][rows]),
        "metric": rounded(trace["metric"][rows, 0]),
        **{kind: rounded(trace[f"{kind}_score"][rows]) for kind in ("positive", "negative", "catalogue")},
    }


def _sides(values: np.ndarray) -> list[float]:
    """Least and largest value, with a little room."""
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    room = 0.06 * (high - low) or 1.0
    sides: list[float] = rounded([low - room, high + room])
    return sides
