"""What was seen in a run: a table of named NumPy arrays, how to measure it, and planes to look at it in."""

from adar_viz.trace.closed_form import what_if
from adar_viz.trace.drift import (
    NULL_JITTER,
    aligned,
    joint_map,
    map_drift,
    neighbour_overlap,
    neighbours,
    null_drift,
    null_snapshots,
    popular_members,
    settled_epoch,
    snapshots_since,
    turns,
)
from adar_viz.trace.maps import map_quality, with_maps
from adar_viz.trace.measures import (
    already_negative,
    boundaries,
    clearest_pair,
    counted_probability,
    first_below,
    item_names,
    law_probability,
    nearest_items,
    quantile_bands,
    walk_identity,
    walk_scores,
)
from adar_viz.trace.moment import UserMoment, followed, typical_user, user_moments
from adar_viz.trace.plane import UserPlane
from adar_viz.trace.runs import best_epoch, name_runs, run_names
from adar_viz.trace.schema import META, REQUIRED_META, SCHEMA, SCHEMA_VERSION, Column, schema_table
from adar_viz.trace.space import alignment, effective_rank, singular_values, uniformity
from adar_viz.trace.table import TRACE_FILE, Trace, TraceError, trace_file

__all__ = [
    "META",
    "NULL_JITTER",
    "REQUIRED_META",
    "SCHEMA",
    "SCHEMA_VERSION",
    "TRACE_FILE",
    "Column",
    "Trace",
    "TraceError",
    "UserMoment",
    "UserPlane",
    "aligned",
    "alignment",
    "already_negative",
    "best_epoch",
    "boundaries",
    "clearest_pair",
    "counted_probability",
    "effective_rank",
    "first_below",
    "followed",
    "item_names",
    "joint_map",
    "law_probability",
    "map_drift",
    "map_quality",
    "name_runs",
    "nearest_items",
    "neighbour_overlap",
    "neighbours",
    "null_drift",
    "null_snapshots",
    "popular_members",
    "quantile_bands",
    "run_names",
    "schema_table",
    "settled_epoch",
    "singular_values",
    "snapshots_since",
    "trace_file",
    "turns",
    "typical_user",
    "uniformity",
    "user_moments",
    "walk_identity",
    "walk_scores",
    "what_if",
    "with_maps",
]
