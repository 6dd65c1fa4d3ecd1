"""Reference notebooks and solutions are stored whole, exercises hold no answers, none holds a program of its own."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import nbformat
import pytest

from adar_viz.trace import Trace

FOLDER = Path(__file__).parents[1] / "notebooks"
REFERENCE = sorted(FOLDER.glob("[0-9][0-9]_*.ipynb"))
SOLUTIONS = sorted(FOLDER.glob("solutions/*.ipynb"))
EXERCISES = sorted(FOLDER.glob("exercises/*.ipynb"))
EXPLORE = sorted(FOLDER.glob("explore/*.ipynb"))
TRACES = sorted(FOLDER.glob("traces/*.npz"))
each_notebook = pytest.mark.parametrize("path", REFERENCE, ids=lambda p: p.stem)
each_stored = pytest.mark.parametrize("path", REFERENCE + SOLUTIONS, ids=lambda p: f"{p.parent.name}/{p.stem}")
each_exercise = pytest.mark.parametrize("path", EXERCISES, ids=lambda p: p.stem)
each_of_all = pytest.mark.parametrize(
    "path", REFERENCE + SOLUTIONS + EXERCISES + EXPLORE, ids=lambda p: f"{p.parent.name}/{p.stem}"
)


def code(path):
    return [cell for cell in nbformat.read(path, as_version=4).cells if cell.cell_type == "code"]


def prose(path):
    return "\n".join(c.source for c in nbformat.read(path, as_version=4).cells if c.cell_type == "markdown")


def test_there_are_reference_notebooks_and_traces():
    assert REFERENCE
    assert TRACES


@each_stored
def test_it_is_stored_as_it_ran_from_top_to_bottom(path):
    """A stripped notebook under strict nbval compares nothing."""
    cells = code(path)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    outputs = [output for cell in cells for output in cell.outputs]
    assert outputs
    assert not [o for o in outputs if o.output_type == "error" or o.get("name") == "stderr"]


@each_notebook
def test_stored_pictures_have_alt_text_and_no_dead_widgets(path):
    pictures = 0
    for cell in code(path):
        for output in cell.outputs:
            assert "application/vnd.jupyter.widget-view+json" not in output.get("data", {})
            if "image/png" in output.get("data", {}):
                pictures += 1
                assert len(output.metadata["image/png"]["alt"]) > 60
            if "<img" in output.get("data", {}).get("text/html", ""):
                pictures += 1
                assert re.match(r'<img alt="[^"]{60,}"', output.data["text/html"])
    assert pictures
    assert "widgets" not in nbformat.read(path, as_version=4).metadata


@each_of_all
def test_it_holds_no_function_longer_than_five_lines(path):
    for cell in code(path):
        for node in ast.walk(ast.parse(cell.source)):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                assert node.end_lineno - node.lineno < 5, f"{node.name} belongs in the package"


@each_notebook
def test_it_asks_one_question_names_its_limits_and_ends_in_an_exercise(path):
    text = prose(path)
    assert re.search(r"^\*\*[^*]+\?\*\*$", text, re.MULTILINE), "the question, in one bold sentence"
    assert "## What this view cannot show" in text
    assert "## Exercise" in text


@each_of_all
def test_every_link_leads_somewhere(path):
    targets = re.findall(r"\]\(([^)#\s]+)[^)]*\)", prose(path))
    assert not [t for t in targets if "://" not in t and not (path.parent / t).exists()]


@each_notebook
def test_only_what_is_trained_on_the_spot_is_not_compared(path):
    """Trainings differ in the last digits between machines; everything else is the same everywhere."""
    tagged = [cell for cell in code(path) if "nbval-ignore-output" in cell.metadata.get("tags", [])]
    assert not tagged or path.stem == "06_your_own_data_and_model"


def test_the_model_and_the_sampler_of_notebook_06_are_those_of_the_guide():
    guide = (FOLDER.parent / "CONTRIBUTING.md").read_text()
    for name in ("your_model", "your_sampler"):
        assert f"```python\n{(FOLDER / f'{name}.py').read_text()}```" in guide, name


def test_every_view_has_an_exercise_and_every_exercise_its_solution():
    names = {path.name for path in EXERCISES}
    assert {path.name for path in REFERENCE if "01" <= path.stem[:2] <= "05"} <= names
    assert {"lesson_find_the_leak.ipynb", "lesson_negatives_or_l2.ipynb"} <= names
    assert names == {path.name for path in SOLUTIONS}


@each_exercise
def test_an_exercise_asks_what_its_solution_answers_and_holds_no_answer(path):
    asked, solved = (nbformat.read(p, as_version=4).cells for p in (path, FOLDER / "solutions" / path.name))
    questions = [cell.source for cell in asked if cell.source.startswith("## ")]
    assert len(questions) >= 3
    assert set(questions) <= {cell.source for cell in solved}
    assert not [cell for cell in asked if "**Answer" in cell.source]
    assert sum("**Answer.**" in cell.source for cell in solved) >= sum(q[3].isdigit() for q in questions)
    assert any("assert " in cell.source for cell in solved), "a solution that cannot be wrong is no test"
    given = {re.sub(r"\.\./exercises/", "", cell.source) for cell in solved if cell.cell_type == "code"}
    for cell in asked:
        assert cell.cell_type != "code" or "# your answer" in cell.source or cell.source in given


@pytest.mark.parametrize("path", EXERCISES + EXPLORE, ids=lambda p: f"{p.parent.name}/{p.stem}")
def test_what_readers_fill_in_is_stored_empty(path):
    assert all(cell.execution_count is None and not cell.outputs for cell in code(path))


@each_notebook
def test_the_map_in_the_first_notebook_asks_its_question(path):
    (question,) = re.findall(r"^\*\*([^*]+\?)\*\*$", prose(path), re.MULTILINE)
    assert question in prose(REFERENCE[0])


def test_the_reference_notebooks_are_numbered_without_a_gap():
    assert [path.stem[:2] for path in REFERENCE] == [f"{n:02d}" for n in range(8)]


@each_notebook
def test_each_widget_is_followed_by_a_cell_that_drives_it(path):
    cells = code(path)
    imported = {
        n.name
        for c in cells
        for i in ast.walk(ast.parse(c.source))
        if isinstance(i, ast.ImportFrom) and i.module == "adar_viz.widgets"
        for n in i.names
    }
    for cell, after in zip(cells, [*cells[1:], None], strict=True):
        if any(f"{name}.from_trace" in cell.source for name in imported):
            assert after is not None
            assert ".drive(" in after.source
            assert "assert " in after.source


@each_stored
def test_it_prints_rounded_numbers_and_no_addresses(path):
    for cell in code(path):
        for output in cell.outputs:
            text = output.get("text", "") + "".join(output.get("data", {}).get("text/plain", ""))
            assert not re.search(r"\d\.\d{7,}|0x[0-9a-f]{6,}|array\(", text)
    assert path.stat().st_size <= 1e6


@pytest.mark.parametrize("path", TRACES, ids=lambda p: p.stem)
def test_stored_traces_are_small_and_say_where_they_come_from(path):
    assert path.stat().st_size <= 3e6
    trace = Trace.load(path)
    assert trace.meta["dataset"].startswith("synthetic")
    assert len(trace.meta["data_checksum"]) == 64
    assert {"hardness", "negative_score", "false_negative", "metric"} <= set(trace.arrays)
    if path.stem == "demo":
        assert {"walk", "score", "item_title", "item_embedding", "transition_timestep"} <= set(trace.arrays)
