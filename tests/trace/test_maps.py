"""What stored maps are worth; making them takes a minute and is tested on a few items."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest

from adar_viz.cli import main
from adar_viz.trace import Trace, map_quality, neighbour_overlap


def test_the_quality_is_perfect_for_the_space_itself_and_chance_for_an_unrelated_map():
    rng = np.random.default_rng(0)
    x, other = rng.standard_normal((2, 300, 2))
    assert map_quality(x, x, 10) == (1, 1)
    trust, overlap = map_quality(x, other, 10)
    assert trust == pytest.approx(0.5, abs=0.05)
    assert overlap == neighbour_overlap(x, other, 10).mean()
    assert overlap < 0.1


def test_of_a_large_catalogue_a_part_is_measured():
    x = np.random.default_rng(1).standard_normal((4000, 2))
    assert map_quality(x, x, 5) == (1, 1)


def test_nothing_that_is_shown_loads_numba():
    code = "import adar_viz.displays, adar_viz.widgets, sys; assert not {'umap', 'numba', 'sklearn'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.slow
def test_the_command_adds_maps_that_keep_planted_genres_together(law_trace, tmp_path, capsys):
    path = law_trace.without("item_map", "snapshot_item_map").save(tmp_path / "trace.npz")
    code = f"import sys; from adar_viz.cli import main; sys.exit(main(['map', {str(path)!r}]))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert "trustworthiness 0." in done.stdout
    mapped = Trace.load(path)
    assert mapped["item_map"].shape == (240, 2)
    assert mapped["snapshot_item_map"].shape == (6, 60, 2)
    assert 0 < mapped.meta["maps"]["null_drift"] < 1
    trust, _ = map_quality(mapped["item_embedding"], mapped["item_map"], 10)
    assert trust > 0.85


def test_the_command_refuses_what_is_no_trace(tmp_path, capsys):
    assert main(["map", str(tmp_path / "none.npz")]) == 2
    assert "no trace at" in capsys.readouterr().err


def test_more_neighbours_than_a_map_has_items_are_refused(law_trace, tmp_path, capsys):
    snapshots = law_trace.save(tmp_path / "snapshots.npz")
    plain = law_trace.without(*(n for n in law_trace.arrays if n.startswith("snapshot"))).save(tmp_path / "plain.npz")
    for path, items in ((snapshots, 60), (plain, 240)):
        assert main(["map", str(path), "--neighbors", str(items)]) == 2
        said = f"--neighbors must be below {items}, the number of items on a map; got {items}"
        assert capsys.readouterr().err == f"adar-viz map: error: {said}\n"


def test_embeddings_with_gaps_are_refused_with_the_file(law_trace, tmp_path, capsys):
    spoiled = np.array(law_trace["item_embedding"])
    spoiled[0, 0] = np.nan
    path = Trace(law_trace.meta, {**law_trace.arrays, "item_embedding": spoiled}).save(tmp_path / "t.npz")
    assert main(["map", str(path)]) == 2
    assert capsys.readouterr().err.endswith("t.npz: item_embedding must be finite; got nan or infinity\n")


def test_of_few_items_as_many_neighbours_are_measured_as_can_be(law_trace, tmp_path, capsys, monkeypatch):
    few = {name: law_trace[name][:12] for name in ("item_embedding", "item_label")}
    path = Trace(law_trace.meta, few).save(tmp_path / "few.npz")

    def flat(trace, **options):
        return Trace(trace.meta, {**trace.arrays, "item_map": trace["item_embedding"][:, :2]})

    monkeypatch.setattr("adar_viz.commands.map.with_maps", flat)
    assert main(["map", str(path), "--neighbors", "5"]) == 0
    assert capsys.readouterr().out.endswith("of the 5 nearest items.\n")
