"""The files around the package agree with each other, and hold nothing that does not belong there."""

from __future__ import annotations

import importlib.metadata
import re
import subprocess
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from rattler import MatchSpec

import adar_viz

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
CONDA_NAMES = {"torch": "pytorch"}

# Written in two parts, so that this file does not hold what it looks for.
FOREIGN = [
    "/" + "work/",
    r"\bshared" + "/",
    "/" + "opt/pypi",
    "pypi" + r"\.org",
    "python" + r"hosted\.org",
    "registry" + r"\.npmjs",
    "deb" + r"\.debian\.org",
    "download" + r"\.pytorch\.org",
]


def requirements() -> dict[str, SpecifierSet]:
    lines = [*PROJECT["dependencies"], *(line for extra in PROJECT["optional-dependencies"].values() for line in extra)]
    parsed = [Requirement(line) for line in lines]
    return {canonicalize_name(r.name): r.specifier for r in parsed if canonicalize_name(r.name) != "adar-viz"}


def constraints() -> dict[str, SpecifierSet]:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    return {canonicalize_name(r.name): r.specifier for r in map(Requirement, lines)}


def conda_requirements() -> dict[str, SpecifierSet]:
    """What environment.yml asks for, from conda and from pip, under conda's names."""
    found: dict[str, SpecifierSet] = {}
    for entry in yaml.safe_load((ROOT / "environment.yml").read_text())["dependencies"]:
        if isinstance(entry, str):
            spec = MatchSpec(entry)
            found[spec.name.normalized] = SpecifierSet(spec.version or "")
        else:
            for line in entry["pip"]:
                if not line.startswith("--editable"):
                    requirement = Requirement(line)
                    found[canonicalize_name(requirement.name)] = requirement.specifier
    return found


def installed(name: str) -> bool:
    """Some packages are needed on one operating system only."""
    try:
        return bool(importlib.metadata.distribution(name))
    except importlib.metadata.PackageNotFoundError:
        return False


def tracked_files() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode:
        pytest.skip("not a git checkout: there is no list of tracked files")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def test_environment_yml_asks_for_what_pyproject_asks_for() -> None:
    expected = {CONDA_NAMES.get(name, name): spec for name, spec in requirements().items()}
    expected |= {"python": SpecifierSet(PROJECT["requires-python"]), "pip": SpecifierSet("")}
    assert conda_requirements() == expected


def test_every_requirement_is_pinned_to_a_version_that_it_allows() -> None:
    pinned = constraints()
    for name, allowed in requirements().items():
        assert name in pinned, f"{name} is missing from constraints.txt"
        (pin,) = pinned[name]
        assert pin.operator == "==", f"{name} must be pinned with ==; got {pin}"
        assert pin.version in allowed, f"{name}: {pin.version} is pinned, {allowed} is asked for"


@pytest.mark.parametrize("python", ["3.11.0", "3.12.0", "3.13.0"])
def test_every_pin_allows_every_python_that_we_allow(python: str) -> None:
    asked = {
        name: importlib.metadata.metadata(name).get("Requires-Python") for name in constraints() if installed(name)
    }
    assert len(asked) > 100
    assert not {name: spec for name, spec in asked.items() if spec and python not in SpecifierSet(spec)}


def test_constraints_name_public_versions_once_and_in_order() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert lines == sorted(set(lines), key=lambda line: line.split("==")[0])
    assert not [line for line in lines if not re.fullmatch(r"[a-z0-9-]+==[0-9a-z.]+", line)]


def test_the_changelog_tells_of_this_version() -> None:
    assert f"## [{adar_viz.__version__}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_citation_names_this_version_and_the_paper() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert citation["version"] == adar_viz.__version__
    assert citation["license"] == PROJECT["license"]
    (paper,) = citation["references"]
    assert {"type", "title", "authors"} <= paper.keys()
    assert paper["identifiers"][0]["value"] == "arXiv:2601.01448"


def test_no_tracked_file_is_large() -> None:
    large = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in tracked_files()}
    limit = {name: 3_000_000 if name.startswith("notebooks/traces/") else 1_000_000 for name in large}
    assert not {name: size for name, size in large.items() if size > limit[name]}


def test_no_data_set_is_tracked() -> None:
    names = [path.relative_to(ROOT).as_posix() for path in tracked_files()]
    assert [name for name in names if name.startswith("data/")] == ["data/README.md"]
    formats = re.compile(r"(u\.data|u\.item|ratings\.(csv|dat)|movies\.(csv|dat)|\.inter|sequences\.txt)$")
    assert not [name for name in names if formats.search(name)]


def test_no_tracked_file_names_the_machine_or_the_registry_it_was_made_with() -> None:
    foreign = re.compile("|".join(FOREIGN))
    found = []
    for path in tracked_files():
        try:
            text = path.read_text()
        except UnicodeDecodeError:
            continue  # a picture or an array
        found += [f"{path.relative_to(ROOT)}: {match.group()}" for match in foreign.finditer(text)]
    assert not found
