"""Data: interactions, splits, readers of the field's formats, and a synthetic world with known truth.

NumPy and pandas only; nothing here imports torch.
"""

from adar_viz.datasets.catalogue import KNOWN, KnownSet
from adar_viz.datasets.dataset import Dataset
from adar_viz.datasets.errors import DataError
from adar_viz.datasets.interactions import Interactions
from adar_viz.datasets.loading import find, load, split
from adar_viz.datasets.readers import FORMATS, detect, read
from adar_viz.datasets.shape import LongTail, long_tail
from adar_viz.datasets.splits import (
    RULES,
    LeakError,
    Leaks,
    Split,
    as_published,
    check_leaks,
    given,
    leaks,
    leave_one_out,
    ratio,
    temporal,
)
from adar_viz.datasets.truth import Truth, complete_users
from adar_viz.datasets.world import World

__all__ = [
    "FORMATS",
    "KNOWN",
    "RULES",
    "DataError",
    "Dataset",
    "Interactions",
    "KnownSet",
    "LeakError",
    "Leaks",
    "LongTail",
    "Split",
    "Truth",
    "World",
    "as_published",
    "check_leaks",
    "complete_users",
    "detect",
    "find",
    "given",
    "leaks",
    "leave_one_out",
    "load",
    "long_tail",
    "ratio",
    "read",
    "split",
    "temporal",
]
