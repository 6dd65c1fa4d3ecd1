from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from adar_viz.specs import SpecError, as_line, build, resolve, split, take_apart


@dataclass(frozen=True)
class Uniform:
    num: int = 1

    def __post_init__(self) -> None:
        if self.num < 1:
            raise ValueError(f"num must be at least 1; got {self.num}")


@dataclass(frozen=True)
class Margin:
    delta: float = 1.0


@dataclass(frozen=True)
class Other:
    """Of no table."""


class Walk:
    """A class with options of every kind, some known from outside."""

    def __init__(
        self,
        dim: int,
        pool: Uniform | None = None,
        *,
        source: str = "forward",
        target: Margin | None = None,
        share: Any = 0.5,
    ) -> None:
        self.dim, self.pool, self.source, self.target, self.share = dim, pool, source, target, share


TABLES: dict[str, dict[str, type]] = {
    "negatives": {"uniform": Uniform, "walk": Walk},
    "target": {"margin": Margin},
}
OUTSIDE = {"dim": 8, "num_items": 100}


def made(spec: str) -> Any:
    return build(spec, "negatives", TABLES, OUTSIDE)


@pytest.mark.parametrize("spec", ["uniform", "uniform()", "  uniform(1)\n", "uniform(num=1)"])
def test_a_name_is_a_call(spec: str) -> None:
    assert made(spec) == Uniform(1)


def test_options_from_outside_go_where_they_are_asked_for() -> None:
    walk = made("walk(uniform(3), source='reverse')")
    assert (walk.dim, walk.pool, walk.source) == (8, Uniform(3), "reverse")


def test_a_spec_may_set_what_is_known_from_outside() -> None:
    assert made("walk(dim=2)").dim == 2


def test_nested_names_come_from_the_table_of_their_option() -> None:
    walk = made("walk(pool=uniform, target=margin(delta=-0.5))")
    assert (walk.pool, walk.target) == (Uniform(1), Margin(-0.5))


def test_bare_words_are_strings_where_no_table_knows_them() -> None:
    assert made("walk(source=renoise)").source == "renoise"


@pytest.mark.parametrize(("text", "value"), [("None", None), ("(0.1, 0.9)", (0.1, 0.9)), ("True", True), ("-3", -3)])
def test_literals_are_themselves(text: str, value: object) -> None:
    assert made(f"walk(share={text})").share == value


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ("", r"expected a spec such as name\(option=value\); got ''"),
        ("uniform(", r"expected a spec such as name\(option=value\); got 'uniform\('"),
        ("unifrom", "negatives must be one of uniform, walk; got 'unifrom'"),
        ("3", "negatives must be one of uniform, walk; got '3'"),
        ("margin", "negatives must be one of uniform, walk; got 'margin'"),
        ("adar.uniform(1)", "negatives must be one of uniform, walk; got 'adar.uniform'"),
        ("walk(target=marjin())", "target must be one of margin; got 'marjin'"),
        ("uniform(numb=1)", "uniform takes num; got 'numb'"),
        ("uniform(**{'num': 2})", r"uniform takes num; got '\*\*'"),
        ("uniform(1, 2)", "uniform takes at most 1 options without a name; got 2"),
        ("walk(uniform, 'reverse')", "walk takes at most 1 options without a name; got 2"),
        ("uniform(num=1 + n)", r"expected a number, a word or a nested spec; got '1 \+ n'"),
        ("uniform(*[1])", r"expected a number, a word or a nested spec; got '\*\[1\]'"),
        ("walk(share=[x for x in y])", "expected a number, a word or a nested spec"),
        ("walk(target=marjin)", r"walk\(target=marjin\): target must be one of margin; got 'marjin'"),
        ("walk(none)", r"walk\(none\): pool must be Uniform or None; got 'none'"),
        ("uniform(two)", r"uniform\(two\): num must be a whole number; got 'two'"),
        ("uniform(2.5)", r"uniform\(2.5\): num must be a whole number; got 2.5"),
        ("uniform(True)", r"uniform\(True\): num must be a whole number; got True"),
        ("walk(3)", r"walk\(3\): pool must be Uniform or None; got 3"),
        ("walk(target=margin(None))", r"margin\(None\): delta must be a number; got None"),
        ("walk(uniform(0))", r"uniform\(0\): num must be at least 1; got 0"),
    ],
)
def test_what_cannot_be_built_is_named(spec: str, message: str) -> None:
    with pytest.raises(SpecError, match=message):
        made(spec)


def test_what_is_needed_and_missing_is_named() -> None:
    with pytest.raises(SpecError, match=r"walk: .*'dim'"):
        build("walk", "negatives", TABLES)


def test_nothing_is_evaluated() -> None:
    with pytest.raises(SpecError, match="negatives must be one of uniform, walk; got '__import__'"):
        made("walk(pool=__import__('os').getcwd())".replace(".getcwd()", ""))
    with pytest.raises(SpecError):
        made("(lambda: uniform)()")


def test_outer_commas_split() -> None:
    assert split("uniform, walk(uniform(2), share=(0.1, 0.9)),margin") == [
        "uniform",
        "walk(uniform(2), share=(0.1, 0.9))",
        "margin",
    ]
    assert split(" uniform ") == ["uniform"]


@pytest.mark.parametrize("specs", ["", "uniform,,walk", "walk(uniform"])
def test_what_is_no_list_of_specs_is_refused(specs: str) -> None:
    with pytest.raises(SpecError, match="expected specs separated by commas; got"):
        split(specs)


def test_resolving_names_every_option() -> None:
    walk = made("walk(uniform(3), target=margin, share=(0.1, 0.9))")
    assert resolve(walk, TABLES) == {
        "name": "walk",
        "dim": 8,
        "pool": {"name": "uniform", "num": 3},
        "source": "forward",
        "target": {"name": "margin", "delta": 1.0},
        "share": [0.1, 0.9],
    }
    assert resolve({"not": "in a table"}, TABLES) == "dict"
    assert resolve([None, 1.5, "word", Other()], TABLES) == [None, 1.5, "word", "Other"]


def test_a_resolved_spec_reads_as_one_line() -> None:
    resolved = {
        "name": "adar",
        "source": {"name": "forward"},
        "target": {"name": "margin", "delta": 0.5},
        "clamp": [0, 1],
    }
    assert as_line(resolved) == "adar(source=forward, target=margin(delta=0.5), clamp=(0, 1))"


def test_a_spec_is_taken_apart_without_being_built() -> None:
    assert take_apart(" dns(uniform( 32 ),n=2) ") == ("dns", ["uniform(32)"], {"n": "2"})
    assert take_apart("uniform") == ("uniform", [], {})
    for wrong in ("dns(", "a.b(1)", "3"):
        with pytest.raises(SpecError, match=r"expected a spec such as name\(option=value\)"):
            take_apart(wrong)
