"""Headers that stand on every answer, whatever it is: what browsers must not make of it."""

from __future__ import annotations

__all__ = ["HARDENED"]

HARDENED = (
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
)
