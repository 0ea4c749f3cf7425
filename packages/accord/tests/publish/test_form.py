"""The form of old: the same fields twine sends, and the words indexes have for "it is there already"."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from python_multipart.multipart import parse_form, parse_options_header

from accord.publish.desk import Answer
from accord.publish.form import form_fields, is_there_already
from accord.publish.parcels import read_parcel
from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes
from accord.testing.loopback import Asked, Loopback, reply
from accord.testing.uploading import make_release

Publish = Callable[..., Any]

METADATA = """\
Metadata-Version: 2.4
Name: Spam.Eggs
Version: 1.0
Dynamic: Requires-Dist
Platform: any
Summary: Käse, "quoted"
Description-Content-Type: text/markdown
Keywords: one
Home-page: https://home.example/
Author: Ada
Author-email: Ada <ada@example.org>
Maintainer-email: Eve <eve@example.org>
License-Expression: MIT
License-File: LICENSE
License-File: COPYING
Classifier: Topic :: Software Development
Classifier: Typing :: Typed
Requires-Dist: ham>=1 ; extra == "all"
Requires-Dist: eggs
Requires-Python: >=3.8
Project-URL: Home, https://home.example/
Project-URL: Issues, https://issues.example/
Provides-Extra: all

# Spam

A *long* description.
"""


def fields_of(asked: Asked) -> tuple[dict[str, list[str]], dict[str, bytes]]:
    """``(fields, files)`` of a form, as another library reads it."""
    import io

    fields: dict[str, list[str]] = {}
    files: dict[str, bytes] = {}

    def on_field(field: Any) -> None:
        fields.setdefault(field.field_name.decode(), []).append((field.value or b"").decode())

    def on_file(file: Any) -> None:
        file.file_object.seek(0)
        files[file.file_name.decode()] = file.file_object.read()

    headers = {
        "Content-Type": asked.headers["content-type"].encode(),
        "Content-Length": str(len(asked.body)).encode(),
    }
    assert parse_options_header(asked.headers["content-type"])[0] == b"multipart/form-data"
    parse_form(headers, io.BytesIO(asked.body), on_field, on_file)
    return fields, files


@pytest.mark.parametrize("kind", ["wheel", "sdist"])
def test_the_form_is_the_one_twine_sends(publish: Publish, tmp_path: Path, kind: str) -> None:
    dist = tmp_path / "dist"
    dist.mkdir()
    if kind == "wheel":
        path = dist / "spam_eggs-1.0-cp312-abi3-linux_x86_64.whl"
        licences = {f"spam_eggs-1.0.dist-info/licenses/{name}": b"x" for name in ("LICENSE", "COPYING")}
        parts = wheel_parts(
            {"spam_eggs/__init__.py": b"", **licences},
            name="spam_eggs",
            metadata=METADATA,
            wheel="Wheel-Version: 1.0\nGenerator: t\nRoot-Is-Purelib: false\nTag: cp312-abi3-linux_x86_64\n",
        )
        path.write_bytes(zip_bytes(parts))
    else:
        path = dist / "spam_eggs-1.0.tar.gz"
        names = {"PKG-INFO": METADATA.encode(), "pyproject.toml": b"", "LICENSE": b"x", "COPYING": b"x"}
        path.write_bytes(
            sdist_bytes([TarPart(f"spam_eggs-1.0/{name}", data) for name, data in names.items()])
        )
    with Loopback(lambda asked: reply(status=404 if asked.target == "/upload/" else 200)) as server:
        twine = [
            sys.executable,
            "-m",
            "twine",
            "upload",
            "--disable-progress-bar",
            "-u",
            "__token__",
            "-p",
            "t",
        ]
        subprocess.run(
            [*twine, "--repository-url", f"{server.url}/legacy/", str(path)], check=True, capture_output=True
        )
        theirs = server.asked[-1]
        assert publish("--index", f"{server.url}/legacy/", "--token", "t", "--no-check").status == 0
        ours = server.asked[-1]
    assert ours.headers["authorization"] == theirs.headers["authorization"]
    (our_fields, our_files), (their_fields, their_files) = fields_of(ours), fields_of(theirs)
    assert our_files == their_files == {path.name: path.read_bytes()}
    their_fields.pop("attestations", None)
    assert {name: [text.strip() for text in texts] for name, texts in our_fields.items()} == {
        name: [text.strip() for text in texts] for name, texts in their_fields.items() if any(texts)
    }


def answer(status: int, text: str = "", code: str = "") -> Answer:
    return Answer(status, {}, {"code": code, "detail": text} if code else {}, text)


@pytest.mark.parametrize(
    ("said", "there"),
    [
        (answer(409), True),  # pypiserver
        (answer(400, "File already exists. See the help"), True),  # the public index
        (answer(403, "overwrite artifact is not allowed"), True),
        (answer(400, "Repository does not allow updating assets: this file already exists"), True),
        (answer(400, "the name has already been taken"), True),
        (answer(409, "other bytes", "file-exists"), True),
        (answer(409, "looks like", "project-look-alike"), False),
        (answer(400, "invalid metadata"), False),
        (answer(403, "not allowed"), False),
        (answer(200, "File already exists"), False),
        (answer(500, "already exists"), False),
    ],
)
def test_indexes_say_in_many_ways_that_a_file_is_there(said: Answer, there: bool) -> None:
    assert is_there_already(said) is there


def test_only_what_is_there_is_left_out(publish: Publish, tmp_path: Path) -> None:
    files = make_release(tmp_path, "some")

    def index(asked: Asked) -> bytes:
        if asked.target == "/upload/":
            return reply(status=405)
        return reply(status=409 if b".whl" in asked.body else 200)

    with Loopback(index) as server:
        refused = publish("--index", f"{server.url}/legacy/", "--token", "t")
        assert "publish-conflict" in refused.err
        done = publish("--index", f"{server.url}/legacy/", "--token", "t", "--skip-existing", "--json")
    [release] = json.loads(done.out)["releases"]
    assert release["protocol"] == "legacy"
    assert {file["filename"]: file["state"] for file in release["files"]} == {
        files[0].name: "there",
        files[1].name: "published",
    }


def test_deprecated_fields_are_told_of_with_what_stands_in_their_place(
    publish: Publish, tmp_path: Path
) -> None:
    old = "Metadata-Version: 1.1\nName: old\nVersion: 1.0\nHome-page: https://home.example/\nRequires: zlib (>=1.1)\n"
    wheel = tmp_path / "old-1.0-py3-none-any.whl"
    wheel.write_bytes(zip_bytes(wheel_parts({"old.py": b""}, name="old", metadata=old)))
    [new, _] = make_release(tmp_path, "new")

    def said(path: Path) -> str:
        return str(publish(str(path), "--index", "https://index.example/", "--no-check", "--dry-run").err)

    assert (
        "old 1.0 has fields that are deprecated (Home-page: write Project-URL; Requires: write Requires-Dist)"
        in said(wheel)
    )
    assert "deprecated" not in said(new)


def test_half_a_release_is_told_as_such(publish: Publish, tmp_path: Path) -> None:
    wheel, sdist = make_release(tmp_path, "halves")

    def index(asked: Asked) -> bytes:
        if asked.target == "/upload/":
            return reply(status=404)
        return reply(status=200 if b".whl" in asked.body else 400)

    with Loopback(index) as server:
        done = publish("--index", f"{server.url}/legacy/", "--token", "t")
    assert done.status == 1
    assert f"published: {wheel.name}" in done.err
    assert f"not published: {sdist.name}" in done.err
    assert "--skip-existing" in done.err


@pytest.mark.parametrize("words", [["--preview"], ["--resume"]])
def test_there_are_no_previews_without_sessions(publish: Publish, tmp_path: Path, words: list[str]) -> None:
    make_release(tmp_path, "none")
    with Loopback(lambda _: reply(status=404)) as server:
        done = publish("--index", f"{server.url}/legacy/", "--token", "t", *words)
    assert done.status == 2
    assert "publish-no-preview" in done.err
    assert [asked.target for asked in server.asked] == ["/upload/"]


def test_every_field_of_a_metadata_file_is_sent(tmp_path: Path) -> None:
    [wheel, _] = make_release(tmp_path, "fields")
    names = [name for name, _ in form_fields(read_parcel(str(wheel)))]
    assert {"requires_python", "summary", "metadata_version", "filetype", "pyversion"} <= set(names)
