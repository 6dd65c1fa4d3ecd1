"""Every notebook in a real JupyterLab: it runs, its views move and are linked, with and without the kernel."""

from __future__ import annotations

import html
import re
from pathlib import Path

import nbconvert
import nbformat
import pytest

from tests.browser.conftest import ASK, ROOT, RUN_ALL, pixels

pytestmark = [pytest.mark.browser, pytest.mark.timeout(240)]

NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))

MANY = """
import matplotlib.pyplot as plt
from ipywidgets.widgets.widget import _instances
from adar_viz.trace import Trace
from adar_viz.widgets import View, WalkScrubber, link
trace = Trace.load("traces/demo.npz")
"""


COUNT = """
import sys
widgets = sys.modules.get("ipywidgets.widgets.widget")
for widget in list(getattr(widgets, "_instances", {}).values()):
    if hasattr(widget, "as_code") and widget.comm is not None:
        print("View:", widget.as_code())
"""
"""Name the living views of a notebook."""

LINKED = """
from IPython.display import display
first, second = (WalkScrubber.from_trace(trace, pair=pair) for pair in trace["walk_pair"][:2])
link(first, second)
display(first, second)
"""

SWEEP = """(slider) => {
  for (let i = 0; i < 200; i++) {
    slider.value = i % 51;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
  }
}"""

RUN_SECOND_CELL = """async () => {
  window.jupyterapp.shell.currentWidget.content.activeCellIndex = 1;
  await window.jupyterapp.commands.execute("notebook:run-cell");
}"""


def notebook(path: Path, *cells: str) -> None:
    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, path)


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs_and_its_views_move(lab, watch, path):
    watched = watch()
    page = watched.page
    page.goto(lab.address(path.name))
    assert page.evaluate(RUN_ALL) == []
    views = page.locator(".adar-view").all()
    assert len(views) == page.evaluate(ASK, COUNT).count("View: ")
    for i, view in enumerate(views):
        view.scroll_into_view_if_needed()
        slider = view.get_by_role("slider").first
        slider.focus()
        before = watched.settle()
        page.keyboard.press("End")
        end = pixels(view)
        page.keyboard.press("Home")
        assert pixels(view) != end
        if (scatter := view.locator(".av-scatter").first).count():
            assert len(watched.hover_item(scatter)) > 2
        assert watched.asked == before, "moving and hovering ask the kernel nothing"
        watched.screenshot(f"{path.stem}_view{i}")
    watched.screenshot(path.stem)
    assert watched.errors == []


@pytest.fixture
def linked(lab, watch):
    """Two linked views in one notebook that is open and has run."""
    name = "linked.ipynb"
    notebook(lab.folder / name, MANY, LINKED)
    watched = watch()
    watched.page.goto(lab.address(name))
    assert watched.page.evaluate(RUN_ALL) == []
    watched.page.locator(".adar-view").nth(1).wait_for()
    return watched


def test_a_selection_reaches_the_other_view_and_the_kernel(linked):
    page = linked.page
    one, two = page.locator(".adar-view").all()
    before = pixels(two)
    one.scroll_into_view_if_needed()
    one.locator(".av-finder select").focus()
    page.keyboard.press("ArrowDown")
    selected = one.get_attribute("data-selected")
    assert selected != "-1"
    assert two.get_attribute("data-selected") == selected
    assert pixels(two) != before
    linked.screenshot("linked_lab")
    assert page.evaluate(ASK, "print(first.selected, second.selected)") == f"{selected} {selected}"
    page.evaluate(ASK, "second.drive(selected=-1)")
    page.wait_for_function("[...document.querySelectorAll('.adar-view')].every((v) => v.dataset.selected === '-1')")
    assert linked.errors == []


