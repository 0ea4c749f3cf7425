"""Staged previews (PEP 694): what is not published yet, installed by those who have the token and seen by nobody else."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from accord.server.catalogue import indexes
from accord.testing.archives import sdist_bytes, wheel_parts, zip_bytes
from accord.testing.people import hide, put
from accord.testing.serving import InProcess, Served
from accord.testing.uploading import HttpUploader, Uploader

JSON = "application/vnd.pypi.simple.v1+json"
WHEEL = zip_bytes(wheel_parts())
NAME = "spam-1.0-py3-none-any.whl"


def staged(index: InProcess, root: str = "/upload/") -> tuple[Uploader, str, str]:
    """An uploader, its session's URL, and its stage's path."""
    upload = Uploader(index, root=root)
    session = upload.open()
    upload.put(session, NAME, WHEEL)
    stage = session.json()["links"]["stage"].removeprefix("http://index.example")
    return upload, session.headers["location"], stage


def test_the_stage_is_an_index_with_the_release(index: InProcess) -> None:
    _, _, stage = staged(index)
    root = index.get(stage, accept=JSON)
    assert [one["name"] for one in root.json()["projects"]] == ["spam"]
    page = index.get(f"{stage}spam/", accept=JSON)
    assert page.headers["cache-control"] == "private, no-store"
    [file] = page.json()["files"]
    assert file["filename"] == NAME
    assert file["upload-time"] == "2026-09-21T14:13:20.000000Z"
    base = stage.removesuffix("simple/")
    assert index.get(f"{base}files/spam/{NAME}").body == WHEEL
    assert index.get(f"{base}files/spam/{NAME}.metadata").body.startswith(b"Metadata-Version")
    moved = index.get(f"{stage}SPAM/?format=x")
    assert (moved.status, moved.headers["location"]) == (301, "../spam/?format=x")
    for path, to in (("", "simple/"), ("/spam", "spam/")):
        moved = index.get(f"{stage.removesuffix('/')}{path}?format=x")
        assert (moved.status, moved.headers["location"]) == (301, f"./{to}?format=x")
    assert index.get(f"{stage}ham/").status == 404


def test_the_stage_shows_the_project_as_it_will_be(index: InProcess) -> None:
    index.upload("spam-0.9-py3-none-any.whl", zip_bytes(wheel_parts(version="0.9")))
    _, _, stage = staged(index)
    page = index.get(f"{stage}spam/", accept=JSON).json()
    assert page["versions"] == ["0.9", "1.0"]
    assert [file["filename"] for file in page["files"]] == ["spam-0.9-py3-none-any.whl", NAME]
    base = stage.removesuffix("simple/")
    assert index.get(f"{base}files/spam/spam-0.9-py3-none-any.whl").status == 200


def test_only_what_is_staged_is_shown_of_an_index_that_is_not_public(index: InProcess) -> None:
    with index.parts.database.write("system") as writing:
        indexes.add_index(writing, "team", public=False)
    index.upload("spam-0.9-py3-none-any.whl", zip_bytes(wheel_parts(version="0.9")), index="team")
    _, _, stage = staged(index, "/team/upload/")
    page = index.get(f"{stage}spam/", accept=JSON).json()
    assert [file["filename"] for file in page["files"]] == [NAME]
    base = stage.removesuffix("simple/")
    assert index.get(f"{base}files/spam/{NAME}").status == 200
    assert index.get(f"{base}files/spam/spam-0.9-py3-none-any.whl").status == 404
    assert index.get("/team/simple/spam/").status == 401
    assert index.get(stage.removeprefix("/team")).status == 404


def test_only_what_is_staged_is_shown_of_a_private_project(index: InProcess) -> None:
    put(index, version="0.9")
    hide(index, "main/spam")
    _, _, stage = staged(index)
    page = index.get(f"{stage}spam/", accept=JSON).json()
    assert [file["filename"] for file in page["files"]] == [NAME]
    base = stage.removesuffix("simple/")
    assert index.get(f"{base}files/spam/spam-0.9-py3-none-any.whl").status == 404


@pytest.mark.parametrize("guess", ["", "x", "0" * 43, "%00", "..", "'"])
def test_a_guessed_stage_is_no_stage(index: InProcess, guess: str) -> None:
    staged(index)
    # A NUL is a text PostgreSQL does not even look for.
    assert index.get(f"/stage/{guess}/simple/spam/").status in ((404, 400) if guess == "%00" else (404,))


def test_a_stage_ends_with_its_session(index: InProcess) -> None:
    upload, session, stage = staged(index)
    assert index.get(f"{stage}spam/").status == 200
    upload.delete(session)
    assert index.get(f"{stage}spam/").status == 404
    assert index.get(f"{stage.removesuffix('simple/')}files/spam/{NAME}").status == 404


def test_files_that_are_not_completed_are_not_on_the_stage(index: InProcess) -> None:
    upload = Uploader(index)
    session = upload.open()
    begun = upload.begin(session, NAME, WHEEL)
    upload.send(begun, WHEEL)
    stage = session.json()["links"]["stage"].removeprefix("http://index.example")
    assert index.get(f"{stage}spam/", accept=JSON).json()["files"] == []
    assert index.get(f"{stage.removesuffix('simple/')}files/spam/{NAME}").status == 404
    upload.put(session, "spam-1.0.tar.gz", sdist_bytes())
    [file] = index.get(f"{stage}spam/", accept=JSON).json()["files"]
    assert file["filename"] == "spam-1.0.tar.gz"


def test_pip_and_uv_install_a_release_before_it_is_published(tmp_path: Path) -> None:
    with Served(str(tmp_path / "data")) as served:
        upload = HttpUploader(served.url, served.token)
        session = upload.open()
        upload.put(session, NAME, WHEEL)
        stage = session["links"]["stage"]
        for number, tool in enumerate(
            (["-m", "pip", "install", "--isolated", "-q"], ["-m", "uv", "pip", "install"])
        ):
            target = tmp_path / f"target{number}"
            command = [
                sys.executable,
                *tool,
                "--no-cache-dir",
                "-i",
                f"{served.url}/simple/",
                "-t",
                str(target),
            ]
            plain = subprocess.run([*command, "spam"], capture_output=True, check=False)
            assert plain.returncode != 0
            subprocess.run([*command, "--extra-index-url", stage, "spam"], capture_output=True, check=True)
            assert (target / "spam" / "__init__.py").read_bytes() == b"value = 1\n"
