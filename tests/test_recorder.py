"""What a recorder keeps of the events, and of a few walks, against what was put in by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import torch

from adar_viz.backbones import MF
from adar_viz.batches import PairRows
from adar_viz.core import Batch, Encoded
from adar_viz.diffusion import x0_from_noise
from adar_viz.draws import QUANTILES, ROWS, evenly
from adar_viz.events import Diffused, Transition
from adar_viz.known import KnownPositives
from adar_viz.negatives import ADAR
from adar_viz.recorder import Recorder, watch_pairs, watch_walks
from adar_viz.training import EpochReport

USERS, ITEMS, DIM = 12, 30, 6


def announce(recorder: Recorder, positive: torch.Tensor, made: torch.Tensor) -> None:
    """Tell what ADAR tells of one step."""
    timestep = torch.full((len(positive),), 7)
    recorder(Transition(timestep, positive, positive, positive, timestep == 0))
    recorder(Diffused(timestep, torch.zeros(len(positive), DIM), made))


def test_hardness_at_the_transition_is_the_generated_score_less_the_positive_s() -> None:
    recorder = Recorder([0, 1], [0, 1])
    backbone = MF(USERS, ITEMS, DIM, generator=torch.Generator().manual_seed(0))
    generator = torch.Generator().manual_seed(1)
    positive, made = (torch.randn(2, ROWS + 9, generator=generator) for _ in range(2))
    for step in range(2):
        announce(recorder, positive[step], made[step])
    recorder.end_epoch(EpochReport(0, 0.0, {"loss": 0.5}), backbone)
    recorder.end_epoch(EpochReport(1, 0.0, {"loss": 0.4}), backbone)  # an epoch in which nothing is generated
    found = recorder.arrays("ndcg@20")["diffused_hardness"]
    expected = np.quantile((made - positive)[:, evenly(ROWS + 9, ROWS, made.device)].numpy(), QUANTILES)
    np.testing.assert_allclose(found[0], expected, rtol=1e-5)
    assert np.isnan(found[1]).all()


def test_predictions_are_what_the_denoiser_says_of_each_x_t() -> None:
    generator = torch.Generator().manual_seed(2)
    pair = torch.randperm(USERS * ITEMS, generator=generator)[:80]
    rows = PairRows(pair // ITEMS, pair % ITEMS)
    known = KnownPositives.from_pairs(rows.user, rows.item, num_users=USERS, num_items=ITEMS)
    backbone = MF(USERS, ITEMS, DIM, generator=generator)
    lens = ADAR(DIM, source="reverse", generator=generator)
    watched = watch_pairs(backbone, lens, rows, known, num_pairs=20, generator=generator)
    walks = watch_walks(watched, rows, backbone, num_walks=2, generator=generator)
    prediction, x = (torch.from_numpy(walks[name]) / lens.sigma for name in ("walk_prediction", "walk"))
    assert prediction.shape == x.shape
    torch.testing.assert_close(prediction[:, 0], x[:, 0])
    t = torch.full((len(x),), 20)
    with torch.no_grad():
        noise = lens.denoiser(x[:, 20], t, torch.from_numpy(walks["walk_query"]) / lens.sigma)
        expected = x0_from_noise(x[:, 20], noise, t, lens.schedule)
    torch.testing.assert_close(prediction[:, 20], expected, rtol=1e-4, atol=1e-5)
    assert (prediction[:, 20] - x[:, 20]).abs().max() > 0.1


def test_no_walk_is_recorded_for_a_backbone_with_a_scorer_of_its_own() -> None:
    class Halved(MF):
        def forward(self, batch: Batch) -> Encoded:
            encoded = super().forward(batch)
            return replace(encoded, scorer=lambda query, item: torch.einsum("rd,rkd->rk", query, item) / 2)

    generator = torch.Generator().manual_seed(3)
    rows = PairRows(torch.arange(USERS), torch.arange(USERS))
    known = KnownPositives.from_pairs(rows.user, rows.item, num_users=USERS, num_items=ITEMS)
    for backbone, recorded in ((MF, True), (Halved, False)):
        watched = watch_pairs(backbone(USERS, ITEMS, DIM), ADAR(DIM), rows, known, num_pairs=4, generator=generator)
        walks = watch_walks(watched, rows, backbone(USERS, ITEMS, DIM), num_walks=2, generator=generator)
        assert bool(walks) == recorded
        assert "score" in watched.arrays
