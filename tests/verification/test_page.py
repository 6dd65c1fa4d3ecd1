"""The verification page: what it says of each number, and that the committed one is up to date."""

from __future__ import annotations

import json
import re
from pathlib import Path

from adar_viz.verification import Found, page, read_anchors
from tests.verification.test_anchors import MANIFEST, RUN, anchor

ROOT = MANIFEST.parents[1]


def test_it_tells_within_outside_and_not_run() -> None:
    one = anchor(published={"best": {"recall@20": 0.2, "ndcg@10": 0.1}})
    other = anchor(
        id="other",
        run={**RUN, "split": "as-published"},
        published={"2": {"recall@20": 0.5}, "best": {"recall@20": 0.6}},
    )
    found = {
        "one": Found(one.recipe, {"best": {"recall@20": 0.21, "ndcg@10": 0.09}}, 4, 3, 12.0, True),
        "other": Found(other.recipe, {"2": {"recall@20": 0.5}}, 2, 2, 7.0),
    }
    text = page([one, other], found)
    assert "**2 of 3 numbers lie within their tolerance, 1 do not; 1 were not run.**" in text
    assert "| one | best | recall@20 | 0.2000 | 0.2100 | 1 | +5.0% | within 5% |" in text
    assert "| one | best | ndcg@10 | 0.1000 | 0.0900 | 1 | -10.0% | **not** within 5% |" in text
    assert "| other † | epoch 2 | recall@20 | 0.5000 | 0.5000 | 1 | +0.0% | within 5% |" in text
    assert "| other † | best | recall@20 | 0.6000 | | | | not run (about 0.1 min) |" in text
    assert "4 epochs, epoch 3 selected, 12 s;" in text
    assert "2 epochs, cut off, so without its best, 7 s;" in text
    assert one.command in text


def test_the_mean_of_the_seeds_is_compared() -> None:
    three = anchor(seeds=3)
    values = {training.id: value for training, value in zip(three.trainings, (0.18, 0.205, 0.221), strict=True)}
    found = {
        training.id: Found(training.recipe, {"best": {"recall@20": values[training.id]}}, 4, 3, 12.0, True)
        for training in three.trainings
    }
    assert "| one | best | recall@20 | 0.2000 | 0.2020 | 3: 0.1800 to 0.2210 | +1.0% | within 5% |" in page(
        [three], found
    )
    del found["one-seed2"]  # not run yet
    assert "| 0.1925 | 2: 0.1800 to 0.2050 | -3.7% | within 5% |" in page([three], found)
    assert "| 0.1800 | 1 | -10.0% | **not** within 5% |" in page([anchor()], found)


def test_what_was_found_with_other_settings_counts_as_not_run() -> None:
    one = anchor()
    text = page([one], {"one": Found("another recipe", {"best": {"recall@20": 0.2}}, 4, 3, 12.0, True)})
    assert "0 of 0 numbers" in text
    assert "not run" in text


def test_the_committed_page_says_what_the_committed_numbers_say() -> None:
    kept = json.loads((ROOT / "verification" / "found.json").read_text())
    written = (ROOT / "VERIFICATION.md").read_text()
    assert written == page(read_anchors(MANIFEST), {name: Found(**one) for name, one in kept.items()})


def test_the_committed_numbers_belong_to_committed_anchors() -> None:
    recipes = {one.id: one.recipe for anchor in read_anchors(MANIFEST) for one in anchor.trainings}
    kept = json.loads((ROOT / "verification" / "found.json").read_text())
    assert {name: one["recipe"] for name, one in kept.items()} == {name: recipes[name] for name in kept}


def test_every_link_of_the_committed_page_exists() -> None:
    targets = re.findall(r"\]\(([^)]+)\)", (ROOT / "VERIFICATION.md").read_text())
    assert targets
    assert not [target for target in targets if not (Path(ROOT) / target).exists()]
