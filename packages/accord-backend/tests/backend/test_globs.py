"""Globs match what PEP 639 says they match, and no pattern is slow."""

from __future__ import annotations

import glob
import os
import re
import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord_backend.globs import Pattern, Unusable
from accord_backend.trees import DiskTree, ListTree, matching, walk


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("a", "a", True),
        ("a", "a/b", False),
        ("*.py", "a.py", True),
        ("*.py", "d/a.py", False),
        ("d/*", "d/a.py", True),
        ("d/*", "d/e/a.py", False),
        ("**/*.py", "a.py", True),
        ("**/*.py", "d/e/a.py", True),
        ("d/**", "d/e/a.py", True),
        ("d/**", "d", False),
        ("d/**/a.py", "d/a.py", True),
        ("d/**/a.py", "d/e/f/a.py", True),
        ("**/d/**", "x/d/y", True),
        ("?.py", "a.py", True),
        ("?.py", "ab.py", False),
        ("[a-c]", "b", True),
        ("[!a-c]", "b", False),
        ("[]x", "[]x", True),
        ("[a-]", "-", True),
        ("A", "a", False),
        ("*", ".hidden", False),
        ("**", ".git/config", False),
        (".*", ".hidden", True),
        ("**/.hidden", "d/.hidden", True),
        ("d/", "d", True),
    ],
)
def test_an_include(pattern: str, path: str, expected: bool) -> None:
    assert Pattern(pattern).matches(path) is expected


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("*", ".hidden", True),
        ("**/*.secret", "d/.e/.x.secret", True),
        ("d", "d/e/a.py", True),
        ("d/**", "d/.e/a.py", True),
        ("*/tests", "spam/tests/test_a.py", True),
        ("e", "d/e", False),
    ],
)
def test_an_exclude_takes_dots_and_whole_folders(pattern: str, path: str, expected: bool) -> None:
    assert Pattern(pattern, hidden=True).matches(path) is expected


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("/etc/passwd", "path-outside"),
        ("../x", "path-outside"),
        ("a/../../x", "path-outside"),
        ("a\\b", "path-outside"),
        ("C:/x", "path-outside"),
        ("", "glob-invalid"),
        ("a//b", "glob-invalid"),
        ("./a", "glob-invalid"),
        ("a**", "glob-invalid"),
        ("x" * 1025, "glob-invalid"),
    ],
)
def test_what_is_no_pattern(text: str, code: str) -> None:
    with pytest.raises(Unusable) as caught:
        Pattern(text)
    assert caught.value.code == code
    assert Pattern("x" * 1024).matches("x" * 1024)


NAMES = st.text("ab.", min_size=1, max_size=4).filter(lambda name: name not in (".", ".."))
PARTS = st.one_of(st.just("**"), st.text("ab.*?", min_size=1, max_size=4).filter(lambda n: "**" not in n))


@given(
    st.lists(PARTS, min_size=1, max_size=4).filter(lambda parts: not {".", ".."} & set(parts)),
    st.lists(NAMES, min_size=1, max_size=5),
)
def test_it_agrees_with_a_regular_expression(parts: list[str], names: list[str]) -> None:
    """The oracle: the same grammar as a regular expression, where time does not matter."""
    if parts[-1] == "**":
        parts = [*parts, "*"]
    expression = ""
    for part in parts:
        if part == "**":
            expression += "(?:[^/]+/)*"
        else:
            expression += (
                "".join({"*": "[^/]*", "?": "[^/]"}.get(sign, re.escape(sign)) for sign in part) + "/"
            )
    expected = re.fullmatch(expression, "".join(f"{name}/" for name in names)) is not None
    exclude = Pattern("/".join(parts), hidden=True)
    found = exclude.matches("/".join(names))
    # An exclude also takes what lies below a folder it matches.
    below = any(exclude.matches("/".join(names[:number])) for number in range(1, len(names)))
    assert found is (expected or below)


def test_the_disk_gives_what_glob_gives(tmp_path: Path) -> None:
    for path in ("a.py", "d/a.py", "d/.x/a.py", "d/e/a.py", "d/e/b.txt", ".x/a.py"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    for pattern in ("*", "**", "**/*.py", "d/**", "d/*/a.py", "?.py", "d/**/*.txt", ".x/*", "[ab].py"):
        expected = sorted(
            found
            for found in glob.glob(pattern, root_dir=tmp_path, recursive=True)
            if (tmp_path / found).is_file()
        )
        assert matching(DiskTree(str(tmp_path)), Pattern(pattern)) == expected, pattern


@pytest.mark.parametrize(
    "pattern", ["*a" * 500 + "b", "**/" * 300 + "b", "*?" * 400 + "b", "a/**/" * 200 + "b"]
)
def test_no_pattern_is_slow(pattern: str) -> None:
    """The attack on a backtracking matcher; the limit is a hundred times what it takes."""
    before = time.process_time()
    assert not Pattern(pattern).matches("a" * 255)
    assert not Pattern(pattern).matches("a/" * 100 + "a")
    assert time.process_time() - before < 3


def test_a_list_and_the_disk_are_the_same_tree(tmp_path: Path) -> None:
    paths = ["p/a.py", "p/d/b.py", "p/d/e/c.txt", "top.py"]
    for path in paths:
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    disk, listed = DiskTree(str(tmp_path)), ListTree(paths)
    for name in ("z", "b", "y", "a", "x", "c"):
        (tmp_path / "many" / name).mkdir(parents=True)
    assert disk.entries("many")[0] == ["a", "b", "c", "x", "y", "z"]
    (tmp_path / "many").rename(tmp_path.parent / "elsewhere")
    for folder in ("", "p", "p/d", "none"):
        assert [list(part) for part in disk.entries(folder)] == [
            list(part) for part in listed.entries(folder)
        ]
    assert walk(disk, "p") == walk(listed, "p") == paths[:3]
    assert walk(disk, "p", (Pattern("p/d/*", hidden=True),)) == ["p/a.py"]


def test_what_tools_make_is_left_out(tmp_path: Path) -> None:
    made = (
        "x.pyc",
        "x.orig",
        "x.py~",
        ".DS_Store",
        "_a.cpython-312-x86_64-linux-gnu.so",
        "_a.abi3.so",
        "_a.cp312-win_amd64.pyd",
    )
    kept = ("x.py", "lib.so", ".config", "data.bin")
    for name in (*made, *kept):
        (tmp_path / name).touch()
    for folder in ("__pycache__", ".git", "x.egg-info", "plain"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "file").touch()
    os.mkfifo(tmp_path / "pipe")
    assert walk(DiskTree(str(tmp_path)), "") == sorted([*kept, "plain/file"])
