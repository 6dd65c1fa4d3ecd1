"""Every display keeps the same contract: computed once, drawn, tabulated, described, saved alike twice."""

from __future__ import annotations

import base64
import io
import json
import subprocess
import sys

import matplotlib
import numpy as np
import pandas as pd
import pytest
from matplotlib.figure import Figure
from PIL import Image

from adar_viz.displays import (
    ComparedBoundaries,
    DecisionBoundary,
    Display,
    DrawnScores,
    EmbeddingDrift,
    FalseNegatives,
    HardnessMap,
    HardnessOverTraining,
    HardnessPlane,
    ItemMap,
    MovingBoundary,
    NoiseSchedule,
    NullDrift,
    OneStep,
    SpaceUse,
    TimestepHardness,
    TrainingCurves,
    TransitionHistogram,
    TransitionMap,
    TwoRuns,
    Walk,
    WalkSources,
)
from adar_viz.displays.display import light
from adar_viz.displays.style import BLACK, BLUE, GREY, PURPLE, RUST, rc
from tests.displays.legible import assert_legible

DISPLAYS = [
    ComparedBoundaries,
    DecisionBoundary,
    DrawnScores,
    EmbeddingDrift,
    FalseNegatives,
    HardnessMap,
    HardnessOverTraining,
    HardnessPlane,
    ItemMap,
    MovingBoundary,
    NoiseSchedule,
    NullDrift,
    OneStep,
    SpaceUse,
    TimestepHardness,
    TrainingCurves,
    TransitionHistogram,
    TransitionMap,
    TwoRuns,
    Walk,
    WalkSources,
]
each_display = pytest.mark.parametrize("display", DISPLAYS, ids=lambda d: d.__name__)


@each_display
def test_plot_returns_the_display_and_artists_end_in_an_underscore(display, law_trace):
    shown = display.from_trace(law_trace)
    before = set(vars(shown))
    assert shown.plot() is shown
    added = {name for name in vars(shown) if name not in before}
    assert {"figure_", "axes_"} < added
    assert all(name.endswith("_") for name in added)
    assert len(shown.axes_) == display.rows * display.columns


@each_display
def test_drawing_into_given_axes_makes_no_figure_of_its_own(display, law_trace):
    figure = Figure()
    axes = figure.subplots(display.rows, display.columns, squeeze=False).ravel()
    assert display.from_trace(law_trace).plot(list(axes)).figure_ is figure
    with pytest.raises(ValueError, match=rf"draws {len(axes)} panels; got {len(axes) + 1} axes"):
        display.from_trace(law_trace).plot([*axes, axes[0]])


def test_displays_use_no_pyplot_so_no_figure_can_be_left_open():
    code = "import adar_viz.displays, sys; assert 'matplotlib.pyplot' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)


@each_display
def test_drawing_changes_no_setting(display, law_trace):
    before = dict(matplotlib.rcParams)
    display.from_trace(law_trace).plot()
    assert dict(matplotlib.rcParams) == before


@pytest.fixture(scope="module")
def saved(request, law_trace, tmp_path_factory):
    """The files of one display, saved once for several tests."""
    return request.param.from_trace(law_trace).save(tmp_path_factory.mktemp("saved") / "figure")


each_saved = pytest.mark.parametrize(("display", "saved"), [(d, d) for d in DISPLAYS], indirect=["saved"])


@pytest.mark.slow
@each_saved
def test_saving_is_byte_identical_twice_whatever_the_reader_s_settings(display, saved, law_trace, tmp_path):
    first = saved
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.hashsalt": "other", "pdf.fonttype": 3}):
        second = display.from_trace(law_trace).save(tmp_path / "b" / "figure")
    assert [p.suffix for p in first] == [".pdf", ".svg", ".png"]
    for one, other in zip(first, second, strict=True):
        assert one.read_bytes() == other.read_bytes(), one.name


@pytest.mark.slow
@each_saved
def test_files_embed_their_fonts_and_carry_where_they_come_from(display, saved):
    pdf, svg, png = saved
    assert b"/FontFile2" in pdf.read_bytes()
    assert b"/Type3" not in pdf.read_bytes()
    assert b"<text" not in svg.read_bytes()
    stamp = json.loads(Image.open(png).text["Source"])
    assert stamp["run"] == "law"
    assert stamp["data_checksum"] == "0" * 64
    assert "&quot;run&quot;: &quot;law&quot;" in svg.read_text() or '"run": "law"' in svg.read_text()
    assert b"adar_viz 0.1.0" in pdf.read_bytes()


@each_display
def test_the_numbers_and_the_sentence(display, law_trace):
    shown = display.from_trace(law_trace)
    table = shown.frame()
    assert isinstance(table, pd.DataFrame)
    assert len(table) > 5
    text = shown.describe()
    assert text.endswith(".")
    assert 60 < len(text) < 600
    assert "nan" not in text


@each_display
def test_notebooks_get_a_picture_with_alt_text_once_it_is_drawn(display, law_trace):
    shown = display.from_trace(law_trace)
    data, meta = shown._repr_mimebundle_()
    assert list(data) == ["text/plain"]
    data, meta = shown.plot()._repr_mimebundle_()
    assert meta["image/png"]["alt"] == shown.describe()
    assert data["image/png"].startswith("iVBOR")


