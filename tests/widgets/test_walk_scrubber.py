"""What the scrubber sends to the browser, and what it says of itself, equals the trace."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from adar_viz.trace import UserPlane
from adar_viz.widgets import WalkScrubber


@pytest.fixture
def scrubber(law_trace):
    widget = WalkScrubber.from_trace(law_trace)
    yield widget
    widget.close()


def test_points_are_the_catalogue_and_the_walk_in_the_user_s_plane(scrubber, law_trace):
    sent = np.frombuffer(scrubber.points, dtype="<u2").reshape(-1, 2) / 65535
    low_x, high_x, low_y, high_y = scrubber.scene["range"]
    xy = np.array([low_x, low_y]) + sent * [high_x - low_x, high_y - low_y]
    plane = UserPlane.of(law_trace["walk_query"][0], law_trace["item_embedding"])
    expected = plane.project(np.concatenate([law_trace["item_embedding"], law_trace["walk"][0]]))
    np.testing.assert_allclose(xy, expected, atol=2e-4 * np.ptp(expected))
    assert len(scrubber.points) == 4 * (240 + 51)
    assert low_x < scrubber.scene["boundary"] < high_x


def test_what_now_says_is_the_trace_s(scrubber, law_trace):
    scrubber.drive(t=0)
    assert scrubber.now()["nearest"][0] == law_trace["item_title"][law_trace["pair_item"][0]]
    assert scrubber.now()["score"] == pytest.approx(law_trace["pair_score"][0], rel=1e-4)
    assert not scrubber.now()["negative"]
    assert scrubber.now()["probability"] == 0
    scrubber.drive(t=50)
    assert scrubber.now()["negative"] == (scrubber.scene["score"][50] < law_trace["boundary"][0])
    assert scrubber.now()["probability"] > 0.9
    assert len(scrubber.now()["nearest"]) == 5


def test_a_timestep_outside_the_walk_is_refused(scrubber):
    with pytest.raises(traitlets.TraitError, match=r"t must lie in \[0, 50\]; got 51"):
        scrubber.drive(t=51)
    with pytest.raises(ValueError, match="drive takes t, selected; got speed"):
        scrubber.drive(speed=2)


def test_another_source_and_a_pair_without_a_walk(law_trace):
    other = WalkScrubber.from_trace(law_trace, source="reverse", k=2)
    assert other.scene["source"] == "reverse"
    assert len(other.scene["nearest"][7]) == 2
    other.close()
    with pytest.raises(ValueError, match=r"\(0, 'forward'\).*; got 5, 'forward'"):
        WalkScrubber.from_trace(law_trace, pair=5)


def test_each_timestep_has_its_numbers(scrubber):
    assert all(len(scrubber.scene[name]) == 51 for name in ("score", "probability", "alpha_bar", "nearest", "cosine"))
