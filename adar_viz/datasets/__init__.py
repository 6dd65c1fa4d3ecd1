"""Data: interactions, splits, readers of the field's formats, and a synthetic world with known truth.

NumPy and pandas only; nothing here imports torch.
"""

from adar_viz.datasets.errors import DataError
from adar_viz.datasets.interactions import Interactions
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
    "RULES",
    "DataError",
    "Interactions",
    "LeakError",
    "Leaks",
    "LongTail",
    "Split",
    "Truth",
    "World",
    "as_published",
    "check_leaks",
    "complete_users",
    "given",
    "leaks",
    "leave_one_out",
    "long_tail",
    "ratio",
    "temporal",
]
