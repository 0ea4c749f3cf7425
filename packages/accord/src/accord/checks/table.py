"""All checks, in the order they are run and shown."""

from __future__ import annotations

from accord.checks import (
    archives,
    binaries,
    contents,
    document,
    fields,
    licences,
    modules,
    requirements,
    words,
)
from accord.checks.model import Check

__all__ = ["CHECKS", "find"]

CHECKS: tuple[Check, ...] = tuple(
    check
    for room in (archives, document, fields, words, licences, requirements, modules, contents, binaries)
    for check in room.CHECKS
)


def find(code: str) -> Check | None:
    """The check of that code."""
    return next((check for check in CHECKS if check.code == code), None)
