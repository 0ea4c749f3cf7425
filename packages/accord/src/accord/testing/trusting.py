"""An authority and logs of a test's own, as Sigstore has them: what they vouch for, and the trusted root that names them.

Each step can be done wrongly by who asks for it: certificates of other dates or uses, promises of another key, other trees.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

__all__ = ["Log", "Signer", "Trusted", "identity"]

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
_TYPE = b"application/vnd.in-toto+json"
_TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def _text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _key() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text)])


def _spki(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )


def identity(key: ec.EllipticCurvePrivateKey) -> bytes:
    """How entries name the log of a key (RFC 6962, section 3.2)."""
    return hashlib.sha256(_spki(key)).digest()


def _sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


@dataclass(slots=True)
class Log:
    """A log of signatures: ``leaves`` are the entries' bodies; some are there before the first of a test.  A ``forger`` signs
    what is said in the name of ``key``."""

    key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    leaves: list[bytes] = field(default_factory=lambda: [b"one", b"two", b"three", b"four", b"five"])
    forger: ec.EllipticCurvePrivateKey | None = None

    def entry(self, body: bytes, at: datetime) -> dict[str, Any]:
        """Take a body; the transparency entry that says so (``TransparencyLogEntry`` as JSON)."""
        self.leaves.append(body)
        self.leaves.append(b"something later")
        index, size = len(self.leaves) - 2, len(self.leaves)
        top = _tree(self.leaves)
        return {
            "logIndex": str(index),
            "logId": {"keyId": _text(identity(self.key))},
            "kindVersion": {"kind": "dsse", "version": "0.0.1"},
            "integratedTime": str(int(at.timestamp())),
            "inclusionPromise": {"signedEntryTimestamp": self.promise(body, index, at)},
            "inclusionProof": {
                "logIndex": str(index),
                "rootHash": _text(top),
                "treeSize": str(size),
                "hashes": [_text(each) for each in _path(index, self.leaves)],
                "checkpoint": {"envelope": self.checkpoint(size, top)},
            },
            "canonicalizedBody": _text(body),
        }

    def promise(self, body: bytes, index: int, at: datetime) -> str:
        """A ``signedEntryTimestamp``."""
        members = f'"integratedTime":{int(at.timestamp())},"logID":"{identity(self.key).hex()}"'
        return _text(self._sign(f'{{"body":"{_text(body)}",{members},"logIndex":{index}}}'.encode()))

    def checkpoint(self, size: int, top: bytes) -> str:
        """A signed note about a tree."""
        note = f"log.example - 1\n{size}\n{_text(top)}\n"
        signature = identity(self.key)[:4] + self._sign(note.encode())
        return f"{note}\n\u2014 log.example {_text(signature)}\n"

    def _sign(self, data: bytes) -> bytes:
        return _sign(self.forger or self.key, data)

    def described(self) -> dict[str, Any]:
        """The log in a trusted root."""
        return {
            "baseUrl": "https://log.example",
            "hashAlgorithm": "SHA2_256",
            "publicKey": {
                "rawBytes": _text(_spki(self.key)),
                "keyDetails": "PKIX_ECDSA_P256_SHA_256",
                "validFor": {"start": "2025-01-01T00:00:00Z"},
            },
            "logId": {"keyId": _text(identity(self.key))},
        }


def _tree(leaves: list[bytes]) -> bytes:
    """The root hash (RFC 6962, section 2.1)."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + _tree(leaves[:half]) + _tree(leaves[half:])).digest()


def _path(index: int, leaves: list[bytes]) -> list[bytes]:
    """The audit path of a leaf (RFC 6962, section 2.1.1)."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return [*_path(index, leaves[:half]), _tree(leaves[half:])]
    return [*_path(index - half, leaves[half:]), _tree(leaves[:half])]


@dataclass(frozen=True, slots=True)
class Signer:
    """A key and the certificate (DER) of it."""

    key: ec.EllipticCurvePrivateKey
    certificate: bytes

    def signature(self, statement: bytes) -> bytes:
        return _sign(self.key, b"DSSEv1 %d %b %d %b" % (len(_TYPE), _TYPE, len(statement), statement))

    def body(self, statement: bytes, signature: bytes) -> dict[str, Any]:
        """What a log takes of a signature (Rekor's ``dsse``, version 0.0.1)."""
        pem = x509.load_der_x509_certificate(self.certificate).public_bytes(serialization.Encoding.PEM)
        return {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                # Of the envelope as the client wrote it, which nobody has any more: what it is, is not looked at.
                "envelopeHash": {"algorithm": "sha256", "value": hashlib.sha256(signature).hexdigest()},
                "payloadHash": {"algorithm": "sha256", "value": hashlib.sha256(statement).hexdigest()},
                "signatures": [{"signature": _text(signature), "verifier": _text(pem)}],
            },
        }


