"""One offline page for a widget: its own module, its state, and a model that needs no kernel."""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

_EXPORT = "export default"

_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; }}
body {{ margin: 1.5rem auto; max-width: 64rem; padding: 0 1rem; font-family: system-ui, sans-serif; }}
{css}
</style>
</head>
<body>
<main id="widget" aria-label="{title}"></main>
<noscript>{alt}</noscript>
<script type="application/json" id="state">{state}</script>
<script type="module">
{module}
{{ // a block of its own: names here cannot clash with the widget's
const decode = (text) => new DataView(Uint8Array.from(atob(text), (c) => c.charCodeAt(0)).buffer);
const state = JSON.parse(document.getElementById("state").textContent, (key, value) =>
  value && typeof value === "object" && "base64" in value ? decode(value.base64) : value);
const listeners = {{}};
const model = {{
  get: (name) => state[name],
  set: (name, value) => {{
    state[name] = value;
    for (const call of listeners[`change:${{name}}`] ?? []) call();
  }},
  save_changes: () => {{}},
  on: (event, call) => (listeners[event] ??= new Set()).add(call),
  off: (event, call) => listeners[event]?.delete(call),
}};
widget.render({{ model, el: document.getElementById("widget") }});
}}
</script>
</body>
</html>
"""


def write_page(
    path: str | os.PathLike[str], *, title: str, alt: str, module: str, css: str, state: Mapping[str, Any]
) -> Path:
    """Write one page that works from disk: no kernel, no network, one file.

    Parameters
    ----------
    path
        The file; its folder must exist.
    title, alt
        Title of the page, and the sentence for readers without JavaScript.
    module
        The widget's ES module; it must end in one ``export default`` and import nothing.
    css
        The widget's style sheet.
    state
        The synchronised traits: JSON values and bytes.
    """
    if module.count(_EXPORT) != 1:
        raise ValueError(f"module must hold exactly one {_EXPORT!r}; got {module.count(_EXPORT)}")
    plain = json.dumps(state, default=_encode, ensure_ascii=False, allow_nan=False)
    page = _PAGE.format(
        title=html.escape(title),
        alt=html.escape(alt),
        css=css,
        module=module.replace(_EXPORT, "const widget ="),
        # "</script>" inside a title must not end the element.
        state=plain.replace("<", "\\u003c"),
    )
    path = Path(path)
    path.write_text(page, encoding="utf-8")
    return path


def _encode(value: object) -> dict[str, str]:
    if not isinstance(value, bytes):
        raise TypeError(f"state must hold JSON values and bytes; got {type(value).__name__}")
    return {"base64": base64.b64encode(value).decode("ascii")}
