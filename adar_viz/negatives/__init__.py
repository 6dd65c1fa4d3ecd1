"""Negative samplers: one paper, one file, one class."""

from adar_viz.negatives.uniform import Uniform as Uniform
