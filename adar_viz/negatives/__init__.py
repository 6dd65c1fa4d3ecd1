"""Negative samplers: one paper, one file, one class."""

from adar_viz.negatives.ahns import AHNS as AHNS
from adar_viz.negatives.dns import DNS as DNS
from adar_viz.negatives.mixgcf import MixGCF as MixGCF
from adar_viz.negatives.popularity import Popularity as Popularity
from adar_viz.negatives.uniform import Uniform as Uniform
