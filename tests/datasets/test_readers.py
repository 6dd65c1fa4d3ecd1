from __future__ import annotations

import numpy as np
import pytest

from adar_viz.datasets import DataError, detect, leaks, load, read
from adar_viz.datasets.splits import given

MOVIES = 'movieId,title,genres\n10,"Film, The (1990)",Drama|War\n30,Other (1991),(no genres listed)\n'
U_ITEM = "10|Film (1990)|01-Jan-1990||http://x|" + "|".join("1" if i in (8, 17) else "0" for i in range(19)) + "\n"

MISSING = ",99" * 7  # a matrix of ratings has at least 10 columns

# format, files, pairs as (user, item) labels in stored order
GOOD = {
    "movielens-csv": (
        {"ratings.csv": "userId,movieId,rating,timestamp\n2,30,4.5,20\n1,30,3,9\n1,10,5,7\n", "movies.csv": MOVIES},
        [("1", "10"), ("1", "30"), ("2", "30")],
    ),
    "movielens-udata": (
        {"u.data": "2\t30\t4\t20\n1\t30\t3\t9\n1\t10\t5\t7\n", "u.item": U_ITEM},
        [("1", "10"), ("1", "30"), ("2", "30")],
    ),
    "movielens-dat": (
        {"ratings.dat": "2::30::4::20\n1::10::5::7\n", "movies.dat": "10::Film (1990)::Drama|War\n"},
        [("1", "10"), ("2", "30")],
    ),
    "lightgcn": (
        {"train.txt": "0 3 1\n2 3\n", "test.txt": "0 7\n2 \n"},
        [("0", "3"), ("0", "1"), ("2", "3")],
    ),
    "sequence": ({"sequences.txt": "1 5 4 9\n2 4\n"}, [("1", "5"), ("1", "4"), ("1", "9"), ("2", "4")]),
    "pairs": ({"beauty.txt": "1 5\n1 4\n2 4\n"}, [("1", "5"), ("1", "4"), ("2", "4")]),
    "recbole": (
        {
            "x.inter": "user_id:token\titem_id:token\trating:float\ttimestamp:float\nbo\t10\t4\t2\nal\t9\t3\t1.5\n",
            "x.item": "item_id:token\tmovie_title:token_seq\tclass:token_seq\n10\tFilm\tDrama War\n9\tB\tWar\n",
        },
        [("al", "9"), ("bo", "10")],
    ),
    "coat": (
        {"train.ascii": "0 4 1\n5 0 0\n", "test.ascii": "2 0 0\n0 0 3\n"},
        [("1", "2"), ("1", "3"), ("2", "1")],
    ),
    "jester": (
        {"ratings.csv": f"-1.5,nan,3{MISSING}\n99,2.25,nan{MISSING}\n"},
        [("1", "1"), ("1", "3"), ("2", "2")],
    ),
}


def put(folder, files):
    for name, text in files.items():
        (folder / name).write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


def labels(pairs):
    return list(zip(pairs.user_label[pairs.user].tolist(), pairs.item_label[pairs.item].tolist(), strict=True))


@pytest.mark.parametrize("format", GOOD)
def test_each_format_is_recognised_and_read(format, tmp_path):
    files, expected = GOOD[format]
    put(tmp_path, files)
    assert detect(tmp_path) == format
    assert labels(read(tmp_path).interactions) == expected
    assert labels(read(tmp_path, format).interactions) == expected
    assert read(tmp_path / next(iter(files))).interactions.checksum() == read(tmp_path).interactions.checksum()


@pytest.mark.parametrize("format", GOOD)
def test_windows_lines_marks_and_blank_lines_change_nothing_and_are_reported(format, tmp_path):
    files, _ = GOOD[format]
    (tmp_path / "plain").mkdir()
    (tmp_path / "windows").mkdir()
    plain = read(put(tmp_path / "plain", files)).interactions
    spoiled = {
        name: b"\xef\xbb\xbf" + text.replace("\n", "\r\n").replace("\r\n", "\r\n  \r\n", 1).encode()
        for name, text in files.items()
    }
    windows = read(put(tmp_path / "windows", spoiled)).interactions
    assert windows.checksum() == plain.checksum()
    assert windows.report["byte order mark removed"] == 1
    assert windows.report["blank lines skipped"] == 1
    assert windows.report["Windows line ends (CRLF) read"] >= 2


