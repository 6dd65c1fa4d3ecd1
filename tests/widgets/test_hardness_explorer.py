"""The explorer starts as the run was, and what it says of other settings is what the closed form gives."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from adar_viz.displays import HardnessMap
from adar_viz.trace import Trace, already_negative, what_if
from adar_viz.transition import Constant, Margin, Threshold
from adar_viz.widgets import HardnessExplorer


@pytest.fixture
def explorer(law_trace):
    widget = HardnessExplorer.from_trace(law_trace)
    yield widget
    widget.close()


def test_it_starts_as_the_run_was(explorer, law_trace):
    assert explorer.state | {"selected": -1} == explorer.state
    assert (explorer.target, explorer.delta, explorer.unit) == ("margin", 1.5, "score")
    assert (explorer.schedule, explorer.timesteps, explorer.boundary, explorer.z) == ("linear", 50, "quantile", 1.28)
    order = np.argsort(law_trace["pair_score"], kind="stable")
    shown = explorer.asked()
    np.testing.assert_array_equal(shown["transition_timestep"], law_trace["transition_timestep"][order])
    np.testing.assert_array_equal(shown["clamped"], law_trace["clamped"][order])
    now = explorer.now()
    assert now["transition"] == np.median(law_trace["transition_timestep"])
    assert now["already_negative"] == already_negative(law_trace).mean()


def test_a_control_asks_the_closed_form_again(explorer, law_trace):
    explorer.drive(
        target="threshold", level=0.3, boundary="constant", value=0.0, schedule="cosine", timesteps=100, noise=2.0
    )
    other = what_if(
        law_trace, target=Threshold(0.3), boundary=Constant(0), schedule="cosine", num_timesteps=100, noise=2
    )
    assert explorer.now()["transition"] == np.median(other["transition_timestep"])
    assert explorer.now()["clamped"] == other["clamped"].mean()
    assert isinstance(explorer.picture(), HardnessMap)
    np.testing.assert_array_equal(explorer.picture().transition, HardnessMap.from_trace(other).transition)


def test_values_that_no_control_offers_are_refused(explorer):
    with pytest.raises(traitlets.TraitError, match="schedule must be one of linear, cosine, sigmoid; got square"):
        explorer.drive(schedule="square")
    with pytest.raises(traitlets.TraitError, match="noise must be one of"):
        explorer.drive(noise=-1.0)
    assert all(value in explorer.scene["choices"][name] for name, value in explorer.state.items() if name != "selected")


def test_a_schedule_of_the_run_s_own_and_a_boundary_without_a_rule_are_kept_as_recorded(law_trace):
    bent = law_trace["alpha_bar"] ** 1.1
    meta = {key: value for key, value in law_trace.meta.items() if key != "boundary"}
    own = HardnessExplorer.from_trace(Trace(meta, {**law_trace.arrays, "alpha_bar": bent}))
    assert (own.schedule, own.boundary) == ("own", "recorded")
    np.testing.assert_array_equal(own.asked()["alpha_bar"], bent)
    np.testing.assert_array_equal(np.sort(own.asked()["boundary"]), np.sort(law_trace["boundary"]))
    assert own.drive(schedule="linear").asked()["alpha_bar"][-1] == pytest.approx(law_trace["alpha_bar"][-1])
    own.close()


def test_a_run_with_random_timesteps_says_so_and_starts_at_margin(law_trace):
    explorer = HardnessExplorer.from_trace(Trace({**law_trace.meta, "target": {"name": "random"}}, law_trace.arrays))
    assert explorer.scene["intro"].startswith("The run drew t* at random")
    assert (explorer.target, explorer.delta) == ("margin", Margin().delta)
    explorer.close()


def test_many_pairs_are_thinned_evenly_by_score(law_trace):
    few = HardnessExplorer.from_trace(law_trace, points=10)
    scores = few.scene["pairs"]["score"]
    assert len(scores) == 10
    assert scores == sorted(scores)
    assert scores[-1] == pytest.approx(law_trace["pair_score"].max())
    assert set(few.scene["names"]) == {str(i) for i in few.scene["pairs"]["item"]}
    few.close()


def test_the_line_of_code_brings_the_state_back(explorer, law_trace):
    explorer.drive(target="snr", c=0.4, selected=explorer.scene["pairs"]["item"][3])
    again = eval(explorer.as_code(), {"HardnessExplorer": HardnessExplorer, "trace": law_trace})
    assert again.state == explorer.state
    again.close()


def test_training_is_shown_as_it_was(explorer, law_trace):
    shown = explorer.scene["training"]
    assert shown["epochs"] == law_trace["epoch"].tolist()
    timestep, hardness = shown["curves"]
    np.testing.assert_allclose(timestep["quantiles"], law_trace["timestep_quantile"][:, [0, 2, 4]].T, rtol=1e-5)
    np.testing.assert_allclose(hardness["quantiles"], law_trace["diffused_hardness"][:, [0, 2, 4]].T, rtol=1e-5)
    np.testing.assert_allclose(hardness["drawn"], law_trace["hardness"][:, 2], rtol=1e-5)
    assert "median transition timestep t* goes from" in shown["sentence"]


def test_a_run_without_transitions_shows_the_drawn_alone_and_one_without_a_record_nothing(law_trace):
    none = np.full_like(law_trace["timestep_quantile"], np.nan)
    arrays = {**law_trace.arrays, "timestep_quantile": none, "diffused_hardness": none}
    (only,) = HardnessExplorer.from_trace(Trace(law_trace.meta, arrays)).scene["training"]["curves"]
    assert only["quantiles"] == [[None] * len(none)] * 3
    assert None not in only["drawn"]
    del arrays["hardness"]
    assert "training" not in HardnessExplorer.from_trace(Trace(law_trace.meta, arrays)).scene
