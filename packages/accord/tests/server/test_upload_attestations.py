"""Attestations come with a file (PEP 740), are held against it, kept, and passed on with a word on what was checked."""

from __future__ import annotations

import base64
import hashlib
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from accord.server.limits import DEFAULT, Limits
from accord.server.upkeep.fsck import check
from accord.testing.attestations import PUBLISH, SLSA, attestation, sign, statement
from accord.testing.indexes import wheel
from accord.testing.serving import InProcess, Reply, Served
from accord.testing.trusting import BEGUN, Trusted
from accord.testing.uploading import Uploader, make_release
from accord.testing.upstreams import JSON, make

NAME, CONTENT = wheel("spam", "1.0")
EVIDENCE = f"/integrity/spam/1.0/{NAME}/provenance"


@pytest.fixture
def index(tmp_path: Path) -> Iterator[InProcess]:
    with InProcess.open(str(tmp_path / "data")) as found:
        yield found


def array(*attestations: dict[str, Any]) -> str:
    return json.dumps(list(attestations))


def put(index: InProcess, attestations: str) -> Reply:
    return index.upload(NAME, CONTENT, attestations=attestations)


def announced(index: InProcess, at: str = "") -> str | None:
    [file] = index.get(f"{at}/simple/spam/", accept=JSON, host="localhost").json()["files"]
    found: str | None = file.get("provenance")
    return found


def blobs(index: InProcess) -> set[str]:
    return set(index.parts.storage.digests())


# ------------------------------------------------------------------------------------------------ by the form


def test_attestations_are_kept_as_they_came_and_nobody_is_said_to_have_signed(index: InProcess) -> None:
    made = [attestation(NAME, CONTENT), attestation(NAME, CONTENT, SLSA)]
    assert put(index, array(*made)).status == 200
    assert announced(index) == f"http://localhost{EVIDENCE}"
    found = index.get(EVIDENCE)
    assert found.headers["content-type"] == "application/vnd.pypi.integrity.v1+json"
    [bundle] = found.json()["attestation_bundles"]
    assert bundle["attestations"] == made
    assert bundle["publisher"]["kind"] == "unverified"
    assert bundle["publisher"]["claims"] == {}
    assert bundle["publisher"]["checked"] == ["signature by the certificate's key", "file name", "sha256"]
    html = index.get("/simple/spam/", accept="text/html", host="localhost").text
    assert f'data-provenance="http://localhost{EVIDENCE}"' in html
    assert check(index.parts) == ()


def test_a_name_is_compared_by_what_it_means_and_not_by_its_letters(index: InProcess) -> None:
    """PEP 740: "matching MUST be performed by parsing"."""
    name, content = wheel("spam_egg", "1.0", tag="py2.py3-none-any")
    made = attestation("Spam.Egg-1.0.0-py3.py2-none-any.whl".replace("1.0.0", "1.0"), content)
    assert index.upload(name, content, attestations=array(made)).status == 200


def test_more_keys_than_the_standard_names_are_nobody_s_fault(index: InProcess) -> None:
    """PEP 740: "applications or signers may include additional keys"."""
    made = {**attestation(NAME, CONTENT), "note": {"by": "\u00e9"}}
    assert put(index, array(made)).status == 200
    assert index.get(EVIDENCE).json()["attestation_bundles"][0]["attestations"] == [made]


def test_without_attestations_there_is_no_provenance(index: InProcess) -> None:
    assert put(index, "").status == 200
    assert announced(index) is None
    assert index.get(EVIDENCE).status == 404


def _changed(*path: str, to: object) -> Callable[[], str]:
    def make_it() -> str:
        made = attestation(NAME, CONTENT)
        place: Any = made
        for key in path[:-1]:
            place = place[key]
        place[path[-1]] = to
        return array(made)

    return make_it


def _statement(**more: object) -> Callable[[], str]:
    return lambda: array(sign(json.dumps({**statement(NAME, CONTENT), **more}).encode()))


def _of_tomorrow() -> str:
    made = attestation(NAME, CONTENT)
    certificate = base64.b64decode(made["verification_material"]["certificate"])
    later = certificate.replace(b"\xa0\3\2\1\2", b"\xa0\3\2\1\3", 1)  # X.509, version 4
    made["verification_material"]["certificate"] = base64.b64encode(later).decode()
    return array(made)


def _stranger() -> str:
    made, other = attestation(NAME, CONTENT), attestation(NAME, b"other")
    made["envelope"]["statement"] = other["envelope"]["statement"]
    return array(made)


