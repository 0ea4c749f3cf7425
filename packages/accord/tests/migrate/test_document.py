"""The written document: TOML that reads back, the old file's own tables untouched, and backends beside accord's."""

from __future__ import annotations

import time
import tomllib
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord.migrate.globs import matches, matching
from accord.migrate.layout import carried_globs
from accord.migrate.toml_text import block_text, inline, key, pair, quoted

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    Migrate = Callable[..., Any]

SETUP = "from setuptools import setup\nsetup(name='spam', version='1', packages=['spam'], python_requires='>=3.8')\n"


@given(st.text())
def test_every_text_reads_back(text: str) -> None:
    if "\r" not in text:
        assert tomllib.loads(f"x = {block_text(text)}")["x"] == text
    assert tomllib.loads(f"x = {quoted(text)}")["x"] == text
    assert tomllib.loads(f"{key(text)} = 1") == {text: 1}


@given(st.lists(st.text(max_size=30)), st.dictionaries(st.text(max_size=9), st.booleans()))
def test_every_value_reads_back(values: list[str], table: dict[str, bool]) -> None:
    assert tomllib.loads("\n".join(pair("x", values)))["x"] == values
    assert tomllib.loads(f"x = {inline(table)}")["x"] == table


PATHS = st.lists(
    st.sampled_from(["a", "b", "t.py", "u.py", "v.c", "w.txt"]).flatmap(
        lambda name: st.lists(st.sampled_from(["p", "q", "r"]), max_size=3).map(
            lambda up: "/".join(["spam", *up, name])
        )
    ),
    unique=True,
    max_size=14,
)


@given(PATHS, st.data())
def test_the_globs_leave_out_just_what_they_should(paths: list[str], data: st.DataObject) -> None:
    taken = set(data.draw(st.lists(st.sampled_from(paths), unique=True))) if paths else set()
    extra = sorted(set(paths) - taken)
    globs = carried_globs(extra, taken, ["spam"])
    assert {path for glob in globs for path in matching(paths, glob)} == set(extra)


@pytest.mark.parametrize(
    ("pattern", "yes", "no"),
    [
        ("*.py", "a.py", "p/a.py"),
        ("p/**", "p/q/a.py", "p"),
        ("**/*.py", "p/q/a.py", "a.pyc"),
        ("**/*.py", "a.py", "p/a.c"),
        ("p/**/t/*.py", "p/t/a.py", "p/t/q/a.py"),
        ("a[0-9].py", "a7.py", "ab.py"),
        ("a[!0-9].py", "ab.py", "a7.py"),
        ("**/*.py[cod]", "p/a.pyc", "p/a.py"),
        ("a?.py", "ab.py", "a/.py"),
        ("LICEN[CS]E*", "LICENSE.txt", "license"),
    ],
)
def test_globs(pattern: str, yes: str, no: str) -> None:
    assert matches(yes, pattern)
    assert not matches(no, pattern)


def test_a_glob_written_to_be_slow_is_not() -> None:
    begun = time.process_time()
    assert not matches(
        "a" * 250 + "/" + "b" * 250, "/".join(("*a" * 100 + "b", "**/" * 50 + "*b" * 100 + "c"))
    )
    assert time.process_time() - begun < 1


def test_tables_of_other_tools_stay_with_their_comments(migrated: Migrate) -> None:
    old = "# how we build\n[build-system]\nrequires = ['setuptools', 'cython']\n\n# our style\n[tool.black] # yes\nline-length = 99\n"
    made = migrated({"spam/__init__.py": "", "setup.py": SETUP, "pyproject.toml": old})
    assert made.text.endswith("# our style\n[tool.black] # yes\nline-length = 99\n")
    assert made.data["build-system"]["requires"] == ["accord-backend", "cython"]


@pytest.mark.parametrize(
    ("backend", "module", "tables"),
    [
        (
            "setuptools",
            "setuptools.build_meta",
            {"setuptools": {"packages": ["spam"], "include-package-data": False}},
        ),
        ("flit", "flit_core.buildapi", None),
        (
            "hatchling",
            "hatchling.build",
            {"hatch": {"build": {"targets": {"wheel": {"only-include": ["spam"]}}}}},
        ),
        (
            None,
            "setuptools.build_meta",
            {"setuptools": {"packages": ["spam"], "include-package-data": False}},
        ),
    ],
)
def test_other_backends_are_told_in_their_own_words(
    migrated: Migrate, backend: str | None, module: str, tables: dict[str, object] | None
) -> None:
    made = migrated({"spam/__init__.py": "", "setup.py": SETUP}, backend=backend)
    assert made.data["build-system"]["build-backend"] == module
    assert made.data.get("tool") == tables


def test_a_backend_that_was_asked_for_is_taken_and_what_it_cannot_do_is_told(migrated: Migrate) -> None:
    text = SETUP.replace("python_requires", "cmdclass={'build_py': object}, python_requires")
    files = {"spam/__init__.py": "", "setup.py": text}
    assert migrated(files).backend == "setuptools"
    made = migrated(files, forced=True)
    assert made.backend == "accord"
    assert "its own build_py command accord's description has no words for it" in made.left


def test_a_module_folder_that_the_backend_would_not_find_is_named(migrated: Migrate) -> None:
    text = SETUP.replace("packages=['spam']", "packages=['eggs', 'eggs.sub'], py_modules=['top']")
    made = migrated({"eggs/__init__.py": "", "eggs/sub/__init__.py": "", "top.py": "", "setup.py": text})
    assert made.accord["build"]["modules"] == ["eggs", "top"]
