"""Scrub through training and watch where items go, and whose company they change."""

from __future__ import annotations

from typing import Any, Self

import numpy as np
from jaxtyping import Float

from adar_viz.displays import Display, EmbeddingDrift
from adar_viz.trace import (
    NULL_JITTER,
    Trace,
    aligned,
    joint_map,
    map_drift,
    map_quality,
    neighbour_overlap,
    neighbours,
    null_drift,
    popular_members,
    snapshots_since,
)
from adar_viz.widgets.packing import quantised, room, rounded
from adar_viz.widgets.view import State, View, titles

NEAR = 5
"""Nearest items that are listed for the selected one."""


class DriftExplorer(View):
    """Items on one map for all snapshots, with the trails and the ranking of those that changed most.

    Attributes
    ----------
    epoch : int
        Snapshot that is shown; trails end there.
    projection : str
        ``pca``, the joint principal plane, or ``stored``, the AlignedUMAP of the trace.
    points : bytes
        Coordinates, (projection, epoch, item, 2).
    display : EmbeddingDrift
    """

    question = "Which items does training move, and into whose company?"
    cannot = (
        "The whole space: a map holds a part of the variance and of the neighbours; it says how much. The ranking and "
        "the list of nearest items are computed in the whole space.",
        "Rotations: snapshots are known up to a turn only, which is taken out; what turned as one did not move here.",
        "Small moves on the second opinion: AlignedUMAP moves items even where nothing moved; the null says how far.",
        "Whether moving was good: that is what the validation metrics say.",
    )
    _script = "drift_explorer.js"

    epoch = State(0)
    projection = State("pca")

    @classmethod
    def from_trace(
        cls, trace: Trace, since: int | None = None, popular: int = 300, most: int = 12, k: int = 10
    ) -> Self:
        """Make the explorer for the snapshots of a run.

        Parameters
        ----------
        trace
            With at least two snapshots of item embeddings from ``since`` on; a stored map is a second projection.
        since
            First epoch that is looked at; 0 is before training, None takes `adar_viz.trace.settled_epoch`: before
            it neighbourhoods change as much as expected by chance.
        popular
            How many of the followed items are shown, the most popular ones.
        most
            How many of those that changed most have a trail and a place in the ranking.
        k
            How many nearest items make a neighbourhood.
        """
        epochs, chosen = snapshots_since(trace, since)
        members = popular_members(trace, popular)
        x = aligned(np.asarray(trace["snapshot_item_embedding"], dtype=np.float64)[chosen][:, members])
        maps = _maps(trace, x, chosen, members)
        options: dict[str, Any] = {"since": int(epochs[0]), "popular": popular, "k": k}
        shown = EmbeddingDrift.from_trace(trace, most=min(most, 12), **options)
        item, changed = shown.item, [1 - neighbour_overlap(x[0], later, k).mean() for later in x]
        names = titles(trace)
        sides = [room(xy, square=True) for xy, _, _ in maps.values()]
        scene = {
            "heading": "Where items went in training",
            "intro": f"The {len(item)} most popular of the followed items, on one map for all epochs, turned onto the "
            "last one. Arrow keys step through the epochs, Space plays; click an item, or choose one from a list.",
            "choices": {"epoch": epochs.tolist(), "projection": list(maps)},
            "names": {str(i): names[str(i)] for i in item.tolist()},
            "items": item.tolist(),
            "code": cls.call(since=int(epochs[0]), popular=popular, most=most, k=k),
            "k": k,
            "chance": rounded(shown.chance),
            "most": shown.order[:most].tolist(),
            "change": rounded(shown.change),
            "changed": rounded(changed),
            "near": [neighbours(now, NEAR).tolist() for now in x],
            "maps": [_facts(xy, quality, null) for xy, quality, null in maps.values()],
        }
        points = b"".join(quantised(xy, s) for (xy, _, _), s in zip(maps.values(), sides, strict=True))
        made = cls(shown, scene, points, epoch=epochs.tolist()[len(epochs) // 2])
        made._trace, made._options = trace, options
        return made

    def picture(self) -> Display:
        """Draw the trails of the items that changed most, and of the selected one, on the present projection."""
        most = [self.scene["items"][i] for i in self.scene["most"]]
        also = [] if self.selected < 0 or self.selected in most else [self.selected]
        return EmbeddingDrift.from_trace(
            self._trace, items=[*most, *also], method=str(self.projection), **self._options
        )

    def now(self) -> dict[str, Any]:
        """Say what is shown: the state, how far items have moved, and the nearest items of the selected one."""
        at, scene = self.scene["choices"]["epoch"].index(self.epoch), self.scene
        place = scene["items"].index(self.selected) if self.selected in scene["items"] else None
        near = [] if place is None else [scene["names"][str(scene["items"][i])] for i in scene["near"][at][place]]
        drift = scene["maps"][scene["choices"]["projection"].index(self.projection)]["drift"][at]
        return super().now() | {"drift": drift, "changed": scene["changed"][at], "nearest": near}


Placed = tuple[Float[np.ndarray, "snapshot item 2"], list[str], float]


def _maps(
    trace: Trace, x: Float[np.ndarray, "snapshot item dim"], chosen: np.ndarray, members: np.ndarray
) -> dict[str, Placed]:
    """Place the items by each projection, with the quality in words and the drift where nothing moved."""
    xy, explained = joint_map(x)
    held = f"joint principal plane: {explained:.0%} of the variance"
    maps: dict[str, Placed] = {"pca": (xy, [held, *_kept(x[-1], xy[-1])], null_drift(x[-1], NULL_JITTER))}
    if "snapshot_item_map" in trace:
        stored = trace["snapshot_item_map"][chosen][:, members].astype(np.float64)
        if np.isfinite(stored).all():
            null = float(trace.meta["maps"]["null_drift"])
            maps["stored"] = (stored, ["AlignedUMAP: a second opinion", *_kept(x[-1], stored[-1])], null)
    return maps


def _kept(space: Float[np.ndarray, "item dim"], xy: Float[np.ndarray, "item 2"]) -> list[str]:
    trust, overlap = map_quality(space, xy, 10)
    # Two short lines: a phone's width cuts neither.
    return [f"keeps {overlap:.0%} of the nearest items", f"trustworthiness {trust:.2f} (chance 0.5)"]


def _facts(xy: Float[np.ndarray, "snapshot item 2"], quality: list[str], null: float) -> dict[str, Any]:
    drift = [map_drift(np.stack([xy[0], now])) for now in xy]
    return {"quality": quality, "null": rounded(null), "drift": rounded(drift)}
