"""Every page of the walkthrough, from disk with the network blocked: it moves, selects, links; everybody can use it."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator

from adar_viz import site
from adar_viz.trace import Trace
from tests.browser.conftest import pixels

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
