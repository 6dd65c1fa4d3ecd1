"""What the scrubber of samplers shows is what the traces hold, at every epoch and after a run's end."""

from __future__ import annotations

import json
import re

import numpy as np
import pytest
import traitlets

from adar_viz.displays import DrawnScores
from adar_viz.trace import Trace
from adar_viz.widgets import SamplerExplorer


@pytest.fixture
def other(law_trace):
    shorter = law_trace.take("epoch", range(12))
    arrays = {**shorter.arrays, "hardness": shorter["hardness"] - 1}
    return Trace({**law_trace.meta, "negatives": "uniform(num_negatives=1)"}, arrays)


@pytest.fixture
def view(law_trace, other):
    widget = SamplerExplorer.from_traces([law_trace, other], names=["a", "b"])
    yield widget
    widget.close()


def test_numbers_are_those_of_the_epoch_and_a_stopped_run_stays_at_its_last(view, law_trace, other):
    for epoch, last in ((3, 3), (20, 12)):
        found = view.drive(epoch=epoch).now()["runs"]
        for name, trace, at in (("a", law_trace, epoch), ("b", other, last)):
            row = at - 1
            assert found[name]["hardness"] == pytest.approx(trace["hardness"][row, 2], rel=1e-4)
            assert found[name]["rank"] == pytest.approx(trace["negative_percentile"][row, 2], rel=1e-4)
            assert found[name]["false_negative"] == pytest.approx(trace["false_negative"][row], rel=1e-4)
            assert found[name]["gradient_weight"] == pytest.approx(trace["gradient_weight_mean"][row], rel=1e-4)
    np.testing.assert_allclose(view.scene["runs"][1]["negative"][19], other["negative_score"][11], rtol=1e-4)
    assert view.scene["runs"][1]["last"] == 12
    assert json.loads(json.dumps(view.scene, allow_nan=False)) == view.scene


def test_it_starts_at_the_latest_kept_epoch_and_refuses_others(view, law_trace):
    assert view.epoch == law_trace["epoch"][np.nanargmax(law_trace["metric"][:, 0])]
    with pytest.raises(traitlets.TraitError, match=r"epoch must lie in \[1, 20\]; got 21"):
        view.drive(epoch=21)


def test_the_picture_for_print_marks_the_epoch_and_the_code_brings_it_back(view, law_trace, other, tmp_path):
    picture = view.drive(epoch=7).picture()
    assert isinstance(picture, DrawnScores)
    assert picture.plot().mark_[0].get_xdata()[0] == 7
    again = eval(view.as_code(), {"SamplerExplorer": SamplerExplorer, "traces": [law_trace, other]})
    assert (again.state, again.scene) == (view.state, view.scene)
    again.close()
    page = view.export_html(tmp_path / "samplers.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|https?://", page)


def test_without_truth_there_is_no_plane_and_one_run_will_do(law_trace):
    names = [name for name in law_trace.arrays if name.startswith("false_negative")]
    view = SamplerExplorer.from_trace(law_trace.without(*names))
    assert view.scene["truth"] is False
    assert view.now()["runs"]["adar"]["false_negative"] is None
    assert view.scene["heading"] == "adar, epoch by epoch"
    view.close()


def test_of_more_than_four_runs_the_first_four_are_shown(law_trace):
    view = SamplerExplorer.from_traces([law_trace] * 5)
    assert [run["name"] for run in view.scene["runs"]] == ["adar #1", "adar #2", "adar #3", "adar #4"]
    view.close()
