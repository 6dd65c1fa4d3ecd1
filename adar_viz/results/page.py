"""The page: every entry's table and figure, written from the numbers that are kept; nothing is trained.

The figures are those of ``figures/manifest.toml`` that are drawn from an entry's table.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from adar_viz.comparison import as_markdown
from adar_viz.experiment import write_text
from adar_viz.figures import Figure, draw
from adar_viz.figures import read_manifest as read_figures
from adar_viz.results.kept import GRID, TOGETHER, Kept, load
from adar_viz.results.manifest import FIGURES, PAGE, READING, Entry, Manifest
from adar_viz.results.together import as_lines, together
from adar_viz.results.trainings import state
from adar_viz.training import TrainingPlan

OPENING = """# Results

Made by `adar-viz results`, which trains what is not finished yet, keeps the numbers in [`results/`](results), and
writes this page; `adar-viz results --write` writes it from those numbers alone. Every arm gets the same number of
trials on validation; the test part is ranked once, after the last training. What is run stands in
[`results/manifest.toml`](results/manifest.toml). Single trainings, as far as they were kept, stand in
[`results/trainings/`](results/trainings): a comparison that is cut off goes on from there, on any machine."""


def write_page(manifest: Manifest) -> Path:
    """Write the table of all comparisons, draw the figures, and write ``RESULTS.md``."""
    frame = side_by_side(manifest)
    if frame is not None:
        csv = frame.to_csv(index=False, float_format="%.6g", lineterminator="\n")
        write_text(manifest.table(TOGETHER), csv)
    draw(pictures(manifest).values(), manifest.figures, lambda figure: figure.stored_inputs(manifest.figures))
    write_text(manifest.root / PAGE, page(manifest))
    return manifest.root / PAGE


def side_by_side(manifest: Manifest) -> pd.DataFrame | None:
    """Return one table of all comparisons that were run, see `adar_viz.results.together`; None of fewer than two."""
    done = {entry.id: kept for entry in manifest.entries if (kept := load(manifest, entry.id))}
    tables = {name: kept.table[kept.table["metric"] == _plan(kept).metric] for name, kept in done.items()}
    return together(tables) if len(tables) > 1 else None


def pictures(manifest: Manifest) -> dict[str, Figure]:
    """Return the figure of each entry that was run and has one, and that of all together."""
    path = manifest.figures / FIGURES
    figures = read_figures(path) if path.exists() else []
    drawn = {table.resolve(): f for f in figures if f.table for table in f.stored_inputs(manifest.figures)}
    tables = {name: manifest.table(name) for name in [TOGETHER, *(entry.id for entry in manifest.entries)]}
    return {name: drawn[table] for name, table in tables.items() if table.exists() and table in drawn}


def page(manifest: Manifest) -> str:
    """Return the whole page."""
    reading = manifest.folder / READING
    said = ["## Reading", "", reading.read_text(encoding="utf-8").strip(), ""] if reading.exists() else []
    shown = pictures(manifest)
    lines = [OPENING, "", *said, *_together(manifest, shown.get(TOGETHER)), *_overview(manifest)]
    for entry in manifest.entries:
        if kept := load(manifest, entry.id):
            lines += _section(entry, kept, shown.get(entry.id))
    return "\n".join([*lines, *_grid(manifest)]).rstrip() + "\n"


def _together(manifest: Manifest, shown: Figure | None) -> list[str]:
    """Every comparison that was run, side by side."""
    path = manifest.table(TOGETHER)
    if not path.exists():
        return []
    frame = pd.read_csv(path)
    return [
        "## All comparisons together",
        "",
        *([f"![{shown.alt} {shown.make([frame]).describe()}](figures/{shown.id}.png)", ""] if shown else []),
        "Differences on the test part, in per cent of the first arm's mean; in the first line that mean. **Bold** "
        "where the 95 % interval of the difference excludes 0: of so many, one in twenty does so by chance. With "
        f"intervals: [`{manifest.folder.name}/{path.name}`]({manifest.folder.name}/{path.name}).",
        "",
        *as_lines(frame),
        "",
    ]


def _overview(manifest: Manifest) -> list[str]:
    """One line for each entry: what it spent, or that it was not run yet."""
    lines = [
        "## What was run",
        "",
        "| entry | data | backbone, loss | arms | trials | seeds | epochs | trainings | hours | machine |",
        "| --- | --- | --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for entry in manifest.entries:
        kept = load(manifest, entry.id)
        if kept is None:
            cells = [
                entry.id,
                entry.data,
                f"{entry.backbone}, {entry.loss}",
                state(manifest.trainings(entry.id)),
                *["–"] * 6,
            ]
        else:
            done, facts = Entry(**kept.facts["asked"]), kept.facts
            cells = [f"[{entry.id}](#{entry.id})", done.data, f"{done.backbone}, {done.loss}"]
            cells += map(str, (kept.table["arm"].nunique(), done.trials, done.seeds, _plan(kept).epochs))
            cells += [str(facts["trainings"]), f"{facts['hours']:.2f}", _machine(facts)]
        lines.append(f"| {' | '.join(cells)} |")
    return [*lines, ""]


def _section(entry: Entry, kept: Kept, shown: Figure | None) -> list[str]:
    facts, plan = kept.facts, _plan(kept)
    older = [] if kept.answers(entry) else ["**Older than the manifest, which asks for something else by now.**", ""]
    sizes = ", ".join(f"{number:,} {name}" for name, number in facts["sizes"].items())
    protocol = (
        f"Split: {facts['split']}; {sizes}. {facts['asked']['backbone']} with {facts['asked']['loss']}; at most "
        f"{plan.epochs} epochs, a validation every {plan.validate_every}, patience of {plan.patience} validations."
    )
    table = as_markdown(kept.table, plan.metric)
    return [f"## {entry.id}", "", *older, protocol, "", _picture(entry, kept, shown), "", *table, ""]


def _picture(entry: Entry, kept: Kept, shown: Figure | None) -> str:
    if shown is None:
        return f'No figure: `figures/{FIGURES}` has none with `table = "../results/{entry.id}.csv"`.'
    return f"![{shown.alt} {shown.make([kept.table]).describe()}](figures/{shown.id}.png)"


def _grid(manifest: Manifest) -> list[str]:
    """ADAR's variants by their rank on validation."""
    kept, asked = load(manifest, GRID), [setting.id for setting in manifest.grid.settings] if manifest.grid else []
    if kept is None:
        return ["## ADAR's defaults", "", "Not run."] if asked else []
    table, facts = kept.table, kept.facts
    order = list(dict.fromkeys(table["setting"]))
    value = table.pivot(index="variant", columns="setting", values="validation")[order]
    rank = value.rank(ascending=False, method="min").astype(int)
    mean = rank.mean(axis=1).sort_values(kind="stable")
    spec = dict(zip(table["variant"], table["negatives"], strict=True))
    left = ", ".join(name for name in asked if name not in order)
    lines = [
        "## ADAR's defaults",
        "",
        f"Tried on validation alone, the test parts never touched: {table['metric'][0]} of one seed, with the best of "
        "a few L2 weights ([`results/manifest.toml`](results/manifest.toml)). In brackets the rank in its column; "
        f"sorted by the mean rank. {facts['trainings']} trainings, {facts['hours']:.2f} hours ({_machine(facts)})."
        + (f" Not run: {left}." if left else ""),
        "",
        f"| variant | spec | {' | '.join(order)} | mean rank |",
        "| --- " * (len(order) + 3) + "|",
    ]
    for variant in mean.index:
        cells = [f"{value.loc[variant, s]:.4f} ({rank.loc[variant, s]})" for s in order]
        lines.append(f"| {variant} | `{spec[variant]}` | {' | '.join(cells)} | {mean[variant]:.1f} |")
    return lines


def _plan(kept: Kept) -> TrainingPlan:
    return TrainingPlan(**kept.facts["asked"]["plan"])


def _machine(facts: Mapping[str, Any]) -> str:
    machine, versions = facts["machine"], facts["versions"]
    return (
        f"{machine['processor']}, {machine['threads']} of {machine['cores']} cores, {versions['system']}, "
        f"Python {versions['python']}, torch {versions['torch']}, adar_viz {versions['adar_viz']}"
    )
