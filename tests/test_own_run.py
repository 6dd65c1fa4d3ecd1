"""Notebooks show a reader's own run when one line is changed, whatever the run was."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

from adar_viz.experiment import TRACE, Experiment, run
from adar_viz.training import TrainingPlan

NOTEBOOKS = Path(__file__).parents[1] / "notebooks"
LINE = 'Trace.load("traces/demo.npz")'
PLAN = TrainingPlan(epochs=40, learning_rate=3e-3, l2=0.03)


@pytest.fixture(scope="module")
def own_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Train a run that shares neither source, schedule, T nor width with the demo."""
    sampler = "adar(source=reverse, schedule=cosine, num_timesteps=20, ground=None)"
    folder = tmp_path_factory.mktemp("own") / "run"
    return run(Experiment(negatives=sampler, dim=16, plan=PLAN), folder, progress=False).folder / TRACE


@pytest.mark.slow
@pytest.mark.parametrize("number", ["01", "02", "03", "04"])
def test_a_notebook_shows_a_readers_own_run(number: str, own_run: Path) -> None:
    """Only the maps need a command of their own first; without it the notebook says so."""
    (path,) = NOTEBOOKS.glob(f"{number}_*.ipynb")
    notebook = nbformat.read(path, as_version=4)
    changed = [cell for cell in notebook.cells if cell.cell_type == "code" and LINE in cell.source]
    assert len(changed) == 1
    changed[0].source = changed[0].source.replace(LINE, f"Trace.load({str(own_run)!r})")
    client = NotebookClient(
        notebook, timeout=120, allow_errors=True, resources={"metadata": {"path": str(path.parent)}}
    )
    client.execute()
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", [])]
    errors = [f"{o.ename}: {o.evalue}" for o in outputs if o.output_type == "error"]
    unmapped = [error for error in errors if "adar-viz map" in error]
    assert len(unmapped) == (number in ("03", "04"))
    # What follows such a cell lacks its name; nothing else may fail.
    assert [e for e in errors if e not in unmapped and "name 'mapped'" not in e and "name 'opinion'" not in e] == []
