"""Fetching a public set: checksum verified, nothing overwritten, plain words when offline."""

from __future__ import annotations

import zipfile
from pathlib import Path
from tempfile import TemporaryDirectory

from adar_viz.datasets.catalogue import KnownSet
from adar_viz.datasets.errors import DataError

TIMEOUT = 8.0
"""Seconds without an answer after which the network counts as unreachable."""


class FetchError(DataError):
    """A set that could not be fetched: offline, refused, or not what it should be."""


def fetch(known: KnownSet, into: Path, *, timeout: float = TIMEOUT) -> Path:
    """Download and unpack a set into a folder of its name.

    Parameters
    ----------
    known : KnownSet
        With address and checksum.
    into : Path
        Folder to put it in; made where it does not exist.
    timeout : float
        Seconds to wait for an answer.

    Returns
    -------
    Path
        ``into / known.name``. It appears whole or not at all.

    Raises
    ------
    FetchError
        It is there already, has no address, the network does not answer, or the checksum differs.
    """
    import pooch

    target = into / known.name
    if known.url is None or known.sha256 is None:
        raise FetchError(known.name, "a set with an official address and a known checksum", "one to fetch by hand")
    if target.exists():
        raise FetchError(known.name, f"nothing yet at {target}, as nothing is overwritten", "something")
    try:
        into.mkdir(parents=True, exist_ok=True)
        scratch_folder = TemporaryDirectory(dir=into, prefix=f".{known.name}-")
    except OSError as error:
        raise FetchError(known.name, f"a folder to write to at {into}", str(error)) from error
    pooch.get_logger().setLevel("WARNING")
    with scratch_folder as scratch:
        try:
            archive = pooch.retrieve(
                known.url,
                known_hash=f"sha256:{known.sha256}",
                fname="archive.zip",
                path=scratch,
                downloader=pooch.HTTPDownloader(timeout=timeout),
            )
        except OSError as error:
            got = f"no answer within {timeout:g} s or a refusal ({type(error).__name__}); are you offline?"
            raise FetchError(known.name, f"an answer from {known.url}", got) from error
        except ValueError as error:
            raise FetchError(known.name, f"an archive with SHA-256 {known.sha256}", "another one") from error
        _unpack(Path(archive), Path(scratch) / "unpacked", known.name).rename(target)
    return target


def _unpack(archive: Path, into: Path, name: str) -> Path:
    """Unpack a zip and return its one top folder."""
    try:
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(into)
    except zipfile.BadZipFile as error:
        raise FetchError(name, "a zip archive", str(error)) from error
    folders = [path for path in into.iterdir() if path.is_dir() and path.name != "__MACOSX"]
    if len(folders) != 1:
        raise FetchError(name, "one folder in the archive", str(len(folders)))
    return folders[0]
