"""Types of options: numbers with a least value, and folders to write to."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path


def at_least(least: int) -> Callable[[str], int]:
    """Make the ``type`` of an option that takes a whole number from ``least`` on."""

    def integer(text: str) -> int:  # argparse names it, where the text is none
        if (value := int(text)) < least:
            raise argparse.ArgumentTypeError(f"must be at least {least}; got {value}")
        return value

    return integer


def duration(text: str) -> float:
    """Read a number of hours or minutes, 0 or more: the ``type`` of an option."""
    if not (value := float(text)) >= 0:
        raise argparse.ArgumentTypeError(f"must be at least 0; got {text}")
    return value


def a_folder(text: str) -> Path:
    """Take the path of a folder, which need not be there yet: the ``type`` of an option."""
    path = Path(text)
    if path.exists() and not path.is_dir():
        raise argparse.ArgumentTypeError(f"must be a folder; got the file {text}")
    return path
