"""The reference page of the backend names every key and every code there is, and no other."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import accord_backend
from accord_backend import settings

SOURCE = Path(accord_backend.__file__).parent
PAGE = SOURCE.parents[3] / "docs" / "reference" / "build-backend.md"

pytestmark = pytest.mark.skipif(not PAGE.is_file(), reason="not in a checkout")
_RAISED = re.compile(r'(?:BackendError|Unusable)\(\s*"([a-z0-9-]+)"')
_FAULT = re.compile(r'(?:fault|Fault)\(\s*"([a-z0-9-]+)"')


def codes(pattern: re.Pattern[str]) -> set[str]:
    return {
        code for path in SOURCE.rglob("*.py") for code in pattern.findall(path.read_text(encoding="utf-8"))
    }


def test_every_code_is_on_the_page() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("## Errors")[2]
    told = set(re.findall(r"`([a-z0-9-]+)`", section))
    known = codes(_RAISED) | codes(_FAULT) | {"pyproject-unreadable", "pyproject-missing"}
    assert len(known) > 50
    assert known - told == set()
    assert told - known - {"scripts"} == set()


def test_every_key_is_on_the_page() -> None:
    table = PAGE.read_text(encoding="utf-8").partition("## `[tool.accord.build]`")[2].partition("###")[0]
    assert set(re.findall(r"^\| `([a-z-]+)` \|", table, re.MULTILINE)) == settings.KEYS