_DIGEST = hashlib.sha256(CONTENT).hexdigest()
INVALID: dict[str, Callable[[], str]] = {
    "no JSON": lambda: "{",
    "no array": lambda: json.dumps(attestation(NAME, CONTENT)),
    "none": lambda: "[]",
    "of numbers": lambda: "[1]",
    "deep": lambda: "[" * 50_000,
    "not a number": lambda: array(attestation(NAME, CONTENT)).replace('"version": 1', '"version": NaN'),
    "a key twice": lambda: array(attestation(NAME, CONTENT)).replace(
        '"version": 1', '"version": 1, "version": 1'
    ),
    "version 2": _changed("version", to=2),
    "version true": _changed("version", to=True),
    "no version": _changed("version", to=None),
    "no material": _changed("verification_material", to=[]),
    "no envelope": _changed("envelope", to=None),
    "entries that are none": _changed("verification_material", "transparency_entries", to="x"),
    "entries of text": _changed("verification_material", "transparency_entries", to=["x"]),
    "no base64": _changed("envelope", "signature", to="a b"),
    "letters of elsewhere": _changed("envelope", "signature", to="\u00e4"),
    "no signature": _changed("envelope", "signature", to=""),
    "no certificate": _changed("verification_material", "certificate", to="AAAA"),
    "a certificate of tomorrow": _of_tomorrow,
    "another statement than was signed": _stranger,
    "another curve": lambda: array(sign(json.dumps(statement(NAME, CONTENT)).encode(), curve="secp384r1")),
    "another payload type": lambda: array(
        sign(json.dumps(statement(NAME, CONTENT)).encode(), payload_type=b"text/plain")
    ),
    "a statement that is none": lambda: array(sign(b"\xff")),
    "a statement of old": _statement(_type="https://in-toto.io/Statement/v0.1"),
    "no subject": _statement(subject=[]),
    "two subjects": _statement(subject=statement(NAME, CONTENT)["subject"] * 2),
    "a subject without a name": _statement(subject=[{"digest": {"sha256": _DIGEST}}]),
    "a subject without a digest": _statement(subject=[{"name": NAME, "digest": {"md5": "a" * 32}}]),
    "a digest that is none": _statement(subject=[{"name": NAME, "digest": {"sha256": "a" * 63}}]),
    "another kind": _statement(predicateType="https://predicate.example/v1"),
    "no kind": _statement(predicateType=None),
    "two of one kind": lambda: array(attestation(NAME, CONTENT), attestation(NAME, CONTENT)),
}
DISAGREEING: dict[str, Callable[[], str]] = {
    "other bytes": lambda: array(attestation(NAME, b"other")),
    "another file": lambda: array(attestation("spam-1.0-py2-none-any.whl", CONTENT)),
    "another version": lambda: array(attestation("spam-1.1-py3-none-any.whl", CONTENT)),
    "a name that is none": lambda: array(attestation("../spam", CONTENT)),
    "two files": lambda: array(attestation(NAME, CONTENT), attestation(NAME, b"other", SLSA)),
}


@pytest.mark.parametrize("wrong", [*INVALID, *DISAGREEING])
def test_attestations_that_cannot_be_those_of_the_file_refuse_it_whole(index: InProcess, wrong: str) -> None:
    """PEP 740: "If the index fails to verify any attestation in attestations, it MUST reject the upload"."""
    before = blobs(index)
    refused = put(index, (INVALID | DISAGREEING)[wrong]())
    code = "attestations-disagree" if wrong in DISAGREEING else "attestations-invalid"
    assert (refused.status, refused.json()["code"]) == (400, code), refused.text
    assert refused.json()["hint"]
    assert index.get("/simple/spam/", accept=JSON).status == 404
    assert blobs(index) == before
    assert put(index, array(attestation(NAME, CONTENT))).status == 200  # nothing stands in its way


def test_two_fields_of_attestations_are_one_too_many(index: InProcess) -> None:
    made = array(attestation(NAME, CONTENT))
    body, content_type = _two_fields(made)
    headers = {"content-type": content_type, "authorization": _authorization(index)}
    refused = index.request("POST", "/legacy/", headers, body)
    assert (refused.status, refused.json()["code"]) == (400, "upload-form")


def _authorization(index: InProcess) -> str:
    return "Basic " + base64.b64encode(f"__token__:{index.token}".encode()).decode()


