"""What an arm costs: candidates looked at, negatives trained on, steps of the optimiser."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adar_viz.experiment import Experiment, Parts, prepare


@dataclass(frozen=True)
class Cost:
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


def cost_of(experiment: Experiment, split_seed: int) -> Cost:
    """Draw for a few rows, as late in training, and count."""
    parts = prepare(experiment, split_seed=split_seed)
    size = experiment.plan.batch_size or parts.rows.usual_batch_size
    return Cost(_candidates(parts), _negatives(parts), -(-len(parts.rows) // size))


def _negatives(parts: Parts) -> int:
    return parts.rehearse().item.shape[1]


def _candidates(parts: Parts) -> int:
    """Count through ``pool``, ``ground`` and ``beside`` down to the samplers that choose from nothing."""
    sampler = parts.sampler
    pool = getattr(sampler, "pool", None) or getattr(sampler, "ground", None)
    if pool is not None:
        return _candidates(replace(parts, sampler=pool))
    own, beside = _negatives(parts), getattr(sampler, "beside", None)
    if beside is None:
        return own
    sampled = replace(parts, sampler=beside)  # its negatives are among ``own``
    return own - _negatives(sampled) + _candidates(sampled)
