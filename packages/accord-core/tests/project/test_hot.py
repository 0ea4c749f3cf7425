"""The hot modules of this room and of the lock load nothing slow: a no-op command pays for every import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import accord_core.errors

SLOW = {
    "re",
    "typing",
    "dataclasses",
    "json",
    "pathlib",
    "tomllib",
    "packaging",
    "datetime",
    "enum",
    "functools",
    "urllib",
}
SOURCE = Path(accord_core.errors.__file__).parent.parent


@pytest.mark.parametrize(
    "module",
    [
        "accord_core.names",
        "accord_core.project.versions",
        "accord_core.project.markers",
        "accord_core.project.requirement",
        "accord_core.lock.model",
        "accord_core.lock.compact",
        "accord_core.lock.select",
    ],
)
def test_a_hot_module_loads_nothing_slow(module: str) -> None:
    program = f"import sys; sys.path.insert(0, {str(SOURCE)!r}); import {module}; print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program], capture_output=True, text=True, check=True
    )
    loaded = {name.partition(".")[0] for name in done.stdout.split()}
    assert "accord_core" in loaded
    assert not loaded & SLOW
