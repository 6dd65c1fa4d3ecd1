"""A headless Chromium, and a JupyterLab with settings of its own that serves a copy of the notebooks."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

playwright = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")

ROOT = Path(__file__).parents[2]
ARTEFACTS = ROOT / "artefacts"
NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
RUN_ALL = """async () => {
  const wait = (found) => new Promise((resolve) => {
    const look = () => found() ? resolve(found()) : setTimeout(look, 50);
    look();
  });
  const panel = await wait(() => window.jupyterapp?.shell?.currentWidget?.sessionContext
    && window.jupyterapp.shell.currentWidget);
  await panel.context.ready;
  await panel.sessionContext.ready;
  await panel.sessionContext.session.kernel.info;
  await window.jupyterapp.commands.execute("notebook:run-all-cells");
  return [...panel.content.widgets].flatMap((cell) => cell.model.type !== "code" ? []
    : cell.model.sharedModel.getOutputs().filter((output) => output.output_type === "error").map((o) => o.evalue));
}"""
"""Run the notebook that is open; gives the errors of its cells."""

ASK = """async (code) => {
  const { kernel } = window.jupyterapp.shell.currentWidget.sessionContext.session;
  const future = kernel.requestExecute({ code });
  let said = "";
  future.onIOPub = ({ header, content }) => { if (header.msg_type === "stream") said += content.text; };
  await future.done;
  return said.trim();
}"""
"""Run code in the kernel of the notebook that is open; gives what it prints."""

SPY = """(() => {
  const pen = CanvasRenderingContext2D.prototype, { fillText, arc, rect } = pen;
  const place = (canvas) => [...document.querySelectorAll("canvas")].indexOf(canvas);
  const say = (canvas, mark) => window.drawn.push({ canvas: place(canvas), ...mark });
  window.drawn = [];
  pen.fillText = function (text, x, y, room = Infinity) {
    const whole = this.measureText(text).width, wide = Math.min(whole, room);
    const left = { left: x, right: x - wide, center: x - wide / 2 }[this.textAlign];
    say(this.canvas, { text, left, right: left + wide, y, kept: wide / whole, width: this.canvas.clientWidth });
    fillText.call(this, text, x, y, ...(room < Infinity ? [room] : []));
  };
  pen.arc = function (x, y, r, ...rest) { say(this.canvas, { mark: [x, y, r] }); arc.call(this, x, y, r, ...rest); };
  pen.rect = function (x, y, w, h) {
    say(this.canvas, { mark: [x + w / 2, y + h / 2, w / 2] });
    rect.call(this, x, y, w, h);
  };
})()"""
"""Keep in ``drawn``, in their order, the words and the round and square marks on all canvases of a page."""

SETTINGS = {
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
    "notebook-extension/tracker": {"windowingMode": "none"},
    "docmanager-extension/plugin": {"autosave": False},
}


@pytest.fixture(scope="session")
def browser() -> Iterator[playwright.Browser]:
    path = os.environ.get("CHROMIUM") or next(filter(None, map(shutil.which, NAMES)), None)
    if path is None:
        pytest.skip(f"no Chromium: set CHROMIUM to its path, or install one of {', '.join(NAMES)}")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=list(ARGUMENTS))
        yield chromium
        chromium.close()


@dataclass
class Watched:
    """A page, with what it complained about and what it asked the kernel."""

    page: playwright.Page
    errors: list[str] = field(default_factory=list)
    asked: int = 0
    unanswered: set[bytes] = field(default_factory=set)

    def hear(self, socket: playwright.WebSocket) -> None:
        if "/api/kernels/" in socket.url:
            socket.on("framesent", self.ask)
            socket.on("framereceived", self.answer)

    def ask(self, frame: str | bytes) -> None:
        self.asked += 1
        self.unanswered.add(message_ids(frame)[0])

    def answer(self, frame: str | bytes) -> None:
        if b'"idle"' in as_bytes(frame):
            self.unanswered.difference_update(message_ids(frame))

    def settle(self) -> int:
        """Wait until the kernel has answered everything that it was asked; gives how many messages that were."""
        for _ in range(300):
            settled = not self.unanswered
            self.page.wait_for_timeout(100)
            if settled and not self.unanswered:
                return self.asked
        raise TimeoutError(f"the kernel did not answer {len(self.unanswered)} messages within 30 s")

    def screenshot(self, name: str, *, whole: bool = False) -> None:
        ARTEFACTS.mkdir(exist_ok=True)
        self.page.screenshot(path=ARTEFACTS / f"{name}.png", full_page=whole)

    def hover_item(self, scatter: playwright.Locator) -> str:
        """Move the pointer over a scatter plot until it names an item; gives the title, empty if none is found."""
        canvas, tip = scatter.locator("canvas"), scatter.locator(".av-tip")
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        for step in range(40 * 20):
            x, y = (step % 40 + 0.5) / 40, (step // 40 + 0.5) / 20
            self.page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            if tip.is_visible():
                return tip.inner_text()
        return ""

    def offline(self, path: Path) -> list[str]:
        """Open a page from disk; any request that is not for a file is refused and ends up in the list."""
        refused: list[str] = []

        def decide(route: playwright.Route) -> None:
            if route.request.url.startswith("file:"):
                route.continue_()
            else:
                refused.append(route.request.url)
                route.abort()

        self.page.route("**/*", decide)
        self.page.goto(path.as_uri())
        return refused


def as_bytes(frame: str | bytes) -> bytes:
    return frame.encode() if isinstance(frame, str) else frame


def message_ids(frame: str | bytes) -> list[bytes]:
    """The ids in a message of Jupyter's protocol: its own, and that of the message it answers."""
    return re.findall(rb'"msg_id": ?"([^"]+)"', as_bytes(frame))


