"""One picture each: computed from a trace, drawn, tabulated, described and saved."""

from adar_viz.displays.all_comparisons import AllComparisons
from adar_viz.displays.compared_boundaries import ComparedBoundaries
from adar_viz.displays.decision_boundary import DecisionBoundary
from adar_viz.displays.display import FORMATS, Display
from adar_viz.displays.drawn_scores import DrawnScores
from adar_viz.displays.embedding_drift import EmbeddingDrift
from adar_viz.displays.false_negatives import FalseNegatives
from adar_viz.displays.forest_plot import ForestPlot
from adar_viz.displays.hardness_map import HardnessMap
from adar_viz.displays.hardness_over_training import HardnessOverTraining
from adar_viz.displays.hardness_plane import HardnessPlane
from adar_viz.displays.item_map import ItemMap
from adar_viz.displays.moving_boundary import MovingBoundary
from adar_viz.displays.noise_schedule import NoiseSchedule
from adar_viz.displays.null_drift import NullDrift
from adar_viz.displays.one_step import OneStep
from adar_viz.displays.space_use import SpaceUse
from adar_viz.displays.timestep_hardness import TimestepHardness
from adar_viz.displays.training_curves import TrainingCurves
from adar_viz.displays.transition_histogram import TransitionHistogram
from adar_viz.displays.transition_map import TransitionMap
from adar_viz.displays.two_runs import TwoRuns
from adar_viz.displays.walk import Walk
from adar_viz.displays.walk_sources import WalkSources

__all__ = [
    "FORMATS",
    "AllComparisons",
    "ComparedBoundaries",
    "DecisionBoundary",
    "Display",
    "DrawnScores",
    "EmbeddingDrift",
    "FalseNegatives",
    "ForestPlot",
    "HardnessMap",
    "HardnessOverTraining",
    "HardnessPlane",
    "ItemMap",
    "MovingBoundary",
    "NoiseSchedule",
    "NullDrift",
    "OneStep",
    "SpaceUse",
    "TimestepHardness",
    "TrainingCurves",
    "TransitionHistogram",
    "TransitionMap",
    "TwoRuns",
    "Walk",
    "WalkSources",
]
