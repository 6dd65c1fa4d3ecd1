"""The one error that reading data raises."""

from __future__ import annotations

from pathlib import Path


class DataError(ValueError):
    """Data that cannot be what it should be.

    Parameters
    ----------
    where : Path or str
        The file (or the name of the data) that is at fault.
    expected, got : str
        What should have been there and what was.
    line : int or None
        Line number in the file, counted from 1.
    """

    def __init__(self, where: Path | str, expected: str, got: str, *, line: int | None = None) -> None:
        place = f"{where}:{line}" if line is not None else str(where)
        super().__init__(f"{place}: expected {expected}; got {got}")
        self.where = where
        self.line = line
        self.expected = expected
        self.got = got
