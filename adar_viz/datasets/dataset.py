"""What a source of data holds: pairs, and where given a test set and truth."""

from __future__ import annotations

from dataclasses import dataclass, replace

from adar_viz.datasets.errors import DataError
from adar_viz.datasets.interactions import Interactions
from adar_viz.datasets.truth import Truth


@dataclass(frozen=True)
class Dataset:
    """Pairs with what came along.

    Attributes
    ----------
    interactions : Interactions
        All pairs, or the training pairs where a test set is given.
    test : Interactions or None
        The published test set, with the same numbering.
    truth : Truth or None
        What is known of likes beyond the pairs.
    format : str
        Name of the format it was read as.
    """

    interactions: Interactions
    test: Interactions | None = None
    truth: Truth | None = None
    format: str = ""

    @property
    def name(self) -> str:
        """Where the data come from."""
        return self.interactions.name

    def threshold(self, min_rating: float) -> Dataset:
        """Keep pairs rated ``min_rating`` or higher, in both sets; a given test set keeps all ids."""
        kept = self.interactions.threshold(min_rating, compact=self.test is None)
        return replace(
            self,
            interactions=kept,
            test=None if self.test is None else self.test.threshold(min_rating, compact=False),
            truth=None if self.truth is None else self.truth.follow(self.interactions, kept),
        )

    def k_core(self, k: int | tuple[int, int]) -> Dataset:
        """Keep the k-core of the pairs; refused where a test set is given, which it would change."""
        if self.test is not None:
            raise DataError(self.name, "pairs without a given test set, for a k-core", "a published split")
        kept = self.interactions.k_core(k)
        return replace(
            self,
            interactions=kept,
            truth=None if self.truth is None else self.truth.follow(self.interactions, kept),
        )
