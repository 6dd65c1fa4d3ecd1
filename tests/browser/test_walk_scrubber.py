"""The scrubber in a real JupyterLab and as a page from disk: by keyboard, by mouse, without the kernel."""

from __future__ import annotations

from pathlib import Path

import pytest

from adar_viz.trace import Trace
from adar_viz.widgets import WalkScrubber
from tests.browser.conftest import ASK, RUN_ALL, SPY

ROOT = Path(__file__).parents[2]

NAME = """(({ ariaLabel, labels, textContent }) =>
  ariaLabel ?? labels?.[0]?.textContent ?? textContent)(document.activeElement)"""

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]


def pixels(widget):
    return widget.locator("canvas").first.evaluate("(canvas) => canvas.toDataURL()")


def scrub(watched, widget):
    """Move by keyboard and by mouse; each move must change the picture, the score and the titles."""
    page, slider = watched.page, widget.locator("input[type=range]")
    seen = [pixels(widget)]
    slider.focus()
    for key, t in [("Home", "0"), ("ArrowRight", "1"), ("ArrowRight", "2"), ("PageUp", "7"), ("End", "50")]:
        page.keyboard.press(key)
        assert widget.get_attribute("data-t") == t, key
        seen.append(pixels(widget))
    assert len(set(seen[1:])) == 5
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] * 0.2, box["y"] + box["height"] / 2)
    page.mouse.down()
    texts = []
    for share in (0.3, 0.5, 0.8):
        page.mouse.move(box["x"] + box["width"] * share, box["y"] + box["height"] / 2)
        seen.append(pixels(widget))
        texts.append(widget.locator("dl").inner_text() + widget.locator("ol").inner_text())
    page.mouse.up()
    assert len(set(seen[-3:])) == 3
    assert len(set(texts)) == 3


def test_in_jupyterlab_the_scrubber_moves_and_the_kernel_hears_nothing(lab, watch):
    watched = watch()
    page = watched.page
    page.goto(lab.address("01_positive_to_negative.ipynb"))
    assert page.evaluate(RUN_ALL) == []
    widget = page.locator(".walk-scrubber")
    widget.wait_for()
    assert widget.count() == 1
    widget.scroll_into_view_if_needed()
    widget.get_by_role("slider").focus()
    before = watched.settle()
    assert before > 0, "the counter counts"
    scrub(watched, widget)
    watched.page.keyboard.press("Home")
    watched.page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('.walk-scrubber').dataset.t > 5")
    watched.page.keyboard.press("Space")
    assert watched.asked == before, "the kernel is asked nothing while scrubbing and playing"
    lines = widget.locator("dt").evaluate_all("all => all.map((dt) => dt.clientHeight)")
    assert max(lines) < 30, "JupyterLab's own style for lists must not break the labels into pieces"
    at = widget.get_attribute("data-t")
    page.locator(".jp-Notebook h1").first.click()
    assert watched.settle() > before, "leaving the widget reports its timestep"
    assert page.evaluate(ASK, "print(scrubber.t)") == at
    assert watched.errors == []


@pytest.fixture
def page_file(tmp_path, law_trace):
    widget = WalkScrubber.from_trace(law_trace)
    yield widget.export_html(tmp_path / "walk.html")
    widget.close()


def offline(watched, path):
    refused = watched.offline(path)
    widget = watched.page.locator(".walk-scrubber")
    widget.wait_for()
    return widget, refused


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_exported_page_works_from_disk_with_the_network_blocked(watch, page_file, scheme):
    watched = watch(color_scheme=scheme)
    widget, refused = offline(watched, page_file)
    assert widget.get_attribute("data-theme") == scheme
    scrub(watched, widget)
    watched.screenshot(f"walk_page_{scheme}")
    assert refused == []
    assert watched.errors == []


def test_space_plays_to_the_end_and_pauses(watch, page_file):
    watched = watch()
    widget, _ = offline(watched, page_file)
    button = widget.get_by_role("button").first
    widget.get_by_role("slider").focus()
    watched.page.keyboard.press("Space")
    assert "Pause" in button.inner_text()
    watched.page.wait_for_function("document.querySelector('.walk-scrubber').dataset.t > 3")
    watched.page.keyboard.press("Space")
    assert "Play" in button.inner_text()
    stopped = widget.get_attribute("data-t")
    watched.page.wait_for_timeout(400)
    assert widget.get_attribute("data-t") == stopped
    watched.page.keyboard.press("End")
    live = widget.locator(".av-live")
    watched.page.wait_for_function("document.querySelector('.av-live').textContent.includes('t = 50')")
    assert "probability of negative" in live.text_content()


def test_reduced_motion_shows_stills_far_apart(watch, page_file):
    watched = watch(reduced_motion="reduce")
    watched.page.clock.install(time=0)
    widget, _ = offline(watched, page_file)
    watched.page.clock.pause_at(3_600_000)  # from here on time passes in run_for alone, however busy the machine is
    widget.get_by_role("button").first.click()
    shown = []
    for milliseconds in (900, 200, 900):
        watched.page.clock.run_for(milliseconds)
        shown.append(widget.get_attribute("data-t"))
    assert shown == ["0", "5", "10"]


