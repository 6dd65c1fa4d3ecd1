"""Move along the timesteps and the epochs of two runs at once, with what lies between them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from adar_viz.displays import Display, TwoRuns
from adar_viz.displays.two_runs import Curve
from adar_viz.trace import Trace
from adar_viz.widgets.packing import rounded
from adar_viz.widgets.view import State, View


class TwoRunsExplorer(View):
    """Two runs on the same axes at one timestep and one epoch, and their difference below.

    Attributes
    ----------
    t, epoch : int
        Where both runs are read off.
    display : TwoRuns
        The same runs for print; `picture` marks the present places.
    """

    question = "Where do two runs differ, and by how much?"
    cannot = (
        "Whether a difference is more than chance: one run each has no interval. Train several seeds for that.",
        "Why they differ: two runs may differ in more than their samplers; their names say in what.",
        "Scores across models: their units differ, and so do those of hardness.",
        "One pair in both: each run's pairs are a random sample of its own.",
    )
    _script = "two_runs_explorer.js"

    t, epoch = State(0), State(1)
    display: TwoRuns
    _traces: list[Trace]

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Compare a run with itself: every difference is 0."""
        return cls.from_traces([trace, trace])

    @classmethod
    def from_traces(cls, traces: Sequence[Trace], names: list[str] | None = None) -> Self:
        """Compare any two runs of the same T; see `adar_viz.displays.TwoRuns`.

        Parameters
        ----------
        traces
            Two. Of more, the first is compared with the next one that has pairs and the same T.
        names
            Of the runs; None takes what tells them apart, see `adar_viz.trace.run_names`.
        """
        given = "" if names is None else f", names={names!r}"
        if len(traces) > 2:
            pair = [0, next((i for i, t in enumerate(traces) if i and _fits(traces[0], t)), 1)]
            traces, names = [traces[i] for i in pair], names and [names[i] for i in pair]
        display = TwoRuns.from_traces(traces, names)
        choices = {curve.axis: curve.x.tolist() for curve in display.curves}
        scene = {
            "heading": f"{display.names[0]} and {display.names[1]}",
            "intro": "Top: both runs; bands hold the middle half. Bottom: the second minus the first.",
            "choices": choices,
            "code": f"{cls.__name__}.from_traces(traces{given})",
            "runs": display.names,
            "curves": [_curve(curve) for curve in display.curves],
        }
        view = cls(display, scene, t=choices["t"][len(choices["t"]) // 2], epoch=choices["epoch"][-1])
        view._traces = list(traces)
        return view

    def picture(self) -> Display:
        """Return both runs with the present timestep and epoch marked."""
        return TwoRuns.from_traces(self._traces, self.scene["runs"], t=self.t, epoch=self.epoch)

    def now(self) -> dict[str, Any]:
        """Say for each quantity what it is in both runs at the present place, and the difference."""
        found = self.display.at(self.t, self.epoch)
        keys = ("first", "second", "difference")
        numbers = {what: dict(zip(keys, rounded(values), strict=True)) for what, values in found.items()}
        return super().now() | {"numbers": numbers}


def _fits(first: Trace, other: Trace) -> bool:
    return "pair_score" in other and other.num_timesteps == first.num_timesteps


def _curve(curve: Curve) -> dict[str, Any]:
    return {
        "what": curve.what,
        "axis": curve.axis,
        "first": rounded(curve.first),
        "second": rounded(curve.second),
        "difference": rounded(curve.difference),
    }
