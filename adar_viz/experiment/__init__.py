"""One typed configuration to one run folder: train, watch, test, and keep everything to draw it again."""

from adar_viz.experiment.configuration import TABLES, Experiment, ExperimentError
from adar_viz.experiment.folder import (
    CHECKPOINT,
    TRACE,
    Result,
    default_folder,
    describe,
    read_json,
    read_result,
    write_text,
)
from adar_viz.experiment.parts import Parts, check_specs, prepare
from adar_viz.experiment.running import demo_run, run
from adar_viz.experiment.watching import count_false_negatives, trace_of

__all__ = [
    "CHECKPOINT",
    "TABLES",
    "TRACE",
    "Experiment",
    "ExperimentError",
    "Parts",
    "Result",
    "check_specs",
    "count_false_negatives",
    "default_folder",
    "demo_run",
    "describe",
    "prepare",
    "read_json",
    "read_result",
    "run",
    "trace_of",
    "write_text",
]
