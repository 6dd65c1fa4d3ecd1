"""What was seen in a run: a table of named NumPy arrays, how to measure it, and planes to look at it in."""

from adar_viz.trace.measures import (
    boundaries,
    clearest_pair,
    counted_probability,
    first_below,
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
    "boundaries",
    "clearest_pair",
    "counted_probability",
    "first_below",
    "nearest_items",
    "quantile_bands",
    "schema_table",
    "walk_scores",
]
