"""The configuration: everything that decides a run, and the names that it may use."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from adar_viz.backbones import MF, GRU4Rec, LightGCN, SASRec
from adar_viz.losses import BCE, BPR, GBCE, Softmax
from adar_viz.negatives import ADAR, AHNS, DNS, SOURCES, AllItems, MixGCF, Popularity, Uniform
from adar_viz.training import TrainingPlan
from adar_viz.transition import BOUNDARIES, SCORE_AWARE

TABLES: Mapping[str, Mapping[str, type]] = {
    "backbone": {"gru4rec": GRU4Rec, "lightgcn": LightGCN, "mf": MF, "sasrec": SASRec},
    "negatives": {
        "adar": ADAR,
        "ahns": AHNS,
        "all_items": AllItems,
        "dns": DNS,
        "mixgcf": MixGCF,
        "popularity": Popularity,
        "uniform": Uniform,
    },
    "loss": {"bce": BCE, "bpr": BPR, "gbce": GBCE, "softmax": Softmax},
    "source": SOURCES,
    "target": SCORE_AWARE,
    "boundary": BOUNDARIES,
}
"""The names that a configuration may use. Add a class of your own to its table, and its name is one of them."""


class ExperimentError(ValueError):
    """A configuration that cannot be run, or a run folder that belongs to another one."""


@dataclass(frozen=True)
class Experiment:
    """Everything that decides a run.

    Attributes
    ----------
    data
        ``synthetic``, a known name, or a path; ``pairs:my/file.txt`` is a path with its format.
    split
        The rule (`adar_viz.datasets.split`), with settings if wanted: ``ratio(test=0.2)``; None is the
        data's own. ``as-published`` selects on the test, as much published code does: asked for by
        this name alone, and said by every result.
    min_rating, k_core
        Filters; ``"default"`` is the threshold that belongs to a known set.
    overlap
        What to do about test pairs of a published split that are training pairs too: ``raise``,
        ``drop`` or ``keep``.
    backbone, negatives, loss
        Specs, such as ``adar(source=reverse, target=margin(1.0))``.
    dim
        Width of the embeddings.
    plan
        How to train; ``plan.seed`` is the seed of everything, the split included.
    """

    data: str = "synthetic"
    split: str | None = None
    min_rating: float | Literal["default"] | None = "default"
    k_core: int | None = None
    overlap: str = "raise"
    backbone: str = "mf"
    negatives: str = "adar"
    loss: str = "bpr"
    dim: int = 64
    plan: TrainingPlan = field(default_factory=TrainingPlan)

    def __post_init__(self) -> None:
        object.__setattr__(self, "data", str(self.data))  # a path of pathlib is welcome, too
