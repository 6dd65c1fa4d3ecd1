"""Text files as they come: byte order marks, line ends, blank lines, and errors with a line number."""

from __future__ import annotations

import csv
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any, Literal, NoReturn

import numpy as np
import pandas as pd
from jaxtyping import Int, Shaped

from adar_viz.datasets.errors import DataError

Kind = Literal["integer", "number", "text"]
NEWLINE, DIGIT_LIMIT = ord("\n"), 18


@dataclass(frozen=True)
class Source:
    """A text file, made uniform without moving a line.

    Attributes
    ----------
    path : Path
        The file.
    data : bytes
        UTF-8 without byte order mark; lines end in a line feed; blank lines are empty.
    report : mapping of str to int
        What was made uniform, and how often.
    """

    path: Path
    data: bytes
    report: Mapping[str, int]

    @classmethod
    def open(cls, path: Path) -> Source:
        """Read a whole file; raise a `DataError` where it is missing or holds nothing."""
        if not path.is_file():
            raise DataError(path, "a file", "a folder" if path.is_dir() else "nothing at this path")
        data, report = path.read_bytes(), {}
        if data.startswith(b"\x1f\x8b") or b"\0" in data:
            raise DataError(path, "a text file", "a compressed one" if data[0] == 0x1F else "one with zero bytes")
        if data.startswith(b"\xef\xbb\xbf"):
            data, report["byte order mark removed"] = data[3:], 1
        if b"\r\n" in data:
            report["Windows line ends (CRLF) read"] = data.count(b"\r\n")
            data = data.replace(b"\r\n", b"\n")
        if b"\r" in data:
            report["old Macintosh line ends (CR) read"] = data.count(b"\r")
            data = data.replace(b"\r", b"\n")
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            data, report["files read as Latin-1, being no UTF-8"] = data.decode("latin-1").encode(), 1
        if not data.strip():
            raise DataError(path, "at least one line", "an empty file")
        data = re.sub(rb"(?m)^[ \t]+$", b"", data).rstrip(b"\n") + b"\n"
        blank = len(re.findall(rb"(?m)^\n", data))
        if blank:
            report["blank lines skipped"] = blank
        return cls(path, data, report)

    def lines(self) -> list[str]:
        """All lines as text, blank ones too: line ``i`` of the file is at place ``i - 1``."""
        return self.data.decode().split("\n")[:-1]

    def head(self, count: int) -> list[str]:
        """Return the first lines that are not blank."""
        text = self.data[: 1 << 20].decode(errors="ignore")
        return [line for line in text.split("\n") if line][:count]

    def fail(self, line: int, expected: str, got: str) -> NoReturn:
        """Raise the error of one malformed line, counted from 1."""
        shown = got if len(got) <= 60 else f"{got[:57]}..."
        raise DataError(self.path, expected, repr(shown), line=line)


def read_integers(source: Source) -> tuple[Int[np.ndarray, " token"], Int[np.ndarray, " token"]]:
    """Read integers parted by spaces or tabs, any number on a line.

    Returns
    -------
    value, line : Int[np.ndarray, "token"]
        The integers and the line that each stands on, counted from 0.

    Raises
    ------
    DataError
        Something is not an integer of at most 18 digits, or negative.
    """
    raw = np.frombuffer(source.data, dtype=np.uint8)
    blank = (raw == ord(" ")) | (raw == ord("\t")) | (raw == NEWLINE)
    edge = np.flatnonzero(np.diff(np.concatenate([[True], blank, [True]])))
    start, end = edge[::2], edge[1::2]
    foreign = ~blank & ((raw < ord("0")) | (raw > ord("9")))
    if foreign.any() or (end - start).max() > DIGIT_LIMIT:
        where = int(np.flatnonzero(foreign)[0]) if foreign.any() else int(start[np.argmax(end - start)])
        token = int(np.searchsorted(end, where, side="right"))
        line = int((raw[:where] == NEWLINE).sum()) + 1
        source.fail(line, "integers >= 0 parted by spaces", bytes(raw[start[token] : end[token]]).decode())
    value = np.fromstring(source.data, dtype=np.int64, sep=" ")
    line_end = np.flatnonzero(raw == NEWLINE)
    return value, np.searchsorted(line_end, start)


