"""What a sampler may announce to an observer: plain facts, one frozen dataclass each.

Tensors in an event belong to the sampler. An observer that keeps one must clone it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jaxtyping import Bool, Float, Int
from torch import Tensor


@dataclass(frozen=True)
class Pool:
    """Candidates that a method chose from, with their scores."""

    item: Int[Tensor, "row candidate"]
    score: Float[Tensor, "row candidate"]


@dataclass(frozen=True)
class Transition:
    """Where the positive of each row was found to turn negative."""

    timestep: Int[Tensor, " row"]
    alpha_bar: Float[Tensor, " row"]
    boundary: Float[Tensor, " row"]
    """Score below which the row counts as negative (nan: the rule has no boundary)."""
    positive_score: Float[Tensor, " row"]
    clamped: Bool[Tensor, " row"]
    """The rule asked for a timestep outside the allowed range, or for none at all."""


@dataclass(frozen=True)
class Diffused:
    """A vector made by diffusion, in the embedding space of the backbone."""

    timestep: Int[Tensor, " row"]
    embedding: Float[Tensor, "row dim"]
    score: Float[Tensor, " row"]


@dataclass(frozen=True)
class Mixed:
    """Negatives made by mixing embeddings of real items."""

    item: Int[Tensor, "row candidate"]
    weight: Float[Tensor, "row candidate"]


@dataclass(frozen=True)
class Drawn:
    """The negatives that a training step used, with their scores; announced by the training loop."""

    user: Int[Tensor, " row"]
    positive: Int[Tensor, " row"]
    item: Int[Tensor, "row k"]
    positive_score: Float[Tensor, " row"]
    negative_score: Float[Tensor, "row k"]
    weight: Float[Tensor, "row k"] | None
    log_prob: Float[Tensor, "row k"] | None
    embedding: Float[Tensor, "#row k dim"]
    """One row, where all rows share their negatives."""
    encoded: Any
    """The `adar_viz.core.Encoded` of the rows, which stands a floor above: for a look at the rest of the catalogue."""


Event = Pool | Transition | Diffused | Mixed | Drawn
