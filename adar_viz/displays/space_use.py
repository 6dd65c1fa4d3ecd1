"""How the embeddings use their space over training: a collapse would show in every panel."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

import numpy as np
import pandas as pd
from jaxtyping import Float, Int
from matplotlib.axes import Axes

from adar_viz.displays import style
from adar_viz.displays.display import Display
from adar_viz.trace import Trace, alignment, effective_rank, quantile_bands, singular_values, uniformity

_LEVELS = (0.05, 0.25, 0.5, 0.75, 0.95)


class SpaceUse(Display):
    """Alignment, uniformity, norms and singular values of the followed embeddings at each snapshot.

    Attributes
    ----------
    epoch : Int[ndarray, "snapshot"]
    alignment : Float[ndarray, "snapshot"]
        Of users with the items they took; nan without users.
    uniformity : Float[ndarray, "snapshot 2"]
        Of items and of users (nan without users).
    norm : Float[ndarray, "snapshot quantile"]
        Length of the item vectors: 5 %, 25 %, 50 %, 75 % and 95 % quantiles.
    spectrum : Float[ndarray, "snapshot dim"]
        Singular values of the items, the largest being 1.
    rank : Float[ndarray, "snapshot"]
        Effective rank: how many directions are in use.
    alignment_, norm_ : Line2D
    uniformity_, spectrum_ : list of Line2D
    """

    rows = 2
    columns = 2
    size = (7.2, 4.6)

    def __init__(
        self,
        epoch: Int[np.ndarray, " snapshot"],
        wang: tuple[Float[np.ndarray, " snapshot"], Float[np.ndarray, "snapshot 2"]],
        norm: Float[np.ndarray, "snapshot quantile"],
        spectrum: Float[np.ndarray, "snapshot dim"],
        stamp: Mapping[str, Any],
    ) -> None:
        super().__init__(stamp)
        self.epoch, (self.alignment, self.uniformity), self.norm = epoch, wang, norm
        self.spectrum, self.rank = spectrum, np.array([effective_rank(values) for values in spectrum])

    @classmethod
    def from_trace(cls, trace: Trace) -> Self:
        """Compute from the snapshots of a trace; without users only the items are measured."""
        trace.require("snapshot_epoch", "snapshot_item", "snapshot_item_embedding")
        items = np.asarray(trace["snapshot_item_embedding"], dtype=np.float64)
        nothing = np.full(len(items), np.nan)
        of_users, aligned = nothing, nothing
        if "snapshot_user_embedding" in trace and "snapshot_user_observed" in trace:
            users = np.asarray(trace["snapshot_user_embedding"], dtype=np.float64)
            observed = trace["snapshot_user_observed"][:, trace["snapshot_item"]]
            aligned = np.array([alignment(u, x, observed) for u, x in zip(users, items, strict=True)])
            of_users = np.array([uniformity(u) for u in users])
        norm = quantile_bands(np.linalg.norm(items, axis=-1), _LEVELS, axis=1).T
        uniform = np.stack([[uniformity(x) for x in items], of_users], axis=1)
        spectrum = np.stack([singular_values(x) for x in items])
        return cls(trace["snapshot_epoch"], (aligned, uniform), norm, spectrum, trace.meta)

    def _draw(self, axes: tuple[Axes, ...], color: str) -> None:
        close, even, length, spectrum = axes
        # Snapshots become rarer in training: evenly spaced they show its beginning, too.
        at = np.arange(len(self.epoch))
        ticks = np.unique(np.linspace(0, len(at) - 1, 7).astype(int))
        for ax in (close, even, length):
            ax.set(xticks=ticks, xticklabels=self.epoch[ticks].astype(str), xlabel="epoch", xlim=(0, at[-1]))
        (self.alignment_,) = close.plot(at, self.alignment, color=color, marker="o", clip_on=False)
        close.set(title="Alignment: users near their items?", ylabel="squared distance", ylim=(0, 2.2))
        self._note(close, 2.0, "as far as expected by chance")
        self.uniformity_, named = [], []
        for column, (name, colour, dash) in enumerate((("items", color, "-"), ("users", style.BLACK, "--"))):
            self.uniformity_ += even.plot(at, self.uniformity[:, column], dash, color=colour)
            named += [(self.uniformity[-1, column], name, colour)] if np.isfinite(self.uniformity[-1, column]) else []
        bottom = min(-4.2, float(np.nanmin(self.uniformity)) - 0.2)  # few items can lie further apart than many
        even.set(title="Uniformity: spread all around?", ylabel="log mean potential", ylim=(bottom, 0.3))
        style.label_ends(even, 1, *zip(*named, strict=True))
        self._note(even, 0.0, "all in one place: collapse")
        for low, high, alpha in ((0, 4, 0.15), (1, 3, 0.3)):
            length.fill_between(at, self.norm[:, low], self.norm[:, high], color=color, alpha=alpha, lw=0)
        (self.norm_,) = length.plot(at, self.norm[:, 2], color=color)
        length.set(title="Norms: none run away?", ylabel="length of item vectors", ylim=(0, None))
        self._draw_spectrum(spectrum, color)

    def _note(self, ax: Axes, y: float, words: str) -> None:
        ax.axhline(y, color=style.RUST, lw=0.8, ls=":")
        ax.annotate(
            words, (1.0, y), xycoords=("axes fraction", "data"), xytext=(0, -2), textcoords="offset points",
            ha="right", va="top", color=style.RUST, fontsize="small",
        )  # fmt: skip

    def _draw_spectrum(self, ax: Axes, color: str) -> None:
        dim = np.arange(1, self.spectrum.shape[1] + 1)
        chosen = np.unique(np.linspace(0, len(self.epoch) - 1, 3).astype(int))
        self.spectrum_ = []
        for at, dash, colour in zip(chosen, (":", "--", "-"), (style.GREY, style.BLACK, color), strict=False):
            label = f"epoch {self.epoch[at]}: rank {self.rank[at]:.1f}"
            self.spectrum_ += ax.plot(dim, self.spectrum[at], dash, color=colour, label=label)
        ax.set(title="Singular values: all directions used?", xlabel="direction", ylabel="share of the largest")
        ax.set(ylim=(0, 1.75), yticks=[0, 0.5, 1])
        ax.legend(frameon=False, loc="upper right", fontsize="small")

    def frame(self) -> pd.DataFrame:
        """One row for each snapshot: epoch and the measures; singular values in columns of their own."""
        table = pd.DataFrame(
            {
                "epoch": self.epoch,
                "alignment": self.alignment,
                "uniformity_items": self.uniformity[:, 0],
                "uniformity_users": self.uniformity[:, 1],
                **{f"norm_{level:.0%}": self.norm[:, i] for i, level in enumerate(_LEVELS)},
                "effective_rank": self.rank,
            }
        )
        values = pd.DataFrame(self.spectrum, columns=[f"singular_{i + 1}" for i in range(self.spectrum.shape[1])])
        return pd.concat([table, values], axis=1)

    def describe(self) -> str:
        """Say how each measure changes from the first snapshot to the last."""
        first, last = 0, -1
        users = (
            ""
            if np.isnan(self.alignment[last])
            else f"the distance of users from their items goes from {self.alignment[first]:.2f} to "
            f"{self.alignment[last]:.2f} (by chance: about 2), "
        )
        return (
            f"From epoch {self.epoch[first]} to {self.epoch[last]} {users}the uniformity of items from "
            f"{self.uniformity[first, 0]:.2f} to {self.uniformity[last, 0]:.2f} (0 is collapse), their median length "
            f"from {self.norm[first, 2]:.2f} to {self.norm[last, 2]:.2f}, and their effective rank from "
            f"{self.rank[first]:.1f} to {self.rank[last]:.1f} of {self.spectrum.shape[1]} directions."
        )
