"""The reference pages of the backend name every key and every code there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import accord_backend
from accord_backend import settings, steps
from accord_backend.native import description, diagnostics

SOURCE = Path(accord_backend.__file__).parent
REFERENCE = SOURCE.parents[3] / "docs" / "reference"
PAGE = REFERENCE / "build-backend.md"
NATIVE = REFERENCE / "extensions.md"  # extension modules, steps and delegates

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="not in a checkout")
_RAISED = re.compile(r'(?:BackendError|Unusable)\(\s*"([a-z0-9-]+)"')
_FAULT = re.compile(r'(?:fault|Fault)\(\s*"([a-z0-9-]+)"')


def codes(pattern: re.Pattern[str]) -> set[str]:
    return {
        code for path in SOURCE.rglob("*.py") for code in pattern.findall(path.read_text(encoding="utf-8"))
    }


def test_every_code_is_on_a_page() -> None:
    sections = [page.read_text(encoding="utf-8").partition("## Errors")[2] for page in (PAGE, NATIVE)]
    told = set(re.findall(r"`([a-z0-9-]+)`", "".join(sections)))
    known = codes(_RAISED) | codes(_FAULT) | {code for _, code, _, _ in description.GRAMMARS}
    known |= {"pyproject-unreadable", "pyproject-missing", *diagnostics.CODES}
    assert len(known) > 100
    assert known - told == set()
    assert told - known - {"scripts"} == set()


@pytest.mark.parametrize(
    ("heading", "keys"),
    [("## `[[tool.accord.extension]]`", description.KEYS), ("## `[[tool.accord.step]]`", steps.KEYS)],
)
def test_every_key_of_a_table_is_on_the_native_page(heading: str, keys: tuple[str, ...]) -> None:
    table = (
        NATIVE.read_text(encoding="utf-8").partition(heading)[2].partition("\n### ")[0].partition("\n## ")[0]
    )
    told = re.findall(r"^\| (`[a-z`, -]+`) \|", table, re.MULTILINE)
    assert {key for row in told for key in re.findall(r"`([a-z-]+)`", row)} == set(keys) - {"when"}


def test_every_key_is_on_the_page() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## `[tool.accord.build]`")[2].partition("###")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == settings.KEYS
