"""What has to stand beside ADAR before a gain means anything, and what part each arm plays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from adar_viz.comparison.arms import Arm
from adar_viz.experiment import Experiment
from adar_viz.specs import take_apart

CONTROLS: Mapping[str, str] = {
    "uniform(2)": "two uniform negatives",
    "adar(target=fixed(1.0), clamp=(0, 1))": "grounded at t = 0: no diffusion",
    "adar(target=fixed(0.5))": "grounded, one t for all pairs",
    "adar(target=random())": "grounded, random t",
    "adar(source=noiseless, ground=None)": "synthetic, without noise",
    "dns(uniform(16))": "the hardest of ADAR's pool",
}
"""Specs, and what each shows. L2 is tuned for every arm, and `equal_time` trains a cheap one longer."""

ROLES = ("peer", "ADAR", "control")


def role_of(spec: str) -> str:
    """Say what part a sampler plays: one of `ROLES`."""
    if spec in CONTROLS:
        return "control"
    return "ADAR" if take_apart(spec)[0] == "adar" else "peer"


def with_controls(arms: Sequence[str]) -> tuple[list[str], tuple[str, str] | None]:
    """Add the controls to some arms; return them, and which arm is to get the time of which.

    That is the first arm, the reference, and the first of ADAR's, where there is one.
    """
    dear = next((arm for arm in arms[1:] if role_of(arm) == "ADAR"), None)
    return [*arms, *(spec for spec in CONTROLS if spec not in arms)], (arms[0], dear) if dear else None


def equal_time(cheap: Arm, dear: Arm, pace: float) -> Experiment:
    """Give a cheap arm as many epochs as fit in the time that a dear one trained, without early stopping.

    Epochs, not a clock, so that the training can be repeated bit by bit. ``pace`` is the number of cheap
    epochs that fit in one of the dear arm (`adar_viz.comparison.pace`).
    """
    epochs = max(1, round(dear.epochs * pace))
    return replace(cheap.winner, plan=replace(cheap.winner.plan, epochs=epochs, patience=None))
