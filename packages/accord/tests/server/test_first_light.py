"""Upload a file, read its page, fetch it: the way every other test of the index builds on."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import InProcess, Served

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = zip_bytes(wheel_parts())
NAME = "spam-1.0-py3-none-any.whl"


def test_an_uploaded_wheel_is_on_its_page_with_everything_the_page_has_to_say(index: InProcess) -> None:
    assert index.upload(NAME, WHEEL).status == 200
    page = index.get("/simple/spam/", accept=JSON)
    assert page.headers["content-type"] == JSON
    [file] = page.json()["files"]
    assert file["filename"] == NAME
    assert file["hashes"] == {"sha256": hashlib.sha256(WHEEL).hexdigest()}
    assert file["size"] == len(WHEEL)
    assert file["upload-time"] == "2026-09-21T14:13:20.000000Z"
    metadata = index.get(f"/simple/spam/{file['url']}.metadata".replace("simple/spam/../../", ""))
    assert hashlib.sha256(metadata.body).hexdigest() == file["core-metadata"]["sha256"]


def test_a_page_that_changed_is_never_answered_from_the_shelf(index: InProcess) -> None:
    index.upload(NAME, WHEEL)
    first = index.get("/simple/spam/", accept=JSON)
    assert index.get("/simple/spam/", accept=JSON, if_none_match=first.headers["etag"]).status == 304
    index.upload("spam-1.0.tar.gz", sdist_bytes())
    second = index.get("/simple/spam/", accept=JSON, if_none_match=first.headers["etag"])
    assert second.status == 200
    assert len(second.json()["files"]) == 2


def test_the_same_file_again_is_no_change_and_another_under_its_name_is_refused(index: InProcess) -> None:
    index.upload(NAME, WHEEL)
    before = index.parts.database.serial()
    assert index.upload(NAME, WHEEL).status == 200
    assert index.parts.database.serial() == before
    other = zip_bytes(wheel_parts({"spam/__init__.py": b"value = 2\n"}))
    refused = index.upload(NAME, other)
    assert refused.status == 409
    assert refused.json()["code"] == "file-exists"


def test_nobody_uploads_without_a_token_and_a_forged_one_is_none(index: InProcess) -> None:
    forged = index.token[:-4] + ("AAAA" if not index.token.endswith("AAAA") else "BBBB")
    for token in ("", "accord_0000000000000000.AAAA", forged):
        refused = index.upload(NAME, WHEEL, token=token)
        assert refused.status == 401, token
    assert index.get("/simple/spam/").status == 404


def test_serials_count_without_gaps_in_the_order_of_the_changes(index: InProcess) -> None:
    for number in range(3):
        version = f"1.{number}"
        index.upload(f"spam-{version}-py3-none-any.whl", zip_bytes(wheel_parts(version=version)))
    root = index.get("/simple/", accept=JSON).json()
    assert (
        root["meta"]["_last-serial"] == root["projects"][0]["_last-serial"] == index.parts.database.serial()
    )


def test_pip_installs_from_an_index_that_was_just_started(served: Served, tmp_path: Path) -> None:
    wheel = tmp_path / NAME
    wheel.write_bytes(WHEEL)
    upload = [sys.executable, "-m", "twine", "upload", "--repository-url", f"{served.url}/legacy/"]
    subprocess.run(
        [*upload, "-u", "__token__", "-p", served.token, str(wheel)], check=True, capture_output=True
    )
    target = tmp_path / "target"
    pip = [sys.executable, "-m", "pip", "install", "--no-cache-dir", "--isolated", "-q"]
    subprocess.run([*pip, "-i", f"{served.url}/simple/", "-t", str(target), "spam"], check=True)
    assert (target / "spam" / "__init__.py").read_bytes() == b"value = 1\n"
