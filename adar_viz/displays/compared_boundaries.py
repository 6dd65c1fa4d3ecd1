"""One user's boundary at the same epoch of two runs: what another sampler draws, and where it leads."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Self

from adar_viz.displays.moving_boundary import MovingBoundary, signal_at
from adar_viz.trace import TOP_TENTH, Trace, run_names, user_moments


class ComparedBoundaries(MovingBoundary):
    """The picture of `MovingBoundary`, for one user and one epoch of two runs on the same data.

    Both panels have the same axes, in units of the score; heights belong to two spaces and cannot be
    compared. Everything else is as in `MovingBoundary`.
    """

    columns = 2
    own_scale: ClassVar[bool] = False

    @classmethod
    def from_traces(
        cls,
        traces: Sequence[Trace],
        user: int | None = None,
        epoch: int | None = None,
        timestep: int | None = None,
        z: float = TOP_TENTH,
    ) -> Self:
        """Compute for two runs.

        Parameters
        ----------
        traces
            Two, of the same data and the same split, so that users and items are the same.
        user
            Row of ``user_label``; None takes `adar_viz.trace.typical_user` of the first run.
        epoch
            One of which both have a snapshot; None takes the last such one.
        timestep
            t of the synthetic negatives; None takes half of T.
        z
            Boundary: ``mean + z sd`` of the user's scores of all items at that epoch.
        """
        if len(traces) != cls.columns:
            raise ValueError(f"traces must be {cls.columns}; got {len(traces)}")
        data = [str(trace.meta["data_checksum"]) for trace in traces]
        if len(set(data)) > 1:
            raise ValueError(f"traces must be of the same data; got the checksums {', '.join(d[:8] for d in data)}")
        shared = set.intersection(*(set(trace["snapshot_epoch"].tolist()) for trace in traces))
        epoch = max(shared, default=None) if epoch is None else epoch
        if epoch not in shared:
            raise ValueError(f"epoch must be one of which both have a snapshot, {sorted(shared)}; got {epoch}")
        first = user_moments(traces[0], user, z)
        found = [first, *(user_moments(trace, first[0].user, z) for trace in traces[1:])]
        t = traces[0].num_timesteps // 2 if timestep is None else timestep
        return cls(
            [f"{name}, epoch {epoch}" for name in run_names(traces)],
            [next(m for m in moments if m.epoch == epoch) for moments in found],
            str(traces[0]["user_label"][first[0].user]),
            t,
            [signal_at(trace, t) for trace in traces],
            traces[0].meta,
        )
