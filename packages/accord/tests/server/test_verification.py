"""Who vouches for an attestation: genuine ones by Sigstore's root, made ones by a root of the tests' own, and each thing that can be wrong."""

from __future__ import annotations

import base64
import copy
import hashlib
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID

from accord.server.archives.attestations import read_attestations
from accord.server.archives.trusted_root import TrustedRoot, read_trusted_root
from accord.server.archives.verification import Unproven, verify
from accord.server.errors import Refused
from accord.server.limits import DEFAULT
from accord.testing.trusting import BEGUN, Log, Signer, Trusted
from accord_core.errors import UsageError

ATTESTED = Path(__file__).parents[4] / "conformance" / "src" / "accord_conformance" / "attested"
STATEMENT = b'{"of": "a test"}'
GOOD = BEGUN + timedelta(minutes=5)


def shown(root: TrustedRoot, attestation: dict[str, Any]) -> tuple[datetime, ...]:
    material, envelope = attestation["verification_material"], attestation["envelope"]
    raw = [material["certificate"], envelope["statement"], envelope["signature"]]
    certificate, statement, signature = map(base64.b64decode, raw)
    return verify(root, certificate, statement, signature, material["transparency_entries"])


def rooted(folder: Path, document: object) -> TrustedRoot:
    path = folder / "root.json"
    path.write_text(json.dumps(document))
    return read_trusted_root(str(path), DEFAULT.trusted_root_bytes)


# ---------------------------------------------------------------------------------------------------- genuine


@pytest.fixture(scope="module")
def genuine() -> TrustedRoot:
    return read_trusted_root(str(ATTESTED / "trusted_root.json"), DEFAULT.trusted_root_bytes)


def read(name: str) -> dict[str, Any]:
    found = json.loads((ATTESTED / f"{name}.json").read_text())
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize(("name", "second"), [("publish", 1), ("slsa", -14)])
def test_genuine_attestations_are_vouched_for_by_sigstores_root(
    genuine: TrustedRoot, name: str, second: int
) -> None:
    at = datetime(2024, 12, 4, 23, 14, tzinfo=UTC) + timedelta(seconds=second)
    assert shown(genuine, read(name)) == (at,)


def test_nobody_vouches_for_what_the_suite_made_or_for_the_genuine_ones_by_another_root(
    genuine: TrustedRoot, tmp_path: Path
) -> None:
    for name, made in read("made").items():
        if name != "key-for-certificate":  # which is refused before it is asked who issued it
            with pytest.raises(Unproven):
                shown(genuine, made)
    with pytest.raises(Unproven, match="no log"):
        shown(rooted(tmp_path, Trusted().root()), read("publish"))


def test_the_suites_own_root_vouches_for_what_the_suite_made_well_and_for_the_genuine_ones() -> None:
    root = read_trusted_root(str(ATTESTED / "roots.json"), DEFAULT.trusted_root_bytes)
    made = read("made")
    for good in (made["good"], made["digests-two"], read("publish"), read("slsa")):
        assert shown(root, good)
    for name in ("self-signed", "other-authority", "entry-later"):
        with pytest.raises(Unproven, match="no authority of the trusted root issued"):
            shown(root, made[name])


def test_a_zip_is_another_file_than_the_source_distribution_of_its_version() -> None:
    """PEP 740: "valid source distribution or wheel distribution filename"."""
    root = read_trusted_root(str(ATTESTED / "roots.json"), DEFAULT.trusted_root_bytes)
    body = json.dumps([read("made")["subject-zip"]]).encode()
    with pytest.raises(Refused) as refused:
        read_attestations(body, "pypi_attestations-0.0.19.tar.gz", DEFAULT, root)
    assert refused.value.code == "attestations-disagree"


def test_a_genuine_certificate_with_one_byte_changed_is_nobodys(genuine: TrustedRoot) -> None:
    made = read("publish")
    certificate = bytearray(base64.b64decode(made["verification_material"]["certificate"]))
    certificate[-2] ^= 1
    made["verification_material"]["certificate"] = base64.b64encode(certificate).decode()
    with pytest.raises(Unproven, match="another certificate"):
        shown(genuine, made)


