"""An honest project, sdist and wheel that no check has anything to say about, and how to spoil one thing of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from accord.checks.run import Report, run_checks
from accord.checks.subjects import open_subject

if TYPE_CHECKING:
    from pathlib import Path

PYPROJECT = """\
[build-system]
requires = ["accord-backend"]
build-backend = "accord_backend"

[project]
name = "spam-shop"
version = "1.0"
description = "A shop that sells spam"
readme = "README.md"
requires-python = ">=3.10"
license = "MIT"
license-files = ["LICENSE"]
authors = [{name = "Ann", email = "ann@spam.example"}]
classifiers = ["Programming Language :: Python :: 3", "Typing :: Typed"]
dependencies = ["eggs>=2"]

[project.optional-dependencies]
ham-cut = ["ham>=1"]

[project.urls]
Source = "https://spam.example/source"

[project.scripts]
spam = "spam_shop.main:main"

[tool.ruff]
"""
FILES = {
    "README.md": "# Spam\n\nIt *sells* spam.\n",
    "LICENSE": "Do what you like.\n",
    "src/spam_shop/__init__.py": '"""Spam."""\n',
    "src/spam_shop/main.py": "def main() -> None:\n    print('spam')\n",
    "src/spam_shop/py.typed": "",
    "tests/test_main.py": "def test() -> None:\n    pass\n",
}


@dataclass(frozen=True)
class Bench:
    """Writes subjects below ``folder`` and runs the checks over them."""

    folder: Path

    def project(
        self,
        *swaps: tuple[str, str],
        add: Mapping[str, str | bytes] | None = None,
        drop: tuple[str, ...] = (),
    ) -> Path:
        """The honest project with words of its ``pyproject.toml`` swapped, files added and dropped."""
        text = PYPROJECT
        for old, new in swaps:
            assert old in text, old
            text = text.replace(old, new)
        files: dict[str, str | bytes] = {"pyproject.toml": text, **FILES, **(add or {})}
        root = self.folder / "project"
        for name, content in files.items():
            if name not in drop:
                path = root / name
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content.encode() if isinstance(content, str) else content)
        return root

    def check(self, path: Path) -> Report:
        scratch = self.folder / "scratch"
        scratch.mkdir(exist_ok=True)
        return run_checks(open_subject(str(path), str(scratch)))


def codes(report: Report) -> list[str]:
    """The codes of the findings, each once, in the order shown."""
    return list(dict.fromkeys(one.check.code for one in report.found))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)
