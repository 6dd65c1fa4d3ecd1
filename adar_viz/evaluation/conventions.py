"""The choices that published evaluations make differently, each with a name and a default."""

from __future__ import annotations

from dataclasses import dataclass

_ALLOWED = {
    "recall_over": ("test", "min"),
    "ideal": ("test", "hits"),
    "empty_users": ("skip", "zero"),
    "ties": ("descending", "ascending"),
}


@dataclass(frozen=True)
class Conventions:
    """How a ranking is turned into numbers.

    Attributes
    ----------
    ks : tuple of int
        Lengths of the lists that are judged.
    recall_over : {"test", "min"}
        Recall divides the hits by the user's number of test items, or by ``min(k, that)``.
    ideal : {"test", "hits"}
        NDCG's ideal list holds ``min(k, test items)`` items, or (as NGCF's released code has it)
        only the hits, moved to the top: then a user with one late hit and many misses gets more.
    empty_users : {"skip", "zero"}
        Users without test items are left out of the means, or count 0.
    ties : {"descending", "ascending"}
        Order of equal scores, by item id.
    mask_seen : bool
        Leave the items that the user is known to like out of the ranking.
    """

    ks: tuple[int, ...] = (5, 10, 20, 50)
    recall_over: str = "test"
    ideal: str = "test"
    empty_users: str = "skip"
    ties: str = "descending"
    mask_seen: bool = True

    def __post_init__(self) -> None:
        if not self.ks or min(self.ks) < 1 or len(set(self.ks)) < len(self.ks):
            raise ValueError(f"ks must be different lengths of at least 1; got {self.ks}")
        for name, allowed in _ALLOWED.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} must be one of {', '.join(allowed)}; got {getattr(self, name)!r}")
