"""How long and how hard to train, and what is told of each epoch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class TrainingPlan:
    """How long and how hard to train.

    Attributes
    ----------
    epochs
        At most this many passes over the training rows.
    batch_size
        Rows or sequences in a step, over all processes; None is 2048 rows (collaborative filtering)
        or 256 sequences (sequential).
    learning_rate, l2
        Of Adam; ``l2`` multiplies `Backbone.l2`. Tune it for every sampler: an untuned ``l2``
        hides more than most samplers add.
    patience
        Stop after this many validations without a new best; None never stops early.
    validate_every
        Epochs between validations, and between checkpoints.
    metric
        The validation metric that selects the best epoch; higher is better.
    seed
        Of the order of the rows, the draws of the sampler and the dropout of the backbone.
    """

    epochs: int = 200
    batch_size: int | None = None
    learning_rate: float = 1e-3
    l2: float = 1e-4
    patience: int | None = 10
    validate_every: int = 1
    metric: str = "ndcg@20"
    seed: int = 0

    def __post_init__(self) -> None:
        for name in ("epochs", "validate_every", "batch_size", "patience"):
            value, optional = getattr(self, name), ", or None" * (name in ("batch_size", "patience"))
            if not (optional and value is None) and not (isinstance(value, int) and value >= 1):
                raise ValueError(f"{name} must be a whole number of at least 1{optional}; got {value}")
        if not self.learning_rate > 0:
            raise ValueError(f"learning_rate must be above 0; got {self.learning_rate}")
        if not self.l2 >= 0:
            raise ValueError(f"l2 must be at least 0; got {self.l2}")
        if self.seed < 0:
            raise ValueError(f"seed must be at least 0; got {self.seed}")


@dataclass(frozen=True)
class EpochReport:
    """What happened in one epoch: means over its steps, and the validation metrics if taken."""

    epoch: int
    seconds: float
    losses: Mapping[str, float]
    sampler: Mapping[str, float] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)
    is_best: bool = False
    resumed: bool = False
    """Read from a checkpoint: an earlier process trained this epoch."""
