"""One notebook cell, one living set of widgets: running a cell again closes what it showed before."""

from __future__ import annotations

from typing import Any

import ipywidgets
from IPython import get_ipython

_shown: dict[str, tuple[int, list[ipywidgets.Widget]]] = {}


def close_previous(widget: ipywidgets.Widget) -> None:
    """Close the widgets that earlier runs of the present cell made, and remember this one.

    Front ends that name the cell they run (JupyterLab, Notebook 7) are served; elsewhere nothing
    is closed, because one cell cannot be told from another.
    """
    shell = get_ipython()
    parent: dict[str, Any] = getattr(shell, "get_parent", dict)() or {}
    cell = parent.get("metadata", {}).get("cellId")
    if cell is None:
        return
    run, widgets = _shown.get(cell, (-1, []))
    if run != shell.execution_count:
        for old in widgets:
            old.close()
        widgets = []
    _shown[cell] = (shell.execution_count, [*widgets, widget])
