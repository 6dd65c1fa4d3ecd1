"""Samplers side by side: the same data, the same number of trials for each, and intervals.

Every training is a *cell*: a folder named by a digest of its whole configuration. What a finished
cell holds is read, never made again, so a comparison that was cut off goes on where it was, and
one with more arms, seeds or trials trains only what is new.
"""

from adar_viz.comparison.arms import Arm as Arm
from adar_viz.comparison.bootstrap import bootstrap as bootstrap
from adar_viz.comparison.cells import Cell as Cell
from adar_viz.comparison.cells import Outcome as Outcome
from adar_viz.comparison.controls import CONTROLS as CONTROLS
from adar_viz.comparison.controls import equal_time as equal_time
from adar_viz.comparison.controls import with_controls as with_controls
from adar_viz.comparison.cost import Cost as Cost
from adar_viz.comparison.protocol import compare as compare
from adar_viz.comparison.table import Comparison as Comparison
from adar_viz.comparison.table import as_markdown as as_markdown