def test_the_log_and_the_authorities_are_asked_as_they_were_when_it_was_signed(
    tmp_path: Path,
) -> None:
    document = json.loads((ATTESTED / "trusted_root.json").read_text())
    document["certificateAuthorities"][1]["validFor"]["end"] = "2024-12-04T23:14:01Z"
    assert shown(rooted(tmp_path, document), read("publish"))
    document["certificateAuthorities"][1]["validFor"]["end"] = "2024-12-04T23:14:00Z"
    with pytest.raises(Unproven, match="no authority"):
        shown(rooted(tmp_path, document), read("publish"))


# ------------------------------------------------------------------------------------------------------- made

STRANGER = ec.generate_private_key(ec.SECP256R1())
Wrong = Callable[[Trusted], dict[str, Any]]


def entry_of(attestation: dict[str, Any]) -> dict[str, Any]:
    [entry] = attestation["verification_material"]["transparency_entries"]
    assert isinstance(entry, dict)
    return entry


def signer(**options: Any) -> Wrong:
    return lambda made: made.attestation(STATEMENT, made.signer(**options))


def changed(change: Callable[[Trusted, dict[str, Any]], None]) -> Wrong:
    """With a transparency entry that is another."""

    def make(made: Trusted) -> dict[str, Any]:
        found = made.attestation(STATEMENT)
        change(made, entry_of(found))
        return found

    return make


def put(*path: str, to: object) -> Wrong:
    def change(_made: Trusted, entry: dict[str, Any]) -> None:
        for key in path[:-1]:
            entry = entry[key]
        if to is None:
            del entry[path[-1]]
        else:
            entry[path[-1]] = to

    return changed(change)


def at(when: datetime) -> Wrong:
    return lambda made: made.attestation(STATEMENT, at=when)


def body(change: Callable[[dict[str, Any], Signer, bytes], object]) -> Wrong:
    """With an entry that the log truly has, whose body is another."""

    def make(made: Trusted) -> dict[str, Any]:
        by = made.signer()
        found = made.attestation(STATEMENT, by)
        signature = base64.b64decode(found["envelope"]["signature"])
        document = by.body(STATEMENT, signature)
        instead = change(document, by, signature) or document
        raw = instead if isinstance(instead, bytes) else json.dumps(instead).encode()
        found["verification_material"]["transparency_entries"] = [made.log.entry(raw, GOOD)]
        return found

    return make


def checkpoint(size: int = 0, *, flip: int = 0, forged: bool = False) -> Wrong:
    """With a checkpoint of another tree, or one that is signed by another key."""

    def change(made: Trusted, entry: dict[str, Any]) -> None:
        proof = entry["inclusionProof"]
        top = bytearray(base64.b64decode(proof["rootHash"]))
        top[0] ^= flip
        log = Log(made.log.key, forger=STRANGER if forged else None)
        proof["checkpoint"]["envelope"] = log.checkpoint(int(proof["treeSize"]) + size, bytes(top))

    return changed(change)


def path(change: Callable[[list[str]], object]) -> Wrong:
    def make(_made: Trusted, entry: dict[str, Any]) -> None:
        change(entry["inclusionProof"]["hashes"])

    return changed(make)


def promise(*, seconds: int = 0, more: int = 0, forged: bool = False) -> Wrong:
    """With a promise of another time or place, or one that is signed by another key."""

    def change(made: Trusted, entry: dict[str, Any]) -> None:
        log = Log(made.log.key, forger=STRANGER if forged else None)
        raw, index = base64.b64decode(entry["canonicalizedBody"]), int(entry["logIndex"]) + more
        said = log.promise(raw, index, GOOD + timedelta(seconds=seconds))
        entry["inclusionPromise"]["signedEntryTimestamp"] = said

    return changed(change)


def proof_of_another(made: Trusted, entry: dict[str, Any]) -> None:
    """A proof of the same log about another entry: all of it is signed."""
    entry["inclusionProof"] = made.log.entry(b"another", GOOD)["inclusionProof"]


def other_log(made: Trusted, entry: dict[str, Any]) -> None:
    raw = base64.b64decode(entry["canonicalizedBody"])
    entry.update(Log().entry(raw, GOOD))


def no_entries(made: Trusted) -> dict[str, Any]:
    found = made.attestation(STATEMENT)
    found["verification_material"]["transparency_entries"] = []
    return found


def second_entry(made: Trusted) -> dict[str, Any]:
    """PEP 740: "the inclusion time for each entry"."""
    found = made.attestation(STATEMENT)
    material = found["verification_material"]
    raw = base64.b64decode(entry_of(found)["canonicalizedBody"])
    material["transparency_entries"].append(made.log.entry(raw, BEGUN + timedelta(days=1)))
    return found


