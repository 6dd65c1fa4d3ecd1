"""Names to objects for the command line: ``adar(source='reverse', ground=uniform(16))``.

A spec is written as the Python call would be: a name from a table, literal arguments, nested
specs. Bare words are names of the table or, failing that, strings. Nothing is evaluated.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Mapping
from math import isfinite
from types import NoneType, UnionType
from typing import Any, get_args, get_origin, get_type_hints

Table = Mapping[str, type]
Tables = Mapping[str, Table]
"""Names by what they are for: an option called ``target`` takes its names from ``tables["target"]``,
and from its owner's table where there is none of its own."""


class SpecError(ValueError):
    """A spec that names nothing, or something with arguments it does not take."""


def build(spec: str, kind: str, tables: Tables, surroundings: Mapping[str, Any] | None = None) -> Any:
    """Build the ``kind`` of thing that ``spec`` names.

    Parameters
    ----------
    spec
        ``name`` or ``name(argument, keyword=value, …)``.
    kind
        The table that the outermost name is looked up in.
    tables
        The names that may be used.
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
    return _Builder(tables, surroundings or {}).build(node, kind)


def split(specs: str) -> list[str]:
    """Split ``a, b(c=1, d=2)`` at its outer commas."""
    try:
        body = ast.parse(f"({specs.strip()},)", mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"expected specs separated by commas; got {specs!r}") from error
    if not isinstance(body, ast.Tuple):
        raise SpecError(f"expected specs separated by commas; got {specs!r}")
    return [ast.unparse(node) for node in body.elts]


def take_apart(spec: str) -> tuple[str, list[str], dict[str, str]]:
    """Return the name of a spec, its options without a name, and those with one, as text.

    Raises
    ------
    SpecError
        The spec is no name and no call.
    """
    try:
        node = ast.parse(spec.strip(), mode="eval").body
    except SyntaxError as error:
        raise SpecError(f"expected a spec such as name(option=value); got {spec!r}") from error
    call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
    if not isinstance(call.func, ast.Name):
        raise SpecError(f"expected a spec such as name(option=value); got {spec!r}")
    return call.func.id, [*map(ast.unparse, call.args)], {k.arg or "**": ast.unparse(k.value) for k in call.keywords}


def resolve(instance: Any, tables: Tables) -> Any:
    """Return plain data that names ``instance`` and every option it was made with."""
    if isinstance(instance, bool | int | float | str) or instance is None:
        return instance
    if isinstance(instance, list | tuple):
        return [resolve(item, tables) for item in instance]
    names = {cls: name for table in tables.values() for name, cls in table.items()}
    if type(instance) not in names:
        return getattr(instance, "name", type(instance).__name__)
    options = {name: getattr(instance, name) for name in _parameters(type(instance)) if hasattr(instance, name)}
    return {"name": names[type(instance)], **{key: resolve(value, tables) for key, value in options.items()}}


def as_line(resolved: Any) -> str:
    """Write what `resolve` gave as one readable spec."""
    if isinstance(resolved, dict):
        options = ", ".join(f"{key}={as_line(value)}" for key, value in resolved.items() if key != "name")
        return f"{resolved['name']}({options})" if options else str(resolved["name"])
    if isinstance(resolved, list):
        return f"({', '.join(map(as_line, resolved))})"
    return str(resolved)


class _Builder:
    def __init__(self, tables: Tables, surroundings: Mapping[str, Any]) -> None:
        self.tables, self.surroundings = tables, surroundings

    def build(self, node: ast.expr, kind: str) -> Any:
        """Build a name or a call from the table of its kind."""
        table = self.tables[kind]
        call = node if isinstance(node, ast.Call) else ast.Call(node, [], [])
        if not isinstance(call.func, ast.Name) or call.func.id not in table:
            raise SpecError(f"{kind} must be one of {', '.join(sorted(table))}; got {ast.unparse(call.func)!r}")
        name = call.func.id
        parameters = _parameters(table[name])
        given = {key: value for key, value in self.surroundings.items() if key in parameters}
        options = {}
        for option, value in _arguments(call, name, parameters, given):
            options[option] = self._value(value, option if option in self.tables else kind)
            hint = get_type_hints(table[name].__init__).get(option, Any)  # type: ignore[misc]
            if not fits(options[option], hint):
                is_word = isinstance(options[option], str)
                named = is_word and option in self.tables
                expected = f"one of {', '.join(sorted(self.tables[option]))}" if named else _in_words(hint)
                got = repr(options[option]) if is_word else ast.unparse(value)
                raise SpecError(f"{ast.unparse(node)}: {option} must be {expected}; got {got}")
        try:
            return table[name](**{**given, **options})
        except (TypeError, ValueError) as error:
            raise SpecError(f"{ast.unparse(node)}: {error}") from error

    def _value(self, node: ast.expr, kind: str) -> Any:
        if isinstance(node, ast.Call) or (isinstance(node, ast.Name) and node.id in self.tables[kind]):
            return self.build(node, kind)
        if isinstance(node, ast.Name):
            return node.id
        try:
            return ast.literal_eval(node)
        except (TypeError, ValueError) as error:
            raise SpecError(f"expected a number, a word or a nested spec; got {ast.unparse(node)!r}") from error


def _arguments(
    call: ast.Call, name: str, parameters: Mapping[str, Any], given: Mapping[str, Any]
) -> list[tuple[str, ast.expr]]:
    """Pair every argument of the call with the name of its option."""
    positional = [p for p, kind in parameters.items() if p not in given and kind != inspect.Parameter.KEYWORD_ONLY]
    if len(call.args) > len(positional):
        raise SpecError(f"{name} takes at most {len(positional)} options without a name; got {len(call.args)}")
    arguments = [*zip(positional, call.args, strict=False), *((k.arg or "**", k.value) for k in call.keywords)]
    for index, (option, _) in enumerate(arguments):
        if option not in parameters:
            raise SpecError(f"{name} takes {', '.join(parameters) or 'no options'}; got {option!r}")
        if option in (earlier for earlier, _ in arguments[:index]):
            raise SpecError(f"{name} takes each option once; got {option!r} twice")
    return arguments


def fits(value: Any, hint: Any) -> bool:
    """Whether an option's value is of the kind that its annotation says, as far as it is a plain one.

    True and false are no numbers, though Python counts with them, and neither are nan and infinity.
    """
    kinds = _kinds(hint)
    if len(kinds) > 1:
        return any(fits(value, kind) for kind in kinds)
    if get_origin(hint) is tuple:
        parts = get_args(hint)
        return isinstance(value, tuple | list) and len(value) == len(parts) and all(map(fits, value, parts))
    if hint is Any or not isinstance(hint, type):
        return True
    number = {int: (int,), float: (int, float)}.get(hint)
    if number is None:
        return isinstance(value, hint)
    return isinstance(value, number) and not isinstance(value, bool) and isfinite(value)


def _in_words(hint: Any) -> str:
    """Say what an option must be."""
    if get_origin(hint) is tuple:
        return f"({', '.join(map(_in_words, get_args(hint)))})"
    return " or ".join(_WORDS.get(kind, getattr(kind, "__name__", str(kind))) for kind in _kinds(hint))


def _kinds(hint: Any) -> tuple[Any, ...]:
    return get_args(hint) if isinstance(hint, UnionType) else (hint,)


_WORDS = {int: "a whole number", float: "a number", bool: "True or False", str: "a word", NoneType: "None"}


def _parameters(cls: type) -> dict[str, Any]:
    return {name: p.kind for name, p in inspect.signature(cls).parameters.items()}
