from __future__ import annotations

import os
from pathlib import Path

import pytest


@pytest.fixture
def real_data() -> Path:
    """Folder with the real sets; the test is skipped, and says so, where there is none."""
    folder = os.environ.get("ADAR_VIZ_DATA")
    if not folder:
        pytest.skip("needs real data: set ADAR_VIZ_DATA to the folder that holds them")
    return Path(folder)
