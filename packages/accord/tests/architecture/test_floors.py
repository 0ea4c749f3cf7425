"""The floors of docs/explanation/architecture.md hold, and the checker sees it when they do not."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def broken(checkout: Path) -> list[str]:
    """The contracts of ``.importlinter`` that import-linter finds broken in a checkout."""
    sources = [str(path) for path in checkout.glob("packages/*/src")]
    program = f"import sys; sys.path[:0] = {sources!r}; from importlinter.cli import lint_imports_command; "
    done = subprocess.run(
        [sys.executable, "-c", program + "lint_imports_command()", "--no-cache"],
        cwd=checkout,
        env={"PATH": "", "COLUMNS": "200", "NO_COLOR": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert "contracts" in done.stdout.lower(), done.stdout + done.stderr
    return re.findall(r"^(.+) BROKEN(?: \(.*\))?$", done.stdout, re.MULTILINE)


@pytest.fixture
def copy(root: Path, tmp_path: Path) -> Path:
    shutil.copy(root / ".importlinter", tmp_path)
    for source in root.glob("packages/*/src"):
        shutil.copytree(
            source, tmp_path / source.relative_to(root), ignore=shutil.ignore_patterns("__pycache__")
        )
    return tmp_path


def test_the_floors_hold(root: Path) -> None:
    assert broken(root) == []


@pytest.mark.parametrize(
    ("path", "line", "contract"),
    [
        ("accord/src/accord/io/files.py", "import accord.store.store", "Floors of the tool"),
        ("accord/src/accord/store/entry.py", "import accord.repositories.port", "Floors of the tool"),
        ("accord-core/src/accord_core/resolve/solver.py", "import os", "resolve imports no I/O"),
        (
            "accord-core/src/accord_core/index/model.py",
            "import accord_core.lock.model",
            "Rooms of the core import downwards",
        ),
        (
            "accord-core/src/accord_core/names.py",
            "import socket",
            "The core has no network, no clock and no processes",
        ),
        (
            "accord-backend/src/accord_backend/rules.py",
            "import accord_core.names",
            "accord_backend imports nothing of ours",
        ),
        (
            "accord/src/accord/cli/context.py",
            "import accord.store.store",
            "Commands call tasks, not engines",
        ),
        (
            "accord/src/accord/tasks/sync.py",
            "import accord.testing.archives",
            "What is shipped does not use the fakes it ships",
        ),
        ("accord/src/accord/store/entry.py", "import accord.store.store", "No circles"),
    ],
)
def test_a_planted_import_is_found(copy: Path, path: str, line: str, contract: str) -> None:
    with (copy / "packages" / path).open("a") as module:
        module.write(f"\n{line}\n")
    assert contract in broken(copy)
