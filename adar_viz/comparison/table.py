"""Arms side by side as a table: means, intervals, paired differences, and what each took."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pandas as pd
from jaxtyping import Float

import adar_viz
from adar_viz.comparison.arms import Arm
from adar_viz.comparison.bootstrap import basis, bootstrap, intervals
from adar_viz.experiment import Experiment

HEAD = (
    "difference",
    "learning rate",
    "l2",
    "candidates",
    "negatives",
    "updates",
    "best epoch",
    "seconds",
    "failed trials",
    "note",
)


EARLIER = "a bootstrap over users and seeds in which the spread of the seeds counted (seeds - 1) / seeds only"
"""Of tables that do not say what their intervals come from: they were made before these did."""


@dataclass(frozen=True, eq=False)
class Comparison:
    """Arms side by side.

    Attributes
    ----------
    base
        The configuration that all arms share.
    arms
        In the order given; differences are to the first.
    test : mapping of str to Float[np.ndarray, "arm seed user"]
        Metrics of every judged user, by name.
    checksum
        Of the training data.
    draws, seed
        Number of bootstrap draws, and their seed.
    """

    base: Experiment
    arms: Sequence[Arm]
    test: Mapping[str, Float[np.ndarray, "arm seed user"]]
    checksum: str = ""
    draws: int = 2000
    seed: int = 0

    @cached_property
    def frame(self) -> pd.DataFrame:
        """One line for each arm and metric: mean, 95 % intervals, difference, mean by seed, and what it took."""
        lines = []
        # All arms meet the same resampled users and seeds, so their differences are paired.
        every = bootstrap(np.concatenate([*self.test.values()]), self.draws, np.random.default_rng(self.seed))
        for (metric, values), drawn in zip(self.test.items(), np.split(every, len(self.test)), strict=True):
            by_seed = values.mean(2)
            mean = by_seed.mean(1)
            low, high = intervals(drawn, by_seed)
            least, most = intervals(drawn - drawn[0], by_seed - by_seed[0])
            for i, arm in enumerate(self.arms):
                interval = {"mean": mean[i], "low": low[i], "high": high[i]}
                paired = {"difference": mean[i] - mean[0], "difference_low": least[i], "difference_high": most[i]}
                seeds = " ".join(f"{value:.6g}" for value in by_seed[i])
                found = {"arm": arm.name, "metric": metric, **interval, **paired, "by_seed": seeds}
                lines.append({**found, **arm.effort()})
        _, num_seeds, num_users = next(iter(self.test.values())).shape
        return pd.DataFrame(lines).assign(
            intervals=basis(num_seeds),
            users=num_users,
            dataset=self.base.data,
            data_checksum=self.checksum,
            backbone=self.base.backbone,
            seed=self.base.plan.seed,
            version=adar_viz.__version__,
        )

    def csv(self) -> str:
        """Write the frame as CSV."""
        return self.frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")

    def markdown(self) -> str:
        """Write the metric that selected the epochs as a table, and the protocol as a sentence."""
        metric, base = self.base.plan.metric, self.base
        title = f"# {base.data}, {base.backbone}: {metric} on test"
        return "\n".join([title, "", *as_markdown(self.frame, metric)]) + "\n"


def as_markdown(frame: pd.DataFrame, metric: str) -> list[str]:
    """Write one metric of a comparison's frame: the protocol in words, then a line for each arm."""
    table = frame[frame["metric"] == metric].reset_index(drop=True)
    first = table.loc[0]
    return [
        f"{first['trials']} trials for each arm on validation, the best one trained with {first['seeds']} seeds on one "
        f"split, {first['users']} users judged. In brackets 95 % intervals from {first.get('intervals', EARLIER)}; "
        f"differences are paired, to `{first['arm']}`. Candidates are looked at for each row, negatives trained on.",
        "",
        f"| arm | {metric} | {' | '.join(HEAD)} |",
        "| --- " * (len(HEAD) + 2) + "|",
        *(_line(row, is_first=i == 0) for i, row in enumerate(table.to_dict("records"))),
    ]


def _line(row: Mapping[Any, Any], *, is_first: bool) -> str:
    tuned = "" if row["negatives"] == row["arm"] else f" as `{row['negatives']}`"
    about, note = (row[name] if isinstance(row[name], str) else "" for name in ("about", "notes"))  # nan in a CSV
    cells = [
        f"`{row['arm']}`{tuned}" + (f": {about}" if about else ""),
        _with_interval(row, "mean", "low", "high"),
        "–" if is_first else _with_interval(row, "difference", "difference_low", "difference_high", "+"),
        *(f"{row[name]:.2g}" for name in ("learning_rate", "l2")),
        *(str(row[name]) for name in ("candidates", "negatives_a_row", "updates")),
        *(f"{row[name]:.1f}" for name in ("best_epoch", "seconds")),
        str(row["failed_trials"]),
        note,
    ]
    return f"| {' | '.join(cells)} |"


def _with_interval(row: Mapping[Any, Any], middle: str, low: str, high: str, sign: str = "") -> str:
    return f"{row[middle]:{sign}.4f} [{row[low]:{sign}.4f}, {row[high]:{sign}.4f}]"
