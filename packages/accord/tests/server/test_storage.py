"""What every place for blobs keeps to (``storage.port``): a folder and an object store, over one set of tests."""

from __future__ import annotations

import hashlib
import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from accord.cli.main import main
from accord.server.errors import Refused
from accord.server.storage import BlobStore, open_storage
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.objects import Objects
from accord.testing.serving import InProcess
from accord_core.errors import UsageError

DATA = b"a wheel, as good as any" * 100
SHA256 = hashlib.sha256(DATA).hexdigest()
NOTHING = "0" * 64
NAME = "spam-1.0-py3-none-any.whl"
WHEEL = zip_bytes(wheel_parts())


@pytest.fixture(params=("folder", "objects"))
def store(request: pytest.FixtureRequest, tmp_path: Path) -> BlobStore:
    if request.param == "folder":
        return open_storage(f"file://{tmp_path / 'blobs'}")
    found: Objects = request.getfixturevalue("objects")
    return open_storage(found.new_bucket())


def put(store: BlobStore, tmp_path: Path, data: bytes = DATA) -> str:
    sha256 = hashlib.sha256(data).hexdigest()
    path = tmp_path / "received"
    path.write_bytes(data)
    store.put(sha256, str(path))
    return sha256


def test_what_is_put_is_there_with_its_size_and_its_bytes(store: BlobStore, tmp_path: Path) -> None:
    put(store, tmp_path)
    assert store.size(SHA256) == len(DATA)
    assert store.read(SHA256) == DATA
    assert b"".join(store.stream(SHA256)) == DATA


def test_a_small_blob_is_put_from_memory(store: BlobStore) -> None:
    store.put_bytes(SHA256, DATA)
    store.put_bytes(SHA256, DATA)
    assert store.read(SHA256) == DATA


def test_any_range_is_read_by_itself(store: BlobStore, tmp_path: Path) -> None:
    put(store, tmp_path)
    for start, stop in ((0, 1), (5, 17), (len(DATA) - 1, len(DATA)), (7, None)):
        assert b"".join(store.stream(SHA256, start=start, stop=stop)) == DATA[start:stop]


def test_a_large_file_goes_up_in_parts_and_comes_down_in_pieces(store: BlobStore, tmp_path: Path) -> None:
    data = bytes(range(256)) * 80_000  # 20 MB
    sha256 = put(store, tmp_path, data)
    assert store.size(sha256) == len(data)
    assert b"".join(store.stream(sha256)) == data
    assert b"".join(store.stream(sha256, start=8_388_600, stop=8_388_620)) == data[8_388_600:8_388_620]


def test_known_bytes_are_kept_once(store: BlobStore, tmp_path: Path) -> None:
    put(store, tmp_path)
    put(store, tmp_path)
    assert list(store.digests()) == [SHA256]


def test_the_listing_says_what_lies_there_how_large_and_since_when(store: BlobStore, tmp_path: Path) -> None:
    put(store, tmp_path)
    [one] = store.listing()
    assert (one.sha256, one.size) == (SHA256, len(DATA))
    assert abs(one.at / 1e6 - time.time()) < 60


def test_the_listing_is_of_those_that_begin_so_where_that_is_asked(store: BlobStore, tmp_path: Path) -> None:
    put(store, tmp_path)
    assert [one.sha256 for one in store.listing(SHA256[:2])] == [SHA256]
    other = f"{int(SHA256[:2], 16) ^ 1:02x}"
    assert list(store.listing(other)) == []


def test_what_is_not_there_is_said_not_to_be(store: BlobStore) -> None:
    assert store.size(NOTHING) is None
    assert store.path(NOTHING) is None
    for ask in (lambda: store.read(NOTHING), lambda: list(store.stream(NOTHING))):
        with pytest.raises(Refused) as refused:
            ask()
        assert refused.value.code == "blob-missing"


def test_what_was_deleted_is_gone_and_may_be_deleted_again(store: BlobStore, tmp_path: Path) -> None:
    put(store, tmp_path)
    store.delete(SHA256)
    store.delete(SHA256)
    assert store.size(SHA256) is None
    assert list(store.digests()) == []


