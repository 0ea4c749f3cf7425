"""Checks of one answer of Upload 2.0 by itself: what is wrong with it, or "" when nothing is."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime
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


def _mechanisms(page: Page) -> str:
    found: Any = page.table.get("mechanisms")
    fine = isinstance(found, list) and all(isinstance(each, str) for each in found)
    return "" if fine and "http-post-bytes" in found else f"mechanisms: {found!r}"


def _expires_at(page: Page) -> str:
    """A moment that the calendar has, in UTC with Z, of whole seconds; RFC 3339 lets the T be small."""
    found: Any = page.table.get("expires-at")
    if isinstance(found, str) and re.fullmatch(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\dZ", found, re.ASCII):
        try:
            datetime.fromisoformat(found.upper())
        except ValueError:
            return f"expires-at: {found!r} is no moment"
        return ""
    return f"expires-at: {found!r}"


def _problem(page: Page) -> str:
    """RFC 9457, section 3: an object; its members are optional, and of their type where they are there; status is the answer's own."""
    if not isinstance(page.json, dict):
        return f"no JSON object: {page.text[:200]!r}"
    texts = ("type", "title", "detail", "instance")
    wrong = [name for name in texts if name in page.json and not isinstance(page.json[name], str)]
    wrong += ["status"] if page.json.get("status", page.status) != page.status else []
    return ", ".join(f"{name}: {page.json[name]!r}" for name in wrong)


def _errors(page: Page) -> str:
    found: Any = page.table.get("errors")
    if not isinstance(found, list):
        return f"errors: {found!r}"
    wrong = [
        each
        for each in found
        if not isinstance(each, dict)
        or not all(isinstance(each.get(key), str) for key in ("source", "message"))
    ]
    return ", ".join(map(repr, wrong))


def _own_keys(page: Page) -> str:
    meta = page.table.get("meta")
    names = [str(each) for each in meta if each != "api-version"] if isinstance(meta, dict) else []
    return ", ".join(each for each in names if not each.startswith("_"))


ANSWER_CHECKS: dict[str, Callable[[Page], str]] = {
    "notices": _notices,
    "mechanism-names": _mechanism_names,
    "operator-names": _operator_names,
    "own-keys": _own_keys,
    "mechanisms": _mechanisms,
    "expires-at": _expires_at,
    "problem": _problem,
    "errors": _errors,
}
