"""What an upstream says beside its files is said here, too: core metadata, provenance, and every field of its pages."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from accord.server.catalogue import indexes, promotion
from accord.server.mirror.report import refresh, status
from accord.server.mirror.syncing import sync
from accord.server.upkeep.fsck import check
from accord.testing.attestations import SLSA, attestation, provenance, sign, statement
from accord.testing.loopback import Asked, reply
from accord.testing.serving import InProcess, Reply
from accord.testing.trusting import Trusted
from accord.testing.upstreams import JSON, Upstream, indexes_row, limits, make, stack

NAME = "spam-1.0-py3-none-any.whl"
METADATA = b"Metadata-Version: 2.1\nName: Spam\nVersion: 1.0\n"
EVIDENCE = f"/cache/integrity/spam/1.0/{NAME}/provenance"


def told(index: InProcess) -> dict[str, Any]:
    """The one file of the page, as who reaches the server by its own machine is told (PEP 740 wants a secure origin)."""
    [file] = index.get("/cache/simple/spam/", accept=JSON, host="localhost").json()["files"]
    assert isinstance(file, dict)
    return file


def announce(upstream: Upstream, body: bytes, name: str = NAME) -> None:
    """Upstream has provenance of its file."""
    for file in upstream.made.files["spam"]:
        if file.filename == name:
            file.provenance = f"{upstream.server.url}/evidence/{name}"
    upstream.instead[f"/evidence/{name}"] = lambda _: reply(body)


def later(index: InProcess, seconds: float = 601) -> None:
    index.clock.forward(seconds)


def refusals(index: InProcess) -> list[dict[str, str]]:
    found = status(index.parts)["cache"]["refused"]
    assert isinstance(found, list)
    return found


# ------------------------------------------------------------------------------------------------- core metadata


def test_metadata_announced_without_a_hash_are_passed_on_and_have_one_then(
    cache: InProcess, upstream: Upstream
) -> None:
    upstream.add(metadata=METADATA)
    upstream.made.files["spam"][0].core_metadata = True
    assert told(cache)["core-metadata"] is True
    html = cache.get("/cache/simple/spam/", accept="text/html").text
    assert 'data-core-metadata="true"' in html
    assert cache.get(f"/cache/files/spam/{NAME}.metadata").body == METADATA
    assert told(cache)["core-metadata"] == {"sha256": hashlib.sha256(METADATA).hexdigest()}
    later(cache)
    assert told(cache)["core-metadata"] == {"sha256": hashlib.sha256(METADATA).hexdigest()}
    assert cache.get(f"/cache/files/spam/{NAME}.metadata").body == METADATA
    assert len(upstream.targets(f"/files/{NAME}.metadata")) == 1


def test_metadata_with_a_hash_upstream_does_not_keep_to_are_passed_on_no_more(
    cache: InProcess, upstream: Upstream
) -> None:
    upstream.add(metadata=METADATA)
    upstream.made.metadata[NAME] = METADATA + b"Requires-Dist: evil\n"
    assert "core-metadata" in told(cache)
    refused = cache.get(f"/cache/files/spam/{NAME}.metadata")
    assert (refused.status, refused.json()["code"]) == (502, "upstream-wrong")
    assert "core-metadata" not in told(cache)
    later(cache)
    assert "core-metadata" not in told(cache)  # its page still says what it said
    [refusal] = refusals(cache)
    assert (refusal["filename"], refusal["what"]) == (NAME, "metadata")
    upstream.made.metadata[NAME] = METADATA
    refresh(cache.parts, indexes_row(cache), ("spam",), retry=True)
    assert "core-metadata" in told(cache)
    assert cache.get(f"/cache/files/spam/{NAME}.metadata").body == METADATA
    assert refusals(cache) == []


@pytest.mark.parametrize(
    "body", [b"Metadata-Version: 2.1\nName: eggs\nVersion: 1.0\n", b"\xff", b"Name: spam\n"], ids=repr
)
def test_metadata_without_a_hash_are_at_least_those_of_the_project(
    cache: InProcess, upstream: Upstream, body: bytes
) -> None:
    upstream.add(metadata=body)
    upstream.made.files["spam"][0].core_metadata = True
    assert told(cache)["core-metadata"] is True
    assert cache.get(f"/cache/files/spam/{NAME}.metadata").status == 502
    assert "core-metadata" not in told(cache)


@pytest.mark.parametrize("more", [0, 1])
def test_metadata_are_as_large_as_the_limit_and_no_larger(
    tmp_path: Path, upstream: Upstream, more: int
) -> None:
    upstream.add(metadata=METADATA)
    with InProcess.open(
        str(tmp_path / "x"), limits=limits(upstream_metadata_bytes=len(METADATA) - more)
    ) as cache:
        make(cache, "cache", upstream.url)
        told(cache)
        assert cache.get(f"/cache/files/spam/{NAME}.metadata").status == (502 if more else 200)
        assert ("core-metadata" in told(cache)) is not bool(more)


# --------------------------------------------------------------------------------------------------- provenance


def test_provenance_is_passed_on_byte_for_byte_and_asked_for_once(
    cache: InProcess, upstream: Upstream
) -> None:
    _, content = upstream.add()
    body = provenance(attestation(NAME, content), attestation(NAME, content, SLSA))
    announce(upstream, body)
    assert told(cache)["provenance"] == f"http://localhost{EVIDENCE}"
    for _ in range(2):
        found = cache.get(EVIDENCE)
        assert (found.status, found.body) == (200, body)
        assert found.headers["content-type"] == "application/vnd.pypi.integrity.v1+json"
    assert len(upstream.targets("/evidence/")) == 1
    assert told(cache)["provenance"] == f"http://localhost{EVIDENCE}"


def test_provenance_of_a_file_that_has_none_is_not_there(cache: InProcess, upstream: Upstream) -> None:
    upstream.add()
    assert "provenance" not in told(cache)
    assert cache.get(EVIDENCE).status == 404


def test_attestations_that_are_added_upstream_come_after_a_day(cache: InProcess, upstream: Upstream) -> None:
    _, content = upstream.add()
    first = provenance(attestation(NAME, content))
    announce(upstream, first)
    told(cache)
    assert cache.get(EVIDENCE).body == first
    second = provenance(attestation(NAME, content), attestation(NAME, content, SLSA))
    upstream.instead["/evidence/"] = lambda _: reply(second)
    del upstream.instead[f"/evidence/{NAME}"]
    later(cache, 86_399)
    assert cache.get(EVIDENCE).body == first
    later(cache, 2)
    assert cache.get(EVIDENCE).body == second
    assert cache.parts.storage.size(hashlib.sha256(first).hexdigest()) is None
    # What comes to be wrong takes nothing away, and is told.
    for answer in (lambda _: reply(b"{}"), lambda _: reply(status=404), lambda _: None):
        upstream.instead["/evidence/"] = answer
        later(cache, 86_401)
        assert cache.get(EVIDENCE).body == second
    assert [refusal["what"] for refusal in refusals(cache)] == ["provenance"]
    assert "provenance" in told(cache)


def _other_bytes(filename: str, _: bytes) -> bytes:
    return provenance(attestation(filename, b"other"))


def _one_of_two(filename: str, content: bytes) -> bytes:
    return provenance(attestation(filename, content), attestation(filename, b"other"))


def _bad_signature(filename: str, content: bytes) -> bytes:
    made, other = attestation(filename, content), attestation(filename, b"other")
    made["envelope"]["signature"] = other["envelope"]["signature"]
    return provenance(made)


def _twice_a_key(filename: str, content: bytes) -> bytes:
    text = json.dumps(statement(filename, b"other"))[:-1] + ","
    return provenance(sign(text.encode() + json.dumps(statement(filename, content))[1:].encode()))


WRONG: dict[str, Callable[[str, bytes], bytes]] = {
    "of other bytes": _other_bytes,
    "one of two of other bytes": _one_of_two,
    "of another file": lambda _, content: provenance(attestation("spam-1.0-py2-none-any.whl", content)),
    "signed by nobody": _bad_signature,
    "a key twice": _twice_a_key,
    "no JSON": lambda *_: b"<html>",
    "nested": lambda *_: b"[" * 100_000,
    "nothing": lambda *_: b"{}",
    "no bundle": lambda *_: b'{"version":1,"attestation_bundles":[]}',
    "a bundle of nothing": lambda *_: provenance(),
    "version 2": lambda name, content: provenance({**attestation(name, content), "version": 2}),
    "no publisher": lambda name, content: provenance(attestation(name, content)).replace(b'"kind"', b'"x"'),
    "no statement": lambda *_: provenance(sign(b"[]")),
    "another payload": lambda name, content: provenance(
        sign(json.dumps(statement(name, content)).encode(), payload_type=b"text/plain")
    ),
    "another curve": lambda name, content: provenance(
        sign(json.dumps(statement(name, content)).encode(), curve="secp384r1")
    ),
    "two subjects": lambda name, content: provenance(
        sign(
            json.dumps(
                {**statement(name, content), "subject": statement(name, content)["subject"] * 2}
            ).encode()
        )
    ),
}


@pytest.mark.parametrize("wrong", WRONG)
def test_provenance_that_is_not_of_the_file_is_not_passed_on_and_told_of(
    cache: InProcess, upstream: Upstream, wrong: str
) -> None:
    _, content = upstream.add()
    announce(upstream, WRONG[wrong](NAME, content))
    assert "provenance" in told(cache)
    refused = cache.get(EVIDENCE)
    assert (refused.status, refused.json()["code"]) == (502, "upstream-wrong"), refused.text
    assert refused.json()["context"][0]
    for _ in range(2):
        assert "provenance" not in told(cache)
        assert cache.get(EVIDENCE).status == 404
        later(cache)
    assert len(upstream.targets("/evidence/")) == 1
    [refusal] = refusals(cache)
    assert (refusal["filename"], refusal["what"]) == (NAME, "provenance")
    assert cache.get(f"/cache/files/spam/{NAME}").body == content  # the file has nothing to do with it


@pytest.mark.parametrize("more", [0, 1])
def test_provenance_is_as_large_as_the_limit_and_no_larger(
    tmp_path: Path, upstream: Upstream, more: int
) -> None:
    _, content = upstream.add()
    body = provenance(attestation(NAME, content))
    announce(upstream, body)
    with InProcess.open(str(tmp_path / "x"), limits=limits(provenance_bytes=len(body) - more)) as cache:
        make(cache, "cache", upstream.url)
        told(cache)
        assert cache.get(EVIDENCE).status == (502 if more else 200)


@pytest.mark.parametrize("more", [0, 1])
def test_attestations_of_upstream_have_a_number(tmp_path: Path, upstream: Upstream, more: int) -> None:
    _, content = upstream.add()
    announce(upstream, provenance(*[attestation(NAME, content)] * (3 + more)))
    with InProcess.open(str(tmp_path / "x"), limits=limits(provenance_attestations=3)) as cache:
        make(cache, "cache", upstream.url)
        told(cache)
        assert cache.get(EVIDENCE).status == (502 if more else 200)


@pytest.mark.parametrize("good", [True, False])
def test_provenance_of_upstream_is_held_against_the_trusted_root(
    tmp_path: Path, upstream: Upstream, good: bool
) -> None:
    trusted, path = Trusted(), tmp_path / "root.json"
    path.write_text(json.dumps(trusted.root()))
    _, content = upstream.add()
    vouched = trusted.attestation(json.dumps(statement(NAME, content)).encode())
    body = provenance(vouched, *(() if good else (attestation(NAME, content),)))
    announce(upstream, body)
    with InProcess.open(str(tmp_path / "x"), limits=limits(), attestation_roots=str(path)) as cache:
        make(cache, "cache", upstream.url)
        told(cache)
        found = cache.get(EVIDENCE)
        if good:
            assert (found.status, found.body) == (200, body)
        else:
            assert (found.status, found.json()["code"]) == (502, "upstream-wrong")
            assert "nobody trusted vouches" in found.json()["context"][0]
            assert "provenance" not in told(cache)


@pytest.mark.slow
def test_a_mirror_that_is_run_by_hand_asks_the_trusted_root_as_well(
    tmp_path: Path, upstream: Upstream
) -> None:
    folder, path = str(tmp_path / "x"), tmp_path / "root.json"
    path.write_text(json.dumps(Trusted().root()))
    _, content = upstream.add()
    announce(upstream, provenance(attestation(NAME, content)))
    with InProcess.open(folder, limits=limits()) as index:
        make(index, "cache", upstream.url)
    command = [sys.executable, "-m", "accord", "--json", "index", "mirror", "cache", "--data", folder]
    command += ["--name", "spam", "--attestation-roots", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert "nobody trusted vouches" in done.stdout, done.stdout + done.stderr


def test_provenance_upstream_does_not_give_now_is_asked_for_again(
    cache: InProcess, upstream: Upstream
) -> None:
    _, content = upstream.add()
    body = provenance(attestation(NAME, content))
    announce(upstream, body)
    there = upstream.instead.pop(f"/evidence/{NAME}")
    upstream.instead["/evidence/"] = lambda _: None
    told(cache)
    assert cache.get(EVIDENCE).status == 503
    assert "provenance" in told(cache)
    upstream.instead["/evidence/"] = there
    assert cache.get(EVIDENCE).body == body


def test_a_page_with_provenance_says_the_address_of_who_asks(cache: InProcess, upstream: Upstream) -> None:
    _, content = upstream.add()
    announce(upstream, provenance(attestation(NAME, content)))
    for host in ("localhost", "127.0.0.1:8694", "localhost"):
        found = cache.get("/cache/simple/spam/", accept=JSON, host=host).json()["files"][0]
        assert found["provenance"] == f"http://{host}{EVIDENCE}"
    assert "provenance" not in cache.get("/cache/simple/spam/", accept=JSON).json()["files"][0]


# ----------------------------------------------------------------------------------------------------- a mirror


def test_a_mirror_has_metadata_and_provenance_beside_its_files_without_upstream(tmp_path: Path) -> None:
    upstream = Upstream()
    with InProcess.open(str(tmp_path / "x"), limits=limits()) as cache:
        make(cache, "cache", upstream.url, filter={"names": ["spam"]})
        with upstream.server:
            _, content = upstream.add(metadata=METADATA)
            upstream.made.files["spam"][0].core_metadata = True
            body = provenance(attestation(NAME, content))
            announce(upstream, body)
            other, bad = upstream.add("spam", "2.0")
            announce(upstream, provenance(attestation(other, b"other")), other)
            told_of = sync(cache.parts, indexes_row(cache), connections=2, report=lambda _: None)
        assert told_of["fetched"] == 2
        assert list(told_of["failed"]) == [f"{other}.provenance"]
        assert "other bytes" in told_of["failed"][f"{other}.provenance"]
        assert cache.get(f"/cache/files/spam/{NAME}.metadata").body == METADATA
        assert cache.get(EVIDENCE).body == body
        assert cache.get(f"/cache/files/spam/{other}").body == bad


# ------------------------------------------------------------------------------------------------ other fields


def _page(upstream: Upstream, **more: Any) -> Callable[[Asked], bytes]:
    _, content = NAME, upstream.made.contents[NAME]
    file = {
        "filename": NAME,
        "url": f"../../files/{NAME}",
        "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
        **more,
    }
    body = {"meta": {"api-version": "1.4"}, "name": "spam", "versions": ["1.0"], "files": [file]}
    return lambda _: reply(json.dumps(body).encode(), headers={"Content-Type": JSON})


@pytest.mark.parametrize(
    ("key", "first", "then", "without"),
    [
        ("requires-python", ">=3.8", ">=3.9", None),
        ("size", None, 4711, None),
        ("upload-time", "2024-05-06T07:08:09.123456Z", "2024-05-06T07:08:10.000000Z", ...),
        ("yanked", "broken", "very broken", False),
        ("yanked", False, True, False),
        ("core-metadata", None, {"sha256": "a" * 64}, None),
        ("core-metadata", {"sha256": "a" * 64}, {"sha256": "b" * 64}, None),
        ("core-metadata", True, {"sha256": "b" * 64}, None),
    ],
)
def test_every_field_of_upstream_is_passed_on_and_again_when_it_changes(
    cache: InProcess, upstream: Upstream, key: str, first: Any, then: Any, without: Any
) -> None:
    upstream.add()
    for value in (first, then):
        upstream.instead["/simple/"] = _page(upstream, **({} if value is None else {key: value}))
        assert told(cache).get(key) == value
        later(cache)
    upstream.instead["/simple/"] = _page(upstream)
    if without is not ... and key != "size":  # what a file is long is found out once
        assert told(cache).get(key) == without


def test_a_length_upstream_does_not_say_is_said_when_the_file_is_here(
    cache: InProcess, upstream: Upstream
) -> None:
    _, content = upstream.add()
    upstream.instead["/simple/"] = _page(upstream)
    assert "size" not in told(cache)
    assert cache.get(f"/cache/files/spam/{NAME}").body == content
    deadline = time.monotonic() + 10
    while "size" not in told(cache) and time.monotonic() < deadline:  # the thread that fetched notes it
        time.sleep(0.01)
    assert told(cache)["size"] == len(content)
    later(cache)
    assert told(cache)["size"] == len(content)


@pytest.mark.parametrize("key", ["archived", "deprecated", "active"])
def test_the_status_of_upstream_and_its_reason_are_passed_on(
    cache: InProcess, upstream: Upstream, key: str
) -> None:
    def shown() -> Reply:
        return cache.get("/cache/simple/spam/", accept=JSON)

    upstream.add()
    assert "project-status" not in shown().json()
    upstream.made.status["spam"] = (key, "use eggs")
    later(cache)
    assert shown().json()["project-status"] == {"status": key, "reason": "use eggs"}
    html = cache.get("/cache/simple/spam/", accept="text/html").text
    assert f'<meta name="pypi:project-status" content="{key}">' in html
    upstream.made.status["spam"] = (key, None)
    later(cache)
    assert shown().json().get("project-status", {"status": "active"}) == {"status": key}


def test_core_metadata_that_come_later_upstream_are_passed_on_in_one_change(
    cache: InProcess, upstream: Upstream
) -> None:
    for number in range(5):
        upstream.add("spam", f"{number}.0", metadata=METADATA)
    for file in upstream.made.files["spam"]:
        file.core_metadata = False
    cache.get("/cache/simple/spam/", accept=JSON)
    before = cache.parts.database.serial()
    for file in upstream.made.files["spam"]:
        file.core_metadata = {"sha256": hashlib.sha256(METADATA).hexdigest()}
    later(cache)
    found = cache.get("/cache/simple/spam/", accept=JSON).json()["files"]
    assert all(file["core-metadata"] for file in found)
    assert cache.parts.database.serial() == before + 1


def test_what_is_promoted_out_of_a_cache_announces_only_what_is_here(
    cache: InProcess, upstream: Upstream
) -> None:
    """Where it is promoted to there is nobody to ask for the rest."""
    _, content = upstream.add(metadata=METADATA)
    announce(upstream, provenance(attestation(NAME, content)))
    assert {"core-metadata", "provenance"} <= told(cache).keys()
    assert cache.get(f"/cache/files/spam/{NAME}").status == 200

    def promote(to: str) -> dict[str, Any]:
        stack(cache, to)
        with cache.parts.database.write("test") as writing:
            target = indexes.index_named(writing.connection, to)
            promotion.promote(
                writing, cache.parts.storage, indexes_row(cache), target, "spam", "1.0", limits()
            )
        [file] = cache.get(f"/{to}/simple/spam/", accept=JSON, host="localhost").json()["files"]
        assert cache.get(f"/{to}/files/spam/{NAME}").body == content
        assert check(cache.parts) == ()
        return dict(file)

    assert not {"core-metadata", "provenance"} & promote("early").keys()
    assert cache.get(f"/cache/files/spam/{NAME}.metadata").status == 200
    assert cache.get(EVIDENCE).status == 200
    assert {"core-metadata", "provenance"} <= promote("late").keys()
    assert cache.get(f"/late/files/spam/{NAME}.metadata").body == METADATA
    assert cache.get(EVIDENCE.replace("cache", "late")).body == cache.get(EVIDENCE).body


@pytest.mark.parametrize(
    "url",
    [
        "file:///etc/passwd",
        "ftp://index.example/x",
        "javascript:x",
        "http://[::1",
        "http://a b/",
        "//:0/",
        "x" * 5_000,
    ],
    ids=lambda url: url[:20],
)
def test_an_address_of_provenance_that_leads_nowhere_is_no_fault_of_ours(
    cache: InProcess, upstream: Upstream, url: str
) -> None:
    _, content = upstream.add()
    upstream.made.files["spam"][0].provenance = url
    told(cache)
    assert cache.get(EVIDENCE).status in (404, 502, 503)
    assert cache.get(f"/cache/files/spam/{NAME}").body == content


@pytest.mark.parametrize("url", ["http://a b/", "http://index.example:0/"])
def test_an_address_of_a_file_that_leads_nowhere_is_no_fault_of_ours(
    cache: InProcess, upstream: Upstream, url: str
) -> None:
    upstream.add(metadata=METADATA)
    upstream.made.files["spam"][0].url = url
    told(cache)
    for path in (NAME, f"{NAME}.metadata"):
        assert cache.get(f"/cache/files/spam/{path}").status in (404, 502, 503)


@pytest.mark.parametrize("bad", ["\0", "\ud800"], ids=["NUL", "half a character"])
@pytest.mark.parametrize("key", ["requires-python", "yanked", "url", "provenance", "status"])
def test_text_no_database_takes_takes_no_page_away(
    cache: InProcess, upstream: Upstream, key: str, bad: str
) -> None:
    upstream.add()
    more = {} if key == "status" else {key: f"http://index.example/x{bad}"}
    answer = _page(upstream, **more)
    if key == "status":
        body = json.loads(answer(Asked("GET", "/", {}, 1)).partition(b"\r\n\r\n")[2])
        body["project-status"] = {"status": "archived", "reason": f"x{bad}"}
        upstream.instead["/simple/"] = lambda _: reply(
            json.dumps(body).encode(), headers={"Content-Type": JSON}
        )
    else:
        upstream.instead["/simple/"] = answer
    assert cache.get("/cache/simple/spam/", accept=JSON).status == 200
