"""What an arm may spend: candidates looked at, negatives trained on, steps of the optimiser."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adar_viz.experiment import Experiment, prepare


@dataclass(frozen=True)
class Budget:
    """What one row and one epoch cost.

    Attributes
    ----------
    candidates
        Items that the sampler looks at for a row, to choose from.
    negatives
        Those that enter the row's loss; synthetic ones count.
    steps
        Of the optimiser, in an epoch.
    """

    candidates: int
    negatives: int
    steps: int


def budget_of(experiment: Experiment, split_seed: int) -> Budget:
    """Draw for a few rows and count; what a sampler chooses from is its ``pool`` (ADAR: ``ground``)."""
    parts = prepare(experiment, split_seed=split_seed)
    rows, sampler = parts.rows, parts.sampler
    pool = getattr(sampler, "pool", None) or getattr(sampler, "ground", None) or sampler
    negatives, candidates = (replace(parts, sampler=who).rehearse().item.shape[1] for who in (sampler, pool))
    size = experiment.plan.batch_size or rows.usual_batch_size
    return Budget(candidates, negatives, -(-len(rows) // size))