@each_display
@pytest.mark.parametrize("context", ["paper", "slides", "poster"])
def test_no_text_overlaps_another_or_leaves_the_picture(display, context, law_trace):
    shown = display.from_trace(law_trace).plot(context=context)
    assert_legible(shown)


@each_display
def test_a_footer_says_where_the_picture_comes_from_below_everything(display, law_trace):
    shown = display.from_trace(law_trace).plot(footer=True)
    assert shown.footer_.get_text() == "run law · data planted 00000000 · seed 0 · adar_viz 0.1.0"
    shown.figure_.draw_without_rendering()
    renderer = shown.figure_.canvas.get_renderer()
    box = shown.footer_.get_window_extent(renderer)
    width, _ = shown.figure_.canvas.get_width_height()
    assert 0 <= box.x0 < box.x1 <= width
    assert box.y0 >= 0
    assert box.y1 <= min(ax.get_tightbbox(renderer).y0 for ax in shown.axes_) + 1
    with pytest.raises(ValueError, match="footer must come with a figure of the display's own; got ax"):
        display.from_trace(law_trace).plot(list(shown.axes_), footer=True)


@pytest.mark.slow
@pytest.mark.parametrize("display", [Walk, DecisionBoundary], ids=lambda d: d.__name__)
def test_what_moves_is_printed_in_small_multiples(display, law_trace, tmp_path):
    shown = display.from_trace(law_trace)
    assert shown.small_multiples(footer=True) is shown
    assert [ax.get_title("left").split(":")[0].split(",")[0] for ax in shown.axes_] == [
        f"t = {t}" for t in (0, 10, 20, 30, 40, 50)
    ]
    assert len({ax.get_xlim() for ax in shown.axes_}) == len({ax.get_ylim() for ax in shown.axes_}) == 1
    first = [path.read_bytes() for path in shown.save(tmp_path / "a")]
    assert first == [
        path.read_bytes() for path in display.from_trace(law_trace).small_multiples(footer=True).save(tmp_path / "b")
    ]
    assert len(shown.small_multiples([0, 50], columns=2).axes_) == 2
    with pytest.raises(ValueError, match=r"moments must be among 0, .*, 50; got \[0, 51\]"):
        shown.small_multiples([0, 51])


def test_a_display_that_stands_still_has_no_small_multiples(law_trace):
    with pytest.raises(ValueError, match="NoiseSchedule shows no movement"):
        NoiseSchedule.from_trace(law_trace).small_multiples()


def test_an_unknown_format_or_context_lists_the_valid_ones(law_trace, tmp_path):
    shown = NoiseSchedule.from_trace(law_trace)
    with pytest.raises(ValueError, match="pdf, svg, png; got gif"):
        shown.save(tmp_path / "figure", formats=("gif",))
    with pytest.raises(ValueError, match="paper, slides, poster; got 'wall'"):
        shown.plot(context="wall")


def test_text_colours_have_enough_contrast_on_white():
    for colour in (BLACK, BLUE, GREY, PURPLE, RUST):
        channel = np.array(matplotlib.colors.to_rgb(colour))
        linear = np.where(channel <= 0.04045, channel / 12.92, ((channel + 0.055) / 1.055) ** 2.4)
        assert 1.05 / (linear @ [0.2126, 0.7152, 0.0722] + 0.05) >= 4.5, colour


def test_a_display_needs_no_method_beyond_the_contract(law_trace):
    class Timesteps(Display):
        @classmethod
        def from_trace(cls, trace):
            shown = cls(trace.meta)
            shown.t = np.arange(trace.num_timesteps + 1)
            return shown

        def _draw(self, axes, color):
            (self.line_,) = axes[0].plot(self.t, color=color)

        def frame(self):
            return pd.DataFrame({"t": self.t})

        def describe(self):
            return "Timesteps."

    shown = Timesteps.from_trace(law_trace).plot(color="#123456")
    assert shown.line_.get_color() == "#123456"
    assert io.BytesIO(shown._render("png")).getvalue()[:4] == b"\x89PNG"
    assert rc("slides")["font.size"] > rc("paper")["font.size"]


def test_a_notebook_keeps_a_light_copy_of_the_picture_that_looks_the_same(law_trace):
    shown = DecisionBoundary.from_trace(law_trace).plot()
    whole = shown._render("png")
    copy = light(whole)
    assert len(copy) < 0.6 * len(whole)
    assert len(base64.b64decode(shown._repr_mimebundle_()[0]["image/png"])) < 0.6 * len(whole)
    one, other = (Image.open(io.BytesIO(png)) for png in (whole, copy))
    assert one.text == other.text
    assert one.info["dpi"] == pytest.approx(other.info["dpi"])
    apart = np.abs(np.asarray(one.convert("RGB"), dtype=int) - np.asarray(other.convert("RGB"), dtype=int))
    assert apart.max() < 24, "no colour is lost, not even that of a single mark"
