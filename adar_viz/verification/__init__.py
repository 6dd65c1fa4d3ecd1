"""Verification: published numbers, ours beside them under the same settings, and the difference."""

from adar_viz.verification.anchors import Anchor as Anchor
from adar_viz.verification.anchors import AnchorError as AnchorError
from adar_viz.verification.anchors import read_anchors as read_anchors
from adar_viz.verification.page import page as page
from adar_viz.verification.running import Found as Found
from adar_viz.verification.running import verify as verify
