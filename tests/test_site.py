"""The walkthrough: an index, one page for each view that the trace can feed, and one with all of them linked."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from adar_viz import site
from adar_viz.cli import main
from adar_viz.trace import Trace
from adar_viz.widgets import View, WalkScrubber

STORED = [Path(__file__).parents[1] / path for path in site.TRACES]
DEMO = STORED[0]


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> dict[str, Path]:
    files, left_out = site.write_site([Trace.load(path) for path in STORED], tmp_path_factory.mktemp("site"))
    assert left_out == {}
    return {path.name: path for path in files}


def links(page: Path) -> set[str]:
    return set(re.findall(r'(?:href|src)="([^"]*)"', page.read_text(encoding="utf-8")))


def test_every_view_has_a_question_and_says_what_it_cannot_show():
    for view in site.VIEWS.values():
        assert view.question.endswith("?")
        assert view.cannot
        assert all(sentence.endswith(".") for sentence in view.cannot)


def test_every_exported_view_joins_the_walkthrough():
    from adar_viz import widgets

    views = {w for w in vars(widgets).values() if isinstance(w, type) and issubclass(w, View) and w is not View}
    assert set(site.VIEWS.values()) == views


def test_the_index_leads_to_every_page_and_back(written):
    pages = {name for name in written if name.endswith(".html")}
    assert links(written["index.html"]) >= pages - {"index.html"}
    for name in pages - {"index.html"}:
        assert links(written[name]) == pages - {name}
    for page in pages:
        assert all((written[page].parent / target).exists() for target in links(written[page]))


def test_pages_are_small_whole_and_ask_for_nothing(written):
    for name, path in written.items():
        assert path.stat().st_size <= site.MEGABYTES * 1e6, name
        if name.endswith(".html"):
            text = path.read_text(encoding="utf-8")
            assert not re.search(r"https?://|^\s*import\s", text, re.MULTILINE), name
            assert len(re.findall(r"<h1>", text)) == 1


def test_the_linked_page_holds_every_view_under_one_link(written):
    states = re.findall(r'id="state-\d+">(.*?)</script>', written["together.html"].read_text(), re.DOTALL)
    assert {json.loads(state)["link"] for state in states} == {"together"}
    assert len(states) == sum('"names"' in written[f"{name}.html"].read_text() for name in site.VIEWS) >= 3


def test_the_same_trace_gives_the_same_bytes(tmp_path, monkeypatch):
    monkeypatch.setattr(site, "VIEWS", {"walk": WalkScrubber, "again": WalkScrubber})
    trace = Trace.load(DEMO)
    first, second = (site.write_site([trace], tmp_path / name)[0] for name in ("a", "b"))
    assert len(first) == 6
    for one, two in zip(first, second, strict=True):
        assert one.read_bytes() == two.read_bytes(), one.name


class Broken(WalkScrubber):
    @classmethod
    def from_trace(cls, trace: Trace) -> WalkScrubber:
        raise ValueError("never works")


def test_a_view_that_the_trace_cannot_feed_is_left_out_with_its_reason(law_trace, tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(site, "VIEWS", {"walk": WalkScrubber})
    path = law_trace.without("walk").save(tmp_path / "trace.npz")
    assert main(["site", "--trace", str(path), "--out", str(tmp_path / "site")]) == 2
    assert "at least one view; got none (walk: trace of run 'law' lacks walk" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()
    monkeypatch.setattr(site, "VIEWS", {"walk": WalkScrubber, "broken": Broken})
    law_trace.save(path)
    assert main(["site", "--trace", str(tmp_path), "--out", str(tmp_path / "site")]) == 0
    said = capsys.readouterr()
    assert "walk.html" in said.out
    assert "left out broken: never works" in said.err


@pytest.mark.parametrize(
    ("fact", "view", "reason"),
    [
        ({"sigma": None}, "walk", "trace of run 'law' does not tell its sigma"),
        ({"target": {"name": "foo"}}, "hardness", "target must be a score-aware function; got {'name': 'foo'}"),
    ],
)
def test_a_view_that_lacks_a_fact_is_left_out_with_its_reason(law_trace, tmp_path, monkeypatch, fact, view, reason):
    monkeypatch.setattr(site, "VIEWS", {name: site.VIEWS[name] for name in (view, "drift")})
    meta = {name: value for name, value in {**law_trace.meta, **fact}.items() if value is not None}
    files, left_out = site.write_site([Trace(meta, law_trace.arrays)], tmp_path / "site")
    assert left_out == {view: reason}
    assert {path.name for path in files} == {"index.html", "drift.html", "drift.png"}


def test_a_damaged_trace_leaves_no_folder(law_trace, tmp_path, capsys):
    spoiled = np.array(law_trace["pair_score"])
    spoiled[0] = np.nan
    path = Trace(law_trace.meta, {**law_trace.arrays, "pair_score": spoiled}).save(tmp_path / "trace.npz")
    assert main(["site", "--trace", str(path), "--out", str(tmp_path / "site")]) == 2
    assert "trace.npz: pair_score must be finite; got nan or infinity" in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


@pytest.mark.slow
def test_the_command_needs_no_torch(tmp_path):
    run = f"main(['site', '--out', {str(tmp_path)!r}, '--trace', {str(DEMO)!r}])"
    code = f"import sys; from adar_viz.cli import main; {run}; print('torch' in sys.modules)"
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert ran.stdout.splitlines()[-1] == "False", ran.stderr
