"""Where the checkout is, and what stands in its sources: these tests read the house, they do not run it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[4]


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture(scope="session")
def sources() -> dict[str, Path]:
    """Every module of the three distributions, by its dotted name."""
    return dict(_modules())


@pytest.fixture(scope="session")
def imported(sources: dict[str, Path]) -> dict[str, set[str]]:
    """For each of our import packages: what it imports from other people, anywhere in its source."""
    found: dict[str, set[str]] = {}
    for name, path in sources.items():
        ours = name.partition(".")[0]
        for node in ast.walk(ast.parse(path.read_text())):
            names: list[str] = []
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
                names = [node.module]
            tops = {one.partition(".")[0] for one in names}
            found.setdefault(ours, set()).update(tops - sys.stdlib_module_names)
    return found


def _modules() -> Iterator[tuple[str, Path]]:
    for source in sorted(ROOT.glob("packages/*/src")):
        for path in sorted(source.rglob("*.py")):
            parts = path.relative_to(source).with_suffix("").parts
            yield ".".join(parts[:-1] if parts[-1] == "__init__" else parts), path
