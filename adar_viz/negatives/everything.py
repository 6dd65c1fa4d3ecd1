"""All items: what a full softmax over the catalogue competes with."""

from __future__ import annotations

from dataclasses import dataclass

import torch

from adar_viz.core import Context, Negatives, Observer, ignore


@dataclass(frozen=True)
class AllItems:
    """Every item of the catalogue but the row's positive; nothing is drawn.

    With `adar_viz.losses.Softmax` this is the full cross-entropy. The rows share one table of
    embeddings, so that a step needs O(row x item) memory, not O(row x item x dim). Samplers that
    choose from a pool need a pool of each row's own: this is none.

    Notes
    -----
    As usual in full cross-entropy, the user's other known positives count as negatives here: the
    one sampler of which this is true. A row's own positive has weight 0. L2 counts the mean over the
    whole catalogue. It announces nothing: the training loop does, with all scores.
    """

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Return the catalogue."""
        table, positive = context.encoded.table(), context.positive
        weight = table.new_ones(len(positive), len(table)).scatter_(1, positive.unsqueeze(1), 0)
        return Negatives(table.unsqueeze(0), torch.arange(len(table), device=table.device).unsqueeze(0), weight=weight)
