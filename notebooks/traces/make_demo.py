"""Make the traces that the notebooks read: train on the synthetic world, once with each sampler, keep what they show.

Run it with ``python notebooks/traces/make_demo.py``. It trains every run anew, a quarter of a minute each, so that no
trace of an older version is taken, and maps the items of the first one with UMAP, a minute or two. Names after the
command make these alone: ``… make_demo.py uniform dns``.
"""

from __future__ import annotations

import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np

from adar_viz.experiment import TRACE, demo_run
from adar_viz.trace import SCHEMA, Trace, with_maps

HERE, MEGABYTES = Path(__file__).parent, 3

RUNS = {
    "demo": "adar",
    "uniform": "uniform",
    "dns": "dns(uniform(16))",
    "adar_ungrounded": "adar(ground=None)",
    "popularity": "popularity",
    "dns4": "dns(uniform(4))",
    "mixgcf": "mixgcf",
    "ahns": "ahns",
}
"""Name of each file, and the negative sampler of its run."""

PAIRS, DRAWS = {"demo": 200, "uniform": 100, "dns": 100, "dns4": 100, "adar_ungrounded": 100}, {"demo": 32}
"""How many pairs are kept, and noise draws of each; a run that is not named keeps its training record alone."""
SNAPSHOTS = ("demo", "uniform", "dns")
"""Runs whose embeddings over training are kept."""
MAPPED = "demo"
"""The run whose items are mapped."""


def main(names: list[str]) -> None:
    """Train, thin and save."""
    for name in names or RUNS:
        with TemporaryDirectory() as runs:
            trace = thinned(name, Trace.load(demo_run("synthetic", 0, RUNS[name], runs=Path(runs)) / TRACE))
        trace = with_maps(trace) if name == MAPPED else trace
        path = trace.save(HERE / f"{name}.npz")
        size = path.stat().st_size / 1e6
        if size > MEGABYTES:
            raise SystemExit(f"{path} must be at most {MEGABYTES} MB; got {size:.1f}")
        print(f"{path}: {size:.1f} MB, {trace!r}")


def thinned(name: str, trace: Trace) -> Trace:
    """Keep what the views show of a run; walks of the first one alone."""
    if name not in PAIRS:
        return trace.without(*of_axis("pair", "walk", "snapshot", "member_user", "member_item", "item", "user"))
    sizes = trace.sizes
    # Pairs with a walk come first, so that they are kept.
    walked = np.unique(trace["walk_pair"])
    others = np.setdiff1d(np.arange(sizes["pair"]), walked)
    spaced = others[np.linspace(0, len(others) - 1, min(PAIRS[name] - len(walked), len(others))).astype(int)]
    trace = trace.take("pair", np.concatenate([walked, spaced]))
    trace = trace.take("draw", range(min(DRAWS.get(name, 16), sizes["draw"])))
    trace = trace if name == "demo" else trace.without(*of_axis("walk"))
    return trace if name in SNAPSHOTS else trace.without(*of_axis("snapshot", "member_user", "member_item"))


def of_axis(*axes: str) -> list[str]:
    """Names of the arrays that have one of the axes; what the groups of users and items are stays."""
    return [name for name, column in SCHEMA.items() if set(axes) & set(column.axes)]


if __name__ == "__main__":
    main(sys.argv[1:])
