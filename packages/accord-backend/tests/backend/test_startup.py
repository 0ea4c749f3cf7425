"""What building a small pure wheel loads: a hook runs in a fresh interpreter, and loading modules is most of its time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import accord_backend

Project = Callable[..., Path]

ROOT = Path(accord_backend.__file__).resolve().parents[1]
TABLE = """\
description = "Spam with \\"eggs\\""
readme = "README.md"
requires-python = ">=3.9"
license = "MIT OR Apache-2.0"
license-files = ["LICENSE*"]
authors = [{name = "Ann", email = "ann@spam.example"}]
classifiers = [
    "Programming Language :: Python :: 3",  # and no other
]
dependencies = ["ham>=1,<3; python_version < '4'", "bacon[crisp] ~= 2.0"]

[project.optional-dependencies]
more = ["toast"]

[project.scripts]
spam = "spam_eggs.cli:main"

[project.urls]
Homepage = "https://spam.example/"

[tool.accord.build]
wheel-exclude = ["**/*.c"]

[[tool.other.overrides]]
module = ["spam.*"]
strict = true
level = 17
"""
FILES = {
    "spam_eggs/__init__.py": "",
    "spam_eggs/cli.py": "def main() -> None: ...\n",
    "README.md": "# Spam\n",
    "LICENSE": "MIT\n",
}
# What is not ours: the standard library's modules in C, and two small ones in Python.
ALLOWED = {
    "__future__", "_sha256", "_sha2", "_struct", "_weakref", "binascii", "errno", "genericpath", "os", "os.path", "posixpath", "stat", "_stat",
    "struct", "time", "zlib", "abc", "_abc", "_collections_abc", "io", "warnings",
}  # fmt: skip
OURS = {
    f"accord_backend.{name}".rstrip(".")
    for name in ("", "errors", "globs", "layout", "metadata", "packing", "plain", "project", "rules", "settings", "tables", "trees",
                 "wheel", "zips")
}  # fmt: skip


def loaded(root: Path, program: str) -> set[str]:
    begin = f"import sys; before = set(sys.modules); sys.path.append({str(ROOT)!r})"
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", f"{begin}\n{program}\nprint(*set(sys.modules) - before)"],
        capture_output=True,
        text=True,
        check=True,
        cwd=root,
    )
    return set(done.stdout.split())


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="the modules of CPython")
def test_a_small_pure_wheel(project: Project, out: str) -> None:
    root = project(TABLE, FILES)
    names = loaded(root, f"import accord_backend; accord_backend.build_wheel({out!r})")
    assert {name for name in names if name.startswith("accord_backend")} == OURS
    assert names - OURS - ALLOWED == set()


def test_asking_what_it_needs_loads_nothing(project: Project) -> None:
    root = project(TABLE, FILES)
    assert loaded(root, "import accord_backend; accord_backend.get_requires_for_build_wheel()") <= {
        "__future__",
        "accord_backend",
    }


@pytest.mark.parametrize("text", ["[tool.x]\nsince = 1979-05-27\n", "[tool.x]\ny.z = 1\n", "version = '"])
def test_the_measure_sees_what_is_loaded(project: Project, text: str) -> None:
    root = project(text)
    program = "from accord_backend import project\ntry: project.document('.')\nexcept Exception: pass"
    assert loaded(root, program) >= {"tomllib", "re"}
