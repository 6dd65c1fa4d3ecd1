"""The whole walkthrough as static pages that open from disk, without kernel and network."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adar_viz.trace import Trace, TraceError
from adar_viz.widgets import (
    BoundaryComparison,
    BoundaryExplorer,
    DriftExplorer,
    HardnessExplorer,
    SamplerExplorer,
    TwoRunsExplorer,
    View,
    WalkScrubber,
    link,
)
from adar_viz.widgets.page import write_page
from adar_viz.widgets.view import shared_script, shared_style

VIEWS: Mapping[str, type[View]] = {
    "walk": WalkScrubber,
    "hardness": HardnessExplorer,
    "boundary": BoundaryExplorer,
    "boundaries_compared": BoundaryComparison,
    "drift": DriftExplorer,
    "samplers": SamplerExplorer,
    "two_runs": TwoRunsExplorer,
}
"""Name of the page, also its file's, to its view, in the order of the walkthrough: a new view joins with a line."""

TRACES = [Path("notebooks/traces") / f"{name}.npz" for name in ("demo", "uniform", "dns", "ahns")]
"""The stored runs: ADAR, which views of one run show, and what it is compared with."""

MEGABYTES = 5
"""A page is at most this large; a larger one is written, and said to be so."""

_ABOUT = """<p>A recommender learns from items that a user took (<em>positives</em>) and items that it presents as not
wanted (<em>negatives</em>). Nobody records negatives: they are drawn at random, searched for, or <em>made</em>, by
mixing noise into the embedding of a positive, a little more at each <em>timestep</em> t, until the user's score for it
has fallen far enough. These pages let you watch that, on recorded runs.</p>
<p>Everything happens in your browser: no server, no network. Sliders move by mouse and by arrow keys, Space plays;
every item that the pointer can select is in the search list below the picture, too.</p>"""

_TOGETHER = "Follow one item through all views"
_TOGETHER_WORDS = """<p>Select an item in one picture, or in a list: all views show it. One that does not hold the item
marks nothing.</p>"""


@dataclass(frozen=True)
class Page:
    """One page of the walkthrough: its name and the view on it."""

    name: str
    view: View


def write_site(traces: Sequence[Trace], folder: Path) -> tuple[list[Path], dict[str, str]]:
    """Write the index, one page for each view, and one with all of them linked.

    Parameters
    ----------
    traces
        Views of one run show the first; views that compare take all.
    folder
        Where the files go; it is made.

    Returns
    -------
    files, left_out
        What was written, and the views that the traces cannot feed, each with its reason.
    """
    pages, left_out = _make(traces)
    if not pages:
        reasons = "; ".join(f"{name}: {reason}" for name, reason in left_out.items())
        raise ValueError(f"the traces must feed at least one view; got none ({reasons})")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        written = [_write_index(folder, pages, traces)]
        for page in pages:
            written += [_write_one(folder, page, pages), *page.view.save_view(folder / page.name, formats=["png"])]
        if _linked(pages):
            written.append(_write_together(folder, pages))
    finally:
        for page in pages:
            page.view.close()
    return written, left_out


def _make(traces: Sequence[Trace]) -> tuple[list[Page], dict[str, str]]:
    pages, left_out = [], {}
    for name, view in VIEWS.items():
        # Not every trace holds what every view needs; the others are worth their pages.
        try:
            compares: Any = getattr(view, "from_traces", None)
            made = compares(traces) if compares else view.from_trace(traces[0])
            pages.append(Page(name, made))
        except (TraceError, ValueError) as error:
            left_out[name] = str(error)
    return pages, left_out


def _write(path: Path, title: str, pieces: Sequence[Any]) -> Path:
    return write_page(path, title=title, pieces=pieces, script=shared_script(), style=shared_style())


def _write_index(folder: Path, pages: Sequence[Page], traces: Sequence[Trace]) -> Path:
    cards = [_card(page.name, page.view.question, page.view.scene["heading"], page.view.describe()) for page in pages]
    if _linked(pages):
        cards.append(f'<li class="card"><h2><a href="together.html">{_TOGETHER}</a></h2>{_TOGETHER_WORDS}</li>')
    runs = "".join(f"<li>{_run(trace)}</li>" for trace in traces)
    pieces = [_ABOUT, f'<ul class="cards">{"".join(cards)}</ul>', f"<h2>What is shown</h2><ul>{runs}</ul>"]
    return _write(folder / "index.html", "From positive to negative", pieces)


def _card(name: str, question: str, heading: str, sentence: str) -> str:
    return (
        f'<li class="card"><a href="{name}.html"><img src="{name}.png" alt="{html.escape(sentence)}"></a>'
        f'<h2><a href="{name}.html">{html.escape(question)}</a></h2><p>{html.escape(heading)}</p></li>'
    )


def _run(trace: Trace) -> str:
    meta = trace.meta
    text = f"{meta['dataset']}, {meta['backbone']}, {meta['negatives']}, seed {meta['seed']} (run {meta['run']}"
    return html.escape(f"{text}, adar_viz {meta['version']})")


def _write_one(folder: Path, page: Page, pages: Sequence[Page]) -> Path:
    limits = "".join(f"<li>{html.escape(sentence)}</li>" for sentence in page.view.cannot)
    words = [f"<h2>In words</h2><p>{html.escape(page.view.describe())}</p>"]
    if limits:
        words.append(f"<h2>What this view cannot show</h2><ul>{limits}</ul>")
    return _write(folder / f"{page.name}.html", page.view.question, [_way(page.name, pages), page.view.part(), *words])


def _way(here: str, pages: Sequence[Page]) -> str:
    names = {"index": "All views", **{page.name: page.name.replace("_", " ") for page in pages}}
    if _linked(pages):
        names["together"] = "all together"
    steps = [
        f'<li aria-current="page">{html.escape(text)}</li>'
        if name == here
        else f'<li><a href="{name}.html">{html.escape(text)}</a></li>'
        for name, text in names.items()
    ]
    return f'<nav aria-label="Views"><ol>{"".join(steps)}</ol></nav>'


def _linked(pages: Sequence[Page]) -> list[View]:
    """Return the views in which an item can be selected; fewer than two need no page of their own."""
    views = [page.view for page in pages if "names" in page.view.scene]
    return views if len(views) > 1 else []


def _write_together(folder: Path, pages: Sequence[Page]) -> Path:
    link(*_linked(pages), name="together")
    pieces: list[Any] = [_way("together", pages), _TOGETHER_WORDS]
    return _write(folder / "together.html", _TOGETHER, [*pieces, *[view.part() for view in _linked(pages)]])
