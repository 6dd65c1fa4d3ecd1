"""Noise schedules: what they promise, and what they refuse."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
import torch

from adar_viz.diffusion import MAX_FINAL_SNR, SCHEDULES, NoiseSchedule, cosine, linear, sigmoid


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("num_timesteps", [20, 50, 1000])
def test_schedules_fall_from_clean_to_noise(name: str, num_timesteps: int) -> None:
    schedule = SCHEDULES[name](num_timesteps)
    assert schedule.name == name
    assert schedule.num_timesteps == num_timesteps
    assert schedule.alpha_bar.shape == (num_timesteps + 1,)
    assert schedule.alpha_bar[0] == 1
    assert (schedule.alpha_bar.diff() < 0).all()
    assert 0 < schedule.snr[-1] <= MAX_FINAL_SNR


def test_derived_quantities_agree_with_alpha_bar() -> None:
    schedule = cosine(30)
    torch.testing.assert_close((1 - schedule.beta).cumprod(0), schedule.alpha_bar)
    assert schedule.beta[0] == 0
    assert schedule.snr[0] == schedule.log_snr[0] == torch.inf
    torch.testing.assert_close(schedule.log_snr[1:].sigmoid(), schedule.alpha_bar[1:])


def test_linear_is_rescaled_so_that_its_end_does_not_depend_on_the_number_of_timesteps() -> None:
    torch.testing.assert_close(linear(50).beta[[1, -1]], torch.tensor([0.002, 0.4], dtype=torch.float64))
    # To leading order both integrate the same beta: ln alpha_bar[T] is about -1000 (start + end) / 2.
    ends = [float(linear(t).alpha_bar[-1].log()) for t in (200, 2000)]
    assert ends == pytest.approx([-10.05, -10.05], rel=0.1)


def test_symmetric_schedules_are_halfway_at_the_middle() -> None:
    assert float(sigmoid(50).alpha_bar[25]) == pytest.approx(0.5)
    assert float(cosine(50, offset=0.0).alpha_bar[25]) == pytest.approx(0.5)


def test_the_unscaled_linear_schedule_is_refused_and_may_be_insisted_on() -> None:
    beta = torch.linspace(1e-4, 0.02, 50, dtype=torch.float64)
    alpha_bar = torch.cat([torch.ones(1, dtype=torch.float64), (1 - beta).cumprod(0)])
    with pytest.raises(ValueError, match=r"signal-to-noise ratio at T must be at most 0.01; got 1.5.*alpha_bar 0.6"):
        NoiseSchedule(alpha_bar)
    assert NoiseSchedule(alpha_bar, allow_signal=True).num_timesteps == 50
    assert linear(50, end=0.004, allow_signal=True).snr[-1] > MAX_FINAL_SNR


@pytest.mark.parametrize(
    ("alpha_bar", "message"),
    [
        ([0.9, 0.001], r"alpha_bar\[0\] must be 1, the clean vector; got 0.9"),
        ([1.0, 0.5, 0.5, 0.001], "alpha_bar must fall strictly"),
        ([1.0, float("nan"), 0.001], "alpha_bar must fall strictly"),
        ([1.0, 0.5, 0.0], r"alpha_bar must lie in \(0, 1\]; got 0.0 at T"),
        ([1.0], r"alpha_bar must be \(T \+ 1,\) .* got \(1,\)"),
    ],
)
def test_what_is_no_schedule_is_refused(alpha_bar: list[float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        NoiseSchedule(torch.tensor(alpha_bar, dtype=torch.float64))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: linear(10), r"must lie in \(0, 1\]; got 0.01 to 2 with num_timesteps 10"),
        (lambda: linear(0), "num_timesteps must be at least 1; got 0"),
        (lambda: cosine(50, offset=-1.0), "offset must be at least 0; got -1"),
        (lambda: sigmoid(50, start=3.0, end=-3.0), "start must lie below end"),
        (lambda: sigmoid(50, tau=0.0), "tau above 0; got"),
    ],
)
def test_constants_out_of_range_are_refused(make: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def test_a_schedule_cannot_be_reassigned() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        linear().alpha_bar = torch.ones(2)  # type: ignore[misc]
