"""What was seen in a run: a table of named NumPy arrays, how to measure it, and planes to look at it in."""

from adar_viz.trace.schema import META, REQUIRED_META, SCHEMA, SCHEMA_VERSION, Column, schema_table
from adar_viz.trace.table import Trace, TraceError

__all__ = ["META", "REQUIRED_META", "SCHEMA", "SCHEMA_VERSION", "Column", "Trace", "TraceError", "schema_table"]
