"""Asking the closed form again: the run's own settings give its own t*, others what the mathematics says."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz import diffusion
from adar_viz.trace import Trace, TraceError, what_if
from adar_viz.trace.closed_form import target_of
from adar_viz.trace.schedules import SCHEDULES
from adar_viz.transition import SCORE_AWARE, Constant, Fixed, Margin, Quantile, Threshold, crossing, timestep_of


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("T", [20, 50, 137])
def test_schedules_are_those_that_make_negatives(name, T):
    np.testing.assert_allclose(SCHEDULES[name](T), diffusion.SCHEDULES[name](T).alpha_bar.numpy(), rtol=1e-12)


def test_every_schedule_that_makes_negatives_is_there():
    assert SCHEDULES.keys() == diffusion.SCHEDULES.keys()
    with pytest.raises(ValueError, match="at least 20 timesteps; got 19"):
        SCHEDULES["linear"](19)


def test_the_run_s_own_settings_give_its_own_transition(law_trace):
    same = what_if(law_trace)
    for name in ("alpha_bar", "transition_timestep", "clamped", "boundary"):
        np.testing.assert_array_equal(same[name], law_trace[name], err_msg=name)
    np.testing.assert_allclose(same["noise"], law_trace["noise"])
    assert {"score", "walk"} <= set(same.arrays), "draws stay true under the same schedule and noise"
    again = what_if(law_trace, target=Margin(1.5, "score"), schedule="linear", num_timesteps=50)
    np.testing.assert_array_equal(again["transition_timestep"], law_trace["transition_timestep"])
    assert "score" not in again


def test_other_settings_are_asked_of_the_mathematics(law_trace):
    other = what_if(
        law_trace, target=Threshold(0.3), boundary=Quantile(0.5), schedule="cosine", num_timesteps=80, noise=1.5
    )
    b = law_trace["mean"] + 0.5 * law_trace["sd"]
    wanted = crossing(law_trace["pair_score"], 1.5 * law_trace["noise"], b, 0.3)
    turns = np.isfinite(wanted)
    assert turns.any()
    asked = timestep_of(wanted, SCHEDULES["cosine"](80))[turns]
    np.testing.assert_array_equal(other["transition_timestep"][turns], np.clip(asked, 4, 76))
    np.testing.assert_array_equal(other["clamped"][turns], (asked < 4) | (asked > 76))
    assert other.meta["target"] == {"name": "threshold", "level": 0.3}
    assert other.meta["boundary"] == {"name": "quantile", "z": 0.5}
    assert other.meta["schedule"] == {"name": "cosine", "T": 80}
    assert other.meta["sigma"] == pytest.approx(1.5 * law_trace.meta["sigma"])


def test_at_a_constant_boundary_of_zero_the_expected_score_never_turns(law_trace):
    never = what_if(law_trace, target=Threshold(), boundary=Constant(0))
    assert never["clamped"].all()
    high = law_trace["pair_score"] > 0
    assert (never["transition_timestep"][high] == 48).all()


@pytest.mark.parametrize("name", [n for n in SCORE_AWARE if n != "random"])
def test_every_score_aware_function_can_be_asked(law_trace, name):
    asked = what_if(law_trace, target=SCORE_AWARE[name]())
    assert asked.meta["target"]["name"] == name
    assert asked["transition_timestep"].min() >= 2
    assert asked["transition_timestep"].max() <= 48


def test_the_run_s_clamp_is_kept_and_a_random_run_is_asked_by_margin(law_trace):
    meta = {**law_trace.meta, "clamp": [0.0, 0.5], "target": {"name": "random"}}
    asked = what_if(Trace(meta, law_trace.arrays))
    assert asked.meta["target"] == {"name": "margin", "delta": 0.5, "unit": "sd"}
    assert asked["transition_timestep"].max() <= 25
    assert (what_if(law_trace, target=Fixed(1e-9))["transition_timestep"] == 48).all()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"noise": 0.0}, "noise must be a factor above 0; got 0.0"),
        ({"schedule": "square"}, "schedule must be one of linear, cosine, sigmoid; got 'square'"),
        ({"num_timesteps": -3}, "num_timesteps must be at least 1; got -3"),
    ],
)
def test_impossible_settings_are_refused(law_trace, wrong, says):
    with pytest.raises(ValueError, match=says):
        what_if(law_trace, **wrong)


def test_an_unknown_score_aware_function_is_named(law_trace):
    strange = Trace({**law_trace.meta, "target": {"name": "foo"}}, law_trace.arrays)
    with pytest.raises(TraceError, match=r"target must be a score-aware function; got {'name': 'foo'}"):
        target_of(strange)
