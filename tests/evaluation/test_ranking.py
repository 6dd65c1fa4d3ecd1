from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from adar_viz.evaluation.ranking import best_items


@settings(max_examples=150, deadline=None)
@given(
    st.integers(1, 6).flatmap(lambda n: st.lists(st.lists(st.integers(-2, 2), min_size=n, max_size=n), min_size=1)),
    st.integers(1, 8),
    st.sampled_from(["descending", "ascending"]),
    st.data(),
)
def test_ranking_is_sorting_by_score_and_then_by_id(
    rows: list[list[int]], k: int, ties: str, data: st.DataObject
) -> None:
    masked = [[data.draw(st.booleans()) for _ in row] for row in rows]
    score = torch.tensor(rows).float().masked_fill(torch.tensor(masked), -torch.inf)
    sign = -1 if ties == "descending" else 1
    expected = [sorted(range(len(row)), key=lambda i: (-row[i], sign * i))[:k] for row in score.tolist()]
    assert best_items(score, k, ties).tolist() == expected


def test_a_catalogue_of_equal_scores_is_ranked_by_id_alone() -> None:
    score = torch.zeros(3, 5000)
    assert best_items(score, 4, "descending").tolist() == [[4999, 4998, 4997, 4996]] * 3
    assert best_items(score, 4, "ascending").tolist() == [[0, 1, 2, 3]] * 3
