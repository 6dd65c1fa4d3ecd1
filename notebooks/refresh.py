"""Run notebooks and store their outputs: ``python notebooks/refresh.py [NOTEBOOK …]``.

What is stored of a widget is its picture with alt text: the view that lives in no kernel is taken out,
and so is everything that differs from run to run.
"""

from __future__ import annotations

import sys
from pathlib import Path

import nbformat
from nbclient import NotebookClient

HERE = Path(__file__).parent
WIDGET = "application/vnd.jupyter.widget-view+json"


def refresh(path: Path) -> None:
    """Run one notebook in its own folder and write it back; an error stops here, nothing is written."""
    notebook = nbformat.read(path, as_version=4)
    client = NotebookClient(notebook, timeout=60, store_widget_state=False, coalesce_streams=True)
    client.resources = {"metadata": {"path": path.parent}}
    client.execute()
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    notebook.metadata = nbformat.from_dict({"kernelspec": kernel, "language_info": {"name": "python"}})
    for cell in notebook.cells:
        cell.metadata = nbformat.from_dict({"tags": cell.metadata.tags} if "tags" in cell.metadata else {})
        if "outputs" in cell:
            cell.outputs = [output for output in cell.outputs if WIDGET not in output.get("data", {})]
    nbformat.write(notebook, path)


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted([*HERE.glob("[0-9]*.ipynb"), *HERE.glob("solutions/*.ipynb")]):
        refresh(Path(name))
        print(name)
