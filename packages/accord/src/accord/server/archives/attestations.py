"""Attestations of a file (PEP 740): read strictly, and held against the file they are about.

What is found out here needs nobody's word: that each is an attestation of version 1, that its statement is an in-toto
statement about this very file (its name, its SHA-256), and that its signature is by the key of the certificate it comes
with.  Where the operator named a trusted root, it is held against that as well (``verification``): who issued the
certificate, and which log has the signature.  *To whom* it was issued, is not asked: this index knows no identity to expect
(records 43 and 50).  Whoever installs can ask, because everything that is signed is passed on as it came.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    parse_sdist_filename,
    parse_wheel_filename,
)

from accord.server.errors import Refused

if TYPE_CHECKING:
    from collections.abc import Hashable
    from datetime import datetime

    from accord.server.archives.trusted_root import TrustedRoot
    from accord.server.limits import Limits

__all__ = ["Evidence", "check_provenance", "disagree", "provenance_of", "read_attestations"]

_STATEMENT = "https://in-toto.io/Statement/v1"
_PAYLOAD_TYPE = b"application/vnd.in-toto+json"
# PEP 740, "Attestation statement and signature generation": what was built from which source, and that an index was given
# the file.  Of the latter the PEP names the public index's; another index may have one of its own.
_PREDICATES = re.compile(
    r"https://slsa\.dev/provenance/v1|https://[a-z0-9.-]{1,200}/attestations/publish/v1", re.ASCII
)
_SHA256_LETTERS = 64
_CHECKED = ("signature by the certificate's key", "file name", "sha256")


@dataclass(frozen=True, slots=True)
class Evidence:
    """Attestations as they came, the SHA-256 all of them are about, and in words what was found to be so."""

    attestations: tuple[dict[str, Any], ...]
    sha256: str
    checked: tuple[str, ...]


def read_attestations(body: bytes, filename: str, limits: Limits, root: TrustedRoot | None) -> Evidence:
    """What somebody uploads beside a file: a JSON array of attestations, each vouched for by ``root`` where there is one.

    Raises ``Refused``: ``attestations-too-large`` (413), ``attestations-invalid``, ``attestations-disagree`` (400).
    """
    found = _load(body, "attestations", limits)
    if not isinstance(found, list) or not found:
        raise _invalid("attestations are a JSON array of one or more")
    digests: set[str] = set()
    kinds: set[str] = set()
    times: list[datetime] = []
    for one in found:
        digest, kind, logged = _attestation(one, filename, limits, root)
        if not _PREDICATES.fullmatch(kind):
            raise _invalid(f"an attestation is of the kind {kind[:100]!r}, which is not one of PEP 740")
        if kind in kinds:
            raise _invalid(f"there are two attestations of the kind {kind}")
        kinds.add(kind)
        digests.add(digest)
        times += logged
    if len(digests) > 1:
        raise _disagree(f"the attestations of {filename} are about different files")
    return Evidence(tuple(found), digests.pop(), (*_CHECKED, *_vouched(root, times)))


def _vouched(root: TrustedRoot | None, times: list[datetime]) -> list[str]:
    """What a trusted root adds to what was checked."""
    if root is None:
        return []
    logged = ["certificate in a log of certificates"] if root.certificate_logs else []
    told = [f"inclusion in the log at {at:%Y-%m-%dT%H:%M:%SZ}" for at in times]
    return ["certificate by a trusted root", *logged, *told]


def provenance_of(evidence: Evidence) -> bytes:
    """The provenance object of attestations that were uploaded (PEP 740, "Provenance objects").  Its publisher says that
    nobody's identity was verified, and what was: a client that expects one refuses it, as it should."""
    publisher = {"kind": "unverified", "claims": {}, "checked": evidence.checked}
    bundle = {"publisher": publisher, "attestations": evidence.attestations}
    document = {"version": 1, "attestation_bundles": [bundle]}
    return json.dumps(document, separators=(",", ":")).encode()


def check_provenance(
    body: bytes, filename: str, sha256: str, limits: Limits, root: TrustedRoot | None
) -> None:
    """Hold a provenance object of another index against a file, and against ``root`` where there is one.  Raises as
    :func:`read_attestations` does."""
    found = _load(body, "provenance", limits)
    bundles = found.get("attestation_bundles") if isinstance(found, dict) else None
    if (
        not isinstance(found, dict)
        or found.get("version") != 1
        or not isinstance(bundles, list)
        or not bundles
    ):
        raise _invalid("this is no provenance object of version 1")
    count = 0
    for bundle in bundles:
        publisher = bundle.get("publisher") if isinstance(bundle, dict) else None
        if not isinstance(publisher, dict) or not isinstance(publisher.get("kind"), str):
            raise _invalid("a bundle of attestations does not say who published")
        attestations = bundle.get("attestations")
        if not isinstance(attestations, list) or not attestations:
            raise _invalid("a bundle has no attestations")
        count += len(attestations)
        if count > limits.provenance_attestations:
            raise _large(f"there are more than {limits.provenance_attestations} attestations")
        for one in attestations:
            digest, _, _ = _attestation(one, filename, limits, root)
            if digest != sha256:
                raise disagree(filename)


