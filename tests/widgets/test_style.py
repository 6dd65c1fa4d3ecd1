"""The colours of the views: readable on their background, told apart by colour-blind eyes, and never alone in grey."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import adar_viz.widgets

FOLDER = Path(adar_viz.widgets.__file__).parent
TEXT = ("text", "quiet", "positive", "negative", "star", "other")
MEANING = ("positive", "negative", "star", "other")

# Severe forms, on linear RGB: Machado, Oliveira and Fernandes (2009), table 1.
SIGHT = {
    "all colours": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
XYZ = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])


def themes() -> dict[str, dict[str, str]]:
    """Colours of each theme by name; the background is the fallback of JupyterLab's variable."""
    sheet = (FOLDER / "css" / "shared.css").read_text()
    light, dark = (
        dict(re.findall(r"--av-(\w+): (?:var\([^,]+, )?(#[0-9a-f]{6})", block))
        for block in re.findall(r"^\.adar-view(?:\[data-theme=\"dark\"\])? \{(.*?)^\}", sheet, re.MULTILINE | re.DOTALL)
    )
    return {"light": light, "dark": dark}


def linear(colour: str) -> np.ndarray:
    rgb = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def contrast(one: str, other: str) -> float:
    high, low = sorted((XYZ[1] @ linear(one), XYZ[1] @ linear(other)), reverse=True)
    return float((high + 0.05) / (low + 0.05))


def lab(rgb: np.ndarray) -> np.ndarray:
    xyz = XYZ @ np.clip(rgb, 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(xyz > 216 / 24389, np.cbrt(xyz), (24389 / 27 * xyz + 16) / 116)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def test_the_sheet_is_read_as_it_stands():
    for colours in themes().values():
        assert set(colours) == {"back", "text", "quiet", "line", "positive", "negative", "star", "item", "other"}
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert np.allclose(lab(linear("#ffffff")), [100, 0, 0], atol=0.05)


# JupyterLab's own backgrounds are #ffffff and #111111.
@pytest.mark.parametrize(("theme", "lab_back"), [("light", "#ffffff"), ("dark", "#111111")])
def test_text_has_a_contrast_of_4_5_and_marks_of_3(theme, lab_back):
    colours = themes()[theme]
    for back in (colours["back"], lab_back):
        for name in TEXT:
            assert contrast(colours[name], back) >= 4.5, (theme, name)
        assert contrast(colours["item"], back) >= 3, theme


@pytest.mark.parametrize("sight", SIGHT)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_colours_that_mean_something_stay_apart_for_every_eye(theme, sight):
    seen = {name: lab(SIGHT[sight] @ linear(themes()[theme][name])) for name in MEANING}
    distance = {pair: float(np.linalg.norm(seen[pair[0]] - seen[pair[1]])) for pair in combinations(MEANING, 2)}
    # Under 2.3 two patches look the same; the two sides of the boundary must be far apart, any two clearly so.
    assert distance["positive", "negative"] > 30, distance
    assert min(distance.values()) > 10, distance


def test_points_of_different_colour_differ_in_shape_too():
    """For grey print: within one scatter plot no shape stands for two colours."""
    lists = [
        re.findall(r"shape: \"(\w+)\", colour: \"(\w+)\"", group)
        for path in (FOLDER / "js").glob("*.js")
        for group in re.findall(r"\[\s*(\{ shape: .*?)\]", path.read_text(), re.DOTALL)
    ]
    assert lists
    for looks in lists:
        assert len({shape for shape, _ in looks}) == len(looks), looks
