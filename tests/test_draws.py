"""The summary of an epoch's negatives, against loops over hand-made rows; watching changes nothing."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from adar_viz.backbones import MF
from adar_viz.batches import PairRows
from adar_viz.core import NO_ITEM, Encoded
from adar_viz.datasets import Truth
from adar_viz.draws import CATALOGUE, QUANTILES, ROWS, Draws, Likes, gradient_weight
from adar_viz.events import Drawn
from adar_viz.experiment import Experiment, run
from adar_viz.known import KnownPositives
from adar_viz.losses import BCE, BPR, GBCE, Softmax
from adar_viz.negatives import ADAR, DNS, AllItems, MixGCF, Uniform
from adar_viz.recorder import Recorder
from adar_viz.trace import Trace
from adar_viz.training import TrainingPlan, fit

USERS, ITEMS, DIM = 12, 40, 6
RNG = np.random.default_rng(0)
TABLE = torch.as_tensor(RNG.standard_normal((ITEMS, DIM)), dtype=torch.float32)
LIKED = RNG.random((USERS, ITEMS)) < 0.3
ACTIVITY, POPULARITY = np.arange(USERS) + 1, np.arange(ITEMS)[::-1] * 2


def likes(judged: np.ndarray | None = None) -> Likes:
    return Likes(Truth(LIKED, np.ones_like(LIKED) if judged is None else judged, "planted"), ACTIVITY, POPULARITY)


def step(rows: int, k: int, seed: int, synthetic: bool = False) -> Drawn:
    """What training announces of one step of random rows."""
    generator = torch.Generator().manual_seed(seed)
    user, positive = (torch.randint(n, (rows,), generator=generator) for n in (USERS, ITEMS))
    item = torch.randint(ITEMS, (rows, k), generator=generator)
    query = torch.randn(rows, DIM, generator=generator)
    encoded = Encoded(query, lookup=lambda i: TABLE[i], table=lambda: TABLE)
    vectors = TABLE[item]
    if synthetic:
        item[:, -1] = NO_ITEM
        vectors = vectors + 0.1 * torch.randn(vectors.shape, generator=generator)
    scores = encoded.score(TABLE[positive].unsqueeze(1)).squeeze(1), encoded.score(vectors)
    weight = torch.rand(rows, k, generator=generator)
    return Drawn(user, positive, item, *scores, weight, None, vectors, encoded)


def summary(draws: Draws, *events: Drawn) -> dict[str, np.ndarray]:
    for event in events:
        draws.see(event)
    return {name: value.numpy() for name, value in draws.sum_up().items()}


def test_quantiles_are_those_of_a_loop_over_rows_and_negatives() -> None:
    events = [step(20, 3, seed) for seed in (1, 2)]
    found = summary(Draws(BPR()), *events)
    hardness, weight, below, catalogue = [], [], [], []
    for e in events:
        for row in range(20):
            scores = e.encoded.query[row] @ TABLE.T
            catalogue += scores.tolist()
            for j in range(3):
                gap = float(e.negative_score[row, j] - e.positive_score[row])
                hardness.append(gap)
                weight.append(float(e.weight[row, j] / e.weight[row].sum()) / (1 + np.exp(-gap)))
                below.append(float((scores < e.negative_score[row, j]).float().mean()))
    for name, values in [
        ("hardness", hardness),
        ("gradient_weight", weight),
        ("catalogue_score", catalogue),
        ("positive_score", torch.cat([e.positive_score for e in events])),
        ("negative_score", torch.cat([e.negative_score.flatten() for e in events])),
    ]:
        np.testing.assert_allclose(found[name], np.quantile(values, QUANTILES), rtol=1e-4, atol=1e-5, err_msg=name)
    assert found["gradient_weight_mean"] == pytest.approx(np.mean(weight), rel=1e-4)
    # The catalogue is small enough to be looked at whole; whether the negative is below itself, rounding decides.
    np.testing.assert_allclose(found["negative_percentile"], np.quantile(below, QUANTILES), atol=1.01 / ITEMS)


@pytest.mark.parametrize("loss", [BPR(), BCE(), GBCE(ITEMS), Softmax(), Softmax(0.5, log_q=True)], ids=repr)
def test_gradient_weight_is_the_slope_of_the_loss_by_finite_differences(loss: Any) -> None:
    generator = torch.Generator().manual_seed(3)
    positive, negative = torch.randn(4, generator=generator).double(), torch.randn(4, 3, generator=generator).double()
    weight = torch.rand(4, 3, generator=generator).double()
    log_prob = -torch.rand(4, 3, generator=generator).double()
    found = gradient_weight(loss, positive, negative, weight, log_prob)
    for j in range(3):
        nudge = torch.zeros(4, 3).double()
        nudge[:, j] = 1e-6
        up, down = (loss(positive, negative + side * nudge, weight, log_prob) for side in (1, -1))
        torch.testing.assert_close(found[:, j], ((up - down) / 2e-6).abs(), rtol=1e-4, atol=1e-6)


def test_false_negatives_are_counted_by_group_as_a_loop_counts_them() -> None:
    events = [step(30, 2, seed) for seed in (4, 5)]
    found = summary(Draws(BPR(), likes()), *events)
    group_of_user, group_of_item = [0] * 4 + [1] * 4 + [2] * 4, [2] * 13 + [1] * 13 + [0] * 14
    total, by_user, by_item, pull = [], [[], [], []], [[], [], []], [0.0, 0.0]
    for e in events:
        weight = gradient_weight(BPR(), e.positive_score, e.negative_score, e.weight)
        for row, user in enumerate(e.user.tolist()):
            for j, item in enumerate(e.item[row].tolist()):
                liked = bool(LIKED[user, item])
                total.append(liked)
                by_user[group_of_user[user]].append(liked)
                by_item[group_of_item[item]].append(liked)
                pull[liked] += float(weight[row, j])
    assert found["false_negative"] == pytest.approx(np.mean(total))
    assert found["false_negative_interval"].tolist() == pytest.approx([np.mean(total)] * 2)
    assert found["false_negative_by_activity"].tolist() == pytest.approx([np.mean(x) for x in by_user])
    assert found["false_negative_by_popularity"].tolist() == pytest.approx([np.mean(x) for x in by_item])
    assert found["drawn_by_popularity"].tolist() == pytest.approx([len(x) / len(total) for x in by_item])
    assert found["false_negative_gradient"] == pytest.approx(pull[1] / sum(pull), rel=1e-5)
    assert found["judged_draws"] == len(total) == 120
    assert found["synthetic_share"] == 0
    assert np.isnan(found["synthetic_distance"])


def test_a_synthetic_negative_is_judged_by_its_nearest_item_at_a_reported_distance() -> None:
    event = step(30, 2, 6, synthetic=True)
    event.embedding[:9, 1] = TABLE[event.positive[:9]]
    found = summary(Draws(None, likes()), event)
    liked, distance, own = [], [], []
    for row, user in enumerate(event.user.tolist()):
        cosine = torch.nn.functional.cosine_similarity(event.embedding[row, 1], TABLE)
        liked += [LIKED[user, int(event.item[row, 0])], LIKED[user, int(cosine.argmax())]]
        distance.append(1 - float(cosine.max()))
        own.append(int(cosine.argmax()) == int(event.positive[row]))
    assert found["false_negative"] == pytest.approx(np.mean(liked))
    assert found["synthetic_share"] == 0.5
    assert found["synthetic_distance"] == pytest.approx(np.mean(distance), rel=1e-4)
    assert found["synthetic_own"] == pytest.approx(np.mean(own))
    assert np.mean(own) > 0.2
    assert bool((event.item[:, 1] == NO_ITEM).all())


def test_partly_judged_draws_have_intervals_and_groups_without_any_are_open() -> None:
    judged = np.zeros_like(LIKED)
    judged[:8, ::4] = True  # nobody of the most active is judged
    found = summary(Draws(None, likes(judged)), step(200, 2, 7))
    low, high = found["false_negative_interval"]
    assert 0 < low < found["false_negative"] < high < 1
    assert np.isnan(found["false_negative_by_activity"][2])
    assert found["false_negative_by_activity_interval"][2].tolist() == [0, 1]
    assert 0 < found["judged_draws"] < 400


def test_groups_are_thirds_and_those_alike_stay_together() -> None:
    truth = Truth(np.ones((5, 9), dtype=bool), np.ones((5, 9), dtype=bool), "all")
    groups = Likes(truth, np.array([7, 7, 7, 7, 7]), np.array([1, 9, 2, 8, 3, 7, 4, 6, 5]))
    assert groups.group_of_user.tolist() == [0] * 5
    assert groups.group_of_item.tolist() == [0, 2, 0, 2, 0, 2, 1, 1, 1]
    arrays = groups.arrays()
    assert arrays["item_group_popularity"].tolist() == [[1, 3], [4, 6], [7, 9]]
    assert arrays["user_group_activity"][0].tolist() == [7, 7]
    assert np.isnan(arrays["user_group_activity"][1:]).all()


def test_of_a_large_catalogue_each_row_looks_at_evenly_spaced_items() -> None:
    table = torch.arange(1000.0)[:, None]
    encoded = Encoded(torch.ones(50, 1), lookup=lambda i: table[i], table=lambda: table)
    score = Draws()._catalogue_score(encoded)
    assert score.shape == (50, CATALOGUE)
    for row in score:
        apart = row.sort().values.diff()
        assert 15 <= apart.min() <= apart.max() <= 16
    np.testing.assert_allclose(np.quantile(score, QUANTILES), np.array(QUANTILES) * 1000, atol=5)


def test_the_rows_that_are_looked_at_are_spread_over_the_batch() -> None:
    rows = 10 * ROWS
    positive = torch.arange(float(rows))
    table = torch.zeros(5, 4)
    encoded = Encoded(torch.zeros(rows, 4), lookup=lambda i: table[i], table=lambda: table)
    nobody, nothing = torch.zeros(rows, dtype=torch.long), torch.zeros(rows, 1)
    draws = Draws()
    draws.see(Drawn(nobody, nobody, nobody[:, None], positive, nothing, None, None, torch.zeros(rows, 1, 4), encoded))
    found = draws.sum_up()["positive_score"].numpy()
    np.testing.assert_allclose(found, np.quantile(np.arange(0, rows, 10), QUANTILES))


def test_negatives_of_weight_0_are_in_no_loss_and_left_out() -> None:
    event = step(30, 4, 3)
    half = torch.where(torch.arange(4) < 2, event.weight, 0)
    left_out = summary(Draws(None, likes()), replace(event, weight=half))
    first = {"item": event.item[:, :2], "negative_score": event.negative_score[:, :2], "weight": half[:, :2]}
    alone = summary(Draws(None, likes()), replace(event, embedding=event.embedding[:, :2], **first))
    for name, value in alone.items():
        np.testing.assert_array_equal(left_out[name], value, err_msg=name)
    nothing = summary(Draws(BPR(), likes()), replace(event, weight=torch.zeros(30, 4)))
    assert np.isnan(nothing["hardness"]).all()
    assert np.isnan(nothing["gradient_weight_mean"])
    assert nothing["judged_draws"] == 0


def test_an_epoch_without_draws_is_nan_and_what_all_rows_share_is_not_judged() -> None:
    nothing = summary(Draws(BPR(), likes()))
    assert np.isnan(nothing["hardness"]).all()
    assert np.isnan(nothing["false_negative"])
    assert nothing["judged_draws"] == 0
    e = step(5, ITEMS, 8)
    shared = Drawn(e.user, e.positive, e.item, e.positive_score, e.negative_score, None, None, TABLE[None], e.encoded)
    found = summary(Draws(BPR(), likes()), shared)
    assert np.isfinite(found["gradient_weight"]).all()
    assert found["judged_draws"] == 0


@pytest.mark.parametrize(
    "sampler",
    [Uniform(), DNS(), MixGCF(), AllItems(), ADAR(DIM, warmup=0), ADAR(DIM, ground=None, source="reverse", warmup=0)],
    ids=["uniform", "dns", "mixgcf", "all_items", "adar", "adar_ungrounded"],
)
def test_a_watched_training_ends_with_the_bits_of_an_unwatched_one(sampler: Any) -> None:
    user, item = np.nonzero(LIKED)
    pairs = torch.as_tensor(user), torch.as_tensor(item)
    known = KnownPositives.from_pairs(*pairs, num_users=USERS, num_items=ITEMS)
    start = sampler.state_dict() if isinstance(sampler, torch.nn.Module) else None
    start = None if start is None else {k: v.clone() if torch.is_tensor(v) else v for k, v in start.items()}
    ends = []
    for watched in (False, True):
        if start is not None:
            sampler.load_state_dict(start)
        backbone = MF(USERS, ITEMS, DIM, generator=torch.Generator().manual_seed(1))
        recorder = Recorder([0], [0], Draws(BPR(), likes()))
        options: dict[str, Any] = {"observe": recorder} if watched else {}
        plan = TrainingPlan(epochs=2, batch_size=32, metric="none")
        for report in fit(backbone, sampler, BPR(), PairRows(*pairs), known, validate=score, plan=plan, **options):
            recorder.end_epoch(report, backbone)
        ends.append([weight.detach().clone() for weight in backbone.parameters()])
    assert all(torch.equal(one, other) for one, other in zip(*ends, strict=True))
    arrays = recorder.arrays("none")
    assert np.isfinite(arrays["hardness"]).all()
    assert arrays["hardness"].shape == (2, len(QUANTILES))
    assert arrays["false_negative"].shape == (2,)


def score(backbone: Any) -> dict[str, float]:
    """Validate nothing."""
    return {"none": 0.0}


REAL = pytest.mark.skipif("ADAR_VIZ_DATA" not in os.environ, reason="needs real data: set ADAR_VIZ_DATA")


@REAL
@pytest.mark.parametrize("data", ["coat", "jester-complete"])
def test_a_run_on_real_data_counts_its_false_negatives_in_every_epoch(data: str, tmp_path: Path) -> None:
    plan = TrainingPlan(epochs=2, learning_rate=0.01, metric="recall@5")
    experiment = Experiment(data=data, negatives="uniform(4)", overlap="drop", dim=8, plan=plan)
    trace = Trace.load(run(experiment, tmp_path / data, progress=False, num_pairs=20).folder / "trace.npz")
    share, (low, high) = trace["false_negative"], trace["false_negative_interval"].T
    assert share.shape == (2,)
    if data == "coat":  # a random sample of cells is judged: shares have intervals, in the groups wider ones
        assert ((low < share) & (share < high)).all()
        width = np.diff(trace["false_negative_by_popularity_interval"], axis=2)[..., 0]
        assert (width > (high - low)[:, None]).all()
    else:  # every joke was rated
        np.testing.assert_array_equal(np.stack([low, high]), np.stack([share, share]))
    assert ((share > 0.02) & (share < 0.5)).all()
