"""What the browser gets of the drift, decoded and computed again."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import EmbeddingDrift
from adar_viz.trace import aligned, joint_map, map_drift, neighbour_overlap, neighbours
from adar_viz.widgets import DriftExplorer


@pytest.fixture
def explorer(law_trace):
    widget = DriftExplorer.from_trace(law_trace, since=2, k=5)
    yield widget
    widget.close()


def test_both_maps_are_sent_in_one_frame_each(explorer, law_trace):
    share = np.frombuffer(explorer.points, "<u2").reshape(2, 4, 60, 2) / 65535
    x = aligned(law_trace["snapshot_item_embedding"][2:])
    for sent, xy in zip(share, (joint_map(x)[0], law_trace["snapshot_item_map"][2:]), strict=True):
        flat, given = sent.reshape(-1, 2), xy.reshape(-1, 2)
        unit = np.ptp(given, axis=0).max() / (1 / 1.08)
        middle = (given.min(axis=0) + given.max(axis=0)) / 2
        np.testing.assert_allclose((flat - 0.5) * unit, given - middle, atol=2e-4 * unit)


def test_ranking_neighbours_and_drift_are_measured_in_the_whole_space(explorer, law_trace):
    x = aligned(law_trace["snapshot_item_embedding"][2:])
    change = 1 - neighbour_overlap(x[0], x[-1], 5)
    ranked = change[explorer.scene["most"]]
    assert (np.diff(ranked) <= 0).all()
    assert ranked[0] == change.max()
    assert explorer.scene["near"][1] == neighbours(x[1], 5).tolist()
    xy = joint_map(x)[0]
    assert explorer.drive(epoch=20, projection="pca").now()["drift"] == pytest.approx(map_drift(xy), rel=1e-4)
    assert explorer.drive(epoch=2).now()["drift"] == 0
    assert explorer.scene["maps"][1]["null"] == law_trace.meta["maps"]["null_drift"]


def test_the_selected_item_has_its_neighbours_at_the_present_epoch(explorer, law_trace):
    item = int(law_trace["snapshot_item"][9])
    x = aligned(law_trace["snapshot_item_embedding"][2:])
    expected = law_trace["item_title"][law_trace["snapshot_item"][neighbours(x[2], 5)[9]]]
    assert explorer.drive(epoch=8, selected=item).now()["nearest"] == expected.tolist()
    assert explorer.drive(selected=1).now()["nearest"] == []


def test_the_picture_shows_the_selected_item_s_trail_too_on_the_present_map(explorer, law_trace):
    rest = [i for i in range(60) if i not in explorer.scene["most"]]
    item = explorer.scene["items"][rest[0]]
    picture = explorer.drive(selected=item, projection="stored").picture()
    assert isinstance(picture, EmbeddingDrift)
    assert picture.method == "stored"
    assert picture.item[picture.most[-1]] == item
    assert len(picture.most) == 13
    assert explorer.as_code().endswith(f"projection='stored', selected={item})")


def test_without_a_stored_map_there_is_one_projection(law_trace):
    widget = DriftExplorer.from_trace(law_trace.without("snapshot_item_map"))
    assert widget.scene["choices"]["projection"] == ["pca"]
    widget.close()


def test_each_projection_says_its_quality_in_lines_that_a_phone_holds(explorer):
    for facts in explorer.scene["maps"]:
        assert len(facts["quality"]) == 3, "as many as there is room for below the map"
        assert max(map(len, facts["quality"])) < 45
        assert "(chance 0.5)" in facts["quality"][-1]