@dataclass(slots=True)
class Trusted:
    """A root certificate, one below it that signs those of signers, a log of signatures, and one of certificates."""

    anchor_key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    issuer_key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    certificates_key: ec.EllipticCurvePrivateKey = field(default_factory=_key)
    log: Log = field(default_factory=Log)
    issuer_usage: x509.ExtendedKeyUsage | None = None
    issuer_is_authority: bool = True
    issuer_years: int = 10

    def _certificate(
        self,
        names: tuple[str, str],
        key: ec.EllipticCurvePrivateKey,
        by: ec.EllipticCurvePrivateKey,
        length: int | None,
        until: datetime,
    ) -> x509.CertificateBuilder:
        subject, issuer = names
        builder = (
            x509.CertificateBuilder()
            .subject_name(_name(subject) if subject else x509.Name([]))
            .issuer_name(_name(issuer))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGUN if not subject else BEGUN - timedelta(days=365))
            .not_valid_after(until)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(by.public_key()), critical=False
            )
        )
        if length is None:
            return builder
        return builder.add_extension(
            x509.BasicConstraints(ca=True, path_length=length), critical=True
        ).add_extension(_usage(signs_certificates=True), critical=True)

    def chain(self) -> list[x509.Certificate]:
        """The issuer of signers' certificates, and the anchor."""
        far = BEGUN + timedelta(days=3650)
        ends = BEGUN + timedelta(days=365 * (self.issuer_years - 1), hours=1)
        anchor = self._certificate(
            ("anchor.example", "anchor.example"), self.anchor_key, self.anchor_key, 1, far
        )
        length = 0 if self.issuer_is_authority else None
        issuer = self._certificate(
            ("issuer.example", "anchor.example"), self.issuer_key, self.anchor_key, length, ends
        )
        if self.issuer_usage is not None:
            issuer = issuer.add_extension(self.issuer_usage, critical=False)
        return [each.sign(self.anchor_key, hashes.SHA256()) for each in (issuer, anchor)]

    def signer(
        self,
        *,
        by: ec.EllipticCurvePrivateKey | None = None,
        issuer: str = "issuer.example",
        usages: tuple[x509.ObjectIdentifier, ...] = (ExtendedKeyUsageOID.CODE_SIGNING,),
        signs_certificates: bool = False,
        critical: bytes | None = None,
        certificates_key: ec.EllipticCurvePrivateKey | None = None,
        logged: bool = True,
    ) -> Signer:
        """A signer with a certificate of ten minutes."""
        key, by = _key(), by or self.issuer_key
        builder = self._certificate(("", issuer), key, by, None, BEGUN + timedelta(minutes=10))
        whose = x509.UniformResourceIdentifier("https://code.example/release.yml")
        builder = builder.add_extension(x509.SubjectAlternativeName([whose]), critical=True)
        builder = builder.add_extension(_usage(signs_certificates=signs_certificates), critical=True)
        if usages:
            builder = builder.add_extension(x509.ExtendedKeyUsage(usages), critical=False)
        if critical is not None:
            unknown = x509.UnrecognizedExtension(x509.ObjectIdentifier("1.3.6.1.4.1.55555.1"), critical)
            builder = builder.add_extension(unknown, critical=True)
        if logged:
            # What the log signs is the certificate without the extension that has the signature.
            log = certificates_key or self.certificates_key
            body = _timestamped(builder, log, b"").sign(by, hashes.SHA256()).tbs_precertificate_bytes
            builder = _timestamped(builder, log, _sign(log, _logged(body, self.issuer_key)))
        made = builder.sign(by, hashes.SHA256())
        return Signer(key, made.public_bytes(serialization.Encoding.DER))

    def attestation(
        self, statement: bytes, signer: Signer | None = None, *, at: datetime = BEGUN + timedelta(minutes=5)
    ) -> dict[str, Any]:
        """An attestation with its entry in the log."""
        signer = signer or self.signer()
        signature = signer.signature(statement)
        body = json.dumps(signer.body(statement, signature)).encode()
        return {
            "version": 1,
            "verification_material": {
                "certificate": _text(signer.certificate),
                "transparency_entries": [self.log.entry(body, at)],
            },
            "envelope": {"statement": _text(statement), "signature": _text(signature)},
        }

    def root(self) -> dict[str, Any]:
        """The trusted root (``TrustedRoot`` as JSON)."""
        raw = [each.public_bytes(serialization.Encoding.DER) for each in self.chain()]
        return {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [self.log.described()],
            "certificateAuthorities": [
                {
                    "subject": {"organization": "example", "commonName": "issuer.example"},
                    "uri": "https://issuer.example",
                    "certChain": {"certificates": [{"rawBytes": _text(each)} for each in raw]},
                    "validFor": {"start": "2025-01-01T00:00:00Z"},
                }
            ],
            "ctlogs": [Log(self.certificates_key).described()],
        }


def _usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def _logged(body: bytes, issuer: ec.EllipticCurvePrivateKey) -> bytes:
    """What a log of certificates signs (RFC 6962, section 3.2), at ``BEGUN``."""
    when = int(BEGUN.timestamp() * 1000).to_bytes(8, "big")
    return b"\0\0" + when + b"\0\1" + identity(issuer) + len(body).to_bytes(3, "big") + body + b"\0\0"


def _timestamped(
    builder: x509.CertificateBuilder, log: ec.EllipticCurvePrivateKey, signature: bytes
) -> x509.CertificateBuilder:
    """With the list of one timestamp (RFC 6962, section 3.3)."""
    when = int(BEGUN.timestamp() * 1000).to_bytes(8, "big")
    one = b"\0" + identity(log) + when + b"\0\0" + b"\4\3" + len(signature).to_bytes(2, "big") + signature
    one = len(one).to_bytes(2, "big") + one
    each = len(one).to_bytes(2, "big") + one
    size = bytes([len(each)]) if len(each) < 0x80 else bytes([0x81, len(each)])
    return builder.add_extension(x509.UnrecognizedExtension(_TIMESTAMPS, b"\4" + size + each), critical=False)
