"""The movements of one timestep add up, and the estimate along the walk is the recorded one."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from adar_viz.diffusion import linear, posterior
from adar_viz.displays import OneStep
from adar_viz.trace import UserPlane


@pytest.fixture(scope="module")
def plane(law_trace):
    return UserPlane.of(law_trace["walk_query"][0], law_trace["item_embedding"])


def test_a_forward_step_shrinks_the_positive_adds_noise_and_takes_the_guess_off(law_trace, plane):
    shown = OneStep.from_trace(law_trace, t=20)
    shrink, noise, denoise = shown.legs
    a, x0 = np.sqrt(law_trace["alpha_bar"][20]), law_trace["item_embedding"][law_trace["pair_item"][0]]
    np.testing.assert_allclose(shrink.start, plane.project(x0), atol=1e-6)
    np.testing.assert_allclose(shrink.end, plane.project(a * x0.astype(float)), atol=1e-6)
    np.testing.assert_allclose(noise.end, plane.project(law_trace["walk"][0, 20]), atol=1e-6)
    np.testing.assert_allclose(denoise.end, plane.project(law_trace["walk_prediction"][0, 20]), atol=1e-6)
    assert shrink.end[0] == pytest.approx(a * law_trace["pair_score"][0], rel=1e-5)
    assert noise.start is not shrink.start
    np.testing.assert_array_equal(noise.start, shrink.end)
    np.testing.assert_array_equal(denoise.start, noise.end)


def test_a_reverse_step_goes_to_the_mean_of_the_posterior_and_ends_at_the_next_state(law_trace, plane):
    guess, share, fresh = OneStep.from_trace(law_trace, source="reverse", t=20).legs
    x, x0 = (torch.from_numpy(law_trace[name][1, [20]]).double() for name in ("walk", "walk_prediction"))
    mean, _ = posterior(x, x0, torch.tensor([20]), linear())
    np.testing.assert_allclose(share.end, plane.project(mean.numpy()[0]), rtol=1e-6)
    np.testing.assert_array_equal(guess.start, share.start)
    np.testing.assert_allclose(fresh.end, plane.project(law_trace["walk"][1, 19]), atol=1e-6)


def test_lines_are_the_scores_of_x_t_and_of_the_estimate(law_trace):
    shown = OneStep.from_trace(law_trace).plot()
    query = law_trace["walk_query"][0].astype(float)
    np.testing.assert_allclose(shown.score_.get_ydata(), law_trace["walk"][0] @ query)
    np.testing.assert_allclose(shown.estimate_.get_ydata(), law_trace["walk_prediction"][0] @ query)
    assert shown.t == law_trace["transition_timestep"][0]
    assert shown.likeness[0] == pytest.approx(1)
    assert len(shown.arrows_) == 3
    table = shown.frame()
    assert (table["mark"] == "walk").sum() == 51
    assert table.set_index("mark").loc["2 end", "score"] == pytest.approx(shown.score[shown.t])


def test_each_source_has_words_of_its_own(law_trace):
    words = {
        source: [leg.label for leg in OneStep.from_trace(law_trace, source=source).legs]
        for source in ("forward", "reverse", "renoise")
    }
    assert words["reverse"][0] == "the denoiser guesses the clean vector"
    assert "beyond" in words["renoise"][1]
    assert words["forward"][1] == "noise is added"


def test_timesteps_and_walks_that_are_not_there_are_refused(law_trace):
    with pytest.raises(ValueError, match=r"t must lie in \[1, 50\]; got 0"):
        OneStep.from_trace(law_trace, t=0)
    with pytest.raises(ValueError, match=r"one of the walks .*; got 7, 'forward'"):
        OneStep.from_trace(law_trace, pair=7)
