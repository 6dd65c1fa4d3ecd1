"""Names that tell runs apart, and the epoch each is judged at."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.trace import Trace, best_epoch, name_runs, run_names


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


def test_names_that_are_given_are_as_many_as_the_traces(law_trace):
    traces = [of(law_trace, negatives=line) for line in ("uniform", "dns")]
    assert name_runs(traces, None, most=2) == ["uniform", "dns"]
    assert name_runs(traces, ["easy", "hard"], most=4) == ["easy", "hard"]
    with pytest.raises(ValueError, match="names must be 2, one for each trace; got 1"):
        name_runs(traces, ["easy"], most=2)
    with pytest.raises(ValueError, match="names must tell the traces apart; got easy, easy"):
        name_runs(traces, ["easy", "easy"], most=2)
    with pytest.raises(ValueError, match="traces must be 1 to 1; got 2"):
        name_runs(traces, None, most=1)


def test_the_kept_epoch_is_the_best_of_those_that_were_evaluated(law_trace):
    metric = law_trace["metric"].copy()
    metric[:, 0] = np.nan
    metric[[3, 7], 0] = 0.5, 0.4
    assert best_epoch(Trace(law_trace.meta, {**law_trace.arrays, "metric": metric})) == 3
    assert best_epoch(Trace(law_trace.meta, {**law_trace.arrays, "metric": metric * np.nan})) == 19
    assert best_epoch(law_trace.without("metric", "metric_name")) == 19
