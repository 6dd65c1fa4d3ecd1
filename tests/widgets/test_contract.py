"""What every view of the walkthrough promises, held on the stored traces."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import traitlets

from adar_viz import site
from adar_viz.displays import Display
from adar_viz.trace import Trace
from adar_viz.widgets import View

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def traces() -> list[Trace]:
    return [Trace.load(ROOT / path) for path in site.TRACES]


@pytest.fixture(params=site.VIEWS)
def view(request: pytest.FixtureRequest, traces: list[Trace]) -> Iterator[View]:
    kind = site.VIEWS[request.param]
    made = kind.from_traces(traces) if hasattr(kind, "from_traces") else kind.from_trace(traces[0])
    yield made
    made.close()


def elsewhere(view: View) -> dict[str, Any]:
    """Every trait that a reader moves, at a value that it does not have now, where there is one."""
    return {name: next((v for v in values if v != getattr(view, name)), values[0]) for name, values in choices(view)}


def choices(view: View) -> list[tuple[str, list[Any]]]:
    return list(view.scene["choices"].items())


def test_state_starts_among_the_choices_and_takes_no_other_value(view: View) -> None:
    for name, values in choices(view):
        assert getattr(view, name) in values
        with pytest.raises(traitlets.TraitError, match=f"{name} must "):
            view.drive(**{name: "no such value"})


def test_the_code_line_brings_back_what_is_shown(view: View, traces: list[Trace]) -> None:
    view.drive(**elsewhere(view), selected=7)
    again = eval(view.as_code(), {type(view).__name__: type(view), "trace": traces[0], "traces": traces})
    assert again.state == view.state
    assert again.now() == view.now()
    assert again.scene == view.scene
    assert again.points == view.points
    again.close()


def test_what_is_sent_is_plain_and_small(view: View) -> None:
    sent = json.dumps(view.scene, allow_nan=False)
    assert json.loads(sent) == view.scene
    assert len(sent) + len(view.points) < 3e6
    assert {"heading", "intro", "choices", "code"} <= view.scene.keys()


@pytest.mark.slow
def test_the_present_state_can_be_printed_and_said(view: View, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(view.drive(**elsewhere(view)).picture(), Display)
    (path,) = view.save_view(tmp_path / "now", formats=["png"])
    assert path.read_bytes().startswith(b"\x89PNG")
    assert view.describe()
    shown: list[dict[str, str]] = []
    monkeypatch.setattr("adar_viz.widgets.view.display", lambda data, raw: shown.append(data))
    view._ipython_display_()
    assert f'alt="{html.escape(view.describe())}"' in shown[1]["text/html"]
    assert shown[1]["text/plain"] == repr(view)
