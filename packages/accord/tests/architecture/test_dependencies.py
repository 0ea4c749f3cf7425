"""What is declared is imported, what is imported is declared, and the locks are of both."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest

OURS = {"accord", "accord_core", "accord_backend"}
# What a distribution's Python may bring (PEP 600), what only type checkers know, and what 3.12 has and 3.11 has not.
NOT_DECLARED = {"_manylinux", "_sha2", "_typeshed"}
# Where the import package is not called as its distribution is.
CALLED = {"argon2": "argon2_cffi", "elftools": "pyelftools"}
VERSIONS = ("3.11", "3.12", "3.13")


def project(root: Path, name: str) -> dict[str, Any]:
    table: dict[str, Any] = tomllib.loads((root / "packages" / name / "pyproject.toml").read_text())[
        "project"
    ]
    return table


def names(lines: list[str]) -> set[str]:
    found = [re.match(r"\w[\w.-]*", line) for line in lines]
    return {one.group().lower().replace("-", "_") for one in found if one}


@pytest.mark.parametrize("distribution", ["accord-backend", "accord-core", "accord"])
def test_imports_are_the_declared_dependencies(
    distribution: str, root: Path, imported: dict[str, set[str]]
) -> None:
    table = project(root, distribution)
    must = names(table["dependencies"])
    may = names([line for extra in table.get("optional-dependencies", {}).values() for line in extra])
    found = {
        CALLED.get(name, name.lower()) for name in imported[distribution.replace("-", "_")]
    } - NOT_DECLARED
    # isal makes the core faster where it is installed; the tool asks for it, the core does not insist.
    found -= {"isal"} if distribution == "accord-core" else set()
    found -= {distribution.replace("-", "_")}
    assert must <= found
    assert found <= must | may


def test_base_in_says_what_the_distributions_say(root: Path) -> None:
    declared: set[str] = set()
    for distribution in ("accord-core", "accord"):
        declared |= names(project(root, distribution)["dependencies"])
    written = names((root / "requirements" / "base.in").read_text().splitlines())
    assert written == declared - OURS


def test_tour_in_says_what_a_server_needs_and_names_the_other_clients(root: Path) -> None:
    table = project(root, "accord")
    declared = names([*table["dependencies"], *table["optional-dependencies"]["server"]])
    text = (root / "requirements" / "tour.in").read_text()
    assert "-r base.in" in text
    assert names(text.splitlines()) | declared == declared | {"pip", "twine", "uv"}
    assert names(table["optional-dependencies"]["server"]) <= names(text.splitlines())


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("kind", ["base", "dev", "tour"])
def test_every_lock_pins_what_was_asked_for_by_hash(kind: str, version: str, root: Path) -> None:
    lock = (root / "requirements" / f"{kind}-{version}.txt").read_text()
    asked = names((root / "requirements" / f"{kind}.in").read_text().splitlines())
    entries = re.split(r"\n(?=\w)", lock.split("make lock\n", 1)[1])
    pinned = names(entries)
    assert asked <= pinned
    for entry in entries:
        assert re.match(
            r"[\w.-]+(\[[\w,.-]+\])?==[\w.!+]+ \\\n( +--hash=sha256:[0-9a-f]{64}( \\)?\n)+", entry
        ), entry


@pytest.mark.parametrize("version", VERSIONS)
def test_locks_keep_extras_because_the_pip_that_fills_the_environment_may_be_old(
    version: str, root: Path
) -> None:
    """pip 23.2 does not hold a pin of `coverage` against `coverage[toml]`, which pytest-cov asks for."""
    assert "\ncoverage[toml]==" in (root / "requirements" / f"dev-{version}.txt").read_text()


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize(("smaller", "larger"), [("base", "dev"), ("base", "tour")])
def test_the_larger_lock_agrees_with_the_smaller(smaller: str, larger: str, version: str, root: Path) -> None:
    pins = [
        dict(
            re.findall(
                r"^([\w.-]+)(?:\[.*\])?==(\S+)",
                (root / "requirements" / f"{kind}-{version}.txt").read_text(),
                re.M,
            )
        )
        for kind in (smaller, larger)
    ]
    assert pins[0].items() <= pins[1].items()


def test_the_base_install_is_about_a_dozen_distributions(root: Path) -> None:
    lock = (root / "requirements" / "base-3.11.txt").read_text()
    assert len(re.findall(r"^[\w.-]+==", lock, re.M)) + len({"accord", "accord-core"}) <= 13
