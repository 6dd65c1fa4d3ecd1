"""Bands are the recorded quantiles, the warm-up leaves a gap, and a run without diffusion is refused."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import HardnessOverTraining
from adar_viz.trace import Trace, TraceError


def with_warmup(trace: Trace, epochs: int) -> Trace:
    arrays = {name: trace[name].copy() for name in ("timestep_quantile", "diffused_hardness")}
    for values in arrays.values():
        values[:epochs] = np.nan
    return Trace(trace.meta, {**trace.arrays, **arrays})


def test_lines_and_bands_are_the_recorded_quantiles(law_trace):
    shown = HardnessOverTraining.from_trace(law_trace).plot()
    np.testing.assert_array_equal(shown.timestep_median_.get_ydata(), law_trace["timestep_quantile"][:, 2])
    np.testing.assert_array_equal(shown.hardness_median_.get_ydata(), law_trace["diffused_hardness"][:, 2])
    np.testing.assert_array_equal(shown.drawn_.get_ydata(), law_trace["hardness"][:, 2])
    assert shown.hardness_[0].get_paths()[0].vertices[:, 1].min() == law_trace["diffused_hardness"][:, 0].min()
    assert shown.drawn_.get_linestyle() != shown.hardness_median_.get_linestyle()


def test_the_warm_up_generates_nothing_and_is_left_out(law_trace):
    shown = HardnessOverTraining.from_trace(with_warmup(law_trace, 5)).plot()
    assert shown.describe().startswith("From epoch 6")
    assert HardnessOverTraining.from_trace(with_warmup(law_trace, 19)).plot().hardness_median_.get_marker() == "o"
    assert "nan" not in shown.describe()


def test_a_run_without_diffusion_says_so_and_shows_the_drawn_negatives(law_trace):
    shown = HardnessOverTraining.from_trace(with_warmup(law_trace, 20)).plot()
    assert [text.get_text() for text in shown.axes_[0].texts] == ["this run generated\nno negatives"]
    np.testing.assert_array_equal(shown.drawn_.get_ydata(), law_trace["hardness"][:, 2])
    assert "no transition timestep; the median hardness of the drawn negatives goes from" in shown.describe()
    nothing = np.full_like(law_trace["hardness"], np.nan)
    empty = Trace(law_trace.meta, {**with_warmup(law_trace, 20).arrays, "hardness": nothing})
    assert HardnessOverTraining.from_trace(empty).plot().describe().endswith("was not recorded.")


def test_a_trace_without_the_record_is_refused(law_trace):
    with pytest.raises(TraceError, match="lacks diffused_hardness"):
        HardnessOverTraining.from_trace(law_trace.without("diffused_hardness"))
