"""The page that sets our numbers beside the published ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from adar_viz.verification.anchors import BEST, Anchor
from adar_viz.verification.running import Found

TOP = """# Verification

Published numbers, and ours under the same settings. Written by `adar-viz verify --write` from
[`anchors.toml`](verification/anchors.toml) and [`found.json`](verification/found.json);
`adar-viz verify --only ID` trains an anchor again. One seed each, so a few per cent of difference are noise.
Where a setting was not published, the notes say what we took; for dens-baby the number of candidates was chosen after
another one did not fit, so that those numbers agree by choice.
Anchors marked † follow a protocol that stops on the *test* part: as published, because the number to be met was made
that way. Nothing else in this project selects on the test.
"""


def page(anchors: Sequence[Anchor], found: Mapping[str, Found]) -> str:
    """Write the page as Markdown.

    Parameters
    ----------
    found
        By the anchor's id. What was found under other settings than the anchor's present ones
        counts as not run.
    """
    present = {a.id: found[a.id] for a in anchors if a.id in found and found[a.id].recipe == a.recipe}
    table = ["| anchor | reading | metric | published | ours | difference | verdict |", "|---|---|---|--:|--:|--:|---|"]
    for anchor in anchors:
        table += _rows(anchor, present.get(anchor.id))
    details = [_details(anchor, present.get(anchor.id)) for anchor in anchors]
    return "\n".join([TOP, _summary(anchors, present), "", *table, "", "## Settings", "", *details])


def _summary(anchors: Sequence[Anchor], found: Mapping[str, Found]) -> str:
    """Count what is inside and outside its tolerance, and what was not run."""
    verdicts = [inside for anchor in anchors for *_, inside in _compared(anchor, found.get(anchor.id))]
    judged = [inside for inside in verdicts if inside is not None]
    return (
        f"**{sum(judged)} of {len(judged)} numbers lie within their tolerance, {len(judged) - sum(judged)} do not; "
        f"{len(verdicts) - len(judged)} were not run.**"
    )


def _compared(anchor: Anchor, found: Found | None) -> Iterator[tuple[str, str, float, float | None, bool | None]]:
    """Yield reading, metric, published value, ours, and whether they agree (None: not run)."""
    for reading, metrics in anchor.published.items():
        for metric, published in metrics.items():
            ours = None if found is None else found.metrics.get(reading, {}).get(metric)
            yield reading, metric, published, ours, None if ours is None else anchor.agrees(published, ours)


def _rows(anchor: Anchor, found: Found | None) -> list[str]:
    name = anchor.id + (" †" if anchor.selects_on_test else "")
    lines = []
    for reading, metric, published, ours, agrees in _compared(anchor, found):
        at = reading if reading == BEST else f"epoch {reading}"
        inside = f"within {anchor.tolerance:.0%}" if anchor.tolerance else "the same to 4 decimals"
        if ours is None:
            told = f"| | not run (about {anchor.minutes:g} min)"
        else:
            told = f"{ours:.4f} | {ours / published - 1:+.1%} | {inside if agrees else f'**not** {inside}'}"
        lines.append(f"| {name} | {at} | {metric} | {published:.4f} | {told} |")
    return lines


def _details(anchor: Anchor, found: Found | None) -> str:
    """Say of one anchor what it is, whence, how to run it, and what is known."""
    if found is None:
        state = f"Not run; about {anchor.minutes:g} minutes on one core."
    elif anchor.count:
        state = f"Popularity counted over {' + '.join(anchor.count)}; nothing is trained."
    else:
        over = f"epoch {found.best_epoch} selected" if found.finished else "cut off, so without its best"
        state = f"{found.epochs} epochs, {over}; {found.seconds:.0f} s of wall time on a shared core."
    by_hand = "" if anchor.count else f"\n\n    {anchor.command}"
    notes = f" {anchor.notes.strip()}" if anchor.notes else ""
    return f"**{anchor.id}**: {anchor.what}. {anchor.source}. {state}{notes}{by_hand}\n"
