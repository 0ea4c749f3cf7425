"""All checks, in the order they are run and shown."""

from __future__ import annotations

from accord.checks import document, fields, requirements
from accord.checks.model import Check

__all__ = ["CHECKS", "find"]

CHECKS: tuple[Check, ...] = (*document.CHECKS, *fields.CHECKS, *requirements.CHECKS)


def find(code: str) -> Check | None:
    """The check of that code."""
    return next((check for check in CHECKS if check.code == code), None)
