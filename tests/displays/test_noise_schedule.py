"""The curves are the schedule's, and the dot marks where noise overtakes signal."""

from __future__ import annotations

import numpy as np

from adar_viz.displays import NoiseSchedule


def test_the_lines_are_the_schedule(law_trace):
    shown = NoiseSchedule.from_trace(law_trace).plot()
    np.testing.assert_array_equal(shown.signal_.get_ydata(), law_trace["alpha_bar"])
    a = law_trace["alpha_bar"][1:]
    np.testing.assert_allclose(shown.ratio_.get_ydata(), np.log(a / (1 - a)))


def test_the_dot_is_the_first_timestep_with_more_noise_than_signal(law_trace):
    shown = NoiseSchedule.from_trace(law_trace).plot()
    a = law_trace["alpha_bar"]
    assert a[shown.even] <= 0.5 < a[shown.even - 1]
    assert shown.even_signal_.get_xdata() == [shown.even]
    assert f"t = {shown.even}" in shown.describe()


def test_a_schedule_that_never_reaches_noise_is_called_so():
    meta = {"version": "0.1.0"}
    shown = NoiseSchedule(np.array([1.0, 0.9, 0.8]), "weak", meta).plot()
    assert shown.even == -1
    assert not hasattr(shown, "even_signal_")
    assert "never overtakes" in shown.describe()