def test_without_a_kernel_views_stay_linked(linked):
    page = linked.page
    page.evaluate("() => window.jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    one, two = page.locator(".adar-view").all()
    two.locator(".av-finder select").focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    assert one.get_attribute("data-selected") == two.get_attribute("data-selected") != "-1"


def test_views_follow_the_theme_of_jupyterlab(linked):
    page = linked.page
    view = page.locator(".adar-view").first
    assert view.get_attribute("data-theme") == "light"
    light = pixels(view)
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Dark' })")
    page.wait_for_function("document.querySelector('.adar-view').dataset.theme === 'dark'")
    assert pixels(view) != light
    view.scroll_into_view_if_needed()
    linked.screenshot("dark_lab")
    page.evaluate("window.jupyterapp.commands.execute('apputils:change-theme', { theme: 'JupyterLab Light' })")
    page.wait_for_function("document.querySelector('.adar-view').dataset.theme === 'light'")
    assert linked.errors == []


def test_200_scrubs_leak_no_memory_and_20_runs_leave_one_widget(lab, watch):
    notebook(lab.folder / "leaks.ipynb", MANY, "view = WalkScrubber.from_trace(trace)\nview")
    watched = watch()
    page = watched.page
    page.goto(lab.address("leaks.ipynb"))
    assert page.evaluate(RUN_ALL) == []
    view = page.locator(".adar-view")
    view.wait_for()
    assert page.locator(".adar-stand-in").count() == 1
    assert not page.locator(".adar-stand-in").is_visible(), "the picture stands below the view that it stands in for"
    session = page.context.new_cdp_session(page)

    def heap() -> float:
        session.send("HeapProfiler.collectGarbage")
        return session.send("Runtime.getHeapUsage")["usedSize"] / 1e6

    view.get_by_role("slider").focus()
    view.get_by_role("slider").evaluate(SWEEP)
    before = heap()
    view.get_by_role("slider").evaluate(SWEEP)
    grown = heap() - before
    assert grown < 20, f"200 scrubs grew the page by {grown:.1f} MB"
    assert page.evaluate(ASK, "print(plt.get_fignums())") == "[]"

    count = "print(sum(isinstance(w, View) and w.comm is not None for w in _instances.values()))"
    assert page.evaluate(ASK, count) == "1"
    for _ in range(20):
        page.evaluate(RUN_SECOND_CELL)
    view.wait_for()
    assert view.count() == 1
    assert page.evaluate(ASK, count) == "1"
    assert watched.errors == []


def test_without_a_kernel_or_trust_a_picture_with_alt_text_stands_in(lab, watch):
    """A stored notebook as a viewer shows it: in JupyterLab with nothing run, and as a page by nbconvert."""
    name = "01_positive_to_negative.ipynb"
    watched = watch()
    watched.page.goto(lab.address(name))
    pictures = watched.page.locator(".jp-OutputArea-output img")
    pictures.nth(2).wait_for()
    assert watched.page.locator(".adar-view").count() == 0
    stored = nbformat.read(ROOT / "notebooks" / name, as_version=4)
    outputs = [output for cell in stored.cells for output in cell.get("outputs", []) if "data" in output]
    (widget,) = [output for output in outputs if output.data["text/plain"].startswith("WalkScrubber")]
    (alt,) = re.findall(r'^<img alt="([^"]*)"', widget.data["text/html"])
    page, _ = nbconvert.HTMLExporter(template_name="classic").from_notebook_node(stored)
    alts = re.findall(r'<img alt="([^"]*)"', page)
    assert len(alts) == pictures.count()
    assert alt in alts
    assert "No description has been provided" not in page
    assert len(alt) > 60
    (stand_in,) = [p for p in pictures.all() if p.get_attribute("alt") == html.unescape(alt)]
    assert stand_in.is_visible()
    assert stand_in.evaluate("image => image.complete && image.naturalWidth > 300")
    page, _ = nbconvert.HTMLExporter(template_name="lab").from_notebook_node(stored)
    assert f'<img alt="{alt}"' in page
