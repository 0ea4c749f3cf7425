"""What modules offer is what docs/reference/surface.md lists, and it is there."""

from __future__ import annotations

import importlib
import re
import runpy
from collections.abc import Callable
from pathlib import Path

import pytest


def listed(page: str) -> dict[str, list[str]]:
    rows = re.findall(r"^\| `([\w.]+)` \| (.+) \|$", page, re.MULTILINE)
    return {module: re.findall(r"`(\w+)`", names) for module, names in rows}


@pytest.fixture(scope="module")
def documented(root: Path) -> dict[str, list[str]]:
    return listed((root / "docs" / "reference" / "surface.md").read_text())


def test_the_page_is_what_the_sources_declare(root: Path, documented: dict[str, list[str]]) -> None:
    surface: Callable[[], str] = runpy.run_path(str(root / "docs" / "surface.py"))["surface"]
    declared = listed(surface())
    differing = [name for name in {*documented, *declared} if documented.get(name) != declared.get(name)]
    assert differing == [], "run make docs, and say in changelog.d what changed"


def test_every_documented_name_is_there(documented: dict[str, list[str]]) -> None:
    missing = [
        f"{module}.{name}"
        for module, names in documented.items()
        for name in names
        if not hasattr(importlib.import_module(module), name)
    ]
    assert missing == []
    assert len(documented) > 30


def test_no_documented_name_is_private(documented: dict[str, list[str]]) -> None:
    assert [name for names in documented.values() for name in names if name.startswith("_")] == []
