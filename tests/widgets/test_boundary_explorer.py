"""What the browser gets of a user's boundary, decoded and computed again."""

from __future__ import annotations

import re

import numpy as np
import pytest
import traitlets

from adar_viz.displays import ComparedBoundaries, ItemMap, MovingBoundary
from adar_viz.trace import Trace, user_moments
from adar_viz.widgets import BoundaryComparison, BoundaryExplorer, WalkScrubber, link
from adar_viz.widgets.view import own_script

MARKERS = {"dot": "o", "ring": "o", "star": "*", "cross": "x", "bold": "X", "triangle": "^"}
"""What Matplotlib calls the marks of `js/pens.js`."""


@pytest.fixture
def explorer(law_trace):
    widget = BoundaryExplorer.from_trace(law_trace, users=[3, 7])
    yield widget
    widget.close()


def places(widget):
    """Decode the planes: (panel, user, epoch, item, 2), in the units of each."""
    scene = widget.scene
    shape = len(scene["panels"]), len(scene["users"]), len(scene["choices"]["epoch"]), len(scene["items"]), 2
    share = np.frombuffer(widget.points, "<u2")[: np.prod(shape)].reshape(shape) / 65535
    left, right, bottom, top = np.moveaxis(np.array(scene["sides"]), -1, 0)[:, None, ..., None]
    x, y = left + share[..., 0] * (right - left), bottom + share[..., 1] * (top - bottom)
    return np.stack([x, y], axis=-1)


def test_every_item_is_sent_on_the_side_of_its_score_at_every_epoch(explorer, law_trace):
    found = places(explorer)[0]
    for u, user in enumerate((3, 7)):
        for e, moment in enumerate(user_moments(law_trace, user)):
            span = np.ptp(moment.xy, axis=0)
            assert (np.abs(found[u, e] - moment.xy) <= 2e-4 * span).all()
            numbers = explorer.scene["panels"][0]["numbers"][u][e]
            assert numbers["boundary"] == pytest.approx(moment.boundary, rel=1e-4)
            assert numbers["positives"] == [
                int((moment.score[moment.observed] >= moment.boundary).sum()),
                int(moment.observed.sum()),
            ]
            assert numbers["false"] == (moment.drawn & moment.unseen).sum()
            assert explorer.scene["panels"][0]["drawn"][u][e] == np.flatnonzero(moment.drawn).tolist()


@pytest.mark.parametrize("t", [0, 20, 50])
def test_the_browser_s_formula_places_the_synthetic_negatives(explorer, law_trace, t):
    a = law_trace["alpha_bar"][t]
    for e, moment in enumerate(user_moments(law_trace, 3)):
        sent = np.array(explorer.scene["panels"][0]["noised"][0][e])
        x_t = np.sqrt(a) * sent[:, :2] + np.sqrt(1 - a) * sent[:, 2:4] + sent[:, 4:]
        expected = moment.noised(a)
        apart = np.abs(x_t[:, None] - expected[None]).max(axis=2).min(axis=1)
        assert apart.max() < 1e-3


def test_now_and_picture_follow_the_state_and_a_strange_user_shows_the_first(explorer):
    before = explorer.drive(epoch=1, user=3).now()["planes"]["this run"]
    after = explorer.drive(epoch=20).now()["planes"]["this run"]
    assert after["boundary"] > before["boundary"]
    picture = explorer.drive(epoch=4, t=10, user=7).picture()
    assert isinstance(picture, MovingBoundary)
    assert picture.label == ["epoch 1", "epoch 4", "epoch 20"]
    assert (picture.timestep, picture.user) == (10, "u7")
    assert explorer.drive(epoch=0).picture().label == ["epoch 0", "epoch 1", "epoch 20"]
    assert explorer.drive(epoch=20).picture().label == ["epoch 1", "epoch 4", "epoch 20"]
    assert explorer.drive(user=30).now()["planes"] == explorer.drive(user=3).now()["planes"]
    with pytest.raises(traitlets.TraitError, match="epoch must be one of 0, 1, 2, 4, 8, 20; got 3"):
        explorer.drive(epoch=3)
    assert explorer.as_code().startswith(
        "BoundaryExplorer.from_trace(trace, users=[3, 7], z=1.28).drive(epoch=20, t=10"
    )


def test_the_map_follows_the_planes_and_is_left_out_where_there_is_none(explorer, law_trace):
    assert len(explorer.points) == 4 * 60 * (2 * 6 + 1)
    assert 0.5 < explorer.scene["map"]["trustworthiness"] <= 1
    bare = BoundaryExplorer.from_trace(law_trace.without("item_map"), users=[3])
    assert "map" not in bare.scene
    assert len(bare.points) == 4 * 60 * 6
    bare.close()


def test_selection_is_shared_with_another_view(explorer, law_trace):
    walk = WalkScrubber.from_trace(law_trace)
    link(explorer, walk)
    explorer.drive(selected=8)
    assert walk.selected == 8
    walk.close()


def test_two_runs_share_axes_and_the_first_fitting_run_is_taken(law_trace):
    other = Trace({**law_trace.meta, "negatives": "uniform(num_negatives=1)"}, law_trace.arrays)
    elsewhere = Trace({**law_trace.meta, "data_checksum": "1" * 64}, law_trace.arrays)
    both = BoundaryComparison.from_traces([law_trace, elsewhere, law_trace.without("snapshot_user_observed"), other])
    assert [panel["name"] for panel in both.scene["panels"]] == ["adar", "uniform"]
    assert "map" not in both.scene
    assert isinstance(both.display, ComparedBoundaries)
    assert isinstance(both.picture(), ComparedBoundaries)
    np.testing.assert_array_equal(*places(both))
    assert both.as_code().startswith("BoundaryComparison.from_traces(traces, z=1.28).drive(")
    both.close()
    with pytest.raises(ValueError, match="a second run on the same data with snapshots; got 2 in all"):
        BoundaryComparison.from_traces([law_trace, elsewhere])


def test_marks_and_their_names_are_those_of_the_picture_for_print(law_trace):
    script = own_script("boundary_explorer.js")
    kinds = re.findall(r'shape: "(\w+)"', script)[:5]
    display = MovingBoundary.from_trace(law_trace).plot()
    shown = [display.item_, display.unseen_, display.positive_, display.drawn_, display.false_]
    assert [lines[0].get_marker() for lines in shown] == [MARKERS[kind] for kind in kinds]
    chart = ItemMap.from_trace(law_trace).plot()
    assert chart.above_[1].get_marker() == MARKERS["triangle"]
    assert 'mark(pen, "triangle"' in script
    known, synthetic, drawn, false, _ = (text.get_text() for text in display.legend_.get_texts())
    for name in (known, synthetic.split(",")[0], drawn, false):
        assert re.search(rf'"{name}\b', script), name


def test_what_nobody_observed_is_called_unobserved(explorer):
    words = [*re.findall(r'"([^"]*)"', own_script("boundary_explorer.js")), explorer.scene["intro"], *explorer.cannot]
    assert sum("truly liked, unobserved" in text for text in words) == 3
    assert not [text for text in words if re.search(r"never seen|\bunseen\b", text)]
