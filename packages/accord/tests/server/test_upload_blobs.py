"""Bytes that wait to be published, and those nobody needs any more: none is lost that a row points at."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

from accord.server.app import application
from accord.server.catalogue import blobs, indexes, sessions
from accord.server.front import Front
from accord.server.incoming import Incoming
from accord.server.storage import BlobStore
from accord.server.storage.port import NOTHING
from accord.server.upload.tidying import tidy
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.people import give, person
from accord.testing.serving import InProcess, Reply
from accord.testing.uploading import Uploader

WHEEL = zip_bytes(wheel_parts())
NAME = "spam-1.0-py3-none-any.whl"


class Forgetful:
    """A storage out of which every blob vanishes as soon as it is put: somebody else's canceled session had the same
    bytes, and was tidied up that moment."""

    def __init__(self, storage: BlobStore) -> None:
        self._storage = storage

    def put(self, sha256: str, path: str, beside: Mapping[str, bytes] = NOTHING) -> None:
        self._storage.put(sha256, path, beside)
        self._storage.delete(sha256)

    def __getattr__(self, name: str) -> object:
        return getattr(self._storage, name)


class Meanwhile(Forgetful):
    """A storage that is slow enough for something to happen while a file is put into it."""

    def __init__(self, storage: BlobStore, happens: Callable[[], object]) -> None:
        super().__init__(storage)
        self._happens = happens

    def put(self, sha256: str, path: str, beside: Mapping[str, bytes] = NOTHING) -> None:
        self._storage.put(sha256, path, beside)
        self._happens()


def over(index: InProcess, storage: Forgetful) -> InProcess:
    parts = replace(index.parts, storage=storage)  # type: ignore[arg-type]
    return replace(index, parts=parts, app=Front(parts, application(parts)))


def forgetful(index: InProcess) -> InProcess:
    return over(index, Forgetful(index.parts.storage))


def test_a_form_whose_bytes_vanish_is_not_acknowledged(index: InProcess) -> None:
    refused = forgetful(index).upload(NAME, WHEEL)
    assert (refused.status, refused.json()["code"]) == (503, "blob-gone")
    assert refused.headers["retry-after"] == "1"
    assert index.get("/simple/spam/").status == 404
    assert index.upload(NAME, WHEEL).status == 200


def test_a_staged_file_whose_bytes_vanish_is_not_acknowledged(index: InProcess) -> None:
    upload, bad = Uploader(index), Uploader(forgetful(index))
    session = upload.open()
    begun = upload.begin(session, NAME, WHEEL)
    assert bad.send(begun, WHEEL).status == 503
    assert upload.send(begun, WHEEL).status == 204
    assert upload.complete(begun).status == 201


def test_the_same_bytes_in_two_sessions_go_with_the_last(index: InProcess) -> None:
    """One release under two names of a file system cannot be, but one file in two sessions can: of two indexes."""
    with index.parts.database.write("system") as writing:
        indexes.add_index(writing, "team")
    first, second = Uploader(index), Uploader(index, root="/team/upload/")
    here, there = first.open(), second.open()
    first.put(here, NAME, WHEEL)
    second.put(there, NAME, WHEEL)
    first.delete(here.headers["location"])
    assert second.publish(there).status == 201
    assert index.get(f"/team/files/spam/{NAME}").body == WHEEL
    assert index.get(f"/team/files/spam/{NAME}.metadata").status == 200


def test_releasing_deletes_what_no_row_points_at_and_nothing_else(index: InProcess) -> None:
    index.upload(NAME, WHEEL)
    storage = index.parts.storage
    storage.put_bytes("0" * 64, b"nobody's")
    with index.parts.database.write("system") as writing:
        assert blobs.release(writing, storage, list(storage.digests())) == 1
    assert index.get(f"/files/spam/{NAME}").body == WHEEL
    assert index.get(f"/files/spam/{NAME}.metadata").status == 200


def test_halves_of_uploads_are_removed_when_their_process_has_ended(index: InProcess) -> None:
    ended, serving = Incoming(index.parts.settings.incoming), Incoming(index.parts.settings.incoming)
    for one in (ended, serving, index.parts.incoming):
        Path(one.path()).write_bytes(b"half")
    os.unlink(os.path.join(ended.folder, ".lock"))  # nobody holds it any more
    tidy(index.parts)
    kept = [len(os.listdir(one.folder)) for one in (serving, index.parts.incoming)]
    assert (os.path.exists(ended.folder), kept) == (False, [2, 2])
    serving.close()


def test_a_file_that_is_no_file_of_an_index_takes_no_room(index: InProcess) -> None:
    upload = Uploader(index)
    begun = upload.begin(upload.open(), NAME, b"x" * 1000)
    assert upload.send(begun, b"x" * 1000).status == 204
    assert list(index.parts.storage.digests()) == []
    assert os.listdir(index.parts.incoming.folder) == [".lock"]


def test_a_form_that_is_refused_leaves_no_bytes(index: InProcess) -> None:
    index.upload(NAME, WHEEL)
    before = sorted(index.parts.storage.digests())
    other = zip_bytes(wheel_parts({"spam/__init__.py": b"value = 2\n"}))
    assert index.upload(NAME, other).status == 409
    assert sorted(index.parts.storage.digests()) == before
    reader = person(index, "reader")
    give(index, "main", "reader", "reader")
    assert (
        index.upload("ham-1.0-py3-none-any.whl", zip_bytes(wheel_parts(name="ham")), token=reader).status
        == 403
    )
    assert sorted(index.parts.storage.digests()) == before
    assert index.get(f"/files/spam/{NAME}").body == WHEEL


def test_a_session_canceled_while_its_file_is_stored_keeps_no_bytes(index: InProcess) -> None:
    upload = Uploader(index)
    session = upload.open()
    begun = upload.begin(session, NAME, WHEEL)
    with index.parts.database.read() as connection:
        found = sessions.find_session(
            connection, indexes.index_named(connection, "main"), *_known(session, index)
        )
    assert found is not None

    def cancel() -> None:
        with index.parts.database.write("system") as writing:
            sessions.cancel(writing, found, index.parts.settings.limits)

    late = Uploader(over(index, Meanwhile(index.parts.storage, cancel)))
    assert late.send(begun, WHEEL).status == 409
    assert list(index.parts.storage.digests()) == []


def _known(session: Reply, index: InProcess) -> tuple[str, int]:
    return session.headers["location"].rpartition("/")[2], index.clock()


def test_a_full_disk_is_said_and_the_file_can_be_sent_again(index: InProcess) -> None:
    upload = Uploader(index)
    begun = upload.begin(upload.open(), NAME, WHEEL)

    def full() -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    refused = Uploader(over(index, Meanwhile(index.parts.storage, full))).send(begun, WHEEL)
    assert (refused.status, refused.json()["code"]) == (507, "server-disk-full")
    assert list(index.parts.storage.digests()) == []
    assert upload.send(begun, WHEEL).status == 204
    assert upload.complete(begun).status == 201