def _two_fields(value: str) -> tuple[bytes, str]:
    edge = "xxaccordxx"
    parts = [
        f'--{edge}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{said}\r\n'.encode()
        for name, said in ((":action", "file_upload"), ("attestations", value), ("attestations", value))
    ]
    head = f'--{edge}\r\nContent-Disposition: form-data; name="content"; filename="{NAME}"\r\n\r\n'.encode()
    return b"".join(
        (*parts, head, CONTENT, f"\r\n--{edge}--\r\n".encode())
    ), f"multipart/form-data; boundary={edge}"


@pytest.mark.parametrize("more", [0, 1])
def test_attestations_are_as_large_as_the_limit_and_no_larger(tmp_path: Path, more: int) -> None:
    made = array(attestation(NAME, CONTENT))
    limits = Limits(provenance_bytes=len(made) - more)
    with InProcess.open(str(tmp_path / "x"), limits=limits) as index:
        found = put(index, made)
        assert found.status == (413 if more else 200)
        assert not more or found.json()["code"] == "attestations-too-large"
    assert DEFAULT.provenance_bytes <= DEFAULT.form_field_bytes


def test_the_same_file_again_is_no_change_and_leaves_nothing_behind(index: InProcess) -> None:
    assert index.upload(NAME, CONTENT).status == 200
    before, serial = blobs(index), index.parts.database.serial()
    assert put(index, array(attestation(NAME, CONTENT))).status == 200
    assert (blobs(index), index.parts.database.serial()) == (before, serial)
    assert announced(index) is None


def test_provenance_goes_with_a_release_that_is_promoted_or_withdrawn(index: InProcess) -> None:
    assert put(index, array(attestation(NAME, CONTENT))).status == 200
    assert index.post("/api/indexes", {"name": "stable"}).status == 201
    document = {"from": "main", "version": "1.0"}
    assert index.post("/api/indexes/stable/projects/spam/promote", document).status < 300
    assert index.get(f"/stable{EVIDENCE}").body == index.get(EVIDENCE).body
    gone = {"version": "1.0", "cause": "safety", "reason": "x"}
    assert index.post("/api/indexes/main/projects/spam/withdraw", gone).status == 201
    assert index.get(EVIDENCE).status == 410


# --------------------------------------------------------------------------------------------- by Upload 2.0


def test_a_session_takes_attestations_before_a_file_is_completed(index: InProcess) -> None:
    uploader = Uploader(index)
    session = uploader.open()
    file = uploader.begin(session, NAME, CONTENT)
    made = attestation(NAME, CONTENT)
    assert uploader.attest(file, b"[]").status == 400
    slsa = array(attestation(NAME, CONTENT, SLSA)).encode()
    assert uploader.attest(file, slsa).status == 204
    assert uploader.send(file, CONTENT).status == 204
    assert uploader.attest(file, array(made).encode()).status == 204  # in the place of the others
    assert uploader.complete(file).status == 201
    assert uploader.attest(file, slsa).json()["code"] == "file-closed"
    assert uploader.publish(session).status == 201
    assert index.get(EVIDENCE).json()["attestation_bundles"][0]["attestations"] == [made]
    assert announced(index) == f"http://localhost{EVIDENCE}"
    assert check(index.parts) == ()


def test_attestations_of_other_bytes_fail_the_file(index: InProcess) -> None:
    uploader = Uploader(index)
    session = uploader.open()
    file = uploader.begin(session, NAME, CONTENT)
    refused = uploader.attest(file, array(attestation(NAME, b"other")).encode())
    assert (refused.status, refused.json()["code"]) == (400, "attestations-disagree")
    assert refused.json()["errors"][0]["source"] == "attestations-disagree"
    # Where the SHA-256 was not announced it is known when the bytes are there.
    assert uploader.delete(file.headers["location"]).status == 204
    digest = hashlib.blake2b(CONTENT).hexdigest()
    file = uploader.begin(session, NAME, CONTENT, hashes={"blake2b": digest})
    assert uploader.attest(file, array(attestation(NAME, b"other")).encode()).status == 204
    assert uploader.send(file, CONTENT).status == 204
    failed = uploader.complete(file)
    assert (failed.status, failed.json()["code"]) == (400, "attestations-disagree")
    assert uploader.get(file.headers["location"]).json()["status"] == "error"


def test_attestations_of_a_file_that_is_discarded_leave_nothing(index: InProcess) -> None:
    before = blobs(index)
    uploader = Uploader(index)
    session = uploader.open()
    file = uploader.begin(session, NAME, CONTENT)
    made = array(attestation(NAME, CONTENT)).encode()
    assert uploader.attest(file, made).status == 204
    assert len(blobs(index)) == len(before) + 1
    assert check(index.parts) == ()
    assert uploader.delete(file.headers["location"]).status == 204
    assert blobs(index) == before


