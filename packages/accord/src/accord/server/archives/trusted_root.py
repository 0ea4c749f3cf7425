"""The trusted root: whose certificates of signers are believed, and which logs (Sigstore's ``TrustedRoot``, as JSON).

The operator names the file; nothing is fetched, and what it says is believed.  Here it is read into values; what they are
good for is known by ``verification``.  Keys of a kind that is not known here are left out: what they sign is not believed.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519

from accord.io.reading import read_at_most
from accord_core.errors import UsageError

__all__ = ["Authority", "LogKey", "Period", "TrustedRoot", "read_trusted_root"]

_MEDIA_TYPE = "application/vnd.dev.sigstore.trustedroot"
_HASHES: dict[str, Callable[[], hashes.HashAlgorithm] | None] = {
    "PKIX_ECDSA_P256_SHA_256": hashes.SHA256,
    "PKIX_ECDSA_P384_SHA_384": hashes.SHA384,
    "PKIX_ECDSA_P521_SHA_512": hashes.SHA512,
    "PKIX_ED25519": None,
}

# What reading a document, its certificates and its keys raises where they are none.
_FAULTS = (
    *(ValueError, TypeError, KeyError, AttributeError, RecursionError),
    *(UnsupportedAlgorithm, x509.InvalidVersion),
)


@dataclass(frozen=True, slots=True)
class Period:
    """``TimeRange`` of the root: both ends belong to it, and one that is missing is open."""

    start: datetime | None
    end: datetime | None

    def holds(self, at: datetime) -> bool:
        return (self.start is None or self.start <= at) and (self.end is None or at <= self.end)


@dataclass(frozen=True, slots=True)
class Authority:
    """Who issues certificates to signers.  ``chain`` begins with the certificate that signs those and ends with the one that
    is believed for its own sake."""

    chain: tuple[x509.Certificate, ...]
    period: Period


@dataclass(frozen=True, slots=True)
class LogKey:
    """The key of a log; ``identity`` is the one log entries name (``logId``, RFC 6962 section 3.2)."""

    identity: bytes
    key: ec.EllipticCurvePublicKey | ed25519.Ed25519PublicKey
    algorithm: hashes.HashAlgorithm | None
    period: Period

    def signed(self, signature: bytes, data: bytes) -> bool:
        """Whether ``signature`` is one of this key over ``data``."""
        try:
            if isinstance(self.key, ed25519.Ed25519PublicKey):
                self.key.verify(signature, data)
            else:
                assert self.algorithm is not None
                self.key.verify(signature, data, ec.ECDSA(self.algorithm))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class TrustedRoot:
    """``logs`` have signatures (``tlogs``), ``certificate_logs`` certificates (``ctlogs``); of those there may be none."""

    authorities: tuple[Authority, ...]
    logs: tuple[LogKey, ...]
    certificate_logs: tuple[LogKey, ...]


def read_trusted_root(path: str, most: int) -> TrustedRoot:
    """The trusted root of a file of ``most`` bytes.  Raises ``UsageError("trusted-root-invalid")``."""
    try:
        body = read_at_most(path, most)
        if len(body) > most:
            raise ValueError(f"it has more than {most} bytes")
        return _root(json.loads(body))
    except OSError as fault:
        raise _unusable(path, f"it cannot be read: {fault.strerror or fault}") from fault
    except _FAULTS as fault:
        raise _unusable(path, str(fault) or type(fault).__name__) from fault


def _unusable(path: str, why: str) -> UsageError:
    return UsageError(
        "trusted-root-invalid",
        f"{path} is no trusted root of Sigstore",
        context=(why[:300],),
        hint="it is JSON with certificateAuthorities and tlogs: trusted_root.json, as Sigstore publishes it",
    )


def _root(document: dict[str, Any]) -> TrustedRoot:
    if not str(document["mediaType"]).startswith(_MEDIA_TYPE):
        raise ValueError("its mediaType is another")
    authorities = tuple(map(_authority, document["certificateAuthorities"]))
    logs = _keys(document["tlogs"])
    if not authorities or not logs:
        raise ValueError("it names no authority, or no log whose key is of a known kind")
    certificate_logs = _keys(document.get("ctlogs", []))
    if (
        document.get("ctlogs") and not certificate_logs
    ):  # to ask for none would be to believe more than it says
        raise ValueError("it names no log of certificates whose key is of a known kind")
    return TrustedRoot(authorities, logs, certificate_logs)


def _authority(one: dict[str, Any]) -> Authority:
    raw = [_bytes(each["rawBytes"]) for each in one["certChain"]["certificates"]]
    if not raw:
        raise ValueError("an authority has no certificate")
    return Authority(tuple(map(x509.load_der_x509_certificate, raw)), _period(one))


def _keys(each: list[dict[str, Any]]) -> tuple[LogKey, ...]:
    return tuple(key for key in map(_key, each) if key is not None)


def _key(one: dict[str, Any]) -> LogKey | None:
    said = one["publicKey"]
    if said["keyDetails"] not in _HASHES:
        return None
    raw = _bytes(said["rawBytes"])
    key = serialization.load_der_public_key(raw)
    make = _HASHES[said["keyDetails"]]
    if not isinstance(key, ed25519.Ed25519PublicKey if make is None else ec.EllipticCurvePublicKey):
        raise TypeError(f"a key is none of the kind {said['keyDetails']}")
    named = one.get("logId", {}).get("keyId")
    identity = hashlib.sha256(raw).digest() if named is None else _bytes(named)
    return LogKey(identity, key, make() if make else None, _period(said))


def _period(one: dict[str, Any]) -> Period:
    """``validFor`` of an authority or a key."""
    said = one.get("validFor", {})
    start, end = (said.get(name) for name in ("start", "end"))
    return Period(start and _instant(start), end and _instant(end))


def _instant(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _bytes(text: str) -> bytes:
    return base64.b64decode(text, validate=True)
