"""A trace keeps what was put in, refuses what the schema does not know, and opens without pickle."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest

from adar_viz.trace import SCHEMA, Trace, TraceError, schema_table, trace_file
from adar_viz.trace.schema import SCHEMA_VERSION
from adar_viz.trace.table import META_ENTRY

META = {
    "run": "r",
    "dataset": "d",
    "data_checksum": "c",
    "backbone": "mf",
    "negatives": "adar(forward)",
    "seed": 0,
    "version": "0.1.0",
}


def small() -> Trace:
    arrays = {
        "alpha_bar": np.array([1.0, 0.5, 0.1]),
        "pair_user": np.array([0, 1, 1]),
        "pair_score": np.array([2.0, 1.0, 0.5], dtype=np.float32),
        "score": np.arange(18, dtype=np.float32).reshape(3, 3, 2),
        "walk_pair": np.array([2, 0]),
        "walk_source": np.array(["forward", "reverse"]),
        "item_title": np.array(["Café — “Ω”", "", "x" * 200]),
    }
    return Trace(META, arrays)


def test_what_is_saved_is_what_is_loaded(tmp_path):
    trace = small()
    again = Trace.load(trace.save(tmp_path / "deep" / "trace.npz"))
    assert dict(again.meta) == META
    assert again.arrays.keys() == trace.arrays.keys()
    for name in trace.arrays:
        assert again[name].dtype == trace[name].dtype
        np.testing.assert_array_equal(again[name], trace[name])
    assert again.checksum() == trace.checksum()


def test_saving_twice_gives_the_same_bytes_and_leaves_nothing_else(tmp_path):
    first, second = small().save(tmp_path / "a.npz"), small().save(tmp_path / "b.npz")
    assert first.read_bytes() == second.read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a.npz", "b.npz"]


def test_a_run_folder_stands_for_the_trace_in_it(tmp_path):
    path = small().save(tmp_path / "trace.npz")
    assert Trace.load(tmp_path).checksum() == Trace.load(path).checksum()
    assert trace_file(tmp_path) == trace_file(path) == path
    (tmp_path / "empty").mkdir()
    with pytest.raises(FileNotFoundError, match=r"no trace at .*empty.trace\.npz"):
        Trace.load(tmp_path / "empty")


def test_an_interrupted_save_keeps_the_old_file(tmp_path, monkeypatch):
    path = small().save(tmp_path / "trace.npz")
    before = path.read_bytes()

    def fail(*args: object, **kwargs: object) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(np.lib.format, "write_array", fail)
    with pytest.raises(OSError, match="disk full"):
        small().save(path)
    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["trace.npz"]


def test_the_checksum_tells_arrays_apart():
    trace = small()
    changed = Trace(META, {**trace.arrays, "pair_score": trace["pair_score"] + 1})
    assert changed.checksum() != trace.checksum()
    assert changed.checksum(["score"]) == trace.checksum(["score"])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"scores": np.zeros(3)}, "unknown array 'scores'"),
        ({"pair_score": np.zeros(4)}, "axis pair is 4 long in pair_score but 3 in pair_user"),
        ({"score": np.zeros((3, 3))}, r"score must have axes \(pair, timestep, draw\)"),
        ({"pair_user": np.zeros(3)}, "pair_user must be of kind int"),
        ({"alpha_bar": np.array([0.9, 0.5, 0.1])}, "alpha_bar must start at 1"),
        ({"alpha_bar": np.array([1.0, 0.1, 0.5])}, "never rise"),
        ({"walk_source": np.array(["forward", "sideways"])}, "sideways"),
        ({"walk_pair": np.array([3, 0])}, r"walk_pair must lie in \[0, 3\)"),
        ({"item_title": np.array([None, "a", "b"], dtype=object)}, "item_title must be of kind str"),
    ],
)
def test_what_does_not_fit_the_schema_is_refused(change, message):
    with pytest.raises(TraceError, match=message):
        Trace(META, {**small().arrays, **change})


def test_meta_must_be_whole_and_plain():
    with pytest.raises(TraceError, match="seed missing"):
        Trace({k: v for k, v in META.items() if k != "seed"}, {})
    with pytest.raises(TraceError, match="JSON values only"):
        Trace({**META, "sigma": np.float32(1)}, {})


def test_files_that_are_no_trace_give_one_clear_error(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"no trace at .*gone\.npz"):
        Trace.load(tmp_path / "gone.npz")
    (tmp_path / "text.npz").write_text("hello")
    np.savez(tmp_path / "plain.npz", a=np.zeros(3))
    for name in ("text.npz", "plain.npz"):
        with pytest.raises(TraceError, match="is not a trace"):
            Trace.load(tmp_path / name)


@pytest.mark.parametrize("name", ["pair_score", "item_embedding", "noise", "snapshot_user_embedding"])
def test_gaps_that_would_spoil_every_picture_are_named_with_the_file(law_trace, tmp_path, name):
    spoiled = np.array(law_trace[name])
    spoiled.flat[0] = np.nan
    path = Trace(law_trace.meta, {**law_trace.arrays, name: spoiled}).save(tmp_path / "t.npz")
    with pytest.raises(TraceError, match=f"t.npz: {name} must be finite; got nan or infinity"):
        Trace.load(path)


def test_a_gap_is_allowed_where_the_schema_knows_of_it_and_an_infinity_nowhere(law_trace, tmp_path):
    for value in (np.nan, np.inf):
        boundary = np.array(law_trace["boundary"])
        boundary[0] = value
        path = Trace(law_trace.meta, {**law_trace.arrays, "boundary": boundary}).save(tmp_path / f"{value}.npz")
    assert np.isnan(Trace.load(tmp_path / "nan.npz")["boundary"][0])
    with pytest.raises(TraceError, match=r"inf.npz: boundary must hold no infinity; got 1 of 120"):
        Trace.load(path)


@pytest.mark.parametrize(
    ("fact", "says"),
    [
        ({"sigma": "x"}, "meta: sigma must be a number; got 'x'"),
        ({"target": "margin"}, "meta: target must be a table with a name; got 'margin'"),
        ({"boundary": {}}, "meta: boundary must be a table with a name; got {}"),
        ({"clamp": [0.5]}, r"meta: clamp must be two numbers; got \[0.5\]"),
    ],
)
def test_facts_of_another_kind_are_refused(law_trace, fact, says):
    with pytest.raises(TraceError, match=says):
        Trace({**law_trace.meta, **fact}, law_trace.arrays)


def test_what_does_not_fit_is_named_with_the_file(law_trace, tmp_path):
    path = law_trace.save(tmp_path / "t.npz")
    with np.load(path) as stored:
        arrays = {name: stored[name] for name in stored.files}
    arrays["pair_score"] = arrays["pair_score"][:3]
    np.savez(path, **arrays)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(META_ENTRY, json.dumps({"schema_version": SCHEMA_VERSION, **law_trace.meta}))
    with pytest.raises(TraceError, match=r"t.npz: axis pair is"):
        Trace.load(path)


def test_a_fact_that_is_not_told_is_named(law_trace):
    assert law_trace.fact("sigma") == law_trace.meta["sigma"]
    silent = Trace({k: v for k, v in law_trace.meta.items() if k != "sigma"}, law_trace.arrays)
    with pytest.raises(TraceError, match="trace of run 'law' does not tell its sigma"):
        silent.fact("sigma")


def test_a_newer_file_is_named_as_such(tmp_path):
    with zipfile.ZipFile(tmp_path / "new.npz", "w") as archive:
        archive.writestr("meta.json", json.dumps({"schema_version": 99, **META}))
    with pytest.raises(TraceError, match="schema version 99; this adar_viz reads version 1"):
        Trace.load(tmp_path / "new.npz")


def test_pickled_arrays_are_never_opened(tmp_path):
    with zipfile.ZipFile(tmp_path / "bad.npz", "w") as archive:
        archive.writestr("meta.json", json.dumps({"schema_version": 1, **META}))
        with archive.open("item_title.npy", "w") as entry:
            np.lib.format.write_array(entry, np.array(["a", None], dtype=object), allow_pickle=True)
    with pytest.raises(TraceError, match="damaged"):
        Trace.load(tmp_path / "bad.npz")


def test_arrays_cannot_be_changed_and_missing_ones_are_listed():
    trace = small()
    with pytest.raises(ValueError, match="read-only"):
        trace["pair_score"][0] = 9
    with pytest.raises(TraceError, match="lacks epoch, loss"):
        trace.require("pair_score", "epoch", "loss")


def test_taking_pairs_keeps_their_walks_and_renumbers_them():
    trace = small().take("pair", [2, 1])
    np.testing.assert_array_equal(trace["pair_score"], np.array([0.5, 1.0], dtype=np.float32))
    np.testing.assert_array_equal(trace["walk_pair"], [0])
    assert trace["walk_source"].tolist() == ["forward"]
    assert small().take("draw", [1])["score"].shape == (3, 3, 1)
    with pytest.raises(ValueError, match="thinned"):
        small().take("item", [0])


def test_a_mask_takes_where_it_is_true():
    trace = small()
    mask = np.array([False, True, True])
    np.testing.assert_array_equal(trace.take("pair", mask)["pair_score"], trace["pair_score"][1:])
    assert trace.take("pair", mask).checksum() == trace.take("pair", [1, 2]).checksum()
    assert trace.take("pair", np.zeros(3, dtype=bool)).sizes["pair"] == 0


@pytest.mark.parametrize(
    ("index", "message"),
    [
        ([True, False], "a mask of axis pair must be 3 long; got 2"),
        ([0.5, 1.9], "index of axis pair must be integers or a mask; got dtype float64"),
        (["a"], "index of axis pair must be integers or a mask; got dtype <U1"),
        ([0, 3], r"index of axis pair must lie in \[0, 3\); got 0 to 3"),
        ([-1], r"index of axis pair must lie in \[0, 3\); got -1 to -1"),
        (0, r"index of axis pair must be a list of positions; got shape \(\)"),
    ],
)
def test_an_index_that_is_none_says_what_was_expected(index, message):
    with pytest.raises(ValueError, match=message):
        small().take("pair", index)


def test_ten_thousand_pairs_by_fifty_timesteps_are_small(tmp_path):
    rng = np.random.default_rng(0)
    arrays = {
        "alpha_bar": np.linspace(1, 0, 51),
        "score": rng.standard_normal((10_000, 51, 16), dtype=np.float32),
        **{name: rng.standard_normal(10_000) for name in ("pair_score", "noise", "boundary", "mean", "sd")},
    }
    path = Trace(META, arrays).save(tmp_path / "big.npz")
    assert Trace.load(path)["score"].shape == (10_000, 51, 16)
    assert path.stat().st_size < 60e6


def test_the_docstring_lists_every_array():
    assert Trace.__doc__ is not None
    assert all(name in Trace.__doc__ for name in SCHEMA)
    assert len(schema_table().splitlines()) == len(SCHEMA) + 1
