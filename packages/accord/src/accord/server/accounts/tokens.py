"""API tokens that their holder can narrow without asking (macaroons in the simplest form: a chain of HMACs).

    accord_<id>.<restriction>.<restriction>.….<signature>

The signature of a new token is ``HMAC-SHA-256(key, id)``; adding a restriction replaces it by ``HMAC(signature,
restriction)``.  The key never leaves the server, so a restriction can be added by anybody and taken away by nobody.  A
restriction is a JSON object; every one of a token must hold:

``indexes``   names of indexes          ``projects``  normalised names of projects
``actions``   of ``accounts.actions``   ``expires``   an instant, microseconds since 1970

An object with a key that is not known here never holds: older servers fail closed on newer tokens.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass
from typing import Any

from accord.server.limits import DEFAULT

__all__ = ["PREFIX", "Restriction", "Token", "mint", "narrow", "parse", "verify"]

PREFIX = "accord_"
_KEYS = frozenset(("actions", "expires", "indexes", "projects"))


@dataclass(frozen=True, slots=True)
class Restriction:
    """What one restriction allows; ``None`` in a field: it says nothing of it."""

    indexes: frozenset[str] | None = None
    projects: frozenset[str] | None = None
    actions: frozenset[str] | None = None
    expires: int | None = None

    def allows(self, action: str, index: str | None, project: str | None, at: int) -> bool:
        if self.expires is not None and at >= self.expires:
            return False
        if self.actions is not None and action not in self.actions:
            return False
        if self.indexes is not None and index not in self.indexes:
            return False
        return self.projects is None or project in self.projects

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            key: sorted(value)
            for key in ("actions", "indexes", "projects")
            if (value := getattr(self, key)) is not None
        }
        if self.expires is not None:
            found["expires"] = self.expires
        return found

    @classmethod
    def of(cls, values: object) -> Restriction | None:
        """``None`` for what this version does not understand whole."""
        if not isinstance(values, dict) or not _KEYS.issuperset(values):
            return None
        expires = values.get("expires")
        if expires is not None and (not isinstance(expires, int) or isinstance(expires, bool)):
            return None
        sets: dict[str, frozenset[str] | None] = {}
        for key in ("actions", "indexes", "projects"):
            value = values.get(key)
            if value is not None and not (
                isinstance(value, list) and all(isinstance(one, str) for one in value)
            ):
                return None
            sets[key] = None if value is None else frozenset(value)
        return cls(expires=expires, **sets)


@dataclass(frozen=True, slots=True)
class Token:
    """A token taken apart: nothing is verified yet."""

    public_id: str
    added: tuple[bytes, ...]
    signature: bytes


def mint(key: bytes, public_id: str) -> str:
    """The text of a new token."""
    return f"{PREFIX}{public_id}.{_encode(_mac(key, public_id.encode()))}"


def new_key() -> tuple[str, bytes]:
    """``(public id, key)`` for a new token."""
    return secrets.token_hex(8), secrets.token_bytes(32)


def narrow(text: str, restriction: Restriction) -> str:
    """The same token with one more restriction.  Raises ``ValueError`` for what is no token."""
    token = parse(text)
    if token is None:
        raise ValueError("no token")
    added = json.dumps(restriction.as_dict(), separators=(",", ":"), sort_keys=True).encode()
    parts = [token.public_id, *map(_encode, (*token.added, added)), _encode(_mac(token.signature, added))]
    return PREFIX + ".".join(parts)


def parse(text: str) -> Token | None:
    """The parts of a token, ``None`` for anything else."""
    if not text.startswith(PREFIX) or len(text) > DEFAULT.token_characters or not text.isascii():
        return None
    public_id, *parts = text[len(PREFIX) :].split(".")
    if not parts:
        return None
    try:
        *added, signature = [_decode(part) for part in parts]
    except (ValueError, binascii.Error):
        return None
    return Token(public_id, tuple(added), signature)


def verify(token: Token, key: bytes) -> tuple[Restriction, ...] | None:
    """The restrictions its holders added, or ``None`` where the signature is wrong or one is not understood."""
    signature = _mac(key, token.public_id.encode())
    for added in token.added:
        signature = _mac(signature, added)
    if not hmac.compare_digest(signature, token.signature):
        return None
    found: list[Restriction] = []
    for added in token.added:
        try:
            restriction = Restriction.of(json.loads(added))
        except (ValueError, RecursionError):
            return None
        if restriction is None:
            return None
        found.append(restriction)
    return tuple(found)


def _mac(key: bytes, data: bytes) -> bytes:
    return hmac.new(key, data, hashlib.sha256).digest()


def _encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decode(text: str) -> bytes:
    return base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
