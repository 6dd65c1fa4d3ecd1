"""MixGCF: a negative put together from the hops of several items, and a little of the positive."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from adar_viz.core import NO_ITEM, Context, Negatives, NegativeSampler, Observer, ignore
from adar_viz.events import Mixed
from adar_viz.negatives import candidates
from adar_viz.negatives.uniform import Uniform


@dataclass(frozen=True)
class MixGCF:
    """Positive mixing and hop mixing (Huang et al. 2021, KDD).

    Every layer of every candidate is mixed with the same layer of the positive, by a share drawn
    uniformly from [0, 1) for each row and layer (equation of positive mixing). From each layer the
    candidate that best matches the user is taken (hop mixing), and their mean is the negative. It
    belongs to no item, but carries gradient to the items that it is mixed from and to the positive.

    Scoring takes O(row x M x layer x dim); only the chosen candidates are looked up with gradient.

    Parameters
    ----------
    pool : NegativeSampler
        Where the M candidates come from; they must be items.
    mix_positive : bool
        False leaves out positive mixing (an ablation of the paper).

    Notes
    -----
    As in the released code, the user's final vector judges every layer, and the share is the same
    for all candidates of a row. Layers are pooled by their mean, as `LightGCN` does. A backbone that
    exposes no layers has one: then this is `DNS`, mixed with the positive. L2 leaves the negative
    out, since it belongs to no item; the released code counts the layer-0 vectors of its parts.
    A backbone's own scorer is used layer by layer, as if each layer were a whole embedding.
    """

    pool: NegativeSampler = Uniform(num_negatives=64)
    mix_positive: bool = True

    def sample(self, context: Context, *, observe: Observer = ignore) -> Negatives:
        """Mix one negative for each row; announces what was `Mixed`.

        Raises
        ------
        ValueError
            The pool is none: see `adar_viz.negatives.candidates`.
        """
        with torch.no_grad():
            candidate = candidates.draw(self.pool, context).item
            positive = _layers(context, context.positive)
            share = positive.new_zeros(positive.shape[:-1])
            if self.mix_positive:
                share.uniform_(generator=context.generator)
            mixed = torch.lerp(_layers(context, candidate), positive.unsqueeze(1), share[:, None, :, None])
            item = candidate.gather(1, _best_of_each_layer(context, mixed))
        chosen = _layers(context, item).diagonal(dim1=1, dim2=2).transpose(1, 2)  # layer l of the l-th item
        embedding = torch.lerp(chosen, _layers(context, context.positive), share.unsqueeze(-1)).mean(1)
        if observe is not ignore:
            of_positive = share.mean(1, keepdim=True)
            parts = torch.cat([context.positive.unsqueeze(1), item], 1)
            observe(Mixed(parts, torch.cat([of_positive, (1 - share) / share.shape[1]], 1)))
        return Negatives(embedding.unsqueeze(1), torch.full_like(item[:, :1], NO_ITEM))


def _layers(context: Context, item: Int[Tensor, "*shape"]) -> Float[Tensor, "*shape layer dim"]:
    """Return the layers of items; a backbone without layers has one."""
    if context.encoded.layers is None:
        return context.encoded.lookup(item).unsqueeze(-2)
    return context.encoded.layers(None, item)


def _best_of_each_layer(context: Context, mixed: Float[Tensor, "row m layer dim"]) -> Int[Tensor, "row layer"]:
    num_rows, m, num_layers, dim = mixed.shape
    score = context.encoded.score(mixed.reshape(num_rows, m * num_layers, dim))
    return score.view(num_rows, m, num_layers).argmax(1)