def test_attestations_are_asked_of_whoever_may_upload_as_json_and_within_the_limit(tmp_path: Path) -> None:
    made = array(attestation(NAME, CONTENT)).encode()
    limits = Limits(provenance_bytes=len(made))
    with InProcess.open(str(tmp_path / "x"), limits=limits) as index:
        uploader = Uploader(index)
        file = uploader.begin(uploader.open(), NAME, CONTENT)
        assert Uploader(index, "").attest(file, made).status == 401
        assert uploader.attest(file, made, media_type="text/plain").json()["code"] == "upload-media-type"
        assert uploader.attest(file, made + b" ").json()["code"] == "attestations-too-large"
        assert uploader.attest(file, made).status == 204


# ----------------------------------------------------------------------------------------- with a trusted root


@pytest.fixture
def trusted() -> Trusted:
    return Trusted()


@pytest.fixture
def choosy(trusted: Trusted, tmp_path: Path) -> Iterator[InProcess]:
    """An index that was given a trusted root."""
    path = tmp_path / "root.json"
    path.write_text(json.dumps(trusted.root()))
    with InProcess.open(str(tmp_path / "choosy"), attestation_roots=str(path)) as found:
        yield found


def vouched(trusted: Trusted, kind: str = PUBLISH, **options: Any) -> dict[str, Any]:
    return trusted.attestation(json.dumps(statement(NAME, CONTENT, kind)).encode(), **options)


CHECKED = ["signature by the certificate's key", "file name", "sha256", "certificate by a trusted root"]


def test_what_a_trusted_root_vouches_for_is_kept_and_it_is_said(choosy: InProcess, trusted: Trusted) -> None:
    made = [vouched(trusted), vouched(trusted, SLSA, at=BEGUN + timedelta(seconds=90))]
    assert put(choosy, array(*made)).status == 200
    [bundle] = choosy.get(EVIDENCE).json()["attestation_bundles"]
    assert bundle["attestations"] == made
    assert bundle["publisher"] == {
        "kind": "unverified",  # nobody's identity was expected
        "claims": {},
        "checked": [
            *CHECKED,
            "certificate in a log of certificates",
            "inclusion in the log at 2026-01-01T00:05:00Z",
            "inclusion in the log at 2026-01-01T00:01:30Z",
        ],
    }


def test_a_root_without_logs_of_certificates_claims_none(tmp_path: Path, trusted: Trusted) -> None:
    path = tmp_path / "root.json"
    path.write_text(json.dumps({**trusted.root(), "ctlogs": []}))
    with InProcess.open(str(tmp_path / "x"), attestation_roots=str(path)) as index:
        assert put(index, array(vouched(trusted))).status == 200
        [bundle] = index.get(EVIDENCE).json()["attestation_bundles"]
    assert bundle["publisher"]["checked"] == [*CHECKED, "inclusion in the log at 2026-01-01T00:05:00Z"]


def test_what_nobody_of_the_root_vouches_for_is_refused(choosy: InProcess, trusted: Trusted) -> None:
    """PEP 740: "as issued by an a priori trusted authority"."""
    before = blobs(choosy)
    late = vouched(trusted, at=BEGUN + timedelta(days=1))
    for wrong in ([attestation(NAME, CONTENT)], [late], [vouched(trusted, SLSA), late]):
        refused = put(choosy, array(*wrong))
        assert (refused.status, refused.json()["code"]) == (400, "attestations-invalid")
        assert "nobody trusted vouches" in refused.json()["detail"]
    assert blobs(choosy) == before
    assert put(choosy, array(vouched(trusted))).status == 200


def test_a_session_asks_the_root_as_well(choosy: InProcess, trusted: Trusted) -> None:
    uploader = Uploader(choosy)
    session = uploader.open()
    file = uploader.begin(session, NAME, CONTENT)
    refused = uploader.attest(file, array(attestation(NAME, CONTENT)).encode())
    assert (refused.status, refused.json()["code"]) == (400, "attestations-invalid")
    assert uploader.attest(file, array(vouched(trusted)).encode()).status == 204
    assert uploader.send(file, CONTENT).status == 204
    assert uploader.complete(file).status == 201
    assert uploader.publish(session).status == 201
    [bundle] = choosy.get(EVIDENCE).json()["attestation_bundles"]
    assert bundle["publisher"]["checked"][:4] == CHECKED


