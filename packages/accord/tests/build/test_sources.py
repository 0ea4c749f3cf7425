"""Sources: fetched, pinned, recorded as PEP 610 says and locked as PEP 751 says; ``packaging`` is the judge."""

from __future__ import annotations

import hashlib
import io
import json
import os
import subprocess
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

import pytest
from packaging.direct_url import DirectUrl
from packaging.pylock import Pylock

from accord.build.git import Git
from accord.build.reference import Reference, locked_reference, parse_reference
from accord.build.sources import ArchiveSource, SdistSource, Source, Sources
from accord.io.http.client import Client
from accord.io.http.options import HttpOptions
from accord.testing.builds import GOOD_BACKEND, PYPROJECT
from accord_core.errors import AccordError, ArchiveError, BuildError
from accord_core.lock.model import Archive, Directory, Vcs

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from accord.build.frontend import Builder

GIT_ENVIRON = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_NOSYSTEM": "1",
}


def targz(files: dict[str, str]) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as archive:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


SDIST = targz({"demo-1.0/backend.py": GOOD_BACKEND, "demo-1.0/pyproject.toml": PYPROJECT})
NESTED = targz({"r-main/py/backend.py": GOOD_BACKEND, "r-main/py/pyproject.toml": PYPROJECT})
STATIC = targz(
    {
        "demo-1.0/PKG-INFO": "Metadata-Version: 2.2\nName: demo\nVersion: 1.0\nRequires-Dist: a\n",
        "demo-1.0/setup.py": "raise SystemExit('must not run')",
    }
)


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Server:
    """A server on the loopback; ``files`` by path, ``asked`` the paths in order."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                outer.asked.append(self.path)
                data = outer.files.get(self.path)
                self.send_response(404 if data is None else 200)
                self.send_header("Content-Length", str(len(data or b"")))
                self.end_headers()
                self.wfile.write(data or b"")

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                """Quiet."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    yield running
    running.close()


@pytest.fixture
def sources(tmp_path: Path) -> Iterator[Callable[..., Sources]]:
    clients: list[Client] = []

    def make(*, offline: bool = False) -> Sources:
        client = Client(HttpOptions(offline=offline), environ={})
        clients.append(client)
        cache = str(tmp_path / "cache")
        return Sources(cache, client, Git(cache, environ=GIT_ENVIRON, offline=offline))

    yield make
    for client in clients:
        client.close()


def read(text: str, **options: object) -> Reference:
    return parse_reference(text, base="/", **options)  # type: ignore[arg-type]


def judged(source: Source, base: str) -> Archive | Directory | Vcs:
    """The lock entry of ``source``, after ``packaging`` has accepted it and its ``direct_url.json``."""
    record = json.loads(json.dumps(source.direct_url()))
    assert DirectUrl.from_dict(record).to_dict() is not None
    entry = source.lock_entry(base)
    key = {"Archive": "archive", "Directory": "directory", "Vcs": "vcs"}[type(entry).__name__]
    table = {
        name.replace("_", "-"): value
        for name in entry.__slots__
        if (value := getattr(entry, name)) not in (None, {})
    }
    Pylock.from_dict({"lock-version": "1.0", "created-by": "t", "packages": [{"name": "demo", key: table}]})
    return entry


def test_an_archive_by_url(
    server: Server, sources: Callable[..., Sources], builder: Callable[..., Builder], tmp_path: Path
) -> None:
    server.files["/demo-1.0.tar.gz"] = SDIST
    source = sources().open_source(read(f"{server.url}/demo-1.0.tar.gz", name="demo"))
    assert source.direct_url() == {
        "url": f"{server.url}/demo-1.0.tar.gz",
        "archive_info": {"hash": f"sha256={sha256(SDIST)}", "hashes": {"sha256": sha256(SDIST)}},
    }
    assert judged(source, "/") == Archive(
        url=f"{server.url}/demo-1.0.tar.gz", size=len(SDIST), hashes={"sha256": sha256(SDIST)}
    )
    assert builder().wheel(source, str(tmp_path / "out")).path.endswith("demo-1.0-py3-none-any.whl")


def test_an_archive_in_a_subdirectory_and_without_an_ending(
    server: Server, sources: Callable[..., Sources], builder: Callable[..., Builder]
) -> None:
    server.files["/r/tar.gz/main"] = NESTED
    source = sources().open_source(read(f"{server.url}/r/tar.gz/main#subdirectory=py"))
    assert builder().metadata(source).name == "demo"
    assert source.direct_url()["subdirectory"] == "py"
    judged(source, "/")


