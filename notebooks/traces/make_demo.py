"""Make the trace that the notebooks read: train on the synthetic world, keep what they show.

Run it with ``python notebooks/traces/make_demo.py``; it takes about as long as ``make figures``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from adar_viz.experiment import demo_run
from adar_viz.trace import Trace

PAIRS, DRAWS, MEGABYTES = 200, 32, 3


def main() -> None:
    """Train, thin and save."""
    trace = Trace.load(demo_run("synthetic", 0) / "trace.npz")
    sizes = trace.sizes
    # Pairs with a walk come first, so that they are kept.
    walked = np.unique(trace["walk_pair"])
    others = np.setdiff1d(np.arange(sizes["pair"]), walked)
    spaced = others[np.linspace(0, len(others) - 1, min(PAIRS - len(walked), len(others))).astype(int)]
    trace = trace.take("pair", np.concatenate([walked, spaced])).take("draw", range(min(DRAWS, sizes["draw"])))
    path = trace.save(Path(__file__).with_name("demo.npz"))
    size = path.stat().st_size / 1e6
    if size > MEGABYTES:
        raise SystemExit(f"the demo trace must be at most {MEGABYTES} MB; got {size:.1f}")
    print(f"{path}: {size:.1f} MB, {trace!r}")


if __name__ == "__main__":
    main()
