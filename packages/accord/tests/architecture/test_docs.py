"""Pages lead where they say, every record is listed, and what the tutorial types is understood."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from accord.cli.main import declare

LINK = re.compile(r"\[[^\]]*\]\(([^)#\s]+)(#[^)]*)?\)")


def pages(root: Path) -> list[Path]:
    found = [*root.glob("*.md"), *(root / "changelog.d").glob("*.md"), *(root / "benchmarks").glob("*.md")]
    for folder in ("conformance", "docs", "examples", "packages"):
        found += [path for path in (root / folder).rglob("*.md") if ".venv" not in path.parts]
    return found


def dead_links(page: Path) -> list[str]:
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    targets = [target for target, _ in LINK.findall(text) if "://" not in target]
    return [target for target in targets if not (page.parent / target).exists()]


def test_links_lead_somewhere(root: Path) -> None:
    found = {str(page.relative_to(root)): dead_links(page) for page in pages(root)}
    assert {page: links for page, links in found.items() if links} == {}
    assert len(found) > 15


def test_a_dead_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "page.md").write_text("[here](page.md#part) [gone](nowhere.md) ![lost](a/b.svg)")
    assert dead_links(tmp_path / "page.md") == ["nowhere.md", "a/b.svg"]


def test_every_page_is_on_the_map(root: Path) -> None:
    docs = root / "docs"
    listed = {(docs / target).resolve() for target, _ in LINK.findall((docs / "README.md").read_text())}
    records = docs / "decisions"
    lost = [path for path in docs.rglob("*.md") if path not in listed and path.parent != records]
    assert [path.name for path in lost] == ["README.md"]


def named_tests(page: Path) -> set[tuple[str, str]]:
    """``(file, expression)`` of each command on the page of faults."""
    found = re.findall(r"`(test_\w+\.py)(?: -k (?:\"([^\"`]+)\"|(\S+)))?`", page.read_text())
    return {(name, several or one) for name, several, one in found}


def test_each_fault_is_shown_by_a_test_that_is_there(root: Path) -> None:
    found = named_tests(root / "docs" / "reference" / "index-faults.md")
    assert len(found) > 50
    folder = root / "packages" / "accord" / "tests" / "server"
    tests = {
        path.name: " ".join(re.findall(r"^def (test_\w+)", path.read_text(), re.MULTILINE))
        for path in folder.glob("test_*.py")
    }
    parts = [(name, part) for name, expression in found for part in expression.split(" or ")]
    assert [(name, part) for name, part in parts if part not in tests.get(name, "")] == []


def test_every_decision_is_listed_once_under_its_number(root: Path) -> None:
    folder = root / "docs" / "decisions"
    records = sorted(path.name for path in folder.glob("0*.md"))
    listed = re.findall(r"^\| \[(\d+)\]\(([^)]+)\)", (folder / "README.md").read_text(), re.MULTILINE)
    assert [name for _, name in listed] == records
    assert [int(name[:4]) for name in records] == [int(number) for number, _ in listed]


@pytest.mark.parametrize("page", ["docs/tutorial/first-project.md", "README.md", "CONTRIBUTING.md"])
def test_every_command_on_the_page_is_one(root: Path, page: str) -> None:
    text = (root / page).read_text()
    targets = set(re.findall(r"^([a-z]+):", (root / "Makefile").read_text(), re.MULTILINE))
    typed = re.findall(r"^\$ (.+)$", text, re.MULTILINE)
    for line in typed:
        words = shlex.split(line.partition("  # ")[0])
        if words[0] == "make":
            assert words[1] in targets, line
        elif words[0] == "accord":
            declare(words[1]).parse(words[2:])
    assert typed
