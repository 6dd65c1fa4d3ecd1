"""What every widget can do: be checked, linked, saved, written as code, seen without a kernel, and exported."""

from __future__ import annotations

import html
import json
import re
from types import SimpleNamespace

import numpy as np
import pytest
import traitlets

from adar_viz.widgets import WalkScrubber, link, rerun
from adar_viz.widgets.packing import quantised, room, rounded
from adar_viz.widgets.page import write_page


@pytest.fixture
def view(law_trace):
    widget = WalkScrubber.from_trace(law_trace)
    yield widget
    widget.close()


@pytest.fixture
def other(law_trace):
    widget = WalkScrubber.from_trace(law_trace, source="reverse")
    yield widget
    widget.close()


def test_everything_that_moves_is_sent_once(view):
    ours = {"scene", "points", "link", *view.state}
    synced = {name for name in view.keys if not name.startswith("_")}
    assert ours <= synced <= ours | {"layout", "tabbable", "tooltip"}
    assert json.loads(json.dumps(view.scene, allow_nan=False)) == view.scene


def test_state_takes_only_what_the_scene_offers(view):
    view.scene = {**view.scene, "choices": {"t": [0, 1, 2, 5]}}
    assert view.drive(t=np.int64(5)).t == 5
    assert type(view.t) is int
    with pytest.raises(traitlets.TraitError, match="t must be one of 0, 1, 2, 5; got 3"):
        view.drive(t=3)
    with pytest.raises(traitlets.TraitError, match="selected must be an id, or -1 for none; got -2"):
        view.drive(selected=-2)
    assert view.now()["t"] == 5


def test_code_brings_a_view_back(view, law_trace):
    view.drive(t=20, selected=7)
    again = eval(view.as_code(), {"WalkScrubber": WalkScrubber, "trace": law_trace})
    assert again.state == view.state == {"t": 20, "source": "forward", "slow": "off", "selected": 7}
    assert again.scene == view.scene
    assert again.points == view.points
    again.close()


def test_linked_views_select_the_same_item(view, other, law_trace):
    link(view, other)
    assert view.link == other.link != ""
    view.drive(selected=12)
    assert other.selected == 12
    other.drive(selected=-1)
    assert view.selected == -1
    third = WalkScrubber.from_trace(law_trace)
    link(third, WalkScrubber.from_trace(law_trace), name="a")
    assert third.link == "a"
    view.drive(selected=3)
    assert third.selected == -1, "another link hears nothing"
    with pytest.raises(ValueError, match="at least two views; got 1"):
        link(view)


def test_the_present_state_is_saved_for_print(view, tmp_path):
    paths = view.drive(t=9).save_view(tmp_path / "view", formats=("png", "svg"))
    assert [path.name for path in paths] == ["view.png", "view.svg"]
    assert paths[0].read_bytes().startswith(b"\x89PNG")


def test_readers_without_a_kernel_get_a_picture_with_alt_text(view, monkeypatch):
    shown = []
    monkeypatch.setattr("adar_viz.widgets.view.display", lambda data, raw: shown.append(data))
    view._ipython_display_()
    living, still = shown  # the view does not wait until its picture is drawn
    assert [*living] == ["application/vnd.jupyter.widget-view+json"]
    alt = html.escape(view.describe())
    assert still["text/html"].startswith(f'<img alt="{alt}" class="adar-stand-in" src="data:image/png;base64,iVBOR')
    assert still["text/plain"].startswith("WalkScrubber: ")
    assert "0x" not in still["text/plain"]


def test_the_module_is_one_and_loads_nothing(view):
    assert view._esm.count("export default") == 1
    assert not re.search(r"^\s*import\s|https?://", view._esm, re.MULTILINE)
    assert "mount(model, el, build)" in view._esm
    assert ".adar-view" in view._css
    assert ".walk-scrubber" in view._css


def state_of(page, number=0):
    return json.loads(re.search(rf'id="state-{number}">(.*?)</script>', page, re.DOTALL).group(1))


def test_the_exported_page_is_whole_and_asks_for_nothing(view, tmp_path):
    view.scene = {**view.scene, "heading": "</script><b>Café & Co"}
    page = view.drive(t=7).export_html(tmp_path / "walk.html").read_text(encoding="utf-8")
    assert not re.search(r"(src|href)=|https?://|^\s*import\s", page, re.MULTILINE)
    assert state_of(page)["t"] == 7
    assert state_of(page)["scene"]["heading"] == "</script><b>Café & Co"
    assert f"<title>{view.question}</title>" in page
    assert "export default" not in page
    assert len(page) < 200_000


def test_a_page_may_hold_words_and_several_views(view, other, tmp_path):
    pieces = ["<p>First.</p>", view.part(), "<p>Then.</p>", other.part()]
    page = write_page(tmp_path / "two.html", title="Two", pieces=pieces).read_text(encoding="utf-8")
    assert [state_of(page, i)["source"] for i in (0, 1)] == ["forward", "reverse"]
    order = [page.index(text) for text in ("First.", 'id="view-0"', "Then.", 'id="view-1"')]
    assert order == sorted(order)


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


def test_numbers_are_packed_to_five_digits_and_two_bytes():
    assert rounded([[1.23456789, np.nan], [0, -1e9]]) == [[1.2346, None], [0.0, -1e9]]
    xy = np.random.default_rng(0).standard_normal((3, 40, 2))
    sides = room(xy, x=9.0)
    assert sides[1] > 9.0 > xy.max()
    packed = np.frombuffer(quantised(xy, sides), "<u2").reshape(3, 40, 2) / 65535
    back = packed * [sides[1] - sides[0], sides[3] - sides[2]] + [sides[0], sides[2]]
    np.testing.assert_allclose(back, xy, atol=(sides[1] - sides[0]) / 65535)
    left, right, bottom, top = room(xy * [1, 0.1], square=True)
    assert right - left == pytest.approx(top - bottom, rel=1e-3)
    assert quantised(np.array([[-99.0, 99.0]]), sides) == np.array([0, 65535], "<u2").tobytes()
