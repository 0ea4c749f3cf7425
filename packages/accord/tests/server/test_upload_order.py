"""The write path on bad days: nothing is kept of what is refused, half sent, too slow, or more than there is room for."""

from __future__ import annotations

import asyncio
import os
import subprocess
import tempfile
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from starlette.requests import ClientDisconnect

from accord.server.errors import Refused
from accord.server.limits import DEFAULT, Limits
from accord.server.upload.receive import receive_form
from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess, basic, form

WHEEL = zip_bytes(wheel_parts())
NAME = "spam-1.0-py3-none-any.whl"


def kept(index: InProcess) -> tuple[list[str], list[str]]:
    """What lies in the storage, and what is still being received."""
    return list(index.parts.storage.digests()), [
        name for name in os.listdir(index.parts.incoming.folder) if name != ".lock"
    ]


def stranger(index: InProcess, **narrowed: object) -> str:
    """A token of a user who has no role anywhere."""
    headers = {"content-type": "application/json", **basic(index.token)}
    index.request("POST", "/api/users", headers, b'{"name": "eve"}')
    made = index.post("/api/tokens", {"name": "eve", "user": "eve", **narrowed})
    assert made.status == 201, made.text
    return str(made.json()["secret"])


def test_who_may_not_upload_is_told_so_before_a_byte_is_read(index: InProcess) -> None:
    token = stranger(index)
    for headers in (basic(token), {}):
        assert index.request("POST", "/legacy/", headers, b"this is no form").status in (401, 403)
    assert kept(index) == ([], [])


def test_nothing_is_stored_of_a_file_that_its_sender_may_not_upload(index: InProcess) -> None:
    made = index.post("/api/tokens", {"name": "ci", "projects": ["eggs"]})
    token = str(made.json()["secret"])
    assert index.upload(NAME, WHEEL, token=token).json()["code"] == "not-allowed"
    assert kept(index) == ([], [])


def test_nothing_is_stored_of_a_file_that_is_refused(index: InProcess) -> None:
    assert index.upload(NAME, WHEEL[:-1]).status == 400
    assert index.upload(NAME, WHEEL, summary="a lie").status == 400
    assert index.upload("spam-1.0.zip", WHEEL).status == 400
    assert kept(index) == ([], [])
    index.upload(NAME, WHEEL)
    before = kept(index)
    other = zip_bytes(wheel_parts({"spam/__init__.py": b"value = 2\n"}))
    assert index.upload(NAME, other).status == 409
    assert kept(index) == before


def test_permission_is_asked_before_the_file_is_opened(index: InProcess) -> None:
    """A bomb of somebody who may not upload costs no unpacking."""
    made = index.post("/api/tokens", {"name": "ci", "projects": ["eggs"]})
    reply = index.upload(NAME, b"no zip at all", token=str(made.json()["secret"]))
    assert reply.json()["code"] == "not-allowed"


def test_a_length_that_is_too_large_is_refused_before_a_byte_is_read(tmp_path: Path) -> None:
    limits = replace(DEFAULT, file_bytes=10_000, form_bytes=5_000)
    with InProcess.open(str(tmp_path / "data"), limits=limits) as index:
        headers = {"content-type": "multipart/form-data; boundary=x", **basic(index.token)}
        for length, status in (("15001", 413), ("9" * 30, 413), ("15000", 400)):
            reply = index.request("POST", "/legacy/", {**headers, "content-length": length}, b"")
            assert reply.status == status, reply.text


@pytest.mark.parametrize("over", [0, 1])
def test_a_file_may_have_as_many_bytes_as_its_limit(over: int, tmp_path: Path) -> None:
    limits = replace(DEFAULT, file_bytes=len(WHEEL) - over)
    with InProcess.open(str(tmp_path / "data"), limits=limits) as index:
        assert index.upload(NAME, WHEEL).status == (413 if over else 200)
        assert kept(index)[1] == []


def test_a_project_has_room_up_to_its_limit_and_the_same_file_again_takes_none(tmp_path: Path) -> None:
    sdist = sdist_bytes()
    limits = replace(DEFAULT, project_bytes=len(WHEEL) + len(sdist))
    with InProcess.open(str(tmp_path / "data"), limits=limits) as index:
        assert index.upload(NAME, WHEEL).status == 200
        assert index.upload("spam-1.0.tar.gz", sdist).status == 200
        assert index.upload(NAME, WHEEL).status == 200
        more = zip_bytes(wheel_parts(version="1.1"))
        refused = index.upload("spam-1.1-py3-none-any.whl", more)
        assert (refused.status, refused.json()["code"]) == (413, "project-too-large")
        eggs = zip_bytes(wheel_parts(name="eggs"))
        assert index.upload("eggs-1.0-py3-none-any.whl", eggs).status == 200


