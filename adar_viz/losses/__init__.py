"""Losses: scores of the positive and its negatives to one value for each row."""

from adar_viz.losses.bpr import BPR as BPR
