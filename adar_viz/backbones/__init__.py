"""Backbones: a user or a history to an `adar_viz.core.Encoded`; they know no negatives."""

from adar_viz.backbones.gru4rec import GRU4Rec as GRU4Rec
from adar_viz.backbones.lightgcn import LightGCN as LightGCN
from adar_viz.backbones.mf import MF as MF
from adar_viz.backbones.sasrec import SASRec as SASRec
