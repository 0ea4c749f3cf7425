"""Requirement files for add and uninstall."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from accord.tasks.requirement_lines import names_in_files, requirements_in_files
from accord_core.errors import AccordError

if TYPE_CHECKING:
    from pathlib import Path


def test_requirements_names_and_editables(tmp_path: Path) -> None:
    (tmp_path / "c.txt").write_text("zope<5\n")
    (tmp_path / "more.txt").write_text("Idna\n")
    file = tmp_path / "r.txt"
    file.write_text(
        "-c c.txt\n-r more.txt\nFlask[async]>=${LEAST}\n./local.whl\n-e ./src[x]\n--no-binary x\n"
    )
    plain, editable = requirements_in_files([str(file)], {"LEAST": "3"})
    assert plain == ("Idna", "Flask[async]>=3", "./local.whl")
    assert editable == ("./src[x]",)


def test_names_are_normal_and_once_each(tmp_path: Path) -> None:
    file = tmp_path / "r.txt"
    file.write_text("Foo.Bar==1\nfoo-bar>0\nx @ https://index.example/x.whl\n")
    assert names_in_files([str(file)], {}) == ("foo-bar", "x")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("https://index.example/x.whl\n", "requirements-unnamed"),
        ("a >> 1\n", "invalid-requirements"),
        ("-r https://index.example/r.txt\n", "requirements-remote"),
    ],
)
def test_what_cannot_be_used_is_refused(tmp_path: Path, text: str, code: str) -> None:
    file = tmp_path / "r.txt"
    file.write_text(text)
    with pytest.raises(AccordError) as caught:
        requirements_in_files([str(file)], {})
    assert caught.value.code == code
