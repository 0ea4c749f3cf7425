"""Checks of one answer of Upload 2.0 by itself: what is wrong with it, or "" when nothing is."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from accord_conformance.roles.pages import Page

__all__ = ["ANSWER_CHECKS"]

# The mechanisms that the standard itself names.
_MECHANISMS = {"http-post-bytes"}


def _notices(page: Page) -> str:
    found: Any = page.table.get("notices", [])
    fine = isinstance(found, list) and all(isinstance(each, str) for each in found)
    return "" if fine else f"notices: {found!r}"


def _of_its_own(page: Page) -> list[str]:
    found = page.table.get("mechanisms")
    return [str(each) for each in found if each not in _MECHANISMS] if isinstance(found, list) else []


def _mechanism_names(page: Page) -> str:
    return ", ".join(each for each in _of_its_own(page) if not re.fullmatch(r"vnd-[^-]+-.+", each))


def _operator_names(page: Page) -> str:
    wrong = [each for each in _of_its_own(page) if not re.fullmatch(r"vnd-[a-z0-9]+-[a-z0-9-]+", each)]
    return ", ".join(wrong)


def _own_keys(page: Page) -> str:
    meta = page.table.get("meta")
    names = [str(each) for each in meta if each != "api-version"] if isinstance(meta, dict) else []
    return ", ".join(each for each in names if not each.startswith("_"))


ANSWER_CHECKS: dict[str, Callable[[Page], str]] = {
    "notices": _notices,
    "mechanism-names": _mechanism_names,
    "operator-names": _operator_names,
    "own-keys": _own_keys,
}