# -- receiving ------------------------------------------------------------------------------------------


def received(pieces: AsyncIterator[bytes], path: Path, limits: Limits, kind: str) -> int:
    return asyncio.run(receive_form(kind, pieces, str(path), limits)).size


async def parts_of(body: bytes, *, stop: int, then: str) -> AsyncIterator[bytes]:
    """The first bytes of a body, and then what an unlucky or unkind client does."""
    yield body[:stop]
    if then == "gone":
        raise ClientDisconnect
    while then == "silent":
        await asyncio.sleep(60)
    if then == "drip":
        for place in range(stop, len(body)):
            await asyncio.sleep(0.01)
            yield body[place : place + 1]


@pytest.mark.parametrize(
    ("then", "status", "code"),
    [
        ("gone", 400, "upload-form"),
        ("ended", 400, "upload-form"),
        ("silent", 408, "upload-too-slow"),
        ("drip", 408, "upload-too-slow"),
    ],
)
def test_half_an_upload_is_refused_and_leaves_nothing(
    then: str, status: int, code: str, tmp_path: Path
) -> None:
    body, kind = form({":action": "file_upload"}, NAME, WHEEL)
    limits = replace(DEFAULT, receive_idle_seconds=0.1, receive_seconds=0.3)
    path = tmp_path / "received"
    with pytest.raises(Refused) as refused:
        received(parts_of(body, stop=len(body) // 2, then=then), path, limits, kind)
    assert (refused.value.status, refused.value.code) == (status, code)
    assert not path.exists()


def test_a_slow_client_that_goes_on_is_waited_for(tmp_path: Path) -> None:
    body, kind = form({":action": "file_upload"}, NAME, WHEEL)
    limits = replace(DEFAULT, receive_idle_seconds=5, receive_seconds=60)
    assert received(parts_of(body, stop=len(body) - 30, then="drip"), tmp_path / "a", limits, kind) == len(
        WHEEL
    )


def test_a_large_file_goes_to_the_disk_and_not_to_memory(tmp_path: Path) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b'--x\r\nContent-Disposition: form-data; name="content"; filename="a"\r\n\r\n'
        for _ in range(64):
            yield bytes(1 << 20)
        yield b"\r\n--x--\r\n"

    tracemalloc.start()
    size = received(pieces(), tmp_path / "large", DEFAULT, "multipart/form-data; boundary=x")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert size == 64 << 20
    assert peak < 8 << 20


# -- a full disk ----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk() -> Iterator[Path]:
    """A file system of four megabytes; not below ``tmp_path``, which pytest could not remove if this were killed."""
    place = Path(tempfile.mkdtemp(prefix="accord-disk-"))
    done = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=4m", "tmpfs", str(place)], capture_output=True, check=False
    )
    if done.returncode:
        pytest.skip("mounting a small file system needs root")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)
    place.rmdir()


def fill(path: Path) -> None:
    """Write until nothing more goes in."""
    handle = os.open(path, os.O_WRONLY | os.O_CREAT)
    with pytest.raises(OSError, match="No space"):
        while os.write(handle, bytes(4096)):
            pass
    os.close(handle)


def test_a_full_disk_refuses_uploads_keeps_what_there_is_and_is_over_when_there_is_room(
    small_disk: Path,
) -> None:
    with InProcess.open(str(small_disk / "data")) as index:
        assert index.upload(NAME, WHEEL).status == 200
        large = zip_bytes(wheel_parts({"spam/noise": os.urandom(6 << 20)}, version="2.0"))
        refused = index.upload("spam-2.0-py3-none-any.whl", large)
        assert (refused.status, refused.json()["code"]) == (507, "server-disk-full")
        assert kept(index)[1] == []
        ballast = small_disk / "ballast"
        fill(ballast)
        small = zip_bytes(wheel_parts(version="1.1"))
        refused = index.upload("spam-1.1-py3-none-any.whl", small)
        assert refused.status in (503, 507), refused.text
        assert index.get(f"/files/spam/{NAME}").body == WHEEL
        assert kept(index)[1] == []
        ballast.unlink()
        assert index.upload("spam-1.1-py3-none-any.whl", small).status == 200
        files = index.get("/simple/spam/", accept="application/vnd.pypi.simple.v1+json").json()["files"]
        assert [one["filename"] for one in files] == [NAME, "spam-1.1-py3-none-any.whl"]