@pytest.fixture
def watch(browser) -> Iterator[Callable[..., Watched]]:
    contexts = []

    def new(**options: object) -> Watched:
        context = browser.new_context(viewport={"width": 1280, "height": 900}, **options)
        contexts.append(context)
        watched = Watched(context.new_page())
        watched.page.on("console", lambda m: watched.errors.append(m.text) if m.type == "error" else None)
        watched.page.on("pageerror", lambda error: watched.errors.append(str(error)))
        watched.page.on("websocket", watched.hear)
        return watched

    yield new
    for context in contexts:
        context.close()


@dataclass(frozen=True)
class Lab:
    """A running JupyterLab."""

    base: str
    token: str
    folder: Path

    def address(self, name: str) -> str:
        """Where a notebook of the folder opens."""
        return f"{self.base}/lab/tree/{name}?reset&token={self.token}"


@pytest.fixture(scope="session")
def lab(tmp_path_factory) -> Iterator[Lab]:
    """Start JupyterLab on a copy of the notebooks."""
    home = tmp_path_factory.mktemp("lab")
    shutil.copytree(ROOT / "notebooks", home / "notebooks")
    (home / "figures").mkdir()
    shutil.copy(ROOT / "figures" / "manifest.toml", home / "figures")
    for name, values in SETTINGS.items():
        path = home / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(values))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    token, base = secrets.token_hex(16), f"http://127.0.0.1:{port}"
    folders = {f"JUPYTER_{name}_DIR": str(home / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    lab_folders = {"JUPYTERLAB_SETTINGS_DIR": str(home / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(home / "spaces")}
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--ip=127.0.0.1", f"--port={port}"]
    command += ["--ServerApp.port_retries=0", "--LabApp.expose_app_in_browser=True", "--allow-root"]
    command += [f"--ServerApp.root_dir={home / 'notebooks'}", f"--IdentityProvider.token={token}"]
    with (home / "log").open("w") as log:
        server = subprocess.Popen(command, env={**os.environ, **folders, **lab_folders}, stdout=log, stderr=log)
        try:
            wait_for(f"{base}/api?token={token}", server, home / "log")
            yield Lab(base, token, home / "notebooks")
        finally:
            server.terminate()
            server.wait(timeout=20)


def pixels(view: playwright.Locator) -> str:
    """Everything that a view has drawn."""
    return str(view.evaluate("(root) => [...root.querySelectorAll('canvas')].map((c) => c.toDataURL()).join()"))


def wait_for(address: str, server: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(240):
        if server.poll() is not None:
            raise RuntimeError(f"JupyterLab ended at once:\n{log.read_text()}")
        try:
            with urllib.request.urlopen(address, timeout=1):
                return
        except OSError:
            time.sleep(0.25)
    raise TimeoutError(f"JupyterLab did not answer within 60 s:\n{log.read_text()}")
