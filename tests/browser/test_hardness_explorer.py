"""The explorer as a page from disk: each control asks again in the browser, and says what Python says."""

from __future__ import annotations

import pytest

from adar_viz.trace import law_probability
from adar_viz.widgets import HardnessExplorer
from tests.browser.conftest import ASK, RUN_ALL

pytestmark = [pytest.mark.browser, pytest.mark.timeout(180)]

SETTINGS = [
    {},
    {"target": "threshold", "level": 0.2, "boundary": "constant", "value": 0.0},
    {"target": "snr", "c": 0.4, "schedule": "cosine", "timesteps": 100, "noise": 2.0},
    {"target": "ahns", "beta": 3.0, "schedule": "sigmoid", "z": 0.5},
]

LATENCY = """async (slider) => {
  const times = [];
  for (let i = 0; i < 30; i++) {
    slider.value = i;
    const begin = performance.now();
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    times.push(performance.now() - begin);
    await new Promise(requestAnimationFrame);
  }
  return times.sort((a, b) => a - b);
}"""


@pytest.fixture
def explorer(law_trace):
    widget = HardnessExplorer.from_trace(law_trace)
    yield widget
    widget.close()


def opened(watch, explorer, folder):
    watched = watch()
    refused = watched.offline(explorer.export_html(folder / "hardness.html"))
    widget = watched.page.locator(".hardness-explorer")
    widget.wait_for()
    return watched, widget, refused


@pytest.mark.parametrize("settings", SETTINGS, ids=lambda s: s.get("target", "as the run was"))
def test_controls_say_what_python_says(watch, explorer, tmp_path, settings):
    watched, widget, refused = opened(watch, explorer, tmp_path)
    before = widget.locator("canvas").first.evaluate("(canvas) => canvas.toDataURL()")
    for name, value in settings.items():
        place = explorer.scene["choices"][name].index(value)
        widget.locator(f"[data-setting={name}]").locator("select, input").evaluate(
            "(control, place) => { control.value = place;"
            "for (const kind of ['input', 'change']) control.dispatchEvent(new Event(kind, { bubbles: true })); }",
            place,
        )
        assert widget.get_attribute(f"data-{name}") == (f"{value:g}" if isinstance(value, float) else str(value))
    now = explorer.drive(**settings).now()
    shown = dict(zip(widget.locator("dt").all_inner_texts(), widget.locator("dd").all_inner_texts(), strict=True))
    assert float(shown["median t*"]) == now["transition"]
    half = "never" if now["half"] is None else f"{now['half']:g}"
    assert shown["median t where P reaches ½"] == half
    assert shown["t* clamped"] == f"{100 * now['clamped']:.0f} %"
    assert shown["negative before any noise"] == f"{100 * now['already_negative']:.0f} %"
    assert (widget.locator("canvas").first.evaluate("(canvas) => canvas.toDataURL()") != before) == bool(settings)
    assert refused == watched.errors == []


def test_only_the_constants_in_use_are_offered(watch, explorer, tmp_path):
    watched, widget, _ = opened(watch, explorer, tmp_path)
    words = "all => all.filter((label) => !label.hidden).map((label) => label.firstChild.textContent)"
    assert widget.locator("fieldset label").evaluate_all(words) == [
        "schedule", "T", "noise × ", "function", "delta", "unit of delta", "rule", "z",
    ]  # fmt: skip
    watched.screenshot("hardness_explorer")


def test_asking_again_takes_less_than_a_quarter_of_a_second(watch, explorer, tmp_path):
    _, widget, _ = opened(watch, explorer, tmp_path)
    times = widget.get_by_role("slider").nth(1).evaluate(LATENCY)
    print(f"explorer: a control to a drawn picture {times[15]:.0f} ms (median), {times[28]:.0f} ms (95th percentile)")
    assert times[15] < 250


def test_the_numbers_of_a_selected_pair_are_its_own(watch, explorer, tmp_path):
    _, widget, _ = opened(watch, explorer, tmp_path)
    item, part = explorer.scene["pairs"]["item"][-1], explorer.asked()
    row = explorer.scene["pairs"]["item"].index(item)
    widget.locator(".av-finder input").fill(explorer.scene["names"][str(item)])
    widget.locator(".av-finder select").select_option(str(item))
    assert widget.get_attribute("data-selected") == str(item)
    shown = dict(zip(widget.locator("dt").all_inner_texts(), widget.locator("dd").all_inner_texts(), strict=True))
    t = part["transition_timestep"][row]
    numbers = f"{part['pair_score'][row]:.2f}, {part['boundary'][row]:.2f}".replace("-", "−")
    assert shown["selected: score, boundary"] == numbers
    assert shown["selected: t*, P there"] == f"{t}, {law_probability(part)[row, t]:.2f}"


def test_in_jupyterlab_the_kernel_hears_nothing_until_the_focus_leaves(lab, watch):
    watched = watch()
    page = watched.page
    page.goto(lab.address("02_timestep_hardness.ipynb"))
    assert page.evaluate(RUN_ALL) == []
    widget = page.locator(".hardness-explorer")
    widget.wait_for()
    widget.scroll_into_view_if_needed()
    widget.locator("[data-setting=noise] input").focus()
    before = watched.settle()
    assert before > 0, "the counter counts"
    seen = set()
    for name, key in [("noise", "End"), ("schedule", "ArrowDown"), ("z", "Home"), ("z", "ArrowRight")]:
        widget.locator(f"[data-setting={name}]").locator("select, input").press(key)
        seen.add(widget.locator("canvas").first.evaluate("(canvas) => canvas.toDataURL()"))
    assert len(seen) == 4
    assert watched.asked == before, "every control is answered in the browser"
    watched.screenshot("02_timestep_hardness_lab")
    page.locator(".jp-Notebook h1").first.click()
    assert watched.settle() > before, "leaving the view reports its state"
    assert page.evaluate(ASK, "print(explorer.noise, explorer.schedule)") == "4.0 cosine"
    assert watched.errors == []


def test_no_control_changes_what_the_run_did(watch, explorer, tmp_path):
    watched, widget, _ = opened(watch, explorer, tmp_path)
    curves = widget.locator("section figure canvas")
    assert curves.count() == 2
    drawn = [canvas.evaluate("(canvas) => canvas.toDataURL()") for canvas in curves.all()]
    assert len({*drawn}) == 2
    assert "t*" in curves.first.get_attribute("aria-label")
    before = widget.locator("canvas").first.evaluate("(canvas) => canvas.toDataURL()")
    widget.locator("[data-setting=target] select").select_option(label="snr")
    assert widget.locator("canvas").first.evaluate("(canvas) => canvas.toDataURL()") != before
    assert [canvas.evaluate("(canvas) => canvas.toDataURL()") for canvas in curves.all()] == drawn
    assert watched.errors == []
