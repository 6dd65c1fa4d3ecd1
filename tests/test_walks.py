"""Walks of a finished run through a lens, against what its denoiser and its sources say."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch

from adar_viz.backbones import MF
from adar_viz.batches import PairRows
from adar_viz.core import Batch, Encoded
from adar_viz.diffusion import glide, x0_from_noise
from adar_viz.known import KnownPositives
from adar_viz.negatives import ADAR
from adar_viz.negatives.sources import Renoise
from adar_viz.walks import watch_pairs, watch_walks

USERS, ITEMS, DIM = 12, 30, 6


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


@pytest.mark.parametrize("source", [Renoise(beyond=0.5, steps=1), Renoise()])
def test_the_renoised_walk_is_that_of_the_run_s_own_source(source: Renoise) -> None:
    generator = torch.Generator().manual_seed(4)
    rows = PairRows(torch.arange(USERS), torch.arange(USERS))
    known = KnownPositives.from_pairs(rows.user, rows.item, num_users=USERS, num_items=ITEMS)
    backbone, lens = MF(USERS, ITEMS, DIM, generator=generator), ADAR(DIM, source=source, generator=generator)
    watched = watch_pairs(backbone, lens, rows, known, num_pairs=8, generator=generator)
    walks = watch_walks(watched, rows, backbone, num_walks=2, generator=generator)
    walk, query = (torch.from_numpy(walks[name]) / lens.sigma for name in ("walk", "walk_query"))
    of = {name: torch.from_numpy(walks["walk_source"] == name) for name in ("forward", "renoise")}
    later, t = 10 + round(source.beyond * lens.num_timesteps), 10
    with torch.no_grad():
        denoise = lens.denoiser.given(query[of["forward"]])
        noisy = walk[of["forward"]][:, later]
        start, stop = (torch.full((len(noisy),), at) for at in (later, t))
        expected = glide(denoise, noisy, start, stop, lens.schedule, steps=source.steps)
    torch.testing.assert_close(walk[of["renoise"]][:, t], expected, rtol=1e-4, atol=1e-5)
