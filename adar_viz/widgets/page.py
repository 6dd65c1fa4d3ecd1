"""Offline pages: words and views, each with its script, its state, and a model that needs no kernel."""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_EXPORT = "export default"
_STYLE = Path(__file__).parent / "css" / "page.css"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<main>
<h1>{title}</h1>
{body}
</main>
{scripts}
</body>
</html>
"""

_PLACE = """<div id="view-{number}"></div>
<noscript><p>{alt}</p></noscript>
<script type="application/json" id="state-{number}">{state}</script>"""

_SCRIPT = """<script type="module">
{shared}
const decodeBytes = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const offlineModel = (state) => {{
  const listeners = {{}};
  return {{
    get: (name) => state[name],
    set: (name, value) => {{
      state[name] = value;
      for (const call of listeners[`change:${{name}}`] ?? []) call();
    }},
    save_changes: () => {{}},
    on: (event, call) => (listeners[event] ??= new Set()).add(call),
    off: (event, call) => listeners[event]?.delete(call),
  }};
}};
const show = (number, widget) => {{
  const state = JSON.parse(document.getElementById(`state-${{number}}`).textContent, (key, value) =>
    value && typeof value === "object" && "base64" in value ? decodeBytes(value.base64) : value);
  widget.render({{ model: offlineModel(state), el: document.getElementById(`view-${{number}}`) }});
}};
{shows}
</script>"""


@dataclass(frozen=True)
class Part:
    """What a page needs of one view.

    Attributes
    ----------
    script, style : str
        The view's own ES code, which ends in one ``export default`` and imports nothing, and its style sheet.
    state : mapping
        The synchronised traits: JSON values and bytes.
    alt : str
        The sentence for readers without JavaScript.
    """

    script: str
    style: str
    state: Mapping[str, Any]
    alt: str


def write_page(
    path: str | os.PathLike[str],
    *,
    title: str,
    pieces: Sequence[str | Part],
    script: str = "",
    style: str = "",
) -> Path:
    """Write one page that works from disk: no kernel, no network, one file.

    Parameters
    ----------
    path
        The file; its folder must exist.
    title
        Title of the page.
    pieces
        HTML and views, in the order of the page.
    script, style
        What the views share.
    """
    parts = [piece for piece in pieces if isinstance(piece, Part)]
    body, number = [], 0
    for piece in pieces:
        if isinstance(piece, str):
            body.append(piece)
        else:
            body.append(_PLACE.format(number=number, alt=html.escape(piece.alt), state=_state(piece.state)))
            number += 1
    sheets = [_STYLE.read_text(encoding="utf-8"), style, *dict.fromkeys(part.style for part in parts)]
    shows = "\n".join(f"show({i}, (() => {{\n{_body(part.script)}\n}})());" for i, part in enumerate(parts))
    page = _PAGE.format(
        title=html.escape(title),
        style="\n".join(sheets),
        body="\n".join(body),
        scripts=_SCRIPT.format(shared=script, shows=shows) if parts else "",
    )
    path = Path(path)
    path.write_text(page, encoding="utf-8")
    return path


def _body(script: str) -> str:
    """Turn a module into the body of a function that returns its default export: names of two views cannot clash."""
    if script.count(_EXPORT) != 1:
        raise ValueError(f"script must hold exactly one {_EXPORT!r}; got {script.count(_EXPORT)}")
    return script.replace(_EXPORT, "return")


def _state(state: Mapping[str, Any]) -> str:
    plain = json.dumps(state, default=_encode, ensure_ascii=False, allow_nan=False)
    # "</script>" inside a title must not end the element.
    return plain.replace("<", "\\u003c")


def _encode(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"state must hold JSON values and bytes; got {type(value).__name__}")
    return {"base64": base64.b64encode(value).decode("ascii")}