def another_signature(document: dict[str, Any], by: Signer, _signature: bytes) -> dict[str, Any]:
    return by.body(STATEMENT, by.signature(STATEMENT))


def another_certificate(document: dict[str, Any], by: Signer, signature: bytes) -> dict[str, Any]:
    """Of the same key, by the same authority."""
    return Signer(by.key, Trusted().signer().certificate).body(STATEMENT, signature)


def two_signatures(document: dict[str, Any], by: Signer, _signature: bytes) -> None:
    document["spec"]["signatures"] *= 2


CLIENTS = (ExtendedKeyUsageOID.CLIENT_AUTH,)
NO_ISSUER, PROMISE, CHECKPOINT = "no authority of the trusted root", "inclusion promise", "checkpoint"
NO_PATH, OTHER_TREE, LOG = "does not lead to the root", "about another tree", "no log of the trusted root"
BODY, TIMESTAMP = "a body that cannot be read", "no timestamp of its certificate"
WRONG: dict[str, tuple[Wrong, str]] = {
    # the certificate
    "another authority of the same name": (signer(by=STRANGER), NO_ISSUER),
    "the authority under another name": (signer(issuer="other.example"), NO_ISSUER),
    "no code signing": (signer(usages=()), NO_ISSUER),
    "signing in instead of code signing": (signer(usages=CLIENTS), "not for signing code"),
    "a key for certificates": (signer(signs_certificates=True), NO_ISSUER),
    "a critical extension nobody knows": (signer(critical=b"\5\0"), NO_ISSUER),
    "signed before it was good": (at(BEGUN - timedelta(seconds=1)), NO_ISSUER),
    "signed when it was over": (at(BEGUN + timedelta(minutes=10, seconds=1)), NO_ISSUER),
    "a second entry when it was over": (second_entry, NO_ISSUER),
    "in no log of certificates": (signer(logged=False), "has no timestamp of a log"),
    "in a log of certificates nobody trusts": (signer(certificates_key=STRANGER), TIMESTAMP),
    # the log's promise
    "no entries": (no_entries, "no transparency entry"),
    "a log nobody trusts": (changed(other_log), LOG),
    "no promise": (put("inclusionPromise", to=None), "no inclusionPromise"),
    "a promise by another key": (promise(forged=True), PROMISE),
    "a promise of another time": (promise(seconds=1), PROMISE),
    "a promise of another place": (promise(more=1), PROMISE),
    "no base64": (put("inclusionPromise", "signedEntryTimestamp", to="a b"), "is no base64"),
    "no time": (put("integratedTime", to=None), LOG),
    "a time that is none": (put("integratedTime", to="-1"), "is no number"),
    "a time too far": (put("integratedTime", to=str(1 << 40)), "is no number"),
    # the proof
    "no proof": (put("inclusionProof", to=None), "no inclusionProof"),
    "no checkpoint": (put("inclusionProof", "checkpoint", to=None), "no checkpoint"),
    "a checkpoint that is none": (put("inclusionProof", "checkpoint", "envelope", to=1), CHECKPOINT),
    "a checkpoint without a signature": (put("inclusionProof", "checkpoint", "envelope", to="x"), CHECKPOINT),
    "a checkpoint by another key": (checkpoint(forged=True), "checkpoint .* not signed"),
    "a checkpoint of a larger tree": (checkpoint(1), OTHER_TREE),
    "a checkpoint of another tree": (checkpoint(flip=1), OTHER_TREE),
    "a proof of another entry": (changed(proof_of_another), NO_PATH),
    "another hash": (path(lambda hashes: hashes.__setitem__(0, "A" * 43 + "=")), NO_PATH),
    "a short hash": (path(lambda hashes: hashes.__setitem__(0, "AAAA")), NO_PATH),
    "a hash too few": (path(lambda hashes: hashes.pop()), NO_PATH),
    "a hash too many": (path(lambda hashes: hashes.append(hashes[0])), NO_PATH),
    "another place in the tree": (put("inclusionProof", "logIndex", to="4"), NO_PATH),
    "a place outside the tree": (put("inclusionProof", "logIndex", to="7"), NO_PATH),
    "hashes that are none": (put("inclusionProof", "hashes", to="x"), "no hashes"),
    # what the entry is about
    "a body that is none": (body(lambda document, by, signature: b"{"), BODY),
    "two signatures": (body(two_signatures), BODY),
    "another kind": (
        body(lambda document, by, signature: {**document, "kind": "hashedrekord"}),
        "not of the kind",
    ),
    "another statement": (
        body(lambda document, by, signature: by.body(b"{}", signature)),
        "another statement",
    ),
    "another signature": (body(another_signature), "another signature"),
    "another certificate": (body(another_certificate), "another certificate"),
}


