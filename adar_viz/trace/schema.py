"""What a trace may hold: one table of array names, axes, kinds, units and meanings.

Arrays that share an axis have the same length along it. Every array is optional; `Trace` refuses
names that are not in this table, so that a typing error is found when a trace is made.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

SCHEMA_VERSION = 1
"""Raised when an array changes its meaning; a new optional array does not raise it."""

SOURCES = ("forward", "reverse", "renoise")
"""Ways to make the vector x_t of a walk."""

_KINDS = {"float": np.floating, "int": np.integer, "bool": np.bool_, "str": np.str_}


@dataclass(frozen=True)
class Column:
    """One array of a trace: its axes, the kind of its elements, their unit and what they mean."""

    axes: tuple[str, ...]
    kind: str
    doc: str
    unit: str = ""

    def holds(self, dtype: np.dtype[np.generic]) -> bool:
        """Whether an array of this dtype is of the column's kind."""
        return bool(np.issubdtype(dtype, _KINDS[self.kind]))


SCHEMA: Mapping[str, Column] = {
    # the noise schedule
    "alpha_bar": Column(("timestep",), "float", "share of signal left at t; alpha_bar[0] = 1, length T + 1"),
    # observed pairs and where they turn negative
    "pair_user": Column(("pair",), "int", "user of the pair: row of `user_label`", "id"),
    "pair_item": Column(("pair",), "int", "positive item of the pair: row of `item_label`", "id"),
    "pair_score": Column(("pair",), "float", "s, score of the positive for its user", "score"),
    "query_norm": Column(("pair",), "float", "nu, length of the query (user or state)", "embedding"),
    "noise": Column(("pair",), "float", "n = nu * sigma, noise of the score at alpha_bar = 0", "score"),
    "boundary": Column(("pair",), "float", "b, score below which the pair counts as negative (nan: none)", "score"),
    "mean": Column(("pair",), "float", "mean of the user's scores over the catalogue", "score"),
    "sd": Column(("pair",), "float", "standard deviation of the user's scores over the catalogue", "score"),
    "transition_timestep": Column(("pair",), "int", "t*, the timestep that the score-aware function chose", "timestep"),
    "transition_alpha_bar": Column(("pair",), "float", "alpha_bar* before it was rounded to a timestep"),
    "clamped": Column(("pair",), "bool", "t* was moved into the allowed range, or there was none"),
    "score": Column(("pair", "timestep", "draw"), "float", "score of x_t, forward, for several noise draws", "score"),
    # walks: x_t itself, for a few pairs
    "walk_pair": Column(("walk",), "int", "pair of the walk: index along `pair`", "index"),
    "walk_source": Column(("walk",), "str", "how x_t was made: forward, reverse or renoise"),
    "walk": Column(("walk", "timestep", "dim"), "float", "x_t; one noise draw serves all t of a walk", "embedding"),
    "walk_prediction": Column(
        ("walk", "timestep", "dim"), "float", "the denoiser's estimate of x_0 from x_t (at t = 0 x_t)", "embedding"
    ),
    "walk_query": Column(("walk", "dim"), "float", "query of the walk's user", "embedding"),
    # the catalogue
    "item_label": Column(("item",), "str", "the data set's own item id"),
    "item_title": Column(("item",), "str", "title (empty: unknown)"),
    "item_genre": Column(("item",), "str", "genres, joined by |"),
    "item_popularity": Column(("item",), "int", "training interactions of the item", "count"),
    "item_embedding": Column(("item", "dim"), "float", "item vectors at the end of training", "embedding"),
    "user_label": Column(("user",), "str", "the data set's own user id"),
    # training
    "epoch": Column(("epoch",), "int", "epochs that were recorded", "epoch"),
    "quantile": Column(("quantile",), "float", "levels of the quantiles below, in [0, 1]"),
    "hardness": Column(
        ("epoch", "quantile"), "float", "s_neg - s_pos of the drawn negatives; higher is harder", "score"
    ),
    "negative_score": Column(("epoch", "quantile"), "float", "scores of the drawn negatives", "score"),
    "positive_score": Column(("epoch", "quantile"), "float", "scores of the positives of the same rows", "score"),
    "catalogue_score": Column(("epoch", "quantile"), "float", "scores of all items for the users of the rows", "score"),
    "negative_percentile": Column(
        ("epoch", "quantile"), "float", "share of all items that score below the drawn negative for its user, in [0, 1]"
    ),
    "gradient_weight": Column(
        ("epoch", "quantile"),
        "float",
        "|d loss / d s_neg| of each drawn negative; BPR: sigmoid(s_neg - s_pos) times its share of the row's weight",
    ),
    "gradient_weight_mean": Column(("epoch",), "float", "mean of the same"),
    "timestep_quantile": Column(("epoch", "quantile"), "float", "chosen timestep t*", "timestep"),
    "diffused_hardness": Column(
        ("epoch", "quantile"), "float", "s(x_t*) - s_pos of what diffusion made, before any grounding", "score"
    ),
    "loss": Column(("epoch",), "float", "mean training loss"),
    "metric_name": Column(("metric",), "str", "names of the validation metrics, the selected one first"),
    "metric": Column(("epoch", "metric"), "float", "validation metrics (nan: not evaluated in this epoch)"),
    # false negatives among the drawn ones, where the truth is known; see `adar_viz.draws`
    "false_negative": Column(("epoch",), "float", "share of the judged draws that their users truly like, in [0, 1]"),
    "false_negative_interval": Column(
        ("epoch", "bound"), "float", "95 % interval of that share over all draws; the share itself where all are judged"
    ),
    "false_negative_by_activity": Column(("epoch", "user_group"), "float", "the same share in each group of users"),
    "false_negative_by_activity_interval": Column(("epoch", "user_group", "bound"), "float", "and its interval"),
    "false_negative_by_popularity": Column(("epoch", "item_group"), "float", "the same share in each group of items"),
    "false_negative_by_popularity_interval": Column(("epoch", "item_group", "bound"), "float", "and its interval"),
    "false_negative_gradient": Column(("epoch",), "float", "share of the judged draws' gradient weight on them"),
    "drawn_by_popularity": Column(("epoch", "item_group"), "float", "share of the draws that fall on each group"),
    "judged_draws": Column(("epoch",), "float", "draws that were looked up in the truth and judged there", "count"),
    "synthetic_share": Column(("epoch",), "float", "share of these draws that are synthetic: the nearest item decides"),
    "synthetic_own": Column(
        ("epoch",), "float", "share of the synthetic ones whose nearest item is their own positive"
    ),
    "synthetic_distance": Column(("epoch",), "float", "mean 1 - cosine to that nearest item (nan: none is synthetic)"),
    "user_group_activity": Column(
        ("user_group", "bound"), "float", "fewest and most training interactions of the users of a group", "count"
    ),
    "item_group_popularity": Column(
        ("item_group", "bound"), "float", "fewest and most training interactions of the items of a group", "count"
    ),
    # snapshots of embeddings over training
    "snapshot_epoch": Column(("snapshot",), "int", "epoch of each snapshot; 0 is before training", "epoch"),
    "snapshot_user": Column(("member_user",), "int", "users in the snapshots: rows of `user_label`", "id"),
    "snapshot_item": Column(("member_item",), "int", "items in the snapshots: rows of `item_label`", "id"),
    "snapshot_user_embedding": Column(("snapshot", "member_user", "dim"), "float", "their vectors", "embedding"),
    "snapshot_item_embedding": Column(("snapshot", "member_item", "dim"), "float", "their vectors", "embedding"),
    "snapshot_rms": Column(("snapshot",), "float", "root mean square of all item vectors: ADAR's sigma", "embedding"),
    "snapshot_user_mean": Column(("snapshot", "member_user"), "float", "mean of their scores of all items", "score"),
    "snapshot_user_sd": Column(("snapshot", "member_user"), "float", "standard deviation of these scores", "score"),
    "snapshot_user_negative": Column(
        ("snapshot", "member_user", "negative"),
        "int",
        "some items drawn as their negatives in the epoch that ended there (-1: synthetic, or no more)",
        "id",
    ),
    "snapshot_user_observed": Column(("member_user", "item"), "bool", "the item is a training positive of the user"),
    "snapshot_user_liked": Column(("member_user", "item"), "bool", "the user truly likes it, as far as is known"),
    # maps that are stored because they take long to make; to look at, not to measure on
    "item_map": Column(("item", "plane"), "float", "places on a map of `item_embedding` (UMAP)"),
    "snapshot_item_map": Column(
        ("snapshot", "member_item", "plane"),
        "float",
        "places on a joint map of the snapshots (AlignedUMAP; nan: left out)",
    ),
}

