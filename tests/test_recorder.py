"""What a recorder keeps of the events, against what was put in by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from adar_viz.backbones import MF
from adar_viz.draws import QUANTILES, ROWS, evenly
from adar_viz.events import Diffused, Transition
from adar_viz.recorder import Recorder
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


def test_a_recording_that_is_too_short_is_not_taken_back() -> None:
    recorder = Recorder([0, 1], [0, 1])
    backbone = MF(USERS, ITEMS, DIM, generator=torch.Generator().manual_seed(0))
    recorder.end_epoch(EpochReport(0, 0.0, {"loss": 0.5}), backbone)
    recorder.restore(recorder.state(), 1)
    with pytest.raises(ValueError, match="expected at least 2 epochs; got 1"):
        recorder.restore(recorder.state(), 2)
