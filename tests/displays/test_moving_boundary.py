"""A user's plane over epochs and over runs: what is drawn, against the trace."""

from __future__ import annotations

import numpy as np
import pytest

from adar_viz.displays import ComparedBoundaries, MovingBoundary
from adar_viz.trace import Trace


@pytest.fixture(scope="module")
def shown(law_trace):
    return MovingBoundary.from_trace(law_trace, user=3, epochs=(1, 4, 20)).plot()


def scores(trace, snapshot, user):
    return trace["snapshot_item_embedding"][snapshot].astype(float) @ trace["snapshot_user_embedding"][snapshot, user]


def test_each_panel_has_the_scores_and_the_boundary_of_its_epoch(shown, law_trace):
    assert shown.label == ["epoch 1", "epoch 4", "epoch 20"]
    for panel, snapshot in enumerate((1, 3, 5)):
        score = scores(law_trace, snapshot, 3)
        np.testing.assert_allclose(shown.item_[panel].get_xdata(), score, atol=1e-6)
        mean, sd = (law_trace[f"snapshot_user_{name}"][snapshot, 3] for name in ("mean", "sd"))
        line = shown.boundary_[panel].get_xdata()[0]
        assert line == pytest.approx(mean + 1.28 * sd)
        np.testing.assert_array_equal(shown.item_[panel].get_xdata() < line, score < line)
    assert shown.right_side == 1


def test_marks_are_what_is_known_of_the_items(shown, law_trace):
    item = law_trace["snapshot_item"]
    observed, liked = (law_trace[f"snapshot_user_{name}"][3, item] for name in ("observed", "liked"))
    for panel, snapshot in enumerate((1, 3, 5)):
        score, drawn = scores(law_trace, snapshot, 3), np.isin(item, law_trace["snapshot_user_negative"][snapshot, 3])
        false = drawn & liked & ~observed
        for artists, where in (
            (shown.positive_, observed),
            (shown.unseen_, liked & ~observed),
            (shown.false_, false),
            (shown.drawn_, drawn & ~false),
        ):
            np.testing.assert_allclose(artists[panel].get_xdata(), score[where], atol=1e-6)
        row = shown.summary().iloc[panel]
        assert (row["drawn"], row["false"]) == (drawn.sum(), false.sum())
    assert sum(shown.summary()["false"]) > 0, "the fixture should hold a false negative"


def test_every_kind_of_mark_has_a_shape_of_its_own(shown):
    kinds = (shown.positive_, shown.unseen_, shown.false_, shown.drawn_, shown.synthetic_)
    assert len({kind[0].get_marker() for kind in kinds}) == len(kinds)
    assert len(shown.legend_.get_texts()) == len(kinds)


def test_synthetic_negatives_start_at_their_positives_and_move_with_t(law_trace):
    start = MovingBoundary.from_trace(law_trace, user=3, timestep=0)
    for moment, place, index in zip(start.moment, start.synthetic, start.shown, strict=True):
        np.testing.assert_allclose(place, moment.xy[index])
        assert moment.observed[index].all()
    later = MovingBoundary.from_trace(law_trace, user=3, timestep=40).plot()
    assert not np.allclose(later.synthetic[-1], start.synthetic[-1])
    np.testing.assert_allclose(later.synthetic_[-1].get_xydata(), later.synthetic[-1])
    with pytest.raises(ValueError, match=r"timestep must lie in \[0, 50\]; got 51"):
        MovingBoundary.from_trace(law_trace, timestep=51)


def test_epochs_without_a_snapshot_are_refused(law_trace):
    with pytest.raises(
        ValueError, match=r"epochs must be 3 of the snapshots at \[0, 1, 2, 4, 8, 20\]; got \[1, 2, 3\]"
    ):
        MovingBoundary.from_trace(law_trace, epochs=(1, 2, 3))


def test_two_runs_share_user_epoch_and_axes_and_keep_their_own_draws(law_trace):
    negative = np.full_like(law_trace["snapshot_user_negative"], -1)
    arrays = {**law_trace.arrays, "snapshot_user_negative": negative}
    other = Trace({**law_trace.meta, "negatives": "uniform(num_negatives=1)"}, arrays)
    shown = ComparedBoundaries.from_traces([law_trace, other], user=5, epoch=8).plot()
    assert shown.label == ["adar, epoch 8", "uniform, epoch 8"]
    assert [m.user for m in shown.moment] == [5, 5]
    assert shown.axes_[0].get_xlim() == shown.axes_[1].get_xlim()
    assert shown.axes_[0].get_ylim() == shown.axes_[1].get_ylim()
    assert shown.summary()["drawn"].tolist()[1] == 0
    assert len(shown.drawn_[0].get_xdata()) > 0
    assert len(shown.drawn_[1].get_xdata()) == 0


def test_runs_that_cannot_be_compared_are_refused(law_trace):
    elsewhere = Trace({**law_trace.meta, "data_checksum": "1" * 64}, law_trace.arrays)
    with pytest.raises(ValueError, match="traces must be of the same data; got the checksums 00000000, 11111111"):
        ComparedBoundaries.from_traces([law_trace, elsewhere])
    with pytest.raises(ValueError, match="traces must be 2; got 1"):
        ComparedBoundaries.from_traces([law_trace])
    with pytest.raises(ValueError, match=r"both have a snapshot, \[0, 1, 2, 4, 8, 20\]; got 3"):
        ComparedBoundaries.from_traces([law_trace, law_trace], epoch=3)
