"""The named terms of the loss, step by step, and the stop where one of them is not finite."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from jaxtyping import Float
from torch import Tensor

CHECK_EVERY = 50
"""Steps between looks for non-finite losses; the step is still named exactly."""


class TrainingDiverged(ArithmeticError):
    """A loss or a weight stopped being finite."""


class TermHistory:
    """The named values of each step, looked at now and then for the first that is not finite."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch
        self.names: list[str] = []
        self.steps: list[Float[Tensor, " term"]] = []
        self.checked = 0

    def add(self, terms: Mapping[str, Tensor | float]) -> None:
        """Take a step's terms; now and then, look at all that are new."""
        if terms:
            self.names = list(terms)
            self.steps.append(torch.stack([torch.as_tensor(value) for value in terms.values()]))
            if len(self.steps) - self.checked >= CHECK_EVERY:
                self.check()

    def check(self) -> None:
        """Raise `TrainingDiverged` if a term is not finite that was not looked at yet."""
        if self.checked == len(self.steps):
            return
        finite = torch.isfinite(torch.stack(self.steps[self.checked :]))
        if not bool(finite.all()):
            step, term = (~finite).nonzero()[0].tolist()
            value = float(self.steps[self.checked + step][term])
            raise TrainingDiverged(
                f"epoch {self.epoch}, step {self.checked + step}: the term {self.names[term]!r} is {value}; "
                "the usual causes are a learning rate that is too high or a weight that is not finite"
            )
        self.checked = len(self.steps)

    def means(self) -> dict[str, float]:
        """Return each term's mean over the steps, once all are known to be finite."""
        if not self.steps:
            return {}
        self.check()
        return dict(zip(self.names, torch.stack(self.steps).double().mean(0).tolist(), strict=True))
