"""Backbones: a user or a history to an `adar_viz.core.Encoded`; they know no negatives."""

from adar_viz.backbones.mf import MF as MF
