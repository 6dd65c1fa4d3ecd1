"""Negative samplers: one paper, one file, one class."""

from adar_viz.negatives.dns import DNS as DNS
from adar_viz.negatives.popularity import Popularity as Popularity
from adar_viz.negatives.uniform import Uniform as Uniform