@pytest.mark.parametrize("what", ["serve", "index fsck"])
def test_a_folder_of_two_levels_is_refused_in_one_sentence_whose_commands_mend_it(
    tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    data = tmp_path / "it's data"
    with InProcess.open(str(data)) as index:
        assert index.upload(NAME, WHEEL).status == 200
    blobs = list((data / "blobs").glob("[0-9a-f][0-9a-f]/*"))
    for blob in blobs:
        deeper = blob.parent / blob.name[2:4]
        deeper.mkdir()
        blob.rename(deeper / blob.name)
    capsys.readouterr()
    assert main(["--json", *what.split(), "--data", str(data)]) != 0
    fault = json.loads(capsys.readouterr().out)["error"]
    assert (fault["code"], fault["message"].count("\n")) == ("server-storage-old", 0)
    mend = fault["hint"].partition("then: ")[2]
    subprocess.run(["/bin/sh", "-c", mend], check=True)
    with InProcess.open(str(data)) as index:
        assert index.get(f"/files/spam/{NAME}").body == WHEEL
    assert all(blob.exists() for blob in blobs)
    assert main(["index", "fsck", "--data", str(data)]) == 0


@pytest.mark.parametrize(
    "url",
    [
        "ftp://files.example/",
        "s3:///no-bucket",
        "s3://key:secret@bucket/prefix",
        "s3://bucket/?endpoint=https://store.example&color=red",
        "s3://bucket/?timeout=soon",
    ],
)
def test_a_url_that_names_no_storage_is_refused_and_its_secrets_are_not_shown(url: str) -> None:
    with pytest.raises(UsageError) as refused:
        open_storage(url)
    assert refused.value.code == "server-storage-unknown"
    assert "secret" not in refused.value.message


@pytest.fixture
def remote(tmp_path: Path, objects: Objects) -> Iterator[InProcess]:
    """An index whose files lie in an object store that is waited for one second."""
    with InProcess.open(str(tmp_path / "data"), storage=objects.new_bucket("timeout=1")) as found:
        yield found


def test_files_in_an_object_store_are_served_whole_and_by_range(remote: InProcess) -> None:
    assert remote.upload(NAME, WHEEL).status == 200
    whole = remote.get(f"/files/spam/{NAME}")
    assert (whole.status, whole.body) == (200, WHEEL)
    tail = remote.get(f"/files/spam/{NAME}", range="bytes=-20")
    assert (tail.status, tail.body) == (206, WHEEL[-20:])
    assert remote.get(f"/files/spam/{NAME}.metadata").text.startswith("Metadata-Version")


def test_clients_are_sent_to_the_store_where_the_url_says_so(tmp_path: Path, objects: Objects) -> None:
    storage = objects.new_bucket("redirect=60")
    with InProcess.open(str(tmp_path / "data"), storage=storage) as index:
        index.upload(NAME, WHEEL)
        sent = index.get(f"/files/spam/{NAME}")
        assert sent.status == 302
        assert sent.headers["cache-control"] == "no-store"
        assert "X-Amz-Expires=60" in sent.headers["location"]
        with urllib.request.urlopen(sent.headers["location"], timeout=30) as answer:
            assert answer.read() == WHEEL
        assert index.request("HEAD", f"/files/spam/{NAME}").status == 200  # the signature is for GET
        assert index.get("/files/spam/other-1.0.tar.gz").status == 404


@pytest.mark.slow
def test_a_store_that_says_nothing_acknowledges_nothing_and_is_used_again_when_it_is_back(
    remote: InProcess, objects: Objects
) -> None:
    objects.pause()
    try:
        refused = remote.upload(NAME, WHEEL)
    finally:
        objects.go_on()
    assert refused.status == 503
    assert refused.json()["code"] == "server-storage-unavailable"
    assert refused.headers["retry-after"]
    assert remote.get("/simple/spam/").status == 404
    assert remote.upload(NAME, WHEEL).status == 200
    assert remote.get(f"/files/spam/{NAME}").body == WHEEL


@pytest.mark.slow
def test_a_download_from_a_store_that_says_nothing_is_a_coded_answer(
    remote: InProcess, objects: Objects
) -> None:
    remote.upload(NAME, WHEEL)
    objects.pause()
    try:
        refused = remote.get(f"/files/spam/{NAME}")
    finally:
        objects.go_on()
    assert (refused.status, refused.json()["code"]) == (503, "server-storage-unavailable")
    assert remote.get(f"/files/spam/{NAME}").status == 200


def test_a_bucket_that_is_not_there_is_a_coded_answer(tmp_path: Path, objects: Objects) -> None:
    storage = objects.new_bucket().replace("s3://bucket", "s3://no-bucket")
    with InProcess.open(str(tmp_path / "data"), storage=storage) as index:
        refused = index.upload(NAME, WHEEL)
        assert (refused.status, refused.json()["code"]) == (503, "server-storage-unavailable")
        assert index.get("/simple/spam/").status == 404
