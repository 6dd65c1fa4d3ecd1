"""What was seen in a run: a table of named NumPy arrays, how to measure it, and planes to look at it in."""

from adar_viz.trace.drift import aligned, joint_map, map_drift, neighbour_overlap, neighbours, null_drift
from adar_viz.trace.measures import (
    boundaries,
    clearest_pair,
    counted_probability,
    first_below,
    item_names,
    nearest_items,
    quantile_bands,
    walk_scores,
)
from adar_viz.trace.plane import UserPlane
from adar_viz.trace.schema import META, REQUIRED_META, SCHEMA, SCHEMA_VERSION, Column, schema_table
from adar_viz.trace.table import Trace, TraceError

__all__ = [
    "META",
    "REQUIRED_META",
    "SCHEMA",
    "SCHEMA_VERSION",
    "Column",
    "Trace",
    "TraceError",
    "UserPlane",
    "aligned",
    "boundaries",
    "clearest_pair",
    "counted_probability",
    "first_below",
    "item_names",
    "joint_map",
    "map_drift",
    "nearest_items",
    "neighbour_overlap",
    "neighbours",
    "null_drift",
    "quantile_bands",
    "schema_table",
    "walk_scores",
]
