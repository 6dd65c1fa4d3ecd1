"""Make the files of the two lessons, from the synthetic world alone.

``python notebooks/exercises/make_lessons.py split`` writes ``published/``, a data set as somebody
might publish it, with a mistake in it. ``… make_lessons.py grid`` trains every arm at every L2 and
writes ``l2_grid.csv``; it takes some minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

HERE = Path(__file__).parent

ARMS = {
    "one uniform": "uniform",
    "two uniform": "uniform(2)",
    "uniform + made": "adar(ground=None)",
    "uniform + copy": "adar(ground=None, target=fixed(1.0), clamp=(0, 1))",
}
"""Negatives of each row: one or two drawn at random; one drawn and one made by ADAR, with noise or (a copy) without."""
WEIGHTS, SEEDS = (1e-4, 1e-3, 1e-2, 3e-2, 1e-1, 3e-1), (0, 1)


def make_split(share: float = 0.4) -> None:
    """Write train and test files in which some test pairs were put back into the training file."""
    from adar_viz.datasets import World, split

    parts = split(World(num_users=200, num_items=400, mean_activity=20, exposure=0.6, seed=11).interactions, seed=11)
    back = np.random.default_rng(11).random(len(parts.test)) < share
    train = pd.concat([pairs_of(parts.train), pairs_of(parts.validation), pairs_of(parts.test)[back]])
    folder = HERE / "published"
    folder.mkdir(exist_ok=True)
    for name, pairs in (("train", train), ("test", pairs_of(parts.test))):
        lines = [" ".join(map(str, [user, *sorted(items)])) for user, items in pairs.groupby("user")["item"]]
        (folder / f"{name}.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def pairs_of(interactions) -> pd.DataFrame:
    """Return users and items as a table."""
    return pd.DataFrame({"user": interactions.user, "item": interactions.item})


def make_grid() -> None:
    """Train every arm at every L2 with every seed, and write what validation and test say."""
    rows = [train(arm, l2, seed) for arm in ARMS for l2 in WEIGHTS for seed in SEEDS]
    pd.DataFrame(rows).to_csv(HERE / "l2_grid.csv", index=False, float_format="%.5f")


def train(arm: str, l2: float, seed: int) -> dict[str, str | float]:
    """Train once; the best epoch is selected on validation, and the test is looked at once."""
    from adar_viz.evaluation import evaluate
    from adar_viz.experiment import Experiment, prepare
    from adar_viz.training import TrainingPlan

    plan = TrainingPlan(seed=seed, l2=l2, learning_rate=3e-3, epochs=120, patience=6)
    parts = prepare(Experiment(negatives=ARMS[arm], dim=32, plan=plan))
    best = max(report.metrics["ndcg@20"] for report in parts.fit(plan) if report.metrics)
    test = evaluate(parts.backbone, parts.split, "test").metrics["ndcg@20"]
    print(f"{arm}, L2 {l2:g}, seed {seed}: validation {best:.4f}, test {test:.4f}", flush=True)
    return {"arm": arm, "l2": f"{l2:g}", "seed": seed, "validation": best, "test": test}


if __name__ == "__main__":
    for asked in sys.argv[1:] or ("split", "grid"):
        {"split": make_split, "grid": make_grid}[asked]()
