"""What is copied of followed users and items, against what was put in by hand."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest
import torch

from adar_viz.backbones import MF, SASRec
from adar_viz.core import Batch, Encoded
from adar_viz.datasets import Interactions, Truth
from adar_viz.events import Drawn
from adar_viz.snapshots import NEGATIVES, Snapshots, table_of

USERS, ITEMS = [1, 4], [0, 2, 5]


@pytest.fixture
def backbone() -> MF:
    return MF(6, 7, 4, generator=torch.Generator().manual_seed(0))


def drawn(user: list[int], item: list[list[int]]) -> Drawn:
    score = torch.zeros(len(item), len(item[0]))
    positive, vectors = torch.zeros(len(user), dtype=torch.long), torch.zeros(len(item), len(item[0]), 4)
    return Drawn(torch.tensor(user), positive, torch.tensor(item), score[:, 0], score, None, None, vectors, None)


def test_embeddings_and_moments_are_the_backbone_s(backbone: MF) -> None:
    snapshots = Snapshots(USERS, ITEMS)
    snapshots.take(3, backbone)
    arrays = snapshots.arrays()
    table = table_of(backbone).numpy()
    query = backbone(Batch(torch.tensor(USERS), torch.tensor([0, 0]))).query.detach().numpy()
    scores = query @ table.T
    assert arrays["snapshot_epoch"].tolist() == [3]
    np.testing.assert_allclose(arrays["snapshot_item_embedding"][0], table[ITEMS], rtol=1 / 2048)
    np.testing.assert_array_equal(arrays["snapshot_user_embedding"][0], query)
    np.testing.assert_allclose(arrays["snapshot_user_mean"][0], scores.mean(axis=1), rtol=1e-4)
    np.testing.assert_allclose(arrays["snapshot_user_sd"][0], scores.std(axis=1), rtol=1e-4)
    assert arrays["snapshot_rms"][0] == pytest.approx(np.sqrt((table**2).mean()), rel=1e-5)


def test_what_all_rows_share_or_no_loss_uses_is_not_drawn(backbone: MF) -> None:
    snapshots, event = Snapshots(USERS, ITEMS), drawn([4, 1], [[3, 6], [2, 5]])
    snapshots.see(replace(event, weight=torch.tensor([[1.0, 0.0], [0.0, 0.0]])))
    snapshots.see(replace(event, embedding=event.embedding[:1]))
    snapshots.take(1, backbone)
    negative = snapshots.arrays()["snapshot_user_negative"][0]
    assert negative[negative >= 0].tolist() == [3]
    assert Snapshots([], []).items.dtype == torch.long


def test_negatives_of_followed_users_are_kept_until_the_next_snapshot_and_no_others(backbone: MF) -> None:
    snapshots = Snapshots(USERS, ITEMS)
    snapshots.see(drawn([4, 0, 5, 1], [[3, 6], [1, 1], [1, 1], [2, -1]]))
    snapshots.see(drawn([4], [[0, 5]]))
    snapshots.take(1, backbone)
    snapshots.see(drawn([4], [[1, 1]]))
    snapshots.forget()
    snapshots.take(2, backbone)
    negative = snapshots.arrays()["snapshot_user_negative"]
    assert negative.shape == (2, 2, NEGATIVES)
    assert negative[0, 0].tolist() == [2] + [-1] * (NEGATIVES - 1)
    assert negative[0, 1].tolist() == [3, 6, 0, 5] + [-1] * (NEGATIVES - 4)
    assert (negative[1] == -1).all()


def test_a_snapshot_outlives_what_it_was_taken_from(backbone: MF) -> None:
    snapshots, event = Snapshots(USERS, ITEMS), drawn([4], [[3]])
    snapshots.see(event)
    event.item.zero_()
    snapshots.take(0, backbone)
    before = {name: x.copy() for name, x in snapshots.arrays().items()}
    with torch.no_grad():
        for weight in backbone.parameters():
            weight.zero_()
    for name, x in snapshots.arrays().items():
        np.testing.assert_array_equal(x, before[name])
    assert before["snapshot_user_negative"][0, 1, 0] == 3


def test_users_without_a_vector_of_their_own_are_left_out(backbone: MF) -> None:
    class Distance(MF):
        def forward(self, batch: Batch) -> Encoded:
            return replace(super().forward(batch), scorer=lambda query, item: -(query[:, None] - item).norm(dim=-1))

    snapshots = Snapshots(USERS, ITEMS)
    snapshots.take(1, Distance(6, 7, 4))
    assert sorted(snapshots.arrays()) == [
        "snapshot_epoch", "snapshot_item", "snapshot_item_embedding", "snapshot_rms",
    ]  # fmt: skip


def test_dropout_is_off_while_a_snapshot_is_taken() -> None:
    backbone = SASRec(6, 7, 4, history_length=3, dropout=0.5).train()
    before = torch.get_rng_state()
    Snapshots(USERS, ITEMS).take(1, backbone)
    assert torch.equal(before, torch.get_rng_state())
    assert backbone.training


def test_users_and_items_are_asked_where_the_weights_are() -> None:
    class Elsewhere(MF):
        asked: ClassVar[list[str]] = []

        def forward(self, batch: Batch) -> Encoded:
            self.asked.append(batch.user.device.type)
            return Encoded(torch.zeros(len(batch.user), 4), lookup=lambda ids: ids, table=lambda: torch.zeros(7, 4))

    backbone = Elsewhere(6, 7, 4).to("meta")
    Snapshots(USERS, ITEMS).take(1, backbone)
    assert backbone.asked == ["meta", "meta"]


def test_known_and_true_likes_are_told_apart_and_what_nobody_judged_is_no_like() -> None:
    labels = np.arange(7).astype(str)
    train = Interactions(np.array([1, 4]), np.array([2, 6]), labels[:6], labels, name="planted")
    liked, judged = np.zeros((2, 6, 7), dtype=bool)
    liked[1, [2, 3, 5]], judged[1, [2, 3]] = True, True
    arrays = Snapshots(USERS, ITEMS).likes(train, Truth(liked, judged, "planted"))
    assert np.argwhere(arrays["snapshot_user_observed"]).tolist() == [[0, 2], [1, 6]]
    assert np.argwhere(arrays["snapshot_user_liked"]).tolist() == [[0, 2], [0, 3]]
    assert "snapshot_user_liked" not in Snapshots(USERS, ITEMS).likes(train, None)
