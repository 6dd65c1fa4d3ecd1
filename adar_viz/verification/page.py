"""The page that sets our numbers beside the published ones."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from adar_viz.verification.anchors import BEST, Anchor
from adar_viz.verification.running import Found

TOP = """# Verification

Published numbers, and ours under the same settings. Written by `adar-viz verify --write` from
[`anchors.toml`](verification/anchors.toml) and [`found.json`](verification/found.json);
`adar-viz verify --only ID` trains an anchor again. Where several seeds were tried, their mean is compared, with the
lowest and the highest beside it; their number was decided by what they cost. With one seed, a few per cent are noise.
Where a setting was not published, the notes say what we took; for dens-baby the number of candidates was chosen after
another one did not fit, so that those numbers agree by choice.
Anchors marked † follow a protocol that stops on the *test* part: as published, because the number to be met was made
that way. Nothing else in this project selects on the test.
"""


@dataclass(frozen=True)
class Compared:
    """A published number, and what our trainings gave in its place."""

    anchor: Anchor
    reading: str
    metric: str
    published: float
    ours: Sequence[float]

    @property
    def agrees(self) -> bool | None:
        """Whether the mean is within the tolerance; None where nothing was run."""
        return self.anchor.agrees(self.published, fmean(self.ours)) if self.ours else None


def compare(anchor: Anchor, found: Mapping[str, Found]) -> list[Compared]:
    """Set what was found beside each published number of an anchor."""
    mine = _of(anchor, found)
    return [
        Compared(anchor, reading, metric, value, [f.metrics[reading][metric] for f in mine if reading in f.metrics])
        for reading, metrics in anchor.published.items()
        for metric, value in metrics.items()
    ]


def page(anchors: Sequence[Anchor], found: Mapping[str, Found]) -> str:
    """Write the page as Markdown.

    Parameters
    ----------
    found
        By the training's id. What was found under other settings than the anchor's present ones
        counts as not run.
    """
    compared = [one for anchor in anchors for one in compare(anchor, found)]
    table = [
        "| anchor | reading | metric | published | ours | of seeds | difference | verdict |",
        "|---|---|---|--:|--:|---|--:|---|",
        *map(_row, compared),
    ]
    details = [_details(anchor, _of(anchor, found)) for anchor in anchors]
    return "\n".join([TOP, _summary(compared), "", *table, "", "## Settings", "", *details])


def _of(anchor: Anchor, found: Mapping[str, Found]) -> list[Found]:
    there = [(found.get(training.id), training.recipe) for training in anchor.trainings]
    return [one for one, recipe in there if one is not None and one.recipe == recipe]


def _summary(compared: Sequence[Compared]) -> str:
    """Count what is inside and outside its tolerance, and what was not run."""
    judged = [one.agrees for one in compared if one.agrees is not None]
    return (
        f"**{sum(judged)} of {len(judged)} numbers lie within their tolerance, {len(judged) - sum(judged)} do not; "
        f"{len(compared) - len(judged)} were not run.**"
    )


def _row(one: Compared) -> str:
    anchor = one.anchor
    name = anchor.id + (" †" if anchor.selects_on_test else "")
    at = one.reading if one.reading == BEST else f"epoch {one.reading}"
    inside = f"within {anchor.tolerance:.0%}" if anchor.tolerance else "the same to 4 decimals"
    if not one.ours:
        told = f"| | | not run (about {anchor.all_minutes:g} min)"
    else:
        mean = fmean(one.ours)
        several = f"{len(one.ours)}: {min(one.ours):.4f} to {max(one.ours):.4f}" if len(one.ours) > 1 else "1"
        verdict = inside if one.agrees else f"**not** {inside}"
        told = f"{mean:.4f} | {several} | {mean / one.published - 1:+.1%} | {verdict}"
    return f"| {name} | {at} | {one.metric} | {one.published:.4f} | {told} |"


def _details(anchor: Anchor, found: Sequence[Found]) -> str:
    """Say of one anchor what it is, whence, how to run it, and what is known."""
    if not found:
        state = f"Not run; about {anchor.all_minutes:g} minutes on one core."
    elif anchor.count:
        state = f"Popularity counted over {' + '.join(anchor.count)}; nothing is trained."
    else:
        state = f"{'; '.join(map(_spent, found))}; wall time on a shared core."
    by_hand = "" if anchor.count else f"\n\n    {anchor.command}"
    notes = f" {anchor.notes.strip()}" if anchor.notes else ""
    return f"**{anchor.id}**: {anchor.what}. {anchor.source}. {state}{notes}{by_hand}\n"


def _spent(found: Found) -> str:
    over = f"epoch {found.best_epoch} selected" if found.finished else "cut off, so without its best"
    return f"{found.epochs} epochs, {over}, {found.seconds:.0f} s"
