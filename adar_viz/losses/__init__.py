"""Losses: scores of the positive and its negatives to one value for each row."""

from adar_viz.losses.bce import BCE as BCE
from adar_viz.losses.bpr import BPR as BPR
from adar_viz.losses.gbce import GBCE as GBCE
from adar_viz.losses.softmax import Softmax as Softmax
