"""Makes ``attested/made.json`` anew: attestations that are wrong in one thing, signed as they stand, about the sdist that lies beside it.

    python conformance/attestations.py        needs the package cryptography; the suite itself does not

Their keys are made here and thrown away; nobody issued their certificates, so an index may take none of them.  ``self-signed`` is wrong in nothing else.
"""

from __future__ import annotations

import base64
import hashlib
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

FOLDER = Path(__file__).parent / "src" / "accord_conformance" / "attested"
SDIST = next(FOLDER.glob("*.tar.gz"))
TYPE = b"application/vnd.in-toto+json"
SLSA = "https://slsa.dev/provenance/v1"
HEX = hashlib.sha256(SDIST.read_bytes()).hexdigest()


def statement(subjects: list[dict[str, Any]] | None = None, **other: Any) -> bytes:
    """An in-toto statement about the sdist, but for what is said otherwise."""
    whole = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects or [{"name": SDIST.name, "digest": {"sha256": HEX}}],
        "predicateType": SLSA,
        "predicate": {"buildDefinition": {}, "runDetails": {}},
    }
    return json.dumps({**whole, **other}).encode()


def digest(**digests: str) -> bytes:
    return statement([{"name": SDIST.name, "digest": digests}])


def certificate(key: ec.EllipticCurvePrivateKey) -> bytes:
    """One for signing code, of ten minutes, that its own key signed."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody.example")])
    begun = datetime(2026, 1, 1, tzinfo=UTC)
    whose = x509.UniformResourceIdentifier("https://nobody.example/release.yml")
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begun)
        .not_valid_after(begun + timedelta(minutes=10))
        .add_extension(x509.SubjectAlternativeName([whose]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.DER)


def attestation(
    document: bytes,
    *,
    curve: ec.EllipticCurve | None = None,
    digested: hashes.HashAlgorithm | None = None,
    payload_type: bytes = TYPE,
    wrapped: bool = True,
    bare_key: bool = False,
) -> dict[str, Any]:
    """``document`` with a signature by the key of the certificate."""
    key = ec.generate_private_key(curve or ec.SECP256R1())
    signed = b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(document), document)
    signature = key.sign(signed if wrapped else document, ec.ECDSA(digested or hashes.SHA256()))
    public = key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    material = public if bare_key else certificate(key)
    return {
        "version": 1,
        "verification_material": {
            "certificate": base64.b64encode(material).decode(),
            "transparency_entries": [],
        },
        "envelope": {
            "statement": base64.b64encode(document).decode(),
            "signature": base64.b64encode(signature).decode(),
        },
    }


MADE = {
    "self-signed": attestation(statement()),
    "digest-base64": attestation(digest(sha256=base64.b64encode(bytes.fromhex(HEX)).decode())),
    "digest-short": attestation(digest(sha256=HEX[:32])),
    "digest-other": attestation(digest(sha256="0" * 64)),
    "digest-missing": attestation(digest(sha512=hashlib.sha512(SDIST.read_bytes()).hexdigest())),
    "digests-two": attestation(digest(sha256=HEX, sha512=hashlib.sha512(SDIST.read_bytes()).hexdigest())),
    "subjects-two": attestation(statement([{"name": SDIST.name, "digest": {"sha256": HEX}}] * 2)),
    "subject-no-distribution": attestation(statement([{"name": "notes.txt", "digest": {"sha256": HEX}}])),
    "subject-other": attestation(statement([{"name": "other-1.0.tar.gz", "digest": {"sha256": HEX}}])),
    "statement-no-type": attestation(statement(_type="https://statement.example/v9")),
    "statement-no-json": attestation(b"a statement"),
    "predicate-other": attestation(statement(predicateType="https://predicate.example/v1")),
    "payload-type": attestation(statement(), payload_type=b"application/json"),
    "no-dsse": attestation(statement(), wrapped=False),
    "p-384": attestation(statement(), curve=ec.SECP384R1()),
    "sha-512": attestation(statement(), digested=hashes.SHA512()),
    "key-for-certificate": attestation(statement(), bare_key=True),
}

if __name__ == "__main__":
    (FOLDER / "made.json").write_text(json.dumps(MADE, indent=1) + "\n", encoding="utf-8")