@pytest.fixture(scope="module")
def made() -> Trusted:
    return Trusted()


def test_made_ones_are_vouched_for_by_their_own_root(made: Trusted, tmp_path: Path) -> None:
    root = rooted(tmp_path, made.root())
    assert shown(root, made.attestation(STATEMENT)) == (GOOD,)
    assert shown(root, at(BEGUN)(made)) == (BEGUN,)
    end = BEGUN + timedelta(minutes=10)
    assert shown(root, at(end)(made)) == (end,)
    both = made.attestation(STATEMENT)
    both["verification_material"]["transparency_entries"] *= 2
    assert shown(root, both) == (GOOD, GOOD)


@pytest.mark.parametrize("leaves", range(12))
def test_a_place_in_a_tree_of_any_size_can_be_shown(tmp_path: Path, leaves: int) -> None:
    """RFC 6962, section 2.1; protobuf's JSON leaves out a number that is 0."""
    made = Trusted(log=Log(leaves=[b"x"] * leaves))
    found = made.attestation(STATEMENT)
    if not leaves:
        del entry_of(found)["logIndex"], entry_of(found)["inclusionProof"]["logIndex"]
    assert shown(rooted(tmp_path, made.root()), found) == (GOOD,)


@pytest.mark.parametrize("wrong", WRONG)
def test_what_is_wrong_in_one_thing_nobody_vouches_for(made: Trusted, tmp_path: Path, wrong: str) -> None:
    make, words = WRONG[wrong]
    with pytest.raises(Unproven, match=words):
        shown(rooted(tmp_path, made.root()), make(made))


def hashed(*parts: bytes) -> bytes:
    return hashlib.sha256(b"".join(parts)).digest()


# Place, size, path and root hash that a leaf's hash leads to.
Tree = Callable[[bytes], tuple[int, int, list[bytes], bytes]]
NO_TREES: dict[str, Tree] = {
    "a path that goes on": lambda leaf: (0, 1, [leaf], hashed(b"\1", leaf, leaf)),
    "a path that ends before": lambda leaf: (0, 2, [], leaf),
    "a hash that is longer": lambda leaf: (0, 2, [leaf + b"x"], hashed(b"\1", leaf, leaf, b"x")),
    "a place outside": lambda leaf: (2, 2, [leaf], hashed(b"\1", leaf, leaf)),
    "a tree of nothing": lambda leaf: (0, 0, [], leaf),
}


@pytest.mark.parametrize("tree", NO_TREES)
def test_a_proof_in_what_is_no_tree_shows_nothing_though_the_log_signed_it(
    made: Trusted, tmp_path: Path, tree: str
) -> None:
    """RFC 9162, section 2.1.3.2: each step that says "fail"."""
    found = made.attestation(STATEMENT)
    entry = entry_of(found)
    leaf = hashed(b"\0", base64.b64decode(entry["canonicalizedBody"]))
    for shape, good in ((lambda _: (0, 2, [leaf], hashed(b"\1", leaf, leaf)), True), (NO_TREES[tree], False)):
        place, size, hashes, top = shape(leaf)
        entry["inclusionProof"] = {
            "logIndex": str(place),
            "treeSize": str(size),
            "rootHash": base64.b64encode(top).decode(),
            "hashes": [base64.b64encode(each).decode() for each in hashes],
            "checkpoint": {"envelope": made.log.checkpoint(size, top)},
        }
        if good:
            assert shown(rooted(tmp_path, made.root()), found) == (GOOD,)
        else:
            with pytest.raises(Unproven, match=NO_PATH):
                shown(rooted(tmp_path, made.root()), found)


NO_CODE = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.TIME_STAMPING])
ISSUERS: dict[str, Trusted] = {
    "over": Trusted(issuer_years=0),
    "no authority": Trusted(issuer_is_authority=False),
    "for something else": Trusted(issuer_usage=NO_CODE),
}