def test_old_macintosh_lines_change_nothing_and_are_reported(tmp_path):
    text = GOOD["movielens-csv"][0]["ratings.csv"]
    pairs = read(put(tmp_path, {"ratings.csv": text.replace("\n", "\r")})).interactions
    assert labels(pairs) == GOOD["movielens-csv"][1]
    assert pairs.report["old Macintosh line ends (CR) read"] == text.count("\n")


def test_titles_and_genres_follow_their_items(tmp_path):
    for format, expected in {
        "movielens-csv": [("Film, The (1990)", "Drama|War"), ("Other (1991)", "")],
        "movielens-udata": [("Film (1990)", "Drama|War"), ("item 30", "")],
        "movielens-dat": [("Film (1990)", "Drama|War"), ("item 30", "")],
        "recbole": [("Film", "Drama|War"), ("B", "War")],
    }.items():
        (tmp_path / format).mkdir()
        pairs = read(put(tmp_path / format, GOOD[format][0])).interactions
        found = dict(zip(pairs.item_label.tolist(), zip(pairs.title, pairs.genre, strict=True), strict=True))
        assert found["10"] == expected[0]
        assert next(value for key, value in found.items() if key != "10") == expected[1]
        assert pairs.report.get("items without a title", 0) == sum("item " in title for title in pairs.title)


def test_sequences_take_titles_through_the_original_ids(tmp_path):
    files = {"sequences.txt": "1 1 2\n", "sas_to_original_items.txt": "1 10\n2 77\n", "movies.dat": "10::Film::War\n"}
    assert read(put(tmp_path, files)).interactions.title.tolist() == ["Film", "item 2"]


def test_latin_1_titles_are_read(tmp_path):
    files = {**GOOD["movielens-dat"][0], "movies.dat": "10::Misérables, Les (1995)::Drama\n".encode("latin-1")}
    assert "Misérables, Les (1995)" in read(put(tmp_path, files)).interactions.title


def test_a_quote_is_a_mark_like_others_where_tabs_part_the_fields(tmp_path):
    text = 'user_id:token\titem_id:token\treview:token_seq\n1\t2\t"abc\n3\t4\tdef"\n5\t6\tghi\n'
    assert labels(read(put(tmp_path, {"a.inter": text})).interactions) == [("1", "2"), ("3", "4"), ("5", "6")]


BAD = [
    ("ratings.csv", "userId,movieId,rating,timestamp\n1,1,4,5\n\n1,2,x,5\n", 4, "a finite number as rating", "'x'"),
    ("ratings.csv", "userId,movieId,rating,timestamp\n1,1,4\n", 2, "4 fields", "'1,1,4'"),
    ("ratings.csv", "userId,movieId,rating,timestamp\n1,1,nan,5\n", 2, "a finite number as rating", "'nan'"),
    ("ratings.csv", "userId,film,rating,timestamp\n1,1,4,5\n", 1, "a header with userId and movieId", "'userId,film"),
    ("u.data", "1\t1\t4\t5\n1\t2.5\t4\t5\n", 2, "an integer as movieid", "'2.5'"),
    ("u.data", "1\t1\t4\t5\n1\t2\t4\n", 2, "4 fields", "'1"),
    ("u.data", "1\t1\t4\t5\n1\t99999999999999999999\t4\t5\n", 2, "an integer as movieid", "'99999999999999999999'"),
    ("ratings.dat", "1::1::4::5\n1::2::4::\n", 2, "a finite number as timestamp", "''"),
    ("ratings.dat", "1::1::4::5\n1::2::4::5::6\n", 2, "4 fields", "'1::2::4::5::6'"),
    ("sequences.txt", "1 2 3\n\n2 4 x7 5\n", 3, "integers >= 0 parted by spaces", "'x7'"),
    ("sequences.txt", "1 2 3\n2 -4\n", 2, "integers >= 0 parted by spaces", "'-4'"),
    ("sequences.txt", "1 2 3\n2 1234567890123456789\n", 2, "integers >= 0", "'1234567890123456789'"),
    ("a.inter", "user_id:token\titem_id:token\n1\t2\n3\t\n", 3, "some text as item_id", "''"),
    ("a.inter", "user_id:token\tthing:token\n1\t2\n", 1, "a header with user_id:token and item_id:token", "'user_id"),
    (
        "ratings.csv",
        f"1.5,2,nan{MISSING}\n3,11,2{MISSING}\n",
        2,
        "ratings from -10 to 10, nan or 99",
        "'11'",
    ),
    ("ratings.csv", f"1.5,2,nan{MISSING}\n3,2\n", 2, "10 fields", "'3,2'"),
    ("odd.csv", "1,2,3.5\n3,4,2.5\n", 1, "a header with userId and movieId, or user and item", "'1,2,3.5'"),
    ("odd.csv", "101,2,3,4,5,6,7,8,9,10\n", 1, "a header with userId and movieId, or user and item", "'101,"),
    (
        "odd.csv",
        "user_id,thing,stars\n1,1,4\n",
        1,
        "a header with userId and movieId, or user and item (or RecBole's .inter with user_id:token, or a matrix of ",
        "'user",
    ),
    ("odd.csv", "user,item,item_id\n1,1,4\n", 1, "one column for movieid", "'user,item,item_id'"),
    ("odd.csv", "user,item,note,note\n1,1,a,b\n", 1, "one column for note", "'user,item,note,note'"),
    ("odd.csv", "1,2\n3,4\n", 1, "a header with userId and movieId, or user and item", "'1,2'"),
    ("odd.tsv.csv", "user\titem\trating\na\t1\tx\n", 2, "a finite number as rating", "'x'"),
    ("odd.csv", 'user,item,about\n1,2,"a, b"\n1,3,"a, b\n', 3, "3 fields", "'1,3,"),
    ("ratings.csv", "userId,movieId,rating,timestamp\n1_0,1,4,5\n", 2, "an integer as userid", "'1_0'"),
    ("sequences.txt", "1 2 3\n2 3 4\n\n1 5 6\n", 4, "one line a user", "'1 5 6'"),
    ("notes.txt", "a diary\n", 1, "a file of one of the formats", "'a diary'"),
]