def read_table(
    source: Source, separator: str, columns: Mapping[str, tuple[int, Kind]], *, width: int, skip: int = 0
) -> dict[str, Shaped[np.ndarray, " row"]]:
    """Read some columns of a table; fields parted by commas may stand in quotes, on one line.

    Parameters
    ----------
    source : Source
        The file.
    separator : str
        One or more characters.
    columns : mapping of str to (int, kind)
        The place of each wanted column, counted from 0, and what its fields are: "integer",
        "number" (finite) or "text" (not empty).
    width : int
        Number of fields that each line must have.
    skip : int
        Lines at the top to leave out (a header).

    Raises
    ------
    DataError
        A line has another number of fields, or a field is not what its column holds.
    """
    data = source.data if len(separator) == 1 else source.data.replace(separator.encode(), b"\t")
    mark = separator if len(separator) == 1 else "\t"
    _check_width(source, data, mark, width, skip)
    kinds: dict[Kind, Any] = {"integer": np.int64, "number": np.float64, "text": "str"}
    try:
        frame = pd.read_csv(
            BytesIO(data),
            sep=mark,
            header=None,
            names=list(range(width)),
            usecols=[place for place, _ in columns.values()],
            dtype={place: kinds[kind] for place, kind in columns.values()},
            skiprows=skip,
            keep_default_na=False,
            quoting=csv.QUOTE_MINIMAL if separator == "," else csv.QUOTE_NONE,  # elsewhere it is a mark like others
        )
    except (ValueError, OverflowError) as error:
        _find_bad_field(source, separator, columns, skip)
        raise DataError(source.path, "a readable table", str(error)) from error
    if frame.empty:
        raise DataError(source.path, "at least one line of data", "a header alone")
    table = {name: frame[place].to_numpy() for name, (place, _) in columns.items()}
    for name, (_, kind) in columns.items():
        bad = ~np.isfinite(table[name]) if kind == "number" else table[name] == ""
        if kind != "integer" and bad.any():
            _find_bad_field(source, separator, columns, skip)
    return table


def whole_numbers(values: Shaped[np.ndarray, " row"]) -> Shaped[np.ndarray, " row"]:
    """Return integers where all values are whole, and the values as they are otherwise."""
    whole = values.astype(np.int64)
    return whole if np.array_equal(whole, values) else values


def numbers_if_all(label: Shaped[np.ndarray, " row"]) -> Shaped[np.ndarray, " row"]:
    """Make ids numbers where each is the plain form of one, so that 10 comes after 9."""
    if label.dtype.kind in "iu":
        return label
    number = pd.to_numeric(pd.Series(label), errors="coerce")
    if number.notna().all() and (number.astype("int64").astype(str) == label).all():
        return number.to_numpy(dtype=np.int64)
    return label.astype(str)


def _check_width(source: Source, data: bytes, mark: str, width: int, skip: int) -> None:
    """Raise for the first line that has another number of fields; a comma in quotes parts none."""
    raw = np.frombuffer(data, dtype=np.uint8)
    end = np.flatnonzero(raw == NEWLINE)
    empty = np.diff(end, prepend=-1) == 1
    is_mark, quote = raw == ord(mark), (raw == ord('"')) & (mark == ",")
    if quote.any():
        is_mark &= np.cumsum(quote) % 2 == 0
    fields, quotes = (np.diff(np.searchsorted(np.flatnonzero(x), end), prepend=0) for x in (is_mark, quote))
    bad = (fields + 1 != width) | (quotes % 2 == 1)
    wrong = np.flatnonzero(bad & ~empty & (np.arange(len(end)) >= skip))
    if len(wrong):
        line = int(wrong[0])
        source.fail(line + 1, f"{width} fields", source.lines()[line])


def _find_bad_field(source: Source, separator: str, columns: Mapping[str, tuple[int, Kind]], skip: int) -> None:
    """Look at each field in turn and raise for the first that is not what its column holds."""
    for number, line in enumerate(source.lines()[skip:], start=skip + 1):
        fields = next(csv.reader([line]), []) if separator == "," else line.split(separator)
        for name, (place, kind) in columns.items():
            if line and not _fits(fields[place], kind):
                source.fail(number, f"{_ARTICLE[kind]} as {name}", fields[place])


_ARTICLE: Mapping[Kind, str] = {"integer": "an integer", "number": "a finite number", "text": "some text"}


def _fits(field: str, kind: Kind) -> bool:
    if kind == "text":
        return field != ""
    if "_" in field or not field.isascii():  # Python reads such numbers, other programs do not
        return False
    try:
        return abs(int(field)) < 2**63 if kind == "integer" else math.isfinite(float(field))
    except ValueError:
        return False