META: Mapping[str, str] = {
    "run": "name of the run folder",
    "dataset": "name of the data set",
    "data_checksum": "SHA-256 of the data that was read",
    "backbone": "name of the backbone",
    "negatives": "the negative sampler with its parameters, as one readable line",
    "seed": "seed of the run",
    "version": "version of adar_viz that wrote the trace",
    "schedule": "noise schedule: {name, T}",
    "target": "score-aware function: {name, and its parameters}",
    "boundary": "decision boundary: {name, and its parameters}",
    "sigma": "noise scale in embedding units",
    "clamp": "smallest and largest t* that the run allowed, as shares of T",
    "source": "where the negatives came from: forward, reverse or renoise",
    "maps": "how the stored maps were made: {method, its version and parameters, seed, null_drift}",
}
"""Facts about the run; the ones in `REQUIRED_META` must be there, others may be added."""

FINITE = frozenset(
    {"pair_score", "noise", "mean", "sd", "score", "walk", "walk_prediction", "walk_query", "item_embedding"}
    | {f"snapshot_{name}" for name in ("user_embedding", "item_embedding", "rms", "user_mean", "user_sd")}
)
"""Arrays in which a gap would spoil every picture. Others may have gaps (nan); infinities are nowhere allowed."""

REQUIRED_META = ("run", "dataset", "data_checksum", "backbone", "negatives", "seed", "version")


def schema_table() -> str:
    """Write the schema as a table for people: one array a line."""
    rows = [(name, "(" + ", ".join(c.axes) + ")", c.kind, c.unit, c.doc) for name, c in SCHEMA.items()]
    head = ("array", "axes", "kind", "unit", "meaning")
    width = [max(len(row[i]) for row in [head, *rows]) for i in range(4)]
    lines = [
        "  ".join([*(cell.ljust(w) for cell, w in zip(row, width, strict=False)), row[4]]) for row in [head, *rows]
    ]
    return "\n".join(line.rstrip() for line in lines)
