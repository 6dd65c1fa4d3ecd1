"""One picture each: computed from a trace, drawn, tabulated, described and saved."""

from adar_viz.displays.decision_boundary import DecisionBoundary
from adar_viz.displays.display import FORMATS, Display
from adar_viz.displays.embedding_drift import EmbeddingDrift
from adar_viz.displays.forest_plot import ForestPlot
from adar_viz.displays.noise_schedule import NoiseSchedule
from adar_viz.displays.timestep_hardness import TimestepHardness
from adar_viz.displays.training_curves import TrainingCurves
from adar_viz.displays.transition_map import TransitionMap
from adar_viz.displays.walk import Walk

__all__ = [
    "FORMATS",
    "DecisionBoundary",
    "Display",
    "EmbeddingDrift",
    "ForestPlot",
    "NoiseSchedule",
    "TimestepHardness",
    "TrainingCurves",
    "TransitionMap",
    "Walk",
]
