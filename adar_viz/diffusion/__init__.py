"""Gaussian diffusion of vectors: noise schedules, the process in both directions, the denoiser."""

from __future__ import annotations

from adar_viz.diffusion.denoiser import Denoiser, denoising_loss
from adar_viz.diffusion.process import (
    Denoise,
    add_noise,
    ancestral,
    ddim,
    forward_walk,
    glide,
    noise_from_v,
    noise_from_x0,
    posterior,
    v_from_noise,
    x0_from_noise,
)
from adar_viz.diffusion.schedule import MAX_FINAL_SNR, SCHEDULES, NoiseSchedule, cosine, linear, sigmoid

__all__ = [
    "MAX_FINAL_SNR",
    "SCHEDULES",
    "Denoise",
    "Denoiser",
    "NoiseSchedule",
    "add_noise",
    "ancestral",
    "cosine",
    "ddim",
    "denoising_loss",
    "forward_walk",
    "glide",
    "linear",
    "noise_from_v",
    "noise_from_x0",
    "posterior",
    "sigmoid",
    "v_from_noise",
    "x0_from_noise",
]
