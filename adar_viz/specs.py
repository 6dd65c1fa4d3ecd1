"""Names to objects for the command line: ``adar(source='reverse', ground=uniform(16))``.

A spec is written as the Python call would be: a name from a table, literal arguments, nested
specs. Bare words are names of the table or, failing that, strings. Nothing is evaluated.
"""

from __future__ import annotations

import ast
import dataclasses
import inspect
from collections.abc import Mapping
from typing import Any

Table = Mapping[str, type]


class SpecError(ValueError):
    """A spec that names nothing, or something with arguments it does not take."""


def build(spec: str, table: Table, surroundings: Mapping[str, Any] | None = None) -> Any:
    """Build what ``spec`` names.

    Parameters
    ----------
    spec
        ``name`` or ``name(argument, keyword=value, …)``.
    table
        The names that may be used, here and in nested specs.
    surroundings
        Arguments known from outside (``num_items``, ``dim``, …): given to every constructor that
        asks for them by name, unless the spec sets them.

    Raises
    ------
    SpecError
        Unknown name or argument (the valid ones are listed), or not a call at all.
    """
    try:
        node = ast.parse(spec.strip(), mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"expected a spec such as name(option=value); got {spec!r}") from error
    return _build(node, spec, table, surroundings or {})


def split(specs: str) -> list[str]:
    """Split ``a, b(c=1, d=2)`` at its outer commas."""
    try:
        body = ast.parse(f"({specs.strip()},)", mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"expected specs separated by commas; got {specs!r}") from error
    assert isinstance(body, ast.Tuple)
    return [ast.unparse(node) for node in body.elts]


def resolve(instance: Any, table: Table) -> Any:
    """Return plain data that names ``instance`` and every option it was made with."""
    if isinstance(instance, bool | int | float | str) or instance is None:
        return instance
    if isinstance(instance, list | tuple):
        return [resolve(item, table) for item in instance]
    names = {cls: name for name, cls in table.items()}
    if type(instance) not in names:
        return type(instance).__name__
    if dataclasses.is_dataclass(instance):
        options = {f.name: getattr(instance, f.name) for f in dataclasses.fields(instance) if f.init and f.repr}
    else:
        options = {name: getattr(instance, name) for name in _parameters(type(instance)) if hasattr(instance, name)}
    return {"name": names[type(instance)], **{key: resolve(value, table) for key, value in options.items()}}


def _build(node: ast.expr, spec: str, table: Table, surroundings: Mapping[str, Any]) -> Any:
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    if not isinstance(call.func, ast.Name):
        raise SpecError(f"expected a name from {', '.join(sorted(table))}; got {ast.unparse(node)!r}")
    name = call.func.id
    if name not in table:
        raise SpecError(f"expected one of {', '.join(sorted(table))}; got {name!r}")
    parameters = _parameters(table[name])
    options: dict[str, Any] = {}
    positional = [
        p for p, kind in parameters.items() if p not in surroundings and kind != inspect.Parameter.KEYWORD_ONLY
    ]
    if len(call.args) > len(positional):
        raise SpecError(f"{name} takes at most {len(positional)} options without a name; got {len(call.args)}")
    for keyword, value in [*zip(positional, call.args, strict=False), *((k.arg, k.value) for k in call.keywords)]:
        if keyword not in parameters:
            raise SpecError(f"{name} takes {', '.join(parameters) or 'no options'}; got {keyword!r}")
        options[keyword] = _value(value, spec, table, surroundings)
    given = {key: value for key, value in surroundings.items() if key in parameters and key not in options}
    try:
        return table[name](**given, **options)
    except (TypeError, ValueError) as error:
        raise SpecError(f"{ast.unparse(node)}: {error}") from error


def _value(node: ast.expr, spec: str, table: Table, surroundings: Mapping[str, Any]) -> Any:
    if isinstance(node, ast.Call) or (isinstance(node, ast.Name) and node.id in table):
        return _build(node, spec, table, surroundings)
    if isinstance(node, ast.Name):
        return node.id
    try:
        return ast.literal_eval(node)
    except ValueError as error:
        raise SpecError(f"expected a number, a word or a nested spec; got {ast.unparse(node)!r}") from error


def _parameters(cls: type) -> dict[str, Any]:
    return {name: p.kind for name, p in inspect.signature(cls).parameters.items()}
