"""Random streams that follow from numbers alone, so that an epoch can be drawn again."""

from __future__ import annotations

import numpy as np
import torch


def seeded(device: torch.device | str, *seed: int) -> torch.Generator:
    """Return a generator whose stream follows from ``seed``, modulo 2^32; zeros at its end change nothing."""
    state = np.random.SeedSequence([value % 2**32 for value in seed]).generate_state(1, np.uint64)[0]
    return torch.Generator(device=device).manual_seed(int(state) % 2**63)
