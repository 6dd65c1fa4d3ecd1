"""Every figure of the project, drawn from one manifest by the displays that the notebooks use.

A figure is its picture (PDF, SVG, PNG) and its numbers (CSV). The lock beside them records what
each was made from, so that `check` can say which one no longer matches its data.
"""

from adar_viz.figures.checking import check
from adar_viz.figures.drawing import LOCK, draw
from adar_viz.figures.manifest import DISPLAYS, MANIFEST, Figure, FigureError, choose, read_manifest

__all__ = ["DISPLAYS", "LOCK", "MANIFEST", "Figure", "FigureError", "check", "choose", "draw", "read_manifest"]
