"""Keys of tokens as they lie in the database: sealed with a secret that lies elsewhere, where the operator gave one.

Whoever reads the database, or a copy of it, could otherwise make every user's tokens, because their keys are in it.  The
secret is 32 bytes in hexadecimal, a line of a file; the first line seals, all of them open, so that a new one is put on top
and :func:`seal_again` moves every key to it before the old one goes.

A sealed key is ``A`` | 8 bytes that name the secret | 12 of nonce | AES-256-GCM of the key, for the token's public identifier,
so that none can be put in the place of another.  A key that is not sealed is its 32 bytes.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from accord.io.reading import read_at_most
from accord.server.accounts import audit
from accord.server.database import tables
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from sqlalchemy import ColumnElement, Connection, Engine

    from accord.server.database import Writing

__all__ = ["Secrets", "attach", "demand_openable", "read_secrets", "seal_again", "seal_new", "secrets_of"]

_KEY = 32
_SEALED = b"A"
_NAME, _NONCE = 8, 12
_OPTION = "accord_secrets"
_FILE_BYTES = 4_096
_LINES = 16
_AT_ONCE = 500


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """``each`` are 32 bytes; the first seals."""

    each: tuple[bytes, ...] = ()

    def seal(self, public_id: str, key: bytes) -> bytes:
        """The key as it is stored."""
        if not self.each:
            return key
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        secret = self.each[0]
        nonce = os.urandom(_NONCE)
        return _SEALED + _name(secret) + nonce + AESGCM(secret).encrypt(nonce, key, public_id.encode())

    def open(self, public_id: str, stored: bytes) -> bytes | None:
        """The key; ``None`` where it was sealed with another secret, or for another token."""
        if len(stored) == _KEY:
            return stored
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        named, nonce = stored[1 : 1 + _NAME], stored[1 + _NAME : 1 + _NAME + _NONCE]
        for secret in self.each:
            if stored[:1] == _SEALED and named == _name(secret):
                try:
                    return AESGCM(secret).decrypt(nonce, stored[1 + _NAME + _NONCE :], public_id.encode())
                except (InvalidTag, ValueError):
                    return None
        return None

    def seals_as_now(self, stored: bytes) -> bool:
        """Whether it is sealed as :meth:`seal` would."""
        if not self.each:
            return len(stored) == _KEY
        return stored[: 1 + _NAME] == _SEALED + _name(self.each[0])


def _name(secret: bytes) -> bytes:
    return hashlib.sha256(b"accord: the name of a secret\n" + secret).digest()[:_NAME]


def read_secrets(path: str) -> Secrets:
    """The secrets of a file, none where ``path`` is empty.  Raises ``UsageError("server-secret")``, which shows none."""
    if not path:
        return Secrets()
    try:
        lines = read_at_most(path, _FILE_BYTES).split()
    except OSError as fault:
        raise _unusable(f"{path} cannot be read: {fault.strerror}") from fault
    try:
        each = tuple(bytes.fromhex(line.decode("ascii")) for line in lines)
    except ValueError as fault:
        raise _unusable(f"{path}: a line is not hexadecimal") from fault
    if not 0 < len(each) <= _LINES or any(len(secret) != _KEY for secret in each):
        raise _unusable(f"{path} has 1 to {_LINES} lines of {2 * _KEY} hexadecimal digits")
    return Secrets(each)


def _unusable(words: str) -> UsageError:
    return UsageError("server-secret", words, hint="openssl rand -hex 32 makes one")


def attach(engine: Engine, secrets: Secrets) -> None:
    """Every connection of that database knows them from now on."""
    engine.update_execution_options(**{_OPTION: secrets})


def secrets_of(connection: Connection) -> Secrets:
    found = connection.get_execution_options().get(_OPTION)
    return found if isinstance(found, Secrets) else Secrets()


def demand_openable(connection: Connection, at: int) -> None:
    """Raises ``UsageError("server-secret")`` where there are tokens nobody could use: sealed with a secret that is not given.
    Those that are over are nobody's loss."""
    secrets = secrets_of(connection)
    columns = tables.token.c
    good = columns.revoked.is_(None) & (columns.expires.is_(None) | (columns.expires > at))
    for _, public_id, key in _keys(connection, good):
        if secrets.open(public_id, key) is None:
            raise UsageError(
                "server-secret",
                f"the key of token {public_id}, and perhaps others, is sealed with a secret that was not given",
                hint="--secret-file names the file that has it",
            )


def seal_new(writing: Writing, public_id: str, key: bytes) -> bytes:
    """The key of a new token as it is stored.  Raises ``UsageError("server-secret")`` where the others are sealed and there is
    no secret for this one: a command that was not told of it would weaken them all."""
    secrets = secrets_of(writing.connection)
    if not secrets.each:
        sealed = select(tables.token.c.id).where(func.length(tables.token.c.key) != _KEY).limit(1)
        if writing.connection.execute(sealed).first() is not None:
            raise UsageError(
                "server-secret",
                "keys of tokens are sealed here, and no secret was given for a new one",
                hint="--secret-file names the file that has it",
            )
    return secrets.seal(public_id, key)


def seal_again(writing: Writing) -> int:
    """Seal every key with the first secret; how many were not.  Raises ``UsageError("server-secret")`` where one that is
    still good cannot be opened, or there is no secret."""
    secrets = secrets_of(writing.connection)
    if not secrets.each:
        raise UsageError(
            "server-secret", "no secret was given", hint="--secret-file names the file that has it"
        )
    demand_openable(writing.connection, writing.at)
    columns = tables.token.c
    count = 0
    for number, public_id, stored in list(_keys(writing.connection)):
        key = secrets.open(public_id, stored)
        if key is not None and not secrets.seals_as_now(stored):
            writing.connection.execute(
                update(tables.token).where(columns.id == number).values(key=secrets.seal(public_id, key))
            )
            count += 1
    audit.record(writing, "seal-tokens", "tokens", count=count)
    return count


def _keys(
    connection: Connection, which: ColumnElement[bool] | None = None
) -> Iterator[tuple[int, str, bytes]]:
    columns = tables.token.c
    query = select(columns.id, columns.public_id, columns.key).order_by(columns.id)
    if which is not None:
        query = query.where(which)
    with connection.execute(query, execution_options={"yield_per": _AT_ONCE}) as rows:
        for row in rows:
            yield row.id, row.public_id, row.key
