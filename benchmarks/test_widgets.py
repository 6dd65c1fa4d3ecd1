"""Milliseconds that a reader waits, in Chromium: 10,000 points in 50 frames, and the first frame in JupyterLab."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

from adar_viz.displays import TransitionMap
from adar_viz.trace import Trace
from adar_viz.widgets import HardnessExplorer, State, View
from adar_viz.widgets.packing import quantised, room
from benchmarks.conftest import record
from tests.browser.conftest import RUN_ALL, Lab, browser, lab, watch  # noqa: F401

ITEMS, EPOCHS = 10_000, 50

CLOUD = """
function build({ scene, points, select }) {
  const cloud = new Scatter({
    xy: decode(points), count: scene.items, frames: scene.frames, title: (id) => scene.names[id], select,
    looks: [{ shape: "dot", colour: "positive" }, { shape: "cross", colour: "negative" }], look: (i) => i % 2,
  });
  return {
    kind: "cloud",
    body: [cloud.root],
    player: { name: "epoch", label: "epoch", text: (epoch) => `epoch ${epoch}` },
    rebuild: (colours) => cloud.rebuild(colours),
    draw: ({ epoch, selected }) => {
      const begin = performance.now();
      cloud.draw(epoch);
      cloud.highlight(selected);
      (window.drawn ??= []).push(performance.now() - begin);
    },
    say: ({ epoch }) => `epoch ${epoch}`,
  };
}
export default { render: ({ model, el }) => mount(model, el, build) };
"""

# From the event to the end of the frame that shows it: a message posted in an animation frame arrives after its paint.
SCRUB = """async (slider) => {
  const painted = () => new Promise((done) => requestAnimationFrame(() => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = done;
    port2.postMessage(0);
  }));
  const times = [];
  for (let i = 0; i < 100; i++) {
    await new Promise((next) => setTimeout(next, 20));
    const begin = performance.now();
    slider.value = i % 50;
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await painted();
    times.push(performance.now() - begin);
  }
  return times;
}"""

HOVER = """async (canvas) => {
  const box = canvas.getBoundingClientRect(), times = [], slider = document.querySelector("input[type=range]");
  for (let i = 0; i < 50; i++) {
    slider.value = i; // a new frame has a new grid: the first hover of it pays
    slider.dispatchEvent(new Event("input", { bubbles: true }));
    await new Promise((next) => setTimeout(next, 10));
    const begin = performance.now(), x = box.left + box.width * (0.4 + 0.004 * i), y = box.top + box.height / 2;
    canvas.dispatchEvent(new PointerEvent("pointermove", { clientX: x, clientY: y, bubbles: true }));
    times.push(performance.now() - begin);
  }
  return times;
}"""


OPENED = RUN_ALL.split("await window.jupyterapp.commands")[0] + "}"
"""The first part of running a notebook: wait for its kernel."""

FIRST_FRAME = """async (cell) => {
  const { content } = window.jupyterapp.shell.currentWidget;
  // A view is shown before the kernel has drawn its picture: an earlier cell may still be at that.
  while (content.node.textContent.includes("[*]")) await new Promise(requestAnimationFrame);
  content.activeCellIndex = cell;
  const begin = performance.now();
  window.jupyterapp.commands.execute("notebook:run-cell");
  const views = () => content.widgets[cell].node.querySelectorAll(".adar-view[data-theme] canvas");
  while (!views().length) await new Promise(requestAnimationFrame);
  await new Promise(requestAnimationFrame);
  return performance.now() - begin;
}"""

IMPORTS = """from adar_viz.trace import Trace
from adar_viz.widgets import WalkScrubber
trace = Trace.load("traces/demo.npz")"""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[View]:
    """A view of 10,000 items that all move in each of 50 epochs."""
    script = tmp_path / "cloud.js"
    script.write_text(CLOUD)

    class Cloud(View):
        question = "How long does a reader wait?"
        _script = str(script)
        epoch = State(0)

    rng = np.random.default_rng(0)
    xy = rng.standard_normal((ITEMS, 2)) + np.cumsum(0.1 * rng.standard_normal((EPOCHS, ITEMS, 2)), axis=0)
    sides = room(xy)
    scene = {"heading": "Cloud", "choices": {"epoch": list(range(EPOCHS))}, "items": ITEMS, "frames": EPOCHS}
    scene["names"] = {str(i): f"Item number {i}" for i in range(ITEMS)}
    widget = Cloud(TransitionMap.from_trace(Trace.load("notebooks/traces/demo.npz")), scene, quantised(xy, sides))
    yield widget
    widget.close()


def test_scrubbing_and_hovering_over_10000_points(cloud: View, watch: Any, tmp_path: Path, benchmark: Any) -> None:  # noqa: F811
    page = cloud.export_html(tmp_path / "cloud.html")
    watched = watch()
    watched.page.goto(page.as_uri())
    slider = watched.page.get_by_role("slider")
    slider.wait_for()
    scrubs = benchmark.pedantic(slider.evaluate, [SCRUB], rounds=1, warmup_rounds=1)
    draws = watched.page.evaluate("window.drawn")[-len(scrubs) :]
    hovers = watched.page.locator("canvas").evaluate(HOVER)
    for name, times, goal in (("scrub, input to painted", scrubs, 33), ("draw", draws, 8), ("hover", hovers, 50)):
        group = f"{name}: {ITEMS:,} points x {EPOCHS} frames"
        record(group, "goal, milliseconds", goal)
        record(group, "median", statistics.median(times))
        record(group, "95th percentile", statistics.quantiles(times, n=20)[-1])
    record("page of 10,000 points x 50 frames", "goal, MB", 5)
    record("page of 10,000 points x 50 frames", "size", page.stat().st_size / 1e6)


def test_asking_the_closed_form_again(watch: Any, tmp_path: Path, benchmark: Any) -> None:  # noqa: F811
    view = HardnessExplorer.from_trace(Trace.load("notebooks/traces/demo.npz"))
    watched = watch()
    watched.page.goto(view.export_html(tmp_path / "hardness.html").as_uri())
    noise = watched.page.get_by_role("slider").first
    noise.wait_for()
    times = benchmark.pedantic(noise.evaluate, [SCRUB.replace("i % 50", "i % 9")], rounds=1, warmup_rounds=1)
    group = f"a control that asks again, input to painted: {len(view.scene['pairs']['score'])} pairs x 51 timesteps"
    record(group, "goal, milliseconds", 250)
    record(group, "median", statistics.median(times))
    record(group, "95th percentile", statistics.quantiles(times, n=20)[-1])
    view.close()


def test_first_frame_in_jupyterlab(lab: Lab, watch: Any, benchmark: Any) -> None:  # noqa: F811
    cell = nbformat.v4.new_code_cell
    cells = [cell(f"{IMPORTS}\nview = WalkScrubber.from_trace(trace)\nview"), cell("WalkScrubber.from_trace(trace)")]
    made = nbformat.v4.new_notebook(cells=cells)
    made.metadata["kernelspec"] = {"name": "python3", "display_name": "Python 3", "language": "python"}
    nbformat.write(made, lab.folder / "first.ipynb")
    watched = watch()
    watched.page.goto(lab.address("first.ipynb"))
    watched.page.evaluate(OPENED)
    cold = watched.page.evaluate(FIRST_FRAME, 0)
    warm = benchmark.pedantic(watched.page.evaluate, [FIRST_FRAME, 1], rounds=1)
    for name, time, goal in (("cold, imports and the trace included", cold, 3000), ("warm", warm, 1000)):
        record(f"first frame in JupyterLab, {name}", "goal, milliseconds", goal)
        record(f"first frame in JupyterLab, {name}", "cell run to painted", time)
    assert watched.errors == []
