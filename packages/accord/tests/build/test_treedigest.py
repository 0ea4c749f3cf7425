"""Two trees have one digest exactly when a build could not tell them apart."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from accord.build.treedigest import TreeLimits, tree_digest


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    top = tmp_path / "tree"
    (top / "src" / "spam").mkdir(parents=True)
    (top / "pyproject.toml").write_text("[project]\n")
    (top / "src" / "spam" / "__init__.py").write_text("x = 1\n")
    (top / "run").symlink_to("pyproject.toml")
    return top


def put(path: str, text: str) -> Callable[[Path], None]:
    def change(tree: Path) -> None:
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)

    return change


def relink(tree: Path) -> None:
    (tree / "run").unlink()
    (tree / "run").symlink_to("src")


CHANGES = {
    "content": put("src/spam/__init__.py", "x = 2\n"),
    "a new file": put("src/spam/more.py", ""),
    "a removed file": lambda tree: (tree / "pyproject.toml").unlink(),
    "another name": lambda tree: (tree / "src" / "spam").rename(tree / "src" / "eggs"),
    "may be run": lambda tree: (tree / "pyproject.toml").chmod(0o755),
    "a link": relink,
    "a package called build": put("build/__init__.py", ""),
    "what a folder below is called": put("src/dist/data.txt", ""),
}
SAME = {
    "times": lambda tree: os.utime(tree / "pyproject.toml", (1, 1)),
    "written anew": put("src/spam/__init__.py", "x = 1\n"),
    "what a build leaves": put("build/lib/spam/__init__.py", "x = 1\n"),
    "what was built": put("dist/spam-1.0.tar.gz", ""),
    "metadata of setuptools": put("src/spam.egg-info/PKG-INFO", ""),
    "compiled files": put("src/spam/__pycache__/__init__.cpython-311.pyc", ""),
    "version control": put(".git/index", ""),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_what_a_build_could_see_changes_it(tree: Path, change: Callable[[Path], None]) -> None:
    before = tree_digest(str(tree))
    change(tree)
    assert tree_digest(str(tree)) != before


@pytest.mark.parametrize("change", SAME.values(), ids=SAME)
def test_what_a_build_cannot_see_does_not(tree: Path, change: Callable[[Path], None]) -> None:
    before = tree_digest(str(tree))
    change(tree)
    assert tree_digest(str(tree)) == before


def test_the_place_is_no_part_of_it(tree: Path) -> None:
    before = tree_digest(str(tree))
    assert tree_digest(str(tree.rename(tree.parent / "elsewhere"))) == before


@pytest.mark.parametrize("limits", [TreeLimits(file_bytes=5), TreeLimits(total=0)])
def test_of_what_is_too_large_to_be_read_size_and_time_count(tree: Path, limits: TreeLimits) -> None:
    before = tree_digest(str(tree), limits)
    os.utime(tree / "src" / "spam" / "__init__.py", (1, 1))
    assert tree_digest(str(tree), limits) != before
    assert tree_digest(str(tree), TreeLimits(file_bytes=10)) == tree_digest(str(tree))


def test_files_beyond_the_limit_are_not_looked_at(tree: Path) -> None:
    at_the_edge = TreeLimits(files=5)  # pyproject.toml, run, src, spam, __init__.py
    before = tree_digest(str(tree), at_the_edge), tree_digest(str(tree), TreeLimits(files=4))
    put("src/spam/__init__.py", "x = 2\n")(tree)
    after = tree_digest(str(tree), at_the_edge), tree_digest(str(tree), TreeLimits(files=4))
    assert (before[0] != after[0], before[1] == after[1]) == (True, True)


def test_pipes_and_what_is_gone_do_not_stop_it(tree: Path) -> None:
    os.mkfifo(tree / "pipe")
    assert tree_digest(str(tree)) == tree_digest(str(tree))
    assert tree_digest(str(tree / "gone")) == tree_digest(str(tree / "gone"))