@pytest.mark.parametrize("subdirectory", ["gone", "py/pyproject.toml"])
def test_a_subdirectory_that_is_none(
    server: Server, sources: Callable[..., Sources], builder: Callable[..., Builder], subdirectory: str
) -> None:
    server.files["/a.tar.gz"] = NESTED
    source = sources().open_source(read(f"{server.url}/a.tar.gz#subdirectory={subdirectory}"))
    with pytest.raises(BuildError) as caught:
        builder().metadata(source)
    assert caught.value.code == "subdirectory-missing"


def test_a_subdirectory_that_is_a_link_out(
    sources: Callable[..., Sources], builder: Callable[..., Builder], tmp_path: Path
) -> None:
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "out").symlink_to("/")
    source = sources().open_source(read(f"{(tmp_path / 'tree').as_uri()}#subdirectory=out"))
    with pytest.raises(BuildError) as caught:
        builder().metadata(source)
    assert caught.value.code == "subdirectory-missing"


def test_a_zip_by_url(
    server: Server, sources: Callable[..., Sources], builder: Callable[..., Builder]
) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("demo-1.0/backend.py", GOOD_BACKEND)
        archive.writestr("demo-1.0/pyproject.toml", PYPROJECT)
    server.files["/get?x=1"] = buffer.getvalue()
    assert builder().metadata(sources().open_source(read(f"{server.url}/get?x=1"))).name == "demo"


def test_a_known_hash_is_asked_once(server: Server, sources: Callable[..., Sources]) -> None:
    server.files["/a.tar.gz"] = SDIST
    pinned = read(f"{server.url}/a.tar.gz#sha256={sha256(SDIST)}")
    first = sources().open_source(pinned)
    assert sources().open_source(pinned) == first
    assert sources(offline=True).open_source(pinned) == first
    assert server.asked == ["/a.tar.gz"]


def test_an_unknown_hash_is_asked_again_but_offline(server: Server, sources: Callable[..., Sources]) -> None:
    loose = read(f"{server.url}/a.tar.gz")
    with pytest.raises(BuildError) as caught:
        sources(offline=True).open_source(loose)
    assert caught.value.code == "archive-not-cached"
    server.files["/a.tar.gz"] = SDIST
    first = sources().open_source(loose)
    server.files["/a.tar.gz"] = STATIC
    second = sources().open_source(loose)
    assert first != second
    assert sources(offline=True).open_source(loose) == second
    assert len(server.asked) == 2


def test_another_file_than_its_hash_is_refused(
    server: Server, sources: Callable[..., Sources], tmp_path: Path
) -> None:
    server.files["/a.tar.gz"] = SDIST
    with pytest.raises(AccordError) as caught:
        sources().open_source(read(f"{server.url}/a.tar.gz#sha256={sha256(b'other')}"))
    assert caught.value.code == "hash-mismatch"
    assert os.listdir(tmp_path / "cache" / "archives-v1") == []
    (tmp_path / "a.tar.gz").write_bytes(SDIST)
    with pytest.raises(BuildError) as local:
        sources().open_source(read(f"{(tmp_path / 'a.tar.gz').as_uri()}#sha512={'0' * 128}"))
    assert local.value.code == "archive-hash-mismatch"


def test_a_damaged_archive_in_the_cache_is_fetched_again(
    server: Server, sources: Callable[..., Sources]
) -> None:
    server.files["/a.tar.gz"] = SDIST
    pinned = read(f"{server.url}/a.tar.gz#sha256={sha256(SDIST)}")
    source = sources().open_source(pinned)
    assert isinstance(source, ArchiveSource)
    with open(source.path, "ab") as file:
        file.write(b"x")
    sources().open_source(pinned)
    assert len(server.asked) == 2


def test_a_page_instead_of_an_archive(server: Server, sources: Callable[..., Sources]) -> None:
    server.files["/a.tar.gz"] = b"<html>please log in</html>"
    with pytest.raises(BuildError) as caught:
        sources().open_source(read(f"{server.url}/a.tar.gz"))
    assert caught.value.code == "archive-kind-unknown"


def test_a_wheel_is_a_universe_of_one(
    server: Server,
    sources: Callable[..., Sources],
    builder: Callable[..., Builder],
    project: Callable[..., str],
    tmp_path: Path,
) -> None:
    directory = sources().open_source(read(f"file://{project()}"))
    built = builder().wheel(directory, str(tmp_path))
    with open(built.path, "rb") as file:
        server.files["/demo-1.0-py3-none-any.whl"] = file.read()
    for text in (f"{server.url}/demo-1.0-py3-none-any.whl", f"file://{built.path}"):
        wheel = sources().open_wheel(read(text))
        assert sources().open(read(text)) == wheel
        assert (wheel.name, wheel.version, wheel.tags) == ("demo", "1.0", ("py3-none-any",))
        assert b"Requires-Dist: other>=2" in wheel.metadata
        judged(wheel, str(tmp_path))
    with pytest.raises(BuildError) as caught:
        sources().open_wheel(read(f"file://{built.path}", name="other"))
    assert caught.value.code == "build-metadata-mismatch"


