"""Every page of the walkthrough, from disk with the network blocked: it moves, selects, links; everybody can use it."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import Locator

from adar_viz import site
from adar_viz.trace import Trace
from tests.browser.conftest import SPY, pixels

ROOT = Path(__file__).parents[2]
TRACES = [ROOT / path for path in site.TRACES]
VIEWS = list(site.VIEWS)

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe-playwright-python is not installed")


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    written, left_out = site.write_site([Trace.load(path) for path in TRACES], tmp_path_factory.mktemp("site"))
    assert left_out == {}, "the stored traces feed every view"
    return {path.name: path for path in written}


def shown(widget, name):
    return widget.evaluate("(root, name) => root.dataset[name]", name)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", VIEWS)
def test_a_page_moves_by_keyboard_without_the_network(watch, pages, name, scheme):
    watched = watch(color_scheme=scheme)
    refused = watched.offline(pages[f"{name}.html"])
    widget = watched.page.locator(".adar-view")
    widget.wait_for()
    assert widget.get_attribute("data-theme") == scheme
    watched.screenshot(f"site_{name}_{scheme}", whole=True)
    moved = False
    for slider in filter(Locator.is_visible, widget.get_by_role("slider").all()):
        slider.focus()
        watched.page.keyboard.press("End")
        end = pixels(widget), slider.input_value()
        watched.page.keyboard.press("Home")
        home = pixels(widget), slider.input_value()
        assert all(one != two for one, two in zip(end, home, strict=True))
        watched.page.keyboard.press("ArrowRight")
        assert slider.input_value() != home[1]
        moved = True
    for choice in filter(Locator.is_visible, widget.locator("select:not(.av-finder select)").all()):
        last = choice.locator("option").count() - 1
        before, place = pixels(widget), choice.evaluate("(list) => list.selectedIndex")
        choice.focus()
        watched.page.keyboard.press("ArrowUp" if place == last else "ArrowDown")
        assert choice.evaluate("(list) => list.selectedIndex") != place
        assert pixels(widget) != before
        moved = True
    assert moved, "a view has at least one control"
    assert refused == watched.errors == []


@pytest.mark.parametrize("name", VIEWS)
def test_hover_names_an_item_and_a_click_selects_it(watch, pages, name):
    watched = watch()
    watched.offline(pages[f"{name}.html"])
    widget = watched.page.locator(".adar-view")
    widget.wait_for()
    scatter = widget.locator(".av-scatter").first
    if not scatter.count():
        pytest.skip(f"{name} has no scatter plot")
    title = watched.hover_item(scatter)
    assert len(title) > 2
    before = pixels(widget)
    watched.page.mouse.down()
    watched.page.mouse.up()
    selected = shown(widget, "selected")
    assert selected != "-1"
    option = widget.locator(".av-finder option:checked")
    assert option.inner_text() in title
    assert pixels(widget) != before
    watched.page.mouse.move(2, 2)
    assert not scatter.locator(".av-tip").is_visible()


@pytest.mark.parametrize("name", VIEWS)
def test_the_search_list_selects_by_keyboard(watch, pages, name):
    watched = watch()
    watched.offline(pages[f"{name}.html"])
    widget = watched.page.locator(".adar-view")
    widget.wait_for()
    if not widget.locator(".av-finder").count():
        pytest.skip(f"{name} has no items to select")
    search, options = widget.get_by_role("searchbox"), widget.locator(".av-finder option")
    title = options.nth(5).inner_text()
    search.fill(title.upper())
    assert title in options.nth(1).inner_text()
    watched.page.keyboard.press("Tab")
    watched.page.keyboard.press("ArrowDown")
    assert shown(widget, "selected") == options.nth(1).get_attribute("value")
    watched.page.keyboard.press("Home")
    assert shown(widget, "selected") == "-1"


def test_on_the_linked_page_a_selection_reaches_every_view(watch, pages):
    watched = watch()
    refused = watched.offline(pages["together.html"])
    views = watched.page.locator(".adar-view")
    views.first.wait_for()
    assert views.count() >= 3
    first = views.first.locator(".av-finder select")
    before = [pixels(view) for view in views.all()]
    first.focus()
    watched.page.keyboard.press("ArrowDown")
    ids = {shown(view, "selected") for view in views.all()}
    assert len(ids) == 1
    assert ids != {"-1"}
    assert sum(pixels(view) != old for view, old in zip(views.all(), before, strict=True)) >= 2
    assert refused == watched.errors == []
    watched.screenshot("site_together", whole=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("name", ["index", *VIEWS, "together"])
def test_axe_finds_nothing_serious(watch, pages, name, scheme):
    watched = watch(color_scheme=scheme)
    watched.offline(pages[f"{name}.html"])
    watched.page.wait_for_timeout(200)
    found = axe.Axe().run(watched.page).response["violations"]
    assert [(v["id"], v["impact"], [n["target"] for n in v["nodes"]]) for v in found] == []


@pytest.mark.parametrize("name", VIEWS)
def test_the_picture_and_the_code_are_handed_over(watch, pages, name, tmp_path):
    watched = watch()
    watched.offline(pages[f"{name}.html"])
    widget = watched.page.locator(".adar-view")
    widget.wait_for()
    with watched.page.expect_download() as download:
        widget.get_by_role("button", name="Save PNG").click()
    assert download.value.suggested_filename.endswith(".png")
    path = tmp_path / "view.png"
    download.value.save_as(path)
    assert path.read_bytes().startswith(b"\x89PNG")
    assert path.stat().st_size > 5_000
    widget.get_by_role("slider").first.press("Home")
    widget.get_by_role("button", name="Copy code").press("Enter")
    kind, traces = site.VIEWS[name], [Trace.load(path) for path in TRACES]
    again = eval(widget.locator(".av-code").inner_text(), {kind.__name__: kind, "trace": traces[0], "traces": traces})
    state = {key: f"{value:g}" if isinstance(value, float) else str(value) for key, value in again.state.items()}
    assert state == {key: shown(widget, key) for key in state}
    again.close()
    assert watched.errors == []


def test_a_narrow_page_needs_no_sideways_scrolling(watch, pages):
    watched = watch()
    watched.page.set_viewport_size({"width": 400, "height": 800})
    for name in [name for name in pages if name.endswith(".html")]:
        watched.offline(pages[name])
        watched.page.wait_for_timeout(100)
        over = watched.page.evaluate("document.documentElement.scrollWidth - innerWidth")
        assert over <= 0, name


PHONE = {"width": 390, "height": 844}


def on_a_phone(watch, page):
    watched = watch()
    watched.page.set_viewport_size(PHONE)
    watched.page.add_init_script(SPY)
    watched.offline(page)
    widget = watched.page.locator(".adar-view")
    widget.wait_for()
    watched.page.wait_for_timeout(100)
    return watched, widget


@pytest.mark.parametrize("name", VIEWS)
def test_on_a_phone_no_word_leaves_its_canvas(watch, pages, name):
    watched, widget = on_a_phone(watch, pages[f"{name}.html"])
    for choice in filter(Locator.is_visible, widget.locator("select:not(.av-finder select)").all()):
        choice.press("End")
    words = [one for one in watched.page.evaluate("drawn") if "text" in one and one["canvas"] >= 0]
    assert words
    for one in words:
        assert one["left"] >= 0, one
        assert one["right"] <= one["width"] + 0.5, one
        assert one["kept"] > 0.9, "condensed, and hard to read"


@pytest.mark.parametrize("name", VIEWS)
def test_on_a_phone_the_slider_stays_with_the_picture_and_covers_no_focus(watch, pages, name):
    watched, widget = on_a_phone(watch, pages[f"{name}.html"])
    sliders = widget.locator(".av-player input").all()
    if not sliders:
        pytest.skip(f"{name} has no player")
    middle = """(control) => {
      const { left, right, top, bottom } = control.getBoundingClientRect();
      const found = document.elementFromPoint((left + right) / 2, (top + bottom) / 2);
      return top >= 0 && bottom <= innerHeight && (found === control || control.contains(found));
    }"""
    canvas = widget.locator("canvas").first
    canvas.evaluate("(canvas) => scrollTo(0, canvas.getBoundingClientRect().top + scrollY - 20)")
    assert canvas.evaluate("(canvas) => canvas.getBoundingClientRect().bottom") < PHONE["height"]
    for slider in sliders:
        assert slider.evaluate(middle)
    watched.screenshot(f"site_{name}_phone")
    watched.page.evaluate("scrollTo(0, 0)")
    controls = list(filter(Locator.is_visible, widget.locator("button, input, select").all()))
    for control in controls:
        while not control.evaluate("(control) => control === document.activeElement"):
            watched.page.keyboard.press("Tab")
            assert watched.page.evaluate("document.activeElement !== document.body"), "Tab reaches every control"
        assert control.evaluate(middle), control
    for control in reversed(controls):
        assert control.evaluate("(control) => control === document.activeElement")
        assert control.evaluate(middle), control
        watched.page.keyboard.press("Shift+Tab")


@pytest.mark.parametrize("width", [390, 880])
@pytest.mark.parametrize("name", ["boundary", "boundaries_compared"])
def test_no_label_of_a_plane_meets_another_for_any_user_and_epoch(watch, pages, name, width):
    watched, widget = on_a_phone(watch, pages[f"{name}.html"])
    watched.page.set_viewport_size({"width": width, "height": 844})
    watched.page.wait_for_timeout(100)
    states = widget.evaluate("""(root) => {
      const [users] = root.querySelectorAll(".av-choosers select"), slider = root.querySelector(".av-player input");
      const move = (control, value, kind) => { control.value = value; control.dispatchEvent(new Event(kind)); };
      const states = [];
      for (let user = 0; user < users.length; user++) for (let epoch = 0; epoch <= slider.max; epoch++) {
        window.drawn = [];
        move(users, user, "change");
        move(slider, epoch, "input");
        states.push(window.drawn.filter(({ text }) => text));
      }
      return states;
    }""")
    assert len(states) > 90
    for words in states:
        labels = {(one["canvas"], one["text"], one["y"], one["left"], one["right"]) for one in words[len(words) // 2 :]}
        assert any("score" in text for _, text, *_ in labels)
        for a, b in combinations(sorted(labels), 2):
            beside = a[0] != b[0] or abs(a[2] - b[2]) >= 12 or a[4] < b[3] or b[4] < a[3]
            assert beside, (a, b)


def test_on_a_phone_a_saved_picture_ends_where_the_view_s_own_parts_do(watch, pages, tmp_path):
    watched, widget = on_a_phone(watch, pages["walk.html"])
    with watched.page.expect_download() as download:
        widget.get_by_role("button", name="Save PNG").click()
    download.value.save_as(tmp_path / "view.png")
    with Image.open(tmp_path / "view.png") as picture:
        high = picture.height
    foot = widget.evaluate("""(root) =>
      root.querySelector(".ws-courses").getBoundingClientRect().bottom - root.getBoundingClientRect().top""")
    assert high == pytest.approx(foot + 60, abs=1), "the sentence of the state follows at once"