@pytest.mark.parametrize(("name", "text", "line", "expected", "got"), BAD)
def test_a_malformed_line_raises_one_error_with_its_place(name, text, line, expected, got, tmp_path):
    put(tmp_path, {name: text})
    with pytest.raises(DataError) as caught:
        read(tmp_path)
    assert caught.value.line == line
    assert f"{name}:{line}: expected {expected}" in str(caught.value)
    assert f"got {got}" in str(caught.value)


@pytest.mark.parametrize("mark", [",", "\t"])
def test_a_table_of_ones_own_may_call_its_columns_as_is_usual_and_its_ids_may_be_text(mark, tmp_path):
    lines = ["item_id,User,rating,extra", 'film 1,ann,4,"a, b"', "film 2,ann,2,c", "film 2,bob,5,d"]
    text = "\n".join(lines) if mark == "," else "\n".join(lines).replace(",", "\t")
    if mark == "\t":
        text = text.replace('"a\t b"', "a b")
    found = read(put(tmp_path, {"mine.csv": text + "\n"}) / "mine.csv")
    assert found.format == "movielens-csv"
    assert labels(found.interactions) == [("ann", "film 1"), ("ann", "film 2"), ("bob", "film 2")]
    assert found.interactions.rating.tolist() == [4, 2, 5]
    assert found.interactions.report["columns not read (extra)"] == 1


def test_a_table_by_tabs_is_found_in_its_folder_and_quotes_may_stand_in_a_header_by_commas(tmp_path):
    read_as = {
        "mine.tsv": "UserId\titemId\ttime\nb\t9\t5\na\t10\t4\n",
        "mine.csv": '"user_id","about, at length","item","time"\nb,"x, y",9,5\na,z,10,4\n',
    }
    for name, text in read_as.items():
        (tmp_path / name).mkdir()
        pairs = read(put(tmp_path / name, {name: text})).interactions
        assert labels(pairs) == [("a", "10"), ("b", "9")]
        assert pairs.timestamp.tolist() == [4, 5]


def test_a_path_may_have_its_format_before_it(tmp_path):
    put(tmp_path, {"a.txt": "1 5\n2 4\n"})
    assert load(tmp_path / "a.txt").format == "sequence"
    assert load(f"pairs:{tmp_path / 'a.txt'}").format == "pairs"
    with pytest.raises(DataError, match="synthetic: expected no format, since it is made and not read; got 'pairs'"):
        load("pairs:synthetic")