@pytest.mark.parametrize("more", [0, 1])
def test_an_attestation_has_as_many_entries_as_the_limit_and_no_more(
    tmp_path: Path, trusted: Trusted, more: int
) -> None:
    path = tmp_path / "root.json"
    path.write_text(json.dumps(trusted.root()))
    made = vouched(trusted)
    made["verification_material"]["transparency_entries"] *= 2 + more
    limits = Limits(attestation_entries=2)
    with InProcess.open(str(tmp_path / "x"), limits=limits, attestation_roots=str(path)) as index:
        found = put(index, array(made))
    assert found.status == (413 if more else 200)
    assert not more or found.json()["code"] == "attestations-too-large"


@pytest.mark.slow
def test_a_server_is_started_with_a_trusted_root_or_not_at_all(tmp_path: Path, trusted: Trusted) -> None:
    path = tmp_path / "root.json"
    path.write_text("{}")
    command = [
        sys.executable,
        "-m",
        "accord",
        "serve",
        "--data",
        str(tmp_path / "none"),
        "--bind",
        "127.0.0.1:0",
    ]
    command += ["--attestation-roots", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 2
    assert "error[trusted-root-invalid]" in done.stderr
    path.write_text(json.dumps(trusted.root()))
    with Served(str(tmp_path / "data"), options=("--attestation-roots", str(path))) as site:
        files = _attested_release(tmp_path, "spam")
        command = [
            *(sys.executable, "-m", "twine", "upload", "--attestations", "-u", "__token__", "-p", site.token),
            *("--disable-progress-bar", "--repository-url", f"{site.url}/legacy/", *map(str, files)),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode != 0
        assert site.request("GET", "/simple/spam/", {"accept": JSON}).status == 404


# --------------------------------------------------------------------------------------------- by real clients


def _attested_release(folder: Path, name: str) -> list[Path]:
    files = [Path(file) for file in make_release(folder, name)]
    beside = []
    for file in files:
        signed = file.with_name(f"{file.name}.publish.attestation")
        signed.write_text(json.dumps(attestation(file.name, file.read_bytes(), PUBLISH)))
        beside.append(signed)
    return files + beside


@pytest.mark.slow
@pytest.mark.parametrize("client", ["uv", "twine"])
def test_clients_upload_attestations_as_they_are(tmp_path: Path, client: str) -> None:
    with Served(str(tmp_path / "data")) as site:
        files = _attested_release(tmp_path, f"by{client}")
        command = {
            "uv": ["uv", "publish", "--token", site.token, "--publish-url"],
            "twine": [
                *("twine", "upload", "--attestations", "-u", "__token__", "-p", site.token),
                *("--disable-progress-bar", "--repository-url"),
            ],
        }[client]
        command = [sys.executable, "-m", *command, f"{site.url}/legacy/", *map(str, files)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout + done.stderr
        told = site.request("GET", f"/simple/by{client}/", {"accept": JSON}).json()["files"]
        assert len(told) == 2
        for file in told:
            found = site.request("GET", file["provenance"].removeprefix(site.url)).json()
            [one] = found["attestation_bundles"][0]["attestations"]
            assert one == json.loads(
                (files[0].parent / f"{file['filename']}.publish.attestation").read_text()
            )


@pytest.mark.slow
def test_a_chain_of_three_has_the_same_bytes_at_its_end(tmp_path: Path) -> None:
    """Core metadata and provenance of an index, through one that caches it, through one that caches that."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    with Served(str(tmp_path / "one" / "data")) as first:
        made = array(attestation(NAME, CONTENT), attestation(NAME, CONTENT, SLSA))
        assert first.upload(NAME, CONTENT, attestations=made).status == 200
        second = Served(str(tmp_path / "two" / "data"))
        with InProcess.open(second.folder) as there:
            make(there, "cache", f"{first.url}/simple")
        with second, InProcess.open(str(tmp_path / "three")) as third:
            make(third, "cache", f"{second.url}/cache/simple")
            [end] = third.get("/cache/simple/spam/", accept=JSON, host="localhost").json()["files"]
            [start] = first.request("GET", "/simple/spam/", {"accept": JSON}).json()["files"]
            assert end.pop("provenance") == f"http://localhost/cache{EVIDENCE}"
            assert start.pop("provenance") == f"{first.url}{EVIDENCE}"
            assert end == start  # each field as the first index says it
            for target in (f"/files/spam/{NAME}.metadata", EVIDENCE, f"/files/spam/{NAME}"):
                expected = first.request("GET", target)
                found = third.get(f"/cache{target}")
                assert (found.status, found.body) == (200, expected.body), target
                assert found.headers["content-type"] in (
                    expected.headers["content-type"],
                    "application/octet-stream",
                )
