"""Names that tell runs apart, and the epoch each is judged at."""

from __future__ import annotations

import numpy as np

from adar_viz.trace import Trace, best_epoch, run_names


def of(trace, **meta):
    return Trace({**trace.meta, **meta}, {})


def test_runs_are_named_by_what_differs(law_trace):
    lines = ["dns(pool=uniform(num_negatives=16), n=1)", "dns(pool=uniform(num_negatives=4), n=1)", "uniform"]
    names = run_names([of(law_trace, negatives=line) for line in lines])
    assert names == ["dns (pool=uniform(num_negatives=16))", "dns (pool=uniform(num_negatives=4))", "uniform"]
    assert run_names([of(law_trace, negatives="uniform(num_negatives=1)")]) == ["uniform"]
    assert run_names([of(law_trace, negatives="uniform", seed=s) for s in (0, 1)]) == [
        "uniform (seed=0)",
        "uniform (seed=1)",
    ]
    assert run_names([of(law_trace, negatives="uniform")] * 2) == ["uniform #1", "uniform #2"]
    assert run_names([of(law_trace, negatives="my own, hard")]) == ["my own, hard"]


def test_the_kept_epoch_is_the_best_of_those_that_were_evaluated(law_trace):
    metric = law_trace["metric"].copy()
    metric[:, 0] = np.nan
    metric[[3, 7], 0] = 0.5, 0.4
    assert best_epoch(Trace(law_trace.meta, {**law_trace.arrays, "metric": metric})) == 3
    assert best_epoch(Trace(law_trace.meta, {**law_trace.arrays, "metric": metric * np.nan})) == 19
    assert best_epoch(law_trace.without("metric", "metric_name")) == 19
