"""What is read off at one timestep and one epoch is what both traces hold there."""

from __future__ import annotations

import json

import numpy as np
import pytest
import traitlets

from adar_viz.trace import Trace
from adar_viz.widgets import TwoRunsExplorer


@pytest.fixture
def other(law_trace):
    shorter = law_trace.take("epoch", range(2, 16))
    arrays = {**shorter.arrays, "score": shorter["score"] - 0.25}
    return Trace({**law_trace.meta, "negatives": "uniform(num_negatives=1)"}, arrays)


@pytest.fixture
def view(law_trace, other):
    widget = TwoRunsExplorer.from_traces([law_trace, other])
    yield widget
    widget.close()


def test_numbers_are_read_off_both_runs(view, law_trace, other):
    numbers = view.drive(t=10, epoch=8).now()["numbers"]
    medians = [float(np.median(trace["score"][:, 10].astype(float))) for trace in (law_trace, other)]
    assert numbers["score of x_t"]["first"] == pytest.approx(medians[0], rel=1e-4)
    assert numbers["score of x_t"]["second"] == pytest.approx(medians[1], rel=1e-4)
    assert numbers["score of x_t"]["difference"] == pytest.approx(-0.25, rel=1e-3)
    assert numbers["hardness of the drawn"]["first"] == pytest.approx(law_trace["hardness"][7, 2], rel=1e-4)
    assert numbers["hardness of the drawn"]["difference"] == 0
    assert view.drive(epoch=7).now()["numbers"]["validation ndcg@20"]["first"] is None  # not evaluated there
    assert json.loads(json.dumps(view.scene, allow_nan=False)) == view.scene


def test_only_epochs_that_both_have_can_be_chosen(view):
    assert view.scene["choices"]["epoch"] == list(range(3, 17))
    with pytest.raises(traitlets.TraitError, match=r"epoch must lie in \[3, 16\]; got 2"):
        view.drive(epoch=2)


def test_the_picture_marks_both_places_and_the_code_brings_it_back(view, law_trace, other):
    picture = view.drive(t=33, epoch=5).picture()
    assert (picture.t, picture.epoch) == (33, 5)
    again = eval(view.as_code(), {"TwoRunsExplorer": TwoRunsExplorer, "traces": [law_trace, other]})
    assert (again.state, again.scene) == (view.state, view.scene)
    again.close()


def test_of_more_runs_the_first_is_compared_with_the_next_that_fits(law_trace, other):
    slim = law_trace.without("pair_score", "score", "boundary")
    view = TwoRunsExplorer.from_traces([law_trace, slim, other], names=["a", "b", "c"])
    assert view.scene["runs"] == ["a", "c"]
    again = eval(view.as_code(), {"TwoRunsExplorer": TwoRunsExplorer, "traces": [law_trace, slim, other]})
    assert again.scene == view.scene
    view.close()
    again.close()


def test_two_runs_are_needed(law_trace):
    with pytest.raises(ValueError, match="traces must be two; got 1"):
        TwoRunsExplorer.from_traces([law_trace])
    view = TwoRunsExplorer.from_trace(law_trace)
    assert view.now()["numbers"]["P(t): x_t is negative"]["difference"] == 0
    view.close()
