"""Names beside crowded marks: none on a mark, none on another name, as long as there is room on some side."""

from __future__ import annotations

import json

import pytest

from adar_viz.widgets.view import own_script

RADIUS, HEIGHT = 6, 9
CROWDS = {
    "alone": [[100, 100]],
    "in a row": [[100, 100], [116, 100], [132, 100]],
    "in a corner": [[100, 100], [116, 100], [100, 116]],
    "a ring beside the moving point": [[100, 100], [110, 102]],
}

pytestmark = pytest.mark.browser


@pytest.mark.parametrize("places", CROWDS.values(), ids=CROWDS)
def test_names_stand_beside_their_marks_and_cover_nothing(watch, places):
    boxes = watch().page.evaluate(f"""() => {{
        {own_script("pens.js")}
        const pen = document.createElement("canvas").getContext("2d"), boxes = [];
        pen.fillText = (text, x, y) => boxes.push([x, y - {HEIGHT}, x + pen.measureText(text).width, y]);
        const names = {json.dumps(places)}.map(([x, y], i) =>
          ({{ text: String(i + 1), at: [x, y, {RADIUS}], colour: "black", font: "600 11px sans-serif" }}));
        nameMarks(pen, names, [], "white");
        return boxes;
    }}""")
    marks = [(x - RADIUS, y - RADIUS, x + RADIUS, y + RADIUS) for x, y in places]
    assert len(boxes) == len(places)
    for i, box in enumerate(boxes):
        assert not any(overlap(box, other) for other in [*marks, *boxes[:i]])
        middle = ((box[0] + box[2]) / 2, (box[1] + box[3]) / 2)
        assert max(abs(a - b) for a, b in zip(middle, places[i], strict=True)) < 3 * RADIUS


def overlap(one, other) -> bool:
    return one[0] < other[2] and other[0] < one[2] and one[1] < other[3] and other[1] < one[3]


@pytest.mark.parametrize(("align", "x"), [("left", 250), ("right", 40), ("center", 270)])
def test_a_text_too_long_for_its_canvas_is_condensed_and_a_short_one_is_not(watch, align, x):
    rooms = watch().page.evaluate(f"""() => {{
        {own_script("pens.js")}
        const pen = document.createElement("canvas").getContext("2d"), rooms = [];
        pen.fillText = (text, x, y, room) => rooms.push([pen.measureText(text).width, room]);
        for (const text of ["a", "a text that is too long"]) write(pen, text, {x}, 20, "black", {{ align: "{align}" }});
        return rooms;
    }}""")
    room = {"left": 300 - x, "right": x, "center": 2 * (300 - x)}[align]
    assert [given for _, given in rooms] == [room, room]
    assert rooms[0][0] < room < rooms[1][0]


def test_every_mark_looks_different_and_stays_within_its_stamp(watch):
    shapes = ["dot", "square", "diamond", "triangle", "star", "ring", "cross", "bold"]
    inked = watch().page.evaluate(f"""() => {{
        {own_script("pens.js")}
        return {json.dumps(shapes)}.map((shape) => {{
          const pen = element("canvas", {{ width: 60, height: 60 }}).getContext("2d");
          mark(pen, shape, 30, 30, 6, "black");
          return [...pen.getImageData(0, 0, 60, 60).data].filter((_, i) => i % 4 === 3);
        }});
    }}""")
    assert len({tuple(pixels) for pixels in inked}) == len(shapes)
    for shape, pixels in zip(shapes, inked, strict=True):
        far = max(max(abs(at % 60 - 29.5), abs(at // 60 - 29.5)) for at, alpha in enumerate(pixels) if alpha > 12)
        assert 4 < far <= 6 + 1.5, shape