def test_two_columns_are_pairs_wherever_a_user_comes_again(tmp_path):
    lines = [f"{user} {user + 1}" for user in range(300)] + ["7 9"]
    found = read(put(tmp_path, {"many.txt": "\n".join(lines) + "\n"}))
    assert found.format == "pairs"
    assert len(found.interactions) == 301


def test_other_malformed_files_name_their_place(tmp_path):
    cases = {
        "coat1": (
            {"train.ascii": "0 4\n5 0\n", "test.ascii": "2 0\n0 6\n"},
            None,
            "test.ascii:2: .* ratings from 1 to 5",
        ),
        "coat2": ({"train.ascii": "0 4\n5\n", "test.ascii": "2 0\n"}, None, "train.ascii:2: expected 2 ratings"),
        "pairs": ({"a.txt": "1 2\n1 3 4\n"}, "pairs", "a.txt:2: expected two integers"),
        "movies": (
            {**GOOD["movielens-dat"][0], "movies.dat": "10::Film::War\n11::x\n"},
            None,
            "movies.dat:2: expected id::title::genres",
        ),
        "zip": ({"ratings.csv": b"\x1f\x8b\x08 and so on"}, None, "expected a text file; got a compressed one"),
        "zero": ({"ratings.csv": b"1,2\0,3\n"}, None, "expected a text file; got one with zero bytes"),
        "header": ({"ratings.csv": "userId,movieId\n"}, None, "at least one line of data; got a header alone"),
        "empty": ({"sequences.txt": "\n \n"}, None, "at least one line; got an empty file"),
        "users": ({"sequences.txt": "1\n2\n"}, None, "at least one pair; got users without items only"),
        "none": ({}, None, "expected a folder with one of train.txt"),
        "format": (GOOD["pairs"][0], "excel", "a format out of lightgcn, coat, .*; got 'excel'"),
    }
    for name, (files, format, message) in cases.items():
        (tmp_path / name).mkdir()
        with pytest.raises(DataError, match=message):
            read(put(tmp_path / name, files), format)
    with pytest.raises(DataError, match="nothing at this path"):
        read(tmp_path / "absent")


COUNTS = {
    "ml-latest-small": (610, 9_724, 100_836, None),
    "ml-100k": (943, 1_682, 100_000, None),
    "ml-1m": (6_040, 3_416, 999_611, None),
    "gowalla": (29_858, 40_981, 810_128, 217_242),
    "amazon-beauty": (22_363, 12_101, 198_502, None),
    "amazon-toys": (19_412, 11_924, 167_597, None),
    "lastfm-seq": (1_090, 3_646, 52_551, None),
    "dens-beauty": (7_670, 10_887, 63_601, 18_696),
    "dens-toy": (4_626, 10_083, 44_124, 8_666),
    "dens-baby": (4_314, 5_854, 31_567, 11_090),
    "dens-lastfm": (640, 4_165, 13_039, 6_014),
    "ahns-tool": (16_638, 10_217, 107_772, 26_704),
    "coat": (290, 300, 6_960, 4_640),
    "jester5k": (5_000, 100, 363_209, None),
}


@pytest.mark.parametrize("name", COUNTS)
def test_real_sets_have_their_published_counts(name, real_data):
    dataset = read(real_data / name)
    pairs, test = dataset.interactions, dataset.test
    assert (pairs.num_users, pairs.num_items, len(pairs), None if test is None else len(test)) == COUNTS[name]


def test_the_leak_of_dens_lastfm_is_found(real_data):
    dataset = read(real_data / "dens-lastfm")
    kept = given(dataset.interactions, dataset.test, overlap="keep")
    overlap = leaks(kept).test_in_train + leaks(kept).test_in_validation
    assert overlap == 3_518
    assert overlap / len(dataset.test) == pytest.approx(0.585, abs=0.001)
    with pytest.raises(ValueError, match=r"3518 of 6014 test pairs \(58%\)"):
        given(dataset.interactions, dataset.test)


def test_jester_and_ml_1m_have_what_their_readmes_say(real_data):
    jester = read(real_data / "jester5k").interactions
    assert int((jester.activity() == 100).sum()) == 1_473
    movies = read(real_data / "ml-1m").interactions
    assert not any(np.char.startswith(movies.title, "item "))
