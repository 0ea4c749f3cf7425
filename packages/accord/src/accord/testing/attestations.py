"""Attestations as a signer makes them (PEP 740), with a certificate nobody vouches for: for tests of what is checked."""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

__all__ = ["PUBLISH", "SLSA", "attestation", "provenance", "sign", "statement"]

PUBLISH = "https://docs.index.example/attestations/publish/v1"
SLSA = "https://slsa.dev/provenance/v1"
_TYPE = b"application/vnd.in-toto+json"


@lru_cache
def _signer(curve: str = "secp256r1") -> tuple[ec.EllipticCurvePrivateKey, bytes]:
    key = ec.generate_private_key(ec.SECP256R1() if curve == "secp256r1" else ec.SECP384R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody.example")])
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(minutes=10))
        .sign(key, hashes.SHA256())
    )
    return key, certificate.public_bytes(serialization.Encoding.DER)


def statement(filename: str, content: bytes, kind: str = PUBLISH, **more: Any) -> dict[str, Any]:
    """An in-toto statement about a file."""
    digest = {"sha256": hashlib.sha256(content).hexdigest()}
    return {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": filename, "digest": digest}],
        "predicateType": kind,
        "predicate": None,
        **more,
    }


def sign(document: bytes, *, curve: str = "secp256r1", payload_type: bytes = _TYPE) -> dict[str, Any]:
    """An attestation of a statement, whatever that is."""
    key, certificate = _signer(curve)
    signed = b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(document), document)
    signature = key.sign(signed, ec.ECDSA(hashes.SHA256()))
    return {
        "version": 1,
        "verification_material": {
            "certificate": base64.b64encode(certificate).decode(),
            "transparency_entries": [{"logIndex": "1"}],
        },
        "envelope": {
            "statement": base64.b64encode(document).decode(),
            "signature": base64.b64encode(signature).decode(),
        },
    }


def attestation(filename: str, content: bytes, kind: str = PUBLISH) -> dict[str, Any]:
    return sign(json.dumps(statement(filename, content, kind)).encode())


def provenance(*attestations: dict[str, Any], publisher: str = "GitHub") -> bytes:
    """A provenance object, as an index has it."""
    bundle = {"publisher": {"kind": publisher, "claims": {}}, "attestations": list(attestations)}
    # Not as anybody would write it: who passes it on passes on these bytes.
    return json.dumps({"version": 1, "attestation_bundles": [bundle]}, indent=3).encode()
