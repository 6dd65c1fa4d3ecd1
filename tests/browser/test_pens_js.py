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
