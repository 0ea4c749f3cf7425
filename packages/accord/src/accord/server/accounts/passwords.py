"""Passwords: argon2id (RFC 9106), its parameters in ``Limits``, and a no that takes as long whoever does not exist.

Hashing holds ``password_memory_kib`` for a while, so only ``password_threads`` of a process do it at a time; others wait,
and after ``password_wait_seconds`` are told to come back.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from accord.server.errors import Refused
from accord.server.turns import Turns

if TYPE_CHECKING:
    from accord.server.limits import Limits

__all__ = ["Passwords"]


class Passwords:
    """One per process; safe to use from many threads."""

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._hasher = PasswordHasher(
            limits.password_rounds, limits.password_memory_kib, limits.password_lanes
        )
        self._turns = Turns(limits.password_threads, limits.password_waiting, limits.password_wait_seconds)
        # What the password of a user who does not exist, or has none, is held against.
        self._decoy: str | None = None

    def hash(self, password: str) -> str:
        """What is kept of a password.  Raises ``Refused``: ``password-length`` (400), ``password-busy`` (503)."""
        least, most = self._limits.password_least, self._limits.password_most
        if not least <= len(password) <= most:
            raise Refused(400, "password-length", f"a password has {least} to {most} letters")
        return self.hash_again(password)

    def hash_again(self, password: str) -> str:
        """A password that was good before, whatever the limits are now."""
        with self._turn():
            return self._hasher.hash(password)

    def fits(self, kept: str | None, password: str) -> bool:
        """Whether this is the password of ``kept``; with ``None`` it never is, and the answer takes as long."""
        if len(password) > self._limits.password_most:
            password = ""  # too long for any; what it costs must not depend on it
        with self._turn():
            if self._decoy is None:
                self._decoy = self._hasher.hash(secrets.token_hex(16))
            try:
                return self._hasher.verify(kept or self._decoy, password) and kept is not None
            except (VerificationError, InvalidHashError):
                return False

    def outdated(self, kept: str) -> bool:
        """Whether ``kept`` was made with other parameters than are asked for now."""
        return self._hasher.check_needs_rehash(kept)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        with self._turns.take() as mine:
            if not mine:
                raise Refused(
                    503,
                    "password-busy",
                    "too many people are signing in at this moment",
                    headers={"Retry-After": "5"},
                )
            yield