@pytest.mark.parametrize("wrong", ISSUERS)
def test_who_issued_it_must_have_been_an_authority_then(tmp_path: Path, wrong: str) -> None:
    made = ISSUERS[wrong]
    with pytest.raises(Unproven, match=NO_ISSUER):
        shown(rooted(tmp_path, made.root()), made.attestation(STATEMENT))


def changed_root(made: Trusted, *path: str | int, to: object) -> dict[str, Any]:
    document = copy.deepcopy(made.root())
    place: Any = document
    for key in path[:-1]:
        place = place[key]
    place[path[-1]] = to
    return document


def test_a_root_says_when_its_authorities_and_logs_were_good(made: Trusted, tmp_path: Path) -> None:
    over = {"end": "2025-12-31T23:59:59Z"}
    attestation = made.attestation(STATEMENT)
    for path, words in (
        (("certificateAuthorities", 0, "validFor"), "no authority was good then"),
        (("tlogs", 0, "publicKey", "validFor"), LOG),
        (("ctlogs", 0, "publicKey", "validFor"), TIMESTAMP),
    ):
        with pytest.raises(Unproven, match=words):
            shown(rooted(tmp_path, changed_root(made, *path, to=over)), attestation)
        assert shown(rooted(tmp_path, changed_root(made, *path, to={})), attestation)


def test_without_logs_of_certificates_none_is_asked(made: Trusted, tmp_path: Path) -> None:
    root = rooted(tmp_path, changed_root(made, "ctlogs", to=[]))
    assert shown(root, made.attestation(STATEMENT, made.signer(logged=False))) == (GOOD,)


def test_a_key_of_a_kind_nobody_knows_is_left_out(made: Trusted, tmp_path: Path) -> None:
    unknown = {"publicKey": {"keyDetails": "PKIX_OF_TOMORROW", "rawBytes": ""}}
    document = changed_root(made, "tlogs", to=[unknown, *made.root()["tlogs"]])
    assert len(rooted(tmp_path, document).logs) == 1


def no_root(made: Trusted) -> dict[str, object]:
    kind = ("tlogs", 0, "publicKey", "keyDetails")
    return {
        "another document": changed_root(made, "mediaType", to="application/json"),
        "no object": [],
        "no mediaType": {},
        "no authorities": changed_root(made, "certificateAuthorities", to=[]),
        "no logs": changed_root(made, "tlogs", to=[]),
        "no known log": changed_root(made, *kind, to="PKIX_OF_TOMORROW"),
        "no known log of certificates": changed_root(made, "ctlogs", *kind[1:], to="PKIX_OF_TOMORROW"),
        "a key of another kind": changed_root(made, *kind, to="PKIX_ED25519"),
        "a key that is none": changed_root(made, "tlogs", 0, "publicKey", "rawBytes", to="AAAA"),
        "an authority without certificates": changed_root(
            made, "certificateAuthorities", 0, "certChain", "certificates", to=[]
        ),
        "a certificate that is none": changed_root(
            made, "certificateAuthorities", 0, "certChain", "certificates", 0, "rawBytes", to="AAAA"
        ),
        "a date that is none": changed_root(made, "tlogs", 0, "publicKey", "validFor", to={"start": "then"}),
        "text for a list": changed_root(made, "tlogs", to="x"),
    }


@pytest.mark.parametrize("wrong", no_root(Trusted()))
def test_a_file_that_is_no_trusted_root_is_refused(made: Trusted, tmp_path: Path, wrong: str) -> None:
    with pytest.raises(UsageError) as refused:
        rooted(tmp_path, no_root(made)[wrong])
    assert refused.value.code == "trusted-root-invalid"
    assert refused.value.hint


def test_a_trusted_root_is_a_file_that_can_be_read_within_the_limit(made: Trusted, tmp_path: Path) -> None:
    path = tmp_path / "root.json"
    for text in (None, "{", "[" * 100_000):
        if text is not None:
            path.write_text(text)
        with pytest.raises(UsageError) as refused:
            read_trusted_root(str(path), DEFAULT.trusted_root_bytes)
        assert refused.value.code == "trusted-root-invalid"
    path.write_text(json.dumps(made.root()))
    size = path.stat().st_size
    assert read_trusted_root(str(path), size).logs
    with pytest.raises(UsageError) as refused:
        read_trusted_root(str(path), size - 1)
    assert refused.value.code == "trusted-root-invalid"
