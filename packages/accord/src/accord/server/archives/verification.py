"""Who vouches for an attestation: an authority for its certificate, and a log for its signature and the time of it.

The certificate of a signer is good for minutes, so that "now" says nothing: it is held against the time at which a log took
the signature.  The log's promise is the one thing that signs that time, so that there must be one; the proof that the entry
is in the tree must be there and right as well, because every client of Sigstore asks for it.  Works on values: no file, no
clock, nothing is fetched.  *To whom* the certificate was issued is not asked (record 50).

Sigstore's client specification; RFC 5280 (chains), RFC 6962 (sections 2.1 and 3.2: trees, certificates in logs).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509 import verification as chains
from cryptography.x509.oid import ExtendedKeyUsageOID

from accord.server.archives.trusted_root import LogKey, TrustedRoot

__all__ = ["Unproven", "verify"]

_DIGEST = 32
_NAMED = 4  # so many bytes of a log's identity stand before its signature in a checkpoint
_LATEST = 253_402_300_799  # the last second of the year 9999
_LARGEST = (1 << 63) - 1
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Unproven(Exception):
    """What of an attestation nobody of the trusted root vouches for, in one sentence."""


def verify(
    root: TrustedRoot,
    certificate: bytes,
    statement: bytes,
    signature: bytes,
    entries: list[dict[str, Any]],
) -> tuple[datetime, ...]:
    """When the logs took ``signature`` (of ``certificate``'s key, over ``statement``): a time for each of the ``entries``, and
    at each of them the certificate was good (PEP 740, "Attestation verification").  That the signature is by the key of the
    certificate (DER) is looked at elsewhere.  Raises :class:`Unproven`."""
    if not entries:
        raise Unproven("no transparency entry says when it was signed")
    leaf = x509.load_der_x509_certificate(certificate)
    return tuple(_verify_entry(root, leaf, statement, signature, entry) for entry in entries)


def _verify_entry(
    root: TrustedRoot, leaf: x509.Certificate, statement: bytes, signature: bytes, entry: dict[str, Any]
) -> datetime:
    body = _bytes(entry, "canonicalizedBody")
    identity = _bytes(_part(entry, "logId"), "keyId")
    seconds = _number(entry, "integratedTime", _LATEST)
    at = datetime.fromtimestamp(seconds, UTC)
    log = _key_of(root.logs, identity, at)
    if log is None:
        raise Unproven("no log of the trusted root has the key its transparency entry names")
    _check_promise(log, entry, body, seconds)
    _check_proof(log, _part(entry, "inclusionProof"), body)
    _check_body(body, leaf, statement, signature)
    issuer = _issuer(root, leaf, at)
    if root.certificate_logs:
        _check_timestamps(root, leaf, issuer)
    return at


def _key_of(keys: Iterable[LogKey], identity: bytes, at: datetime) -> LogKey | None:
    return next((key for key in keys if key.identity == identity and key.period.holds(at)), None)


def _check_promise(log: LogKey, entry: dict[str, Any], body: bytes, seconds: int) -> None:
    """The log's signature over the entry and its time (``SignedEntryTimestamp``: RFC 8785 of four members)."""
    signed = {
        "body": base64.b64encode(body).decode(),
        "integratedTime": seconds,
        "logID": log.identity.hex(),
        "logIndex": _number(entry, "logIndex"),
    }
    data = json.dumps(signed, sort_keys=True, separators=(",", ":")).encode()
    promise = _bytes(_part(entry, "inclusionPromise"), "signedEntryTimestamp")
    if not log.signed(promise, data):
        raise Unproven("the inclusion promise of its transparency entry is not signed by the log")


def _check_proof(log: LogKey, proof: dict[str, Any], body: bytes) -> None:
    """That the entry is in a tree whose head the log signed."""
    size, top = _checkpoint(log, _part(proof, "checkpoint").get("envelope"))
    hashes = proof.get("hashes", [])
    if not isinstance(hashes, list):
        raise Unproven("the inclusion proof of its transparency entry has no hashes")
    path = [_decoded(each, "hash of an inclusion proof") for each in hashes]
    if _number(proof, "treeSize") != size or _bytes(proof, "rootHash") != top:
        raise Unproven(
            "the inclusion proof of its transparency entry is about another tree than its checkpoint"
        )
    if _top(body, _number(proof, "logIndex"), size, path) != top:
        raise Unproven("the inclusion proof of its transparency entry does not lead to the root of the tree")


def _top(body: bytes, index: int, size: int, path: list[bytes]) -> bytes | None:
    """The root hash a path leads to (RFC 9162, section 2.1.3.2, of the trees of RFC 6962, section 2.1); ``None``: to none."""
    if index >= size:
        return None
    here, last = index, size - 1
    found = hashlib.sha256(b"\0" + body).digest()
    for other in path:
        if last == 0 or len(other) != _DIGEST:
            return None
        if here & 1 or here == last:
            found = hashlib.sha256(b"\1" + other + found).digest()
            while here and not here & 1:
                here, last = here >> 1, last >> 1
        else:
            found = hashlib.sha256(b"\1" + found + other).digest()
        here, last = here >> 1, last >> 1
    return found if last == 0 else None


def _checkpoint(log: LogKey, note: object) -> tuple[int, bytes]:
    """Size and root hash of the tree in a signed note (``origin``, size, root hash, a line each; a blank one; signatures)."""
    if not isinstance(note, str):
        raise Unproven("the inclusion proof of its transparency entry has no checkpoint")
    text, _, signatures = note.partition("\n\n")
    signed = f"{text}\n".encode(errors="replace")
    if not any(_signed_note(log, line, signed) for line in signatures.splitlines()):
        raise Unproven("the checkpoint of its transparency entry is not signed by the log")
    lines = text.split("\n")
    if len(lines) < 3:  # origin, size, root hash
        raise Unproven("the checkpoint of its transparency entry is none")
    return _integer(lines[1], "size of a checkpoint"), _decoded(lines[2], "root hash of a checkpoint")


def _signed_note(log: LogKey, line: str, signed: bytes) -> bool:
    words = line.split(" ")
    if len(words) != 3 or words[0] != "\u2014":  # a dash, a name, a signature
        return False
    signature = _decoded(words[2], "signature of a checkpoint")
    return signature[:_NAMED] == log.identity[:_NAMED] and log.signed(signature[_NAMED:], signed)


def _check_body(body: bytes, leaf: x509.Certificate, statement: bytes, signature: bytes) -> None:
    """That the entry (Rekor's kind ``dsse``, version 0.0.1: the one there is a promise for) is about this signature of this
    certificate's key over this statement, and about nothing else."""
    try:
        entry = json.loads(body)
        kind, spec = (entry["kind"], entry["apiVersion"]), entry["spec"]
        if kind != ("dsse", "0.0.1"):
            raise Unproven("its transparency entry is not of the kind dsse, version 0.0.1")
        algorithm, digest = spec["payloadHash"]["algorithm"], spec["payloadHash"]["value"]
        [of] = spec["signatures"]
        said, verifier = of["signature"], of["verifier"]
    except (ValueError, TypeError, KeyError, RecursionError) as fault:
        raise Unproven("its transparency entry has a body that cannot be read") from fault
    if (algorithm, digest) != ("sha256", hashlib.sha256(statement).hexdigest()):
        raise Unproven("its transparency entry is about another statement")
    if _decoded(said, "signature in a transparency entry") != signature:
        raise Unproven("its transparency entry is about another signature")
    pem = leaf.public_bytes(serialization.Encoding.PEM)
    if _decoded(verifier, "verifier in a transparency entry") != pem:
        raise Unproven("its transparency entry is about another certificate")


def _issuer(root: TrustedRoot, leaf: x509.Certificate, at: datetime) -> x509.Certificate:
    """Who issued the certificate, up to an authority that was good at ``at``, as every certificate between them was (RFC 5280,
    section 6: signatures, names, basic constraints, no critical extension that is not understood; usage: signing code)."""
    why = "no authority was good then"
    for authority in root.authorities:
        if not authority.period.holds(at):
            continue
        *between, anchor = authority.chain
        builder = chains.PolicyBuilder().store(chains.Store([anchor])).time(at)
        verifier = builder.extension_policies(ca_policy=_FOR_ISSUERS, ee_policy=_FOR_SIGNERS)
        try:
            return verifier.build_client_verifier().verify(leaf, between).chain[1]
        except (chains.VerificationError, x509.UnsupportedGeneralNameType, ValueError) as fault:
            why = str(fault)
    raise Unproven(
        f"no authority of the trusted root issued its certificate, good at {_told(at)}: {why[:200]}"
    )


def _told(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _may_sign_code(
    _policy: chains.Policy, _certificate: x509.Certificate, usage: x509.ExtendedKeyUsage | None
) -> None:
    if usage is not None and ExtendedKeyUsageOID.CODE_SIGNING not in usage:
        raise ValueError("it is not for signing code")


def _signs_no_certificates(
    _policy: chains.Policy, _certificate: x509.Certificate, usage: x509.KeyUsage | None
) -> None:
    if usage is not None and (not usage.digital_signature or usage.key_cert_sign):
        raise ValueError("its key is not for signatures, or for those of certificates")


_ANYHOW = chains.Criticality.AGNOSTIC
_FOR_ISSUERS = chains.ExtensionPolicy.webpki_defaults_ca().may_be_present(
    x509.ExtendedKeyUsage, _ANYHOW, _may_sign_code
)
_FOR_SIGNERS = (
    chains.ExtensionPolicy.webpki_defaults_ee()
    .require_present(x509.ExtendedKeyUsage, _ANYHOW, _may_sign_code)
    .require_present(x509.KeyUsage, _ANYHOW, _signs_no_certificates)
)


def _check_timestamps(root: TrustedRoot, leaf: x509.Certificate, issuer: x509.Certificate) -> None:
    """That a log of certificates has this one (RFC 6962, section 3.2, "precert_entry"): one of its timestamps is signed."""
    try:
        found = leaf.extensions.get_extension_for_class(x509.PrecertificateSignedCertificateTimestamps)
        body = leaf.tbs_precertificate_bytes
    except (x509.ExtensionNotFound, ValueError) as fault:
        raise Unproven("its certificate has no timestamp of a log of certificates") from fault
    spki = issuer.public_key().public_bytes(
        serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    entry = b"\0\1" + hashlib.sha256(spki).digest() + len(body).to_bytes(3, "big") + body
    for one in found.value:
        at = one.timestamp.replace(tzinfo=UTC)
        log = _key_of(root.certificate_logs, one.log_id, at)
        more = one.extension_bytes
        when = ((at - _EPOCH) // timedelta(milliseconds=1)).to_bytes(8, "big")
        if log is not None and log.signed(
            one.signature, b"\0\0" + when + entry + len(more).to_bytes(2, "big") + more
        ):
            return
    raise Unproven("no timestamp of its certificate is by a log of the trusted root")


def _part(whole: dict[str, Any], key: str) -> dict[str, Any]:
    found = whole.get(key)
    if not isinstance(found, dict):
        raise Unproven(f"its transparency entry has no {key}")
    return found


def _bytes(part: dict[str, Any], key: str) -> bytes:
    return _decoded(part.get(key), f"{key} of a transparency entry")


def _decoded(text: object, what: str) -> bytes:
    try:
        if isinstance(text, str):
            return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        pass
    raise Unproven(f"the {what} is no base64")


def _number(part: dict[str, Any], key: str, most: int = _LARGEST) -> int:
    """A number of protobuf's JSON: a string or a number, and left out where it is 0."""
    return _integer(part.get(key, 0), f"{key} of a transparency entry", most)


def _integer(value: object, what: str, most: int = _LARGEST) -> int:
    text = str(value)
    if isinstance(value, (str, int)) and text.isascii() and text.isdigit() and len(text) < 20:
        found = int(text)
        if found <= most:
            return found
    raise Unproven(f"the {what} is no number")
