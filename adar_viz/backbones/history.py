"""What sequential backbones share: histories without their padding, and the L2 penalty."""

from __future__ import annotations

from collections.abc import Callable

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from adar_viz.backbones.regularisation import half_squared_norm, without_synthetic
from adar_viz.core import NO_ITEM, Batch


def move_left(
    history: Int[Tensor, "sequence length"] | None, longest: int
) -> tuple[Int[Tensor, "sequence length"], Bool[Tensor, "sequence length"]]:
    """Move each history's items to the front, where nothing causal can see the padding.

    Returns
    -------
    item
        The items in time order, then the newest repeated: every id is an item's.
    is_row
        True at the history's items; row-major, these are the rows of the batch.

    Raises
    ------
    ValueError
        There is no history, it is longer than ``longest``, or its padding is not on the left.
    """
    if history is None:
        raise ValueError("a sequential backbone needs Batch.history; got None")
    length = history.shape[1]
    if length > longest:
        raise ValueError(f"a history may have at most history_length = {longest} items; got {length}")
    real = history != NO_ITEM
    if bool((real[:, :-1] & ~real[:, 1:]).any()):
        raise ValueError("a history is padded on its left alone; got padding after an item")
    count = real.sum(1, keepdim=True)
    place = torch.arange(length, device=history.device)
    newest_at_last = (place + length - count).clamp(max=length - 1)
    return history.gather(1, newest_at_last).clamp(min=0), place < count


def encode_by_length(
    embed: Callable[[Tensor], Tensor],
    encode: Callable[[Tensor, Tensor], Tensor],
    item: Int[Tensor, "sequence length"],
    is_row: Bool[Tensor, "sequence length"],
) -> Float[Tensor, "row dim"]:
    """Encode sequences of like length together, so that little of the work is padding.

    Lengths up to the same power of two form a group, cut to its longest: less than half of it is
    padding, where one long history would pad all others to its own length.

    Parameters
    ----------
    embed
        Item ids to vectors, one more axis; called once: a gradient of the whole table each time is dear.
    encode
        ``(vectors (sequence, length, dim), count (sequence,)) -> (sequence, length, dim)``, causal.
    item, is_row
        As `move_left` returns them.

    Returns
    -------
    Float[Tensor, "row dim"]
        The states at all items, row-major.
    """
    count = is_row.sum(1)
    row = is_row.flatten().cumsum(0).view_as(is_row) - 1  # where it is one
    power = count.clamp(min=1).log2().ceil()
    members = [(power == each).nonzero().squeeze(1) for each in sorted(set(power.tolist()))]
    longest = [max(1, int(count[member].max())) for member in members]
    parts = [item[member, :length] for member, length in zip(members, longest, strict=True)]
    vectors = torch.split(embed(torch.cat([part.flatten() for part in parts])), [part.numel() for part in parts])
    states, rows = [], []
    for member, length, vector in zip(members, longest, vectors, strict=True):
        mask = is_row[member, :length]
        states.append(encode(vector.view(*mask.shape, -1), count[member])[mask])
        rows.append(row[member, :length][mask])
    return torch.cat(states)[torch.cat(rows).argsort()]


def sequential_l2(item: nn.Embedding, batch: Batch, negative: Int[Tensor, "#row k"]) -> Float[Tensor, ""]:
    """Half the squared norm of a row's item embeddings, averaged over rows.

    The newest item of the history stands where collaborative filtering has the user's vector.
    """
    if batch.history is None:
        raise ValueError("a sequential backbone needs Batch.history; got None")
    newest = batch.history[batch.history != NO_ITEM]
    negative = without_synthetic(negative)
    return half_squared_norm(item(newest), item(batch.positive), item(negative.clamp(min=0)), negative >= 0)
