"""Training: one loop for every backbone, sampler and loss, on one process or many."""

from adar_viz.training.loop import fit
from adar_viz.training.objective import Objective, make_optimizer
from adar_viz.training.plan import EpochReport, TrainingPlan
from adar_viz.training.seeds import seeded
from adar_viz.training.terms import CHECK_EVERY, TrainingDiverged

__all__ = [
    "CHECK_EVERY",
    "EpochReport",
    "Objective",
    "TrainingDiverged",
    "TrainingPlan",
    "fit",
    "make_optimizer",
    "seeded",
]
