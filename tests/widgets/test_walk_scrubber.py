"""What the scrubber sends to the browser, and what it says of itself, equals the trace."""

from __future__ import annotations

import numpy as np
import pytest
import traitlets

from adar_viz.displays import OneStep, Walk, WalkSources
from adar_viz.trace import UserPlane, walk_identity, walk_scores
from adar_viz.widgets import WalkScrubber

SOURCES = ["forward", "reverse", "renoise"]


@pytest.fixture
def scrubber(law_trace):
    widget = WalkScrubber.from_trace(law_trace)
    yield widget
    widget.close()


def coordinates(scrubber):
    """Undo what the browser undoes: shares of the plane to coordinates."""
    sent = np.frombuffer(scrubber.points, dtype="<u2").reshape(-1, 2) / 65535
    low_x, high_x, low_y, high_y = scrubber.scene["range"]
    return np.array([low_x, low_y]) + sent * [high_x - low_x, high_y - low_y]


def test_points_are_the_catalogue_and_the_walks_in_the_user_s_plane(scrubber, law_trace):
    plane = UserPlane.of(law_trace["walk_query"][0], law_trace["item_embedding"])
    xy = coordinates(scrubber)
    tolerance = 2e-4 * np.ptp(xy)
    np.testing.assert_allclose(xy[:240], plane.project(law_trace["item_embedding"]), atol=tolerance)
    assert len(xy) == 240 + 3 * 3 * 51
    for i, source in enumerate(SOURCES):
        walk = law_trace["walk_source"].tolist().index(source)
        x, guess, _ = np.split(xy[240 + 153 * i : 240 + 153 * (i + 1)], 3)
        np.testing.assert_allclose(x, plane.project(law_trace["walk"][walk]), atol=tolerance)
        np.testing.assert_allclose(guess, plane.project(law_trace["walk_prediction"][walk]), atol=tolerance)
    assert scrubber.scene["range"][0] < scrubber.scene["boundary"] < scrubber.scene["range"][1]


@pytest.mark.parametrize("source", SOURCES)
@pytest.mark.parametrize("t", [1, 20, 50])
def test_slow_motion_draws_the_movements_of_the_print_display(scrubber, law_trace, source, t):
    shown = OneStep.from_trace(law_trace, pair=0, source=source, t=t)
    between = coordinates(scrubber)[240 + 153 * SOURCES.index(source) + 102 + t]
    np.testing.assert_allclose(between, shown.legs[1].end if source == "reverse" else shown.legs[0].end, atol=2e-3)
    walk = scrubber.scene["walks"][source]
    assert walk["guess"][t] == pytest.approx(shown.estimate[t], abs=1e-3)
    assert scrubber.scene["names"][str(walk["guessed"][t])] == shown.nearest
    scrubber.drive(t=t, source=source, slow="on")
    assert isinstance(scrubber.picture(), OneStep)
    assert scrubber.picture().describe() == shown.describe()


def test_what_now_says_is_the_trace_s(scrubber, law_trace):
    scrubber.drive(t=0)
    assert scrubber.now()["nearest"][0] == law_trace["item_title"][law_trace["pair_item"][0]]
    assert scrubber.now()["score"] == pytest.approx(law_trace["pair_score"][0], rel=1e-4)
    assert not scrubber.now()["negative"]
    assert scrubber.now()["probability"] == 0
    assert scrubber.now()["log_ratio"] == 999
    scrubber.drive(t=50)
    assert scrubber.now()["negative"] == (walk_scores(law_trace)[0, 50] < law_trace["boundary"][0])
    assert scrubber.now()["probability"] > 0.9
    assert scrubber.now()["log_ratio"] == pytest.approx(walk_identity(law_trace, 0)[50], rel=1e-4)
    assert len(scrubber.now()["nearest"]) == 5


def test_what_it_does_not_offer_is_refused(scrubber):
    with pytest.raises(traitlets.TraitError, match=r"t must lie in \[0, 50\]; got 51"):
        scrubber.drive(t=51)
    with pytest.raises(traitlets.TraitError, match="source must be one of forward, reverse, renoise; got sideways"):
        scrubber.drive(source="sideways")
    with pytest.raises(ValueError, match="drive takes t, source, slow, selected; got speed"):
        scrubber.drive(speed=2)


def test_it_starts_with_the_source_that_is_asked_for_and_a_pair_needs_a_walk(law_trace):
    other = WalkScrubber.from_trace(law_trace, source="reverse", k=2)
    assert other.source == "reverse"
    assert other.now()["score"] == pytest.approx(walk_scores(law_trace)[1, 0], rel=1e-4)
    assert len(other.scene["walks"]["reverse"]["nearest"][7]) == 2
    assert isinstance(other.picture(), Walk)
    assert isinstance(other.display, WalkSources)
    other.close()
    with pytest.raises(ValueError, match=r"\(0, 'forward'\).*; got 5, 'forward'"):
        WalkScrubber.from_trace(law_trace, pair=5)


def test_a_trace_without_predictions_or_with_one_walk_offers_what_it_has(law_trace):
    plain = WalkScrubber.from_trace(law_trace.without("walk_prediction").take("walk", [0]))
    assert plain.scene["choices"]["source"] == ["forward"]
    assert isinstance(plain.display, Walk)
    with pytest.raises(traitlets.TraitError, match="slow must be one of off; got on"):
        plain.drive(slow="on")
    plain.close()


def test_each_timestep_has_its_numbers(scrubber):
    assert all(len(scrubber.scene[name]) == 51 for name in ("probability", "alpha_bar"))
    for walk in scrubber.scene["walks"].values():
        assert all(len(values) == 51 for name, values in walk.items() if name not in ("turned", "lost"))
