"""Evaluation: full ranking with stated conventions, and how many negatives were false."""

from adar_viz.evaluation.conventions import Conventions as Conventions
from adar_viz.evaluation.false_negatives import FalseNegatives as FalseNegatives
from adar_viz.evaluation.false_negatives import false_negative_rate as false_negative_rate
from adar_viz.evaluation.false_negatives import nearest_items as nearest_items
from adar_viz.evaluation.full_ranking import Evaluation as Evaluation
from adar_viz.evaluation.full_ranking import by_popularity as by_popularity
from adar_viz.evaluation.full_ranking import evaluate as evaluate
from adar_viz.evaluation.full_ranking import require_judge as require_judge
from adar_viz.evaluation.full_ranking import require_metric as require_metric
from adar_viz.evaluation.queries import device_of as device_of
from adar_viz.evaluation.queries import evaluating as evaluating