def test_every_control_has_a_name_and_tab_reaches_it(watch, page_file):
    watched = watch()
    widget, _ = offline(watched, page_file)
    names = []
    for _ in range(8):
        watched.page.keyboard.press("Tab")
        names.append(watched.page.evaluate(NAME))
    begins = ["walk", "slow motion", "▶ Play", "timestep t", "search items by title", "items;", "Save PNG", "Copy code"]
    assert [name[: len(begin)] for name, begin in zip(names, begins, strict=True)] == begins
    slider = widget.get_by_role("slider")
    assert slider.get_attribute("data-lm-suppress-shortcuts") == "true"
    assert "score" in slider.get_attribute("aria-valuetext")
    assert all(label for label in widget.locator("canvas").evaluate_all("all => all.map((c) => c.ariaLabel)"))


def test_the_stored_demo_trace_feeds_the_page(watch, tmp_path):
    widget = WalkScrubber.from_trace(Trace.load(ROOT / "notebooks" / "traces" / "demo.npz"))
    watched = watch()
    shown, refused = offline(watched, widget.export_html(tmp_path / "demo.html"))
    assert widget.scene["title"] in shown.locator("h2").inner_text()
    assert refused == watched.errors == []
    widget.close()


def test_another_source_and_slow_motion_by_keyboard(watch, page_file):
    watched = watch()
    widget, _ = offline(watched, page_file)
    widget.get_by_role("slider").focus()
    for _ in range(4):
        watched.page.keyboard.press("PageUp")
    seen, said = [pixels(widget)], [widget.locator("dl").inner_text()]
    source, slow = widget.locator(".av-choosers select").all()
    for value in ("reverse", "renoise"):
        source.press("ArrowDown")
        assert widget.get_attribute("data-source") == value
        seen.append(pixels(widget))
        said.append(widget.locator("dl").inner_text())
    slow.press("ArrowDown")
    seen.append(pixels(widget))
    assert len(set(seen)) == 4
    assert len(set(said)) == 3
    assert "noised beyond t, denoised back" in widget.locator("ol").inner_text()
    assert widget.locator("ol li").count() == 3
    assert widget.locator(".ws-courses canvas").count() == 3
    watched.screenshot("walk_slow_motion")
    assert watched.errors == []


@pytest.mark.parametrize("source", ["forward", "reverse", "renoise"])
def test_slow_motion_numbers_all_movements_beside_the_mark_and_above_it(watch, law_trace, tmp_path, source):
    scrubber = WalkScrubber.from_trace(law_trace).drive(source=source, slow="on")
    watched = watch()
    watched.page.add_init_script(SPY)
    widget, _ = offline(watched, scrubber.export_html(tmp_path / "walk.html"))
    scrubber.close()
    for t in (0, 1, 5, 12, 25, 40, 50):
        watched.page.evaluate("window.drawn = []")
        widget.get_by_role("slider").evaluate(
            "(slider, t) => { slider.value = t; slider.dispatchEvent(new Event('input')); }", t
        )
        drawn = [one for one in watched.page.evaluate("drawn") if one["canvas"] == 0]
        words = [one.get("text") for one in drawn]
        assert words[-3:] == ["1", "2", "3"], "nothing is drawn above the numbers"
        x, y, r = drawn[-4]["mark"]
        boxes = [(one["left"], one["y"] - 10, one["right"], one["y"]) for one in drawn[-3:]]
        for i, (left, top, right, bottom) in enumerate(boxes):
            assert left > x + r or right < x - r or top > y + r or bottom < y - r, (t, i + 1)
            assert not any(left < c and a < right and top < d and b < bottom for a, b, c, d in boxes[:i]), (t, i + 1)


def test_a_log_ratio_of_about_nothing_is_said_to_be_one(watch, law_trace, tmp_path):
    scrubber = WalkScrubber.from_trace(law_trace).drive(source="forward")
    expected = {
        999: "yes: beyond doubt",
        12.34: "yes: log-ratio 12.3",
        0.456: "yes: log-ratio 0.46",
        -0.0712: "no: log-ratio −0.071",
        -0.028: "about 0: cannot be told",
    }
    scrubber.scene["walks"]["forward"]["identity"][: len(expected)] = expected
    widget, _ = offline(watch(), scrubber.export_html(tmp_path / "walk.html"))
    scrubber.close()
    said, slider = [], widget.get_by_role("slider")
    for _ in expected:
        said.append(widget.locator("dd").nth(1).inner_text())
        sentence = slider.get_attribute("aria-valuetext")
        slider.press("ArrowRight")
    assert said == list(expected.values())
    assert "perhaps the same item" in sentence
