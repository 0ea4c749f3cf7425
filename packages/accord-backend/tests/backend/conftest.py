"""Helpers of the backend tests: small projects on disk, and the hooks called as a frontend calls them."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Project = Callable[..., Path]

PYPROJECT = """\
[build-system]
requires = ["accord-backend"]
build-backend = "accord_backend"

[project]
name = "Spam.Eggs"
version = "1.0"
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Project:
    """``project(text, {path: content}) -> root``: a source tree that is the working directory.

    ``text`` follows the ``[project]`` table; a path whose content is ``None`` is left out of the default tree.
    """

    def make(
        text: str = "", files: dict[str, str] | None = None, *, whole: str | None = None, name: str = "tree"
    ) -> Path:
        root = tmp_path / name
        root.mkdir()
        everything = {"spam_eggs/__init__.py": "value = 1\n"} if files is None else files
        for path, content in {
            "pyproject.toml": PYPROJECT + text if whole is None else whole,
            **everything,
        }.items():
            place = root / path
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(content, encoding="utf-8")
        monkeypatch.chdir(root)
        return root

    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return make


@pytest.fixture
def out(tmp_path: Path) -> str:
    """An empty folder for what is built."""
    path = tmp_path / "out"
    path.mkdir()
    return os.fspath(path)
