"""The closed form in JavaScript and in Python give the same numbers, to 1e-6: in Node, and in the browser itself."""

from __future__ import annotations

import itertools
import json
import shutil
import subprocess

import numpy as np
import pytest
from scipy.special import ndtr, ndtri

from adar_viz.trace import Trace, already_negative, law_probability, what_if
from adar_viz.trace.schedules import SCHEDULES
from adar_viz.transition import BOUNDARIES, SCORE_AWARE
from adar_viz.widgets import HardnessExplorer
from adar_viz.widgets.view import own_script

SCRIPT = own_script("transition.js")
CONSTANTS = {
    "threshold": [{"level": 0.2}, {"level": 0.5}, {"level": 0.9}],
    "ahns": [{"alpha": 0.5, "beta": 2.0, "p": -1.5}],
    "snr": [{"c": 0.7}],
    "relative": [{"kappa": -0.4}, {"kappa": 0.8}],
    "margin": [{"delta": 0.5, "unit": "sd"}, {"delta": 1.5, "unit": "score"}],
    "fixed": [{"level": 0.3}],
}
RULES = [(name, constants) for name, several in CONSTANTS.items() for constants in several]
BOUNDS = [("quantile", {"z": 1.28}), ("constant", {"value": 0.0}), ("constant", {"value": -0.7})]
LEVELS = [("linear", 50, 1.0), ("cosine", 37, 2.0), ("sigmoid", 200, 0.5)]


def in_node(script: str) -> object:
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on the PATH: the same numbers are compared in the browser tests")
    done = subprocess.run(
        [node, "-"],
        input=f"console.log(JSON.stringify((() => {{{script}}})()))",
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)


@pytest.fixture(params=["node", pytest.param("chromium", marks=pytest.mark.browser)])
def javascript(request):
    """Run a function body in JavaScript and return what it returns."""
    if request.param == "node":
        return in_node
    page = request.getfixturevalue("watch")().page
    return lambda script: page.evaluate(f"() => {{{script}}}")


def test_the_normal_distribution(javascript):
    z = np.concatenate([np.linspace(-12, 12, 241), [2.9999999, 3.0, 3.0000001]])
    p = np.array([1e-6, 0.02, 0.5, 0.7, 0.98])
    found = javascript(f"{SCRIPT} return [{z.tolist()}.map(normalCdf), {p.tolist()}.map(normalQuantile)];")
    np.testing.assert_allclose(found[0], ndtr(z), rtol=1e-9, atol=1e-15)
    np.testing.assert_allclose(found[1], ndtri(p), rtol=1e-9, atol=1e-9)


def test_schedules(javascript):
    asked = [(name, T) for name in SCHEDULES for T in (20, 50, 113)]
    found = javascript(f"{SCRIPT} return {json.dumps(asked)}.map(([name, T]) => SCHEDULES[name](T));")
    for (name, T), levels in zip(asked, found, strict=True):
        np.testing.assert_allclose(levels, SCHEDULES[name](T), rtol=1e-10, err_msg=f"{name} {T}")


def test_the_transition_of_every_pair_under_every_rule(javascript, law_trace):
    low = np.where(np.arange(120) % 5 == 0, law_trace["pair_score"] - 3, law_trace["pair_score"])
    trace = Trace(law_trace.meta, {**law_trace.arrays, "pair_score": low})
    explorer = HardnessExplorer.from_trace(trace)
    cases = list(itertools.product(RULES, BOUNDS, LEVELS))
    settings = [
        {**explorer.state, "target": rule, **constants, "boundary": bound, **limits, "schedule": s, "T": T, "noise": n}
        for (rule, constants), (bound, limits), (s, T, n) in cases
    ]
    found = javascript(
        f"{SCRIPT} const pairs = {json.dumps(explorer.scene['pairs'])};"
        f"return {json.dumps(settings)}.map((one) => whatIf(pairs, "
        "{ ...one, alphaBar: SCHEDULES[one.schedule](one.T), clamp: [0.05, 0.95] }));"
    )
    order = trace.take("pair", np.argsort(trace["pair_score"], kind="stable"))
    for ((rule, constants), (bound, limits), (s, T, n)), pairs in zip(cases, found, strict=True):
        says = f"{rule} {constants} {bound} {limits} {s} {T}"
        expected = what_if(
            order,
            target=SCORE_AWARE[rule](**constants),
            boundary=BOUNDARIES[bound](**limits),
            schedule=s,
            num_timesteps=T,
            noise=n,
        )
        wanted = np.array([np.nan if pair["wanted"] is None else pair["wanted"] for pair in pairs], dtype=float)
        np.testing.assert_allclose(wanted, expected["transition_alpha_bar"], atol=1e-6, err_msg=says)
        np.testing.assert_allclose(
            [p["probability"] for p in pairs], law_probability(expected), atol=1e-6, err_msg=says
        )
        np.testing.assert_array_equal([p["t"] for p in pairs], expected["transition_timestep"], err_msg=says)
        np.testing.assert_array_equal([p["clamped"] for p in pairs], expected["clamped"], err_msg=says)
        np.testing.assert_array_equal([p["already"] for p in pairs], already_negative(expected), err_msg=says)
    explorer.close()


def test_every_rule_is_compared(javascript):
    assert CONSTANTS.keys() == SCORE_AWARE.keys() - {"random"}
    names = javascript(f"{SCRIPT} return [...Object.keys(WANTED), 'threshold', 'fixed'];")
    assert set(names) == CONSTANTS.keys()
