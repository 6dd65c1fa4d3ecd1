"""What the scrubber sends to the browser, and what it says of itself, equals the trace."""

from __future__ import annotations

import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import traitlets

from adar_viz.trace import UserPlane
from adar_viz.widgets import WalkScrubber, rerun


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
    with pytest.raises(ValueError, match="drive takes t; got speed"):
        scrubber.drive(speed=2)


def test_another_source_and_a_pair_without_a_walk(law_trace):
    other = WalkScrubber.from_trace(law_trace, source="reverse", k=2)
    assert other.scene["source"] == "reverse"
    assert len(other.scene["nearest"][7]) == 2
    other.close()
    with pytest.raises(ValueError, match=r"\(0, 'forward'\).*; got 5, 'forward'"):
        WalkScrubber.from_trace(law_trace, pair=5)


def test_everything_that_moves_is_sent_once(scrubber):
    synced = {name for name in scrubber.keys if not name.startswith("_")}
    assert {"t", "scene", "points"} <= synced <= {"t", "scene", "points", "layout", "tabbable", "tooltip"}
    scene = json.loads(json.dumps(scrubber.scene))
    assert all(len(scene[name]) == 51 for name in ("score", "probability", "alpha_bar", "nearest", "cosine"))


def test_readers_without_a_kernel_get_a_picture_with_alt_text(scrubber):
    data, meta = scrubber._repr_mimebundle_()
    assert "application/vnd.jupyter.widget-view+json" in data
    assert data["image/png"].startswith("iVBOR")
    assert meta["image/png"]["alt"] == scrubber.describe()
    assert data["text/plain"].startswith("WalkScrubber: ")
    assert "0x" not in data["text/plain"]


def test_the_exported_page_is_whole_and_asks_for_nothing(scrubber, tmp_path):
    scrubber.scene = {**scrubber.scene, "title": "</script><b>Café & Co"}
    page = scrubber.drive(t=7).export_html(tmp_path / "walk.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|https?://|import\s", page)
    state = json.loads(re.search(r'id="state">(.*?)</script>', page, re.DOTALL).group(1))
    assert state["t"] == 7
    assert state["scene"]["title"] == "</script><b>Café & Co"
    assert "<title>&lt;/script&gt;" in page
    assert "export default" not in page
    assert len(page) < 200_000


def test_a_cell_that_is_run_again_leaves_one_widget(law_trace, monkeypatch):
    shell = SimpleNamespace(execution_count=1, get_parent=lambda: {"metadata": {"cellId": "a"}})
    monkeypatch.setattr(rerun, "get_ipython", lambda: shell)
    monkeypatch.setattr(rerun, "_shown", {})
    made = []
    for shell.execution_count in range(1, 21):
        made.append(WalkScrubber.from_trace(law_trace))
    assert [w.comm is None for w in made] == [True] * 19 + [False]
    made.append(WalkScrubber.from_trace(law_trace))
    assert made[-2].comm is not None, "two widgets of one run live side by side"
    shell.get_parent = lambda: {"metadata": {"cellId": "b"}}
    shell.execution_count = 21
    made.append(WalkScrubber.from_trace(law_trace))
    assert made[-2].comm is not None, "another cell closes nothing"
    for widget in made:
        widget.close()
