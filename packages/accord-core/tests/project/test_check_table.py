"""``[tool.accord.check]``: which checks a project leaves out."""

from __future__ import annotations

import pytest

from accord_core.errors import DocumentError
from accord_core.project.pyproject import read_pyproject


def test_codes_are_kept_in_order() -> None:
    text = '[tool.accord.check]\nignore = ["dependency-cap", "urls-missing"]\n'
    assert read_pyproject(text).tool.check_ignore == ("dependency-cap", "urls-missing")
    assert read_pyproject("").tool.check_ignore == ()


@pytest.mark.parametrize(
    ("text", "code", "line"),
    [
        ('[tool.accord.check]\nignroe = ["a"]\n', "unknown-key", 2),
        ("[tool.accord.check]\nignore = true\n", "wrong-type", 2),
        ("[tool.accord.check]\nignore = [\n  1,\n]\n", "wrong-type", 3),
        ("[tool.accord]\ncheck = 3\n", "wrong-type", 2),
    ],
)
def test_what_is_wrong_is_said_with_its_line(text: str, code: str, line: int) -> None:
    with pytest.raises(DocumentError) as refused:
        read_pyproject(text)
    (fault,) = refused.value.faults
    assert fault.code == code
    assert fault.where is not None
    assert fault.where.line == line
