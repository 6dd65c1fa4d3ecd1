"""Views to play with: one widget each, beside the display of the same name for print."""

from adar_viz.widgets.boundary_explorer import BoundaryComparison, BoundaryExplorer
from adar_viz.widgets.drift_explorer import DriftExplorer
from adar_viz.widgets.hardness_explorer import HardnessExplorer
from adar_viz.widgets.sampler_explorer import SamplerExplorer
from adar_viz.widgets.two_runs_explorer import TwoRunsExplorer
from adar_viz.widgets.view import State, View, link
from adar_viz.widgets.walk_scrubber import WalkScrubber

__all__ = [
    "BoundaryComparison",
    "BoundaryExplorer",
    "DriftExplorer",
    "HardnessExplorer",
    "SamplerExplorer",
    "State",
    "TwoRunsExplorer",
    "View",
    "WalkScrubber",
    "link",
]