def test_a_wheel_that_is_none(sources: Callable[..., Sources], tmp_path: Path) -> None:
    (tmp_path / "demo-1.0-py3-none-any.whl").write_bytes(b"no zip")
    (tmp_path / "demo.whl").write_bytes(b"")
    for name in ("demo-1.0-py3-none-any.whl", "demo.whl"):
        with pytest.raises(ArchiveError):
            sources().open_wheel(read((tmp_path / name).as_uri()))


def test_a_directory(sources: Callable[..., Sources], project: Callable[..., str]) -> None:
    tree = project()
    plain = sources().open_source(read(f"file://{tree}"))
    assert sources().open(read(f"file://{tree}")) == plain
    editable = sources().open_source(read(tree, editable=True))
    assert plain.direct_url() == {"url": f"file://{tree}", "dir_info": {}}
    assert editable.direct_url() == {"url": f"file://{tree}", "dir_info": {"editable": True}}
    assert judged(plain, os.path.dirname(tree)) == Directory(path="./project")
    entry = judged(editable, os.path.join(os.path.dirname(tree), "other"))
    assert entry == Directory(path="../project", editable=True)
    again = locked_reference(entry, name="demo", base=os.path.join(os.path.dirname(tree), "other"))[0]
    assert again.identity == editable.reference.identity


def test_a_commit(sources: Callable[..., Sources], builder: Callable[..., Builder], tmp_path: Path) -> None:
    origin = tmp_path / "origin"
    (origin / "py").mkdir(parents=True)
    (origin / "py" / "backend.py").write_text(GOOD_BACKEND)
    (origin / "py" / "pyproject.toml").write_text(PYPROJECT)
    who = ["-c", "user.name=t", "-c", "user.email=t@index.example"]
    for command in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-q", "-m", "one"]):
        subprocess.run(["git", *who, *command], cwd=origin, env=GIT_ENVIRON, check=True)
    source = sources().open_source(read(f"git+{origin.as_uri()}@main#subdirectory=py&egg=demo"))
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=origin, env=GIT_ENVIRON, check=True, capture_output=True, text=True
    ).stdout.strip()
    assert source.direct_url() == {
        "url": origin.as_uri(),
        "vcs_info": {"vcs": "git", "commit_id": commit, "requested_revision": "main"},
        "subdirectory": "py",
    }
    entry = judged(source, str(tmp_path))
    assert entry == Vcs(
        type="git", path="./origin", commit_id=commit, requested_revision="main", subdirectory="py"
    )
    assert builder().metadata(source).name == "demo"
    # From the lock, another day: the commit counts, and what it builds to is cached.
    reference, locked = locked_reference(entry, name="demo", base=str(tmp_path))
    origin.rename(tmp_path / "gone")
    again = sources(offline=True).open_source(reference, commit=locked)
    assert builder().metadata(again).name == "demo"


def test_an_sdist_of_an_index(builder: Callable[..., Builder], tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(SDIST)
    source = SdistSource(str(path), sha256(SDIST), "demo", "1.0")
    built = builder().wheel(source, "unused")
    path.unlink()
    assert builder().wheel(source, "unused") == built


def test_static_metadata_of_an_sdist_runs_nothing(builder: Callable[..., Builder], tmp_path: Path) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(STATIC)
    found = builder().metadata(SdistSource(str(path), sha256(STATIC), "demo", "1.0"))
    assert found.origin == "PKG-INFO"
    with pytest.raises(BuildError) as caught:
        builder().metadata(SdistSource(str(path), sha256(b"another key"), "demo", "1.1"))
    assert caught.value.code == "build-metadata-mismatch"


@pytest.mark.parametrize(
    "files",
    [{"demo-1.0/../../out": "x"}, {"/tmp/accord-out": "x"}, {"a/x": "1", "b/x": "2"}, {}],
    ids=["up", "absolute", "two-folders", "empty"],
)
def test_a_hostile_sdist_is_refused_and_leaves_nothing(
    builder: Callable[..., Builder], tmp_path: Path, files: dict[str, str]
) -> None:
    path = tmp_path / "demo-1.0.tar.gz"
    path.write_bytes(targz(files))
    with pytest.raises(ArchiveError):
        builder().wheel(
            SdistSource(str(path), sha256(path.read_bytes()), "demo", "1.0"), str(tmp_path / "out")
        )
    assert sorted(os.listdir(tmp_path / "cache" / "builds-v1")) == ["locks"]
    assert not (tmp_path / "out").exists()
