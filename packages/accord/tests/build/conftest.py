"""Fixtures of the build room: a builder with a cache of its own, and projects with a backend in the tree."""

from __future__ import annotations

import os
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from accord.build.frontend import Builder, BuildOptions
from accord.build.shelter import SandboxPolicy
from accord.testing.builds import BareEnvironments, ThisPython, write_project

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def project(tmp_path: Path) -> Callable[..., str]:
    """``project(backend, pyproject=…, files=…)`` writes a project into a new folder."""

    def make(backend: str = "", *, name: str = "project", **options: Any) -> str:
        return write_project(str(tmp_path / name), textwrap.dedent(backend), **options)

    return make


@pytest.fixture
def builder(tmp_path: Path) -> Callable[..., Builder]:
    """``builder(environments, environ=…, **BuildOptions)`` makes a Builder; in the open, because tests of how hooks
    are called look at what builds leave outside.  The sandbox has tests of its own."""

    def make(environments: Any = None, environ: dict[str, str] | None = None, **options: Any) -> Builder:
        options.setdefault("sandbox", SandboxPolicy("off"))
        return Builder(
            str(tmp_path / "cache"),
            environments or BareEnvironments(),
            ThisPython(),
            environ=dict(os.environ) if environ is None else environ,
            options=BuildOptions(**options),
        )

    return make
