"""Views to play with: one widget each, beside the display of the same name for print."""

from adar_viz.widgets.hardness_explorer import HardnessExplorer
from adar_viz.widgets.view import State, View, link
from adar_viz.widgets.walk_scrubber import WalkScrubber

__all__ = ["HardnessExplorer", "State", "View", "WalkScrubber", "link"]