def _load(body: bytes, what: str, limits: Limits) -> Any:
    if len(body) > limits.provenance_bytes:
        raise _large(f"{what} of a file is {limits.provenance_bytes} bytes at most")
    return _json(body, what)


def _json(body: bytes, what: str) -> Any:
    try:
        return json.loads(body.decode(), object_pairs_hook=_once, parse_constant=_no_number)
    except (ValueError, RecursionError) as fault:
        raise _invalid(f"what should be {what} is no JSON") from fault


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Two readers must not see two things."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a key stands there twice")
    return found


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is no JSON")


def _attestation(
    one: Any, filename: str, limits: Limits, root: TrustedRoot | None
) -> tuple[str, str, tuple[datetime, ...]]:
    """The SHA-256 it is about, its kind (``predicateType``), and when logs took it, where ``root`` knows them."""
    if not isinstance(one, dict) or type(one.get("version")) is not int or one["version"] != 1:
        raise _invalid("an attestation is an object of version 1")
    material, envelope = one.get("verification_material"), one.get("envelope")
    if not isinstance(material, dict) or not isinstance(envelope, dict):
        raise _invalid("an attestation has verification_material and envelope")
    entries = material.get("transparency_entries")
    if not isinstance(entries, list) or not all(isinstance(entry, dict) for entry in entries):
        raise _invalid("the transparency_entries of an attestation are an array of objects")
    certificate = _bytes(material, "certificate")
    statement, signature = _bytes(envelope, "statement"), _bytes(envelope, "signature")
    _check_signature(certificate, statement, signature)
    digest, kind = _subject(_json(statement, "statement"), filename)
    if root is None:
        return digest, kind, ()
    if len(entries) > limits.attestation_entries:
        raise _large(f"an attestation has more than {limits.attestation_entries} transparency entries")
    from accord.server.archives.verification import Unproven, verify

    try:
        return digest, kind, verify(root, certificate, statement, signature, entries)
    except Unproven as fault:
        raise _invalid(f"nobody trusted vouches for an attestation: {fault}") from fault


def _bytes(part: dict[str, Any], key: str) -> bytes:
    text = part.get(key)
    try:
        if isinstance(text, str):
            return base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        pass
    raise _invalid(f"the {key} of an attestation is base64")


def _subject(statement: Any, filename: str) -> tuple[str, str]:
    if not isinstance(statement, dict) or statement.get("_type") != _STATEMENT:
        raise _invalid("the statement of an attestation is no in-toto statement of version 1")
    subjects, kind = statement.get("subject"), statement.get("predicateType")
    if not isinstance(subjects, list) or len(subjects) != 1 or not isinstance(subjects[0], dict):
        raise _invalid("the statement of an attestation has one subject")
    if not isinstance(kind, str):
        raise _invalid("the statement of an attestation has a predicateType")
    name, digests = subjects[0].get("name"), subjects[0].get("digest")
    digest = digests.get("sha256") if isinstance(digests, dict) else None
    if not isinstance(name, str) or not isinstance(digest, str) or not _is_sha256(digest):
        raise _invalid("the subject of an attestation has a name and a sha256")
    if name != filename and _meaning(name) != _meaning(filename):
        raise _disagree(f"an attestation is about {name[:200]!r}, not about {filename}")
    return digest.lower(), kind


def _is_sha256(text: str) -> bool:
    return len(text) == _SHA256_LETTERS and all(letter in "0123456789abcdefABCDEF" for letter in text)


def _meaning(filename: str) -> Hashable:
    """What two spellings of one file name have in common ("matching MUST be performed by parsing").  A ``.zip`` is no name of
    a source distribution any more (PEP 625): it is the same as itself alone."""
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)
        if filename.endswith(".tar.gz"):
            return parse_sdist_filename(filename)
        return filename
    except (InvalidWheelFilename, InvalidSdistFilename):
        return filename


def _check_signature(certificate: bytes, statement: bytes, signature: bytes) -> None:
    """DSSE, version 1, with ECDSA on P-256 and SHA-256 (PEP 740, "Attestation objects")."""
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes
    from cryptography.hazmat.primitives.asymmetric import ec

    try:
        key = x509.load_der_x509_certificate(certificate).public_key()
    except (ValueError, TypeError, UnsupportedAlgorithm, x509.InvalidVersion) as fault:
        raise _invalid("the certificate of an attestation is none") from fault
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise _invalid("the certificate of an attestation has no P-256 key")
    signed = b"DSSEv1 %d %b %d %b" % (len(_PAYLOAD_TYPE), _PAYLOAD_TYPE, len(statement), statement)
    try:
        key.verify(signature, signed, ec.ECDSA(hashes.SHA256()))
    except InvalidSignature as fault:
        raise _invalid("the signature of an attestation is not that of its certificate's key") from fault


def _invalid(message: str) -> Refused:
    return Refused(
        400,
        "attestations-invalid",
        message,
        hint="sign the file again, or upload it without attestations",
    )


def _disagree(message: str) -> Refused:
    return Refused(
        400,
        "attestations-disagree",
        message,
        hint="sign this file, or upload it without attestations",
    )


def disagree(filename: str) -> Refused:
    return _disagree(f"an attestation is about other bytes than those of {filename}")


def _large(message: str) -> Refused:
    return Refused(413, "attestations-too-large", message)
