"""The test of a migration: what differs by meaning is a fault, what a migration is for has its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from accord.migrate.compare import Difference, compare_wheels
from accord.testing.archives import wheel_parts, zip_bytes
from accord_core.archive.wheel import open_wheel

if TYPE_CHECKING:
    from pathlib import Path

HEAD = "Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n"
NEW = HEAD.replace("2.1", "2.4")
FILES = {"spam/__init__.py": b"value = 1\n"}


def compared(
    tmp_path: Path,
    old: str,
    new: str,
    old_files: dict[str, bytes] = FILES,
    new_files: dict[str, bytes] = FILES,
    points: tuple[str | None, str | None] = (None, None),
) -> list[Difference]:
    for name, text, files, entries in (
        ("old", old, old_files, points[0]),
        ("new", new, new_files, points[1]),
    ):
        folder = tmp_path / name
        folder.mkdir(exist_ok=True)
        parts = wheel_parts(files, metadata=text, entry_points=entries)
        (folder / "spam-1.0-py3-none-any.whl").write_bytes(zip_bytes(parts))
    paths = [str(tmp_path / name / "spam-1.0-py3-none-any.whl") for name in ("old", "new")]
    with open_wheel(paths[0]) as before, open_wheel(paths[1]) as after:
        return [each for each in compare_wheels(before, after) if each.what != "Metadata-Version"]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Author: Ann\nAuthor-email: ann@x.example\n", "Author-email: Ann <ann@x.example>\n"),
        ("Home-page: https://x.example\n", "Project-URL: Homepage, https://x.example\n"),
        ("Download-URL: https://x.example/d\n", "Project-URL: Download, https://x.example/d\n"),
        ("Requires-Dist: A_b (>=1,<2)\n", "Requires-Dist: a-b <2,>=1\n"),
        (
            "Provides-Extra: x_y\nRequires-Dist: a ; (python_version < \"3\") and extra == 'x_y'\n",
            "Provides-Extra: x-y\nRequires-Dist: a; extra == 'x-y' and python_version < \"3\"\n",
        ),
        ("Requires-Python: >=3.8, <4\n", "Requires-Python: <4,>=3.8\n"),
        ("Keywords: a,b\n", "Keywords: b,a\n"),
        ("Summary: UNKNOWN\nLicense: UNKNOWN\n", ""),
        ("Author-email: =?utf-8?q?=C3=84nn?= <a@x.example>\n", "Author-email: Änn <a@x.example>\n"),
    ],
)
def test_other_words_for_the_same_are_no_difference(tmp_path: Path, old: str, new: str) -> None:
    assert compared(tmp_path, HEAD + old, NEW + new) == []


@pytest.mark.parametrize(
    ("old", "new", "what"),
    [
        ("Author: Ann\n", "", "people"),
        ("Author: Ann\n", "Maintainer: Ann\n", "people"),
        ("Home-page: https://x.example\n", "", "links"),
        ("Requires-Dist: a>=1\n", "Requires-Dist: a>=2\n", "requirements"),
        ("Requires-Dist: a\n", "", "requirements"),
        ("Requires-Dist: a\n", 'Requires-Dist: a; extra == "x"\n', "requirements"),
        ("Requires-Python: >=3.8\n", "", "Requires-Python"),
        ("Summary: a\n", "Summary: b\n", "Summary"),
        ("Classifier: Topic :: Utilities\n", "", "classifiers"),
        ("License: MIT\n", "", "licence"),
        ("Provides-Extra: a\n", "", "extras"),
        ("License-File: LICENSE\nLicense-File: NOTICE\n", "License-File: LICENSE\n", "License-File"),
        ("\nA readme\n", "\nAnother\n", "Description"),
        (
            "Description-Content-Type: text/markdown\n",
            "Description-Content-Type: text/x-rst\n",
            "Description-Content-Type",
        ),
    ],
)
def test_a_loss_is_a_fault(tmp_path: Path, old: str, new: str, what: str) -> None:
    (found,) = [each for each in compared(tmp_path, HEAD + old, NEW + new) if each.reason is None]
    assert found.what == what


def test_files_are_compared_by_their_content(tmp_path: Path) -> None:
    found = compared(tmp_path, HEAD, NEW, FILES | {"spam/a.txt": b"1"}, FILES | {"spam/b.txt": b"1"})
    assert [(each.what, each.old, each.new, each.reason) for each in found] == [
        ("spam/a.txt", "is there", None, None),
        ("spam/b.txt", None, "is there", None),
    ]
    (found_one,) = compared(tmp_path, HEAD, NEW, FILES, {"spam/__init__.py": b"value = 2\n"})
    assert (found_one.what, found_one.reason) == ("spam/__init__.py", None)


def test_entry_points_are_compared(tmp_path: Path) -> None:
    points = ("[console_scripts]\nspam = spam:main\n", "[console_scripts]\nspam=spam : main\n")
    assert compared(tmp_path, HEAD, NEW, points=points) == []
    points = ("[console_scripts]\nspam = spam:main\n", "[console_scripts]\nspam = spam:other\n")
    assert [each.what for each in compared(tmp_path, HEAD, NEW, points=points)] == ["entry points"]


def test_an_expression_instead_of_words_and_a_classifier_is_what_it_is_for(tmp_path: Path) -> None:
    old = HEAD + "License: MIT\nClassifier: License :: OSI Approved :: MIT License\n"
    (found,) = compared(tmp_path, old, NEW + "License-Expression: MIT\n")
    assert found.what == "licence"
    assert found.reason == "the licence is an SPDX expression now (PEP 639)"
