from __future__ import annotations

import hashlib
import io
import zipfile
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from adar_viz.cli import main
from adar_viz.datasets import KNOWN, DataError, catalogue, load, split
from adar_viz.datasets.fetching import fetch

CLOSED = "http://127.0.0.1:9/set.zip"  # the discard port: nothing listens there


def run(*words: str) -> int:
    return main(["data", *words])


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def served(tmp_path):
    """A set served by a server of our own, so that no test needs the network."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("tiny/u.data", "1\t1\t4\t5\n1\t2\t4\t6\n2\t1\t1\t7\n")
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "tiny.zip").write_bytes(packed.getvalue())
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(tmp_path / "site")))
    thread = Thread(target=server.serve_forever)
    thread.start()
    url = f"http://127.0.0.1:{server.server_address[1]}/tiny.zip"
    yield replace(KNOWN["ml-100k"], name="tiny", url=url, sha256=hashlib.sha256(packed.getvalue()).hexdigest())
    server.shutdown()
    thread.join()
    server.server_close()


def test_get_fetches_verifies_and_never_overwrites(served, tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(catalogue.KNOWN, "tiny", served)
    assert run("get", "tiny", "--to", str(tmp_path / "data")) == 0
    said = capsys.readouterr().out
    assert said.index("terms: ") < said.index("ready: ")
    assert len(load(tmp_path / "data" / "tiny").interactions) == 3
    assert [path.name for path in (tmp_path / "data").iterdir()] == ["tiny"]  # no scratch left behind
    (tmp_path / "data" / "tiny" / "u.data").write_text("mine")
    assert run("get", "tiny", "--to", str(tmp_path / "data")) == 2
    assert "nothing is overwritten" in capsys.readouterr().err
    assert (tmp_path / "data" / "tiny" / "u.data").read_text() == "mine"


def test_a_wrong_checksum_leaves_nothing(served, tmp_path):
    with pytest.raises(DataError, match="SHA-256 0000"):
        fetch(replace(served, sha256="0" * 64), tmp_path / "data")
    assert list((tmp_path / "data").iterdir()) == []


def test_offline_get_says_so_at_once(tmp_path, capsys, monkeypatch):
    monkeypatch.setitem(catalogue.KNOWN, "ml-100k", replace(KNOWN["ml-100k"], url=CLOSED))
    assert run("get", "ml-100k", "--to", str(tmp_path)) == 2
    assert "are you offline?" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    assert run("get", "ml-100k", "--to", str(tmp_path / "file")) == 2
    assert "a folder to write to" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["get", "gowalla"], "one to fetch by hand"),
        (["get", "nonsense"], "a name out of ml-latest-small, ml-100k, ml-1m"),
        (["check", "nonsense"], "or a name out of synthetic, ml-latest-small"),
        (["check", "synthetic", "--min-rating", "4"], "got pairs without ratings"),
    ],
)
def test_what_cannot_be_done_exits_with_2_and_says_what_is_valid(words, message, capsys, tmp_path, monkeypatch):
    monkeypatch.delenv("ADAR_VIZ_DATA", raising=False)
    monkeypatch.chdir(tmp_path)
    assert run(*words) == 2
    assert message in capsys.readouterr().err


def test_list_shows_every_set_with_its_terms(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ADAR_VIZ_DATA", str(tmp_path))
    (tmp_path / "gowalla").mkdir()
    assert run("list") == 0
    said = capsys.readouterr().out
    assert all(f"{name}: " in said for name in KNOWN)
    assert f"found: {tmp_path / 'gowalla'}" in said


def test_check_says_that_all_ratings_count_and_what_milliseconds_look_like(tmp_path, capsys):
    rows = "1,1,5,1600000000000\n1,2,1,1600000001000\n"
    (tmp_path / "ratings.csv").write_text("userId,movieId,rating,timestamp\n" + rows)
    assert run("check", str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "1 to 5, all counted as likes; --min-rating R leaves those below R out" in said
    assert "to 1600000001000, beyond the year 2100 if seconds: milliseconds? only their order matters" in said


def test_check_of_a_named_set_says_which_ratings_a_run_counts(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("ADAR_VIZ_DATA", str(tmp_path))
    (tmp_path / "ml-100k").mkdir()
    (tmp_path / "ml-100k" / "u.data").write_text("1\t1\t5\t900000000\n1\t2\t1\t900086400\n")
    assert run("check", "ml-100k") == 0
    said = capsys.readouterr().out
    assert "1 to 5; a run counts 4 and more as likes, unless --min-rating says otherwise" in said
    assert "1998-07-09 to 1998-07-10" in said


def test_check_reports_repairs_and_leaks(tmp_path, capsys):
    (tmp_path / "train.txt").write_bytes(b"0 1 2 2\r\n\r\n1 1 3\r\n")
    (tmp_path / "test.txt").write_text("0 1 3\n")
    assert run("check", str(tmp_path)) == 0
    said = capsys.readouterr().out
    assert "2 users, 3 items, 4 pairs" in said
    assert "duplicate pairs dropped (the first is kept): 1" in said
    assert "blank lines skipped: 1" in said
    assert "1 of 2 test pairs (50%) are training pairs" in said


def test_every_set_that_is_fetched_has_a_full_checksum():
    for known in KNOWN.values():
        assert (known.url is None) == (known.sha256 is None)
        assert known.sha256 is None or len(bytes.fromhex(known.sha256)) == 32


def test_named_sets_bring_their_threshold_and_their_truth(real_data):
    films = load("ml-latest-small").interactions
    assert (films.num_users, films.num_items, len(films)) == (609, 6_298, 48_580)
    assert len(load("ml-latest-small", min_rating=None).interactions) == 100_836
    complete = load("jester-complete")
    assert complete.truth.judged.all()
    assert complete.truth.liked.sum() == len(complete.interactions)
    assert complete.truth.liked[complete.interactions.user, complete.interactions.item].all()
    whole = load("jester5k", min_rating=None)
    assert whole.truth.judged.all(axis=1).sum() == 1_473
    assert whole.truth.judged.any(axis=1).sum() == 1_473
    coat = load("coat")
    assert coat.truth.judged.sum() == 4_640
    assert coat.truth.liked[coat.test.user, coat.test.item].all()
    assert coat.truth.liked.sum() == len(coat.test)
    with pytest.raises(ValueError, match=r"\(11%\) that are training pairs"):
        split(coat)


def test_the_synthetic_world_is_the_default_data():
    dataset = load("synthetic")
    assert dataset.truth.judged.all()
    assert split(dataset).name == "ratio validation=0.1 test=0.1 seed=0"
    assert split(dataset, "leave-one-out").num_items == 1000
