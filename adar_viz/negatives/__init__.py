"""Negative samplers: one paper, one file, one class."""

from adar_viz.negatives.adar import ADAR as ADAR
from adar_viz.negatives.ahns import AHNS as AHNS
from adar_viz.negatives.dns import DNS as DNS
from adar_viz.negatives.everything import AllItems as AllItems
from adar_viz.negatives.mixgcf import MixGCF as MixGCF
from adar_viz.negatives.popularity import Popularity as Popularity
from adar_viz.negatives.sources import SOURCES as SOURCES
from adar_viz.negatives.sources import Forward as Forward
from adar_viz.negatives.sources import Noiseless as Noiseless
from adar_viz.negatives.sources import Renoise as Renoise
from adar_viz.negatives.sources import Reverse as Reverse
from adar_viz.negatives.uniform import Uniform as Uniform
