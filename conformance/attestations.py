"""Makes ``attested/made.json`` and ``attested/roots.json`` anew: attestations about the sdist that lies beside them, and whom to trust.

    python conformance/attestations.py        needs the package cryptography; the suite itself does not

An authority, a log of certificates and a log of signatures of the suite's own vouch for them, whose keys are made here and thrown away.  ``good`` is right in everything.  Each
of the others is wrong in what its name says and in nothing else: it is signed as it stands, by a key that the authority issued a certificate for, and the logs have it.

Sigstore's client specification; RFC 5280 (certificates), RFC 6962 (logs).
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
MORE = hashlib.sha512(SDIST.read_bytes()).hexdigest()

BEGUN = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED = BEGUN + timedelta(minutes=5)
LATER = BEGUN + timedelta(hours=1)
FAR = timedelta(days=36500)
NAME = "authority.conformance.example"
TIMESTAMPS = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")


def text(data: bytes) -> str:
    return base64.b64encode(data).decode()


def new_key(curve: ec.EllipticCurve | None = None) -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(curve or ec.SECP256R1())


def public(
    key: ec.EllipticCurvePrivateKey, form: serialization.Encoding = serialization.Encoding.DER
) -> bytes:
    return key.public_key().public_bytes(form, serialization.PublicFormat.SubjectPublicKeyInfo)


def named(key: ec.EllipticCurvePrivateKey) -> bytes:
    """How a log, or an issuer, is named by its key (RFC 6962, section 3.2)."""
    return hashlib.sha256(public(key)).digest()


def sign(key: ec.EllipticCurvePrivateKey, data: bytes) -> bytes:
    return key.sign(data, ec.ECDSA(hashes.SHA256()))


ANCHOR, ISSUER, CERTIFICATES, LOG = (new_key() for _ in range(4))


# ---------------------------------------------------------------------------------------------------- certificates


def certificate(
    key: ec.EllipticCurvePrivateKey,
    by: ec.EllipticCurvePrivateKey = ISSUER,
    issuer: str = NAME,
    identified: ec.EllipticCurvePrivateKey = ISSUER,
) -> x509.Certificate:
    """One for signing code, good for ten minutes; ``identified``: whose key it says that it was issued with."""
    whose = x509.UniformResourceIdentifier("https://code.example/demo/demo/release.yml")
    builder = (
        beginnings(x509.Name([]), issuer, key, identified)
        .not_valid_before(BEGUN)
        .not_valid_after(BEGUN + timedelta(minutes=10))
        .add_extension(usage(signs_certificates=False), critical=True)
        .add_extension(x509.SubjectAlternativeName([whose]), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), critical=False)
    )
    # What the log signs is the certificate without the extension that has the signature.
    body = timestamped(builder, b"").sign(by, hashes.SHA256()).tbs_precertificate_bytes
    when = milliseconds(BEGUN)
    logged = b"\0\0" + when + b"\0\1" + named(identified) + len(body).to_bytes(3, "big") + body + b"\0\0"
    return timestamped(builder, sign(CERTIFICATES, logged)).sign(by, hashes.SHA256())


def beginnings(
    subject: x509.Name,
    issuer: str,
    key: ec.EllipticCurvePrivateKey,
    identified: ec.EllipticCurvePrivateKey,
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(common(issuer))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(identified.public_key()), critical=False
        )
    )


def common(name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])


def usage(*, signs_certificates: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not signs_certificates,
        key_cert_sign=signs_certificates,
        crl_sign=signs_certificates,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )


def milliseconds(at: datetime) -> bytes:
    return int(at.timestamp() * 1000).to_bytes(8, "big")


def timestamped(builder: x509.CertificateBuilder, signature: bytes) -> x509.CertificateBuilder:
    """With the list of one timestamp by the log of certificates (RFC 6962, section 3.3)."""
    one = b"\0" + named(CERTIFICATES) + milliseconds(BEGUN) + b"\0\0" + b"\4\3"
    one += len(signature).to_bytes(2, "big") + signature
    one = len(one).to_bytes(2, "big") + one
    listed = len(one).to_bytes(2, "big") + one
    size = bytes([len(listed)]) if len(listed) < 0x80 else bytes([0x81, len(listed)])
    return builder.add_extension(
        x509.UnrecognizedExtension(TIMESTAMPS, b"\4" + size + listed), critical=False
    )


def chain() -> list[bytes]:
    """The certificate that signs those of signers, and the anchor."""
    anchor = "anchor.conformance.example"
    made = []
    for name, key, length in ((NAME, ISSUER, 0), (anchor, ANCHOR, 1)):
        builder = beginnings(common(name), anchor, key, ANCHOR)
        builder = builder.not_valid_before(BEGUN).not_valid_after(BEGUN + FAR)
        builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=length), critical=True)
        builder = builder.add_extension(usage(signs_certificates=True), critical=True)
        made.append(builder.sign(ANCHOR, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
    return made


# ---------------------------------------------------------------------------------------------------- the log

LEAVES = [b"one", b"two", b"three"]


def tree(leaves: list[bytes]) -> bytes:
    """The root hash (RFC 6962, section 2.1)."""
    if len(leaves) == 1:
        return hashlib.sha256(b"\0" + leaves[0]).digest()
    half = 1 << (len(leaves) - 1).bit_length() - 1
    return hashlib.sha256(b"\1" + tree(leaves[:half]) + tree(leaves[half:])).digest()


def path(index: int, leaves: list[bytes]) -> list[bytes]:
    """The audit path of a leaf (RFC 6962, section 2.1.1)."""
    if len(leaves) == 1:
        return []
    half = 1 << (len(leaves) - 1).bit_length() - 1
    if index < half:
        return [*path(index, leaves[:half]), tree(leaves[half:])]
    return [*path(index - half, leaves[half:]), tree(leaves[:half])]


def entry(body: bytes, at: datetime) -> dict[str, Any]:
    """What the log says of an entry that it took at a time (``TransparencyLogEntry`` as JSON)."""
    LEAVES.append(body)
    index, size, top = len(LEAVES) - 1, len(LEAVES), tree(LEAVES)
    seconds = int(at.timestamp())
    promised = f'"integratedTime":{seconds},"logID":"{named(LOG).hex()}","logIndex":{index}'
    note = f"log.conformance.example - 1\n{size}\n{text(top)}\n"
    head = f"{note}\n\u2014 log.conformance.example {text(named(LOG)[:4] + sign(LOG, note.encode()))}\n"
    return {
        "logIndex": str(index),
        "logId": {"keyId": text(named(LOG))},
        "kindVersion": {"kind": "dsse", "version": "0.0.1"},
        "integratedTime": str(seconds),
        "inclusionPromise": {
            "signedEntryTimestamp": text(sign(LOG, f'{{"body":"{text(body)}",{promised}}}'.encode()))
        },
        "inclusionProof": {
            "logIndex": str(index),
            "rootHash": text(top),
            "treeSize": str(size),
            "hashes": [text(each) for each in path(index, LEAVES)],
            "checkpoint": {"envelope": head},
        },
        "canonicalizedBody": text(body),
    }


def body(document: bytes, payload_type: bytes, signature: bytes, verifier: bytes) -> bytes:
    """What the log takes of a signature (Rekor's ``dsse``, version 0.0.1)."""
    envelope = {
        "payload": text(document),
        "payloadType": payload_type.decode(),
        "signatures": [{"sig": text(signature)}],
    }
    spec = {
        "envelopeHash": digested(json.dumps(envelope).encode()),
        "payloadHash": digested(document),
        "signatures": [{"signature": text(signature), "verifier": text(verifier)}],
    }
    whole = {"apiVersion": "0.0.1", "kind": "dsse", "spec": spec}
    return json.dumps(whole, sort_keys=True, separators=(",", ":")).encode()


def digested(data: bytes) -> dict[str, str]:
    return {"algorithm": "sha256", "value": hashlib.sha256(data).hexdigest()}


# ---------------------------------------------------------------------------------------------------- attestations


def statement(subjects: list[dict[str, Any]] | None = None, **other: Any) -> bytes:
    """An in-toto statement about the sdist, but for what is said otherwise."""
    whole = {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": subjects or [{"name": SDIST.name, "digest": {"sha256": HEX}}],
        "predicateType": SLSA,
        "predicate": {
            "buildDefinition": {"buildType": "https://build.example/v1", "externalParameters": {}},
            "runDetails": {"builder": {"id": "https://build.example/one"}},
        },
    }
    return json.dumps({**whole, **other}).encode()


def digest(**digests: str) -> bytes:
    return statement([{"name": SDIST.name, "digest": digests}])


def subject(name: str) -> bytes:
    return statement([{"name": name, "digest": {"sha256": HEX}}])


def attestation(
    document: bytes,
    *,
    said: bytes | None = None,  # what the attestation says in the place of what was signed
    key: ec.EllipticCurvePrivateKey | None = None,
    by: ec.EllipticCurvePrivateKey | None = None,  # who issued the certificate, in the authority's name
    signer: ec.EllipticCurvePrivateKey | None = None,  # whose signature it is, if not the certificate's key's
    digested_with: hashes.HashAlgorithm | None = None,
    payload_type: bytes = TYPE,
    wrapped: bool = True,
    bare_key: bool = False,
    self_signed: bool = False,
    at: datetime = SIGNED,
) -> dict[str, Any]:
    """``document`` with a signature by the key of the certificate, and the log's entry about the two."""
    key = key or new_key()
    signed = b"DSSEv1 %d %b %d %b" % (len(payload_type), payload_type, len(document), document)
    algorithm = ec.ECDSA(digested_with or hashes.SHA256())
    signature = (signer or key).sign(signed if wrapped else document, algorithm)
    if bare_key:
        material, verifier = public(key), public(key, serialization.Encoding.PEM)
    else:
        made = certificate(key, key, "nobody.example", key) if self_signed else certificate(key, by or ISSUER)
        material, verifier = map(made.public_bytes, (serialization.Encoding.DER, serialization.Encoding.PEM))
    said = document if said is None else said
    return {
        "version": 1,
        "verification_material": {
            "certificate": text(material),
            "transparency_entries": [entry(body(said, payload_type, signature, verifier), at)],
        },
        "envelope": {"statement": text(said), "signature": text(signature)},
    }


MADE = {
    "good": attestation(statement()),
    "self-signed": attestation(statement(), self_signed=True),
    "other-authority": attestation(statement(), by=new_key()),
    "other-key": attestation(statement(), signer=new_key()),
    "statement-flipped": attestation(statement(), said=statement().replace(b"example/one", b"example/two")),
    "digest-base64": attestation(digest(sha256=text(bytes.fromhex(HEX)))),
    "digest-short": attestation(digest(sha256=HEX[:32])),
    "digest-other": attestation(digest(sha256="0" * 64)),
    "digest-missing": attestation(digest(sha512=MORE)),
    "digests-two": attestation(digest(sha256=HEX, sha512=MORE)),
    "subjects-two": attestation(statement([{"name": SDIST.name, "digest": {"sha256": HEX}}] * 2)),
    "subject-no-distribution": attestation(subject("notes.txt")),
    "subject-zip": attestation(subject(SDIST.name.replace(".tar.gz", ".zip"))),
    "subject-other": attestation(subject("other-1.0.tar.gz")),
    "statement-no-type": attestation(statement(_type="https://statement.example/v9")),
    "statement-no-json": attestation(b"a statement"),
    "predicate-other": attestation(statement(predicateType="https://predicate.example/v1")),
    "payload-type": attestation(statement(), payload_type=b"application/json"),
    "no-dsse": attestation(statement(), wrapped=False),
    "p-384": attestation(statement(), key=new_key(ec.SECP384R1())),
    "sha-512": attestation(statement(), digested_with=hashes.SHA512()),
    "key-for-certificate": attestation(statement(), bare_key=True),
    "entry-later": attestation(statement(), at=LATER),
}


def log_described(key: ec.EllipticCurvePrivateKey, url: str) -> dict[str, Any]:
    return {
        "baseUrl": url,
        "hashAlgorithm": "SHA2_256",
        "publicKey": {
            "rawBytes": text(public(key)),
            "keyDetails": "PKIX_ECDSA_P256_SHA_256",
            "validFor": {"start": f"{BEGUN:%Y-%m-%dT%H:%M:%SZ}"},
        },
        "logId": {"keyId": text(named(key))},
    }


def roots() -> dict[str, Any]:
    """Sigstore's trusted root, with the suite's authority and logs beside its own."""
    document: dict[str, Any] = json.loads((FOLDER / "trusted_root.json").read_text(encoding="utf-8"))
    document["certificateAuthorities"].append(
        {
            "subject": {"organization": "conformance.example", "commonName": NAME},
            "uri": f"https://{NAME}",
            "certChain": {"certificates": [{"rawBytes": text(each)} for each in chain()]},
            "validFor": {"start": f"{BEGUN:%Y-%m-%dT%H:%M:%SZ}"},
        }
    )
    document["tlogs"].append(log_described(LOG, "https://log.conformance.example"))
    document["ctlogs"].append(log_described(CERTIFICATES, "https://certificates.conformance.example"))
    return document


if __name__ == "__main__":
    for name, made in (("made", MADE), ("roots", roots())):
        (FOLDER / f"{name}.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
