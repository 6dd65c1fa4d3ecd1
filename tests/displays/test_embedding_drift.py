"""Trails, their ranking and their control, on drifts that were planted."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import EmbeddingDrift
from adar_viz.trace import Trace


def with_snapshots(trace, x, **more):
    return Trace(trace.meta, {**trace.arrays, "snapshot_item_embedding": x, **more})


@pytest.fixture
def still(law_trace):
    """Snapshots in which nothing moves but the axes."""
    rng = np.random.default_rng(0)
    x = law_trace["item_embedding"][law_trace["snapshot_item"]].astype(float)
    return np.stack([x @ np.linalg.qr(rng.standard_normal((x.shape[1],) * 2))[0] for _ in range(6)])


def test_a_planted_rotation_gives_no_drift(law_trace, still):
    shown = EmbeddingDrift.from_trace(with_snapshots(law_trace, still)).plot()
    assert shown.drift < 1e-6
    assert 0.01 < shown.null < 0.1
    assert (shown.change == 0).all()
    for trail in shown.trails_:
        np.testing.assert_allclose(np.ptp(trail.get_xydata(), axis=0), 0, atol=1e-6)


def test_a_planted_mover_is_found_and_its_trail_is_long(law_trace, still):
    moved = still.copy()
    # Item 9 walks to where item 30 is, in the axes of each snapshot.
    share = np.linspace(0, 1, 5)[:, None]
    moved[1:, 9] += share * (still[1:, 30] - still[1:, 9])
    shown = EmbeddingDrift.from_trace(with_snapshots(law_trace, moved), most=3).plot()
    assert shown.most[0] == 9
    assert shown.labels_[0].get_text() == str(law_trace["item_title"][law_trace["snapshot_item"][9]])
    length = [np.linalg.norm(trail.get_xydata()[-1] - trail.get_xydata()[0]) for trail in shown.trails_]
    assert length[0] > 5 * max(length[1:])
    np.testing.assert_allclose(shown.ends_.get_offsets()[0], shown.xy[-1, 9])
    assert f"{shown.name[9]} changed most" in shown.describe()


def test_what_was_before_training_and_before_since_is_not_looked_at(law_trace):
    assert EmbeddingDrift.from_trace(law_trace, since=1).epoch.tolist() == [1, 2, 4, 8, 20]
    later = EmbeddingDrift.from_trace(law_trace, since=4)
    assert later.epoch.tolist() == [4, 8, 20]
    assert set(later.frame()["epoch"]) == {4, 8, 20}
    with pytest.raises(ValueError, match=r"two of the snapshots at epochs \[0, 1, 2, 4, 8, 20\]; got 9"):
        EmbeddingDrift.from_trace(law_trace, since=9)


def test_the_picture_prints_its_quality_and_the_table_holds_every_item(law_trace):
    shown = EmbeddingDrift.from_trace(law_trace, most=5).plot()
    text = shown.axes_[0].get_xlabel()
    for words in (
        f"{shown.explained:.0%} of the variance",
        f"{shown.overlap:.0%} of the 10 nearest",
        f"where nothing moved: {shown.null:.2f}",
    ):
        assert words in text
    assert 0 < shown.overlap < 1
    assert shown.chance == pytest.approx(1 - 10 / 59)
    table = shown.frame()
    assert len(table) == 60 * 5
    assert table["trail"].sum() == 5 * 5
    one = table[(table["item"] == shown.item[shown.most[0]]) & (table["epoch"] == 20)].iloc[0]
    np.testing.assert_allclose([one["x"], one["y"]], shown.ends_.get_offsets()[0])


def test_an_impossible_number_of_trails_is_refused(law_trace):
    with pytest.raises(ValueError, match=r"most, or the number of items, must lie in \[1, 24\]; got 25"):
        EmbeddingDrift.from_trace(law_trace, most=25)
    assert len(EmbeddingDrift.from_trace(law_trace, most=1).plot().labels_) == 1


def test_distances_on_the_map_have_one_unit_and_titles_stand_beside_it(law_trace):
    shown = EmbeddingDrift.from_trace(law_trace).plot()
    shown.figure_.draw_without_rendering()
    (ax,) = shown.axes_
    across, up = np.diff(ax.transData.transform([[0, 0], [1, 1]]), axis=0)[0]
    assert across == pytest.approx(up)
    inside = ax.transAxes.inverted().transform(ax.transData.transform(shown.xy[-1]))
    assert inside.min() > 0
    assert inside.max() < 1
    for label in shown.labels_:
        box = label.get_window_extent().transformed(ax.transAxes.inverted())
        hidden = (inside > box.min).all(axis=1) & (inside < box.max).all(axis=1)
        assert not hidden[shown.most].any()


def test_chosen_items_get_the_trails_even_where_they_are_not_popular(law_trace):
    rare = int(law_trace["snapshot_item"][law_trace["item_popularity"][law_trace["snapshot_item"]].argmin()])
    chosen = [rare, int(law_trace["snapshot_item"][7])]
    shown = EmbeddingDrift.from_trace(law_trace, items=chosen, popular=20).plot()
    assert shown.item[shown.most].tolist() == chosen
    assert [text.get_text() for text in shown.labels_] == [str(law_trace["item_title"][i]) for i in chosen]
    assert "chosen items" in shown.axes_[0].get_title(loc="left")
    with pytest.raises(ValueError, match=r"items must be followed in the snapshots; got \[1, 999\]"):
        EmbeddingDrift.from_trace(law_trace, items=[0, 1, 999])


def test_the_ranking_is_by_change_in_the_original_space_and_names_old_and_new_neighbours(law_trace, still):
    moved = still.copy()
    moved[-1, 9] = moved[-1, 30] + 0.01
    table = EmbeddingDrift.from_trace(with_snapshots(law_trace, moved)).ranking(5, near=2)
    assert table.index.tolist() == [1, 2, 3, 4, 5]
    assert table["item"].iloc[0] == law_trace["snapshot_item"][9]
    assert (np.diff(table["change"]) <= 0).all()
    other = str(law_trace["item_title"][law_trace["snapshot_item"][30]])
    assert other in table["near at epoch 20"].iloc[0]
    assert other not in table["near at epoch 1"].iloc[0]


def test_a_stored_map_is_drawn_as_it_is_with_its_own_null(law_trace):
    shown = EmbeddingDrift.from_trace(law_trace, method="stored", since=2).plot()
    np.testing.assert_allclose(shown.xy, law_trace["snapshot_item_map"][2:])
    assert shown.null == law_trace.meta["maps"]["null_drift"]
    assert "AlignedUMAP" in shown.axes_[0].get_xlabel()
    holes = law_trace["snapshot_item_map"].copy()
    holes[:, 3] = np.nan
    with pytest.raises(ValueError, match=r"items must be on the stored map; got \[12\]"):
        EmbeddingDrift.from_trace(
            with_snapshots(law_trace, law_trace["snapshot_item_embedding"], snapshot_item_map=holes), method="stored"
        )
    with pytest.raises(ValueError, match="method must be pca or stored; got 'tsne'"):
        EmbeddingDrift.from_trace(law_trace, method="tsne")
