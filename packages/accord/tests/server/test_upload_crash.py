"""``kill -9`` in the middle of upload sessions: nothing half-published is seen, nothing acknowledged is lost, nothing is
reserved for ever."""

from __future__ import annotations

import json
import random
import sqlite3
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from accord.server.parts import open_parts
from accord.server.settings import Settings
from accord.server.upload.tidying import tidy
from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes
from accord.testing.serving import Clock, Served
from accord.testing.uploading import HttpUploader

pytestmark = pytest.mark.slow

ROUNDS = 6


@dataclass
class Said:
    """What the server acknowledged of one release."""

    version: str
    files: dict[str, bytes]
    session: Any = None
    completed: set[str] = field(default_factory=set)
    published: bool = False


def contents(version: str) -> dict[str, bytes]:
    """A release of two wheels and an sdist."""
    plain = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: "
    files = {
        f"spam-{version}-{tag}.whl": zip_bytes(wheel_parts(version=version, wheel=f"{plain}{tag}\n"))
        for tag in ("py3-none-any", "py2-none-any")
    }
    info = f"Metadata-Version: 2.2\nName: spam\nVersion: {version}\n".encode()
    parts = [
        TarPart(f"spam-{version}/PKG-INFO", info),
        TarPart(f"spam-{version}/pyproject.toml", b"[project]\nname = 'spam'\n"),
    ]
    return {**files, f"spam-{version}.tar.gz": sdist_bytes(parts)}


def publish(upload: HttpUploader, said: Said) -> None:
    said.session = said.session or upload.open(version=said.version)
    for filename, content in said.files.items():
        if filename not in said.completed:
            upload.put(said.session, filename, content)
            said.completed.add(filename)
    status, document = upload.publish(said.session)
    assert status == 201, document
    said.published = True


def work(upload: HttpUploader, everything: list[Said], name: int, stop: threading.Event) -> None:
    for number in range(10_000):
        if stop.is_set():
            return
        version = f"{name}.{number}"
        said = Said(version, contents(version))
        everything.append(said)
        try:
            publish(upload, said)
        except OSError:
            return  # killed


def visible(served: Served) -> dict[str, str]:
    """The files on the project's page, with their digests."""
    request = urllib.request.Request(
        f"{served.url}/simple/spam/", headers={"accept": "application/vnd.pypi.simple.v1+json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            page = json.load(answer)
    except urllib.error.HTTPError as refused:
        refused.close()
        return {}
    return {file["filename"]: file["hashes"]["sha256"] for file in page["files"]}


def check(served: Served, everything: list[Said]) -> None:
    there = visible(served)
    for said in everything:
        seen = set(said.files) & set(there)
        assert seen in (set(), set(said.files)), f"half of {said.version} is to be seen: {seen}"
        if said.published:
            assert seen, f"{said.version} was acknowledged and is gone"
    for filename in random.sample(sorted(there), min(5, len(there))):
        with urllib.request.urlopen(f"{served.url}/files/spam/{filename}", timeout=30) as answer:
            assert answer.read() in [said.files.get(filename) for said in everything]


def test_killed_at_random_moments_the_server_shows_no_half_and_loses_nothing(tmp_path: Path) -> None:
    with Served(str(tmp_path / "data"), workers=2) as served:
        _kill_and_look(served)
    _nothing_is_stuck(str(tmp_path / "data"))


def _steps(everything: list[Said]) -> int:
    """How many things were acknowledged."""
    return sum(len(said.completed) + said.published + (said.session is not None) for said in everything)


def _kill_and_look(served: Served) -> None:
    everything: list[Said] = []
    chance = random.Random(694)
    for round_number in range(ROUNDS):
        upload = HttpUploader(served.url, served.token)
        stop = threading.Event()
        threads = [
            threading.Thread(target=work, args=(upload, everything, round_number * 10 + number, stop))
            for number in range(3)
        ]
        for thread in threads:
            thread.start()
        enough = _steps(everything) + chance.randint(1, 25)
        while _steps(everything) < enough:
            time.sleep(0.001)
        time.sleep(chance.uniform(0, 0.05))
        served.kill()
        stop.set()
        for thread in threads:
            thread.join(60)
        served.start()
        check(served, everything)
        assert served.fsck()["faults"] == []
    assert sum(said.published for said in everything) > ROUNDS
    # Whoever comes back with their session goes on where they were; what was completed is still there.
    upload = HttpUploader(served.url, served.token)
    half = [said for said in everything if said.session is not None and not said.published]
    for said in half[::2]:
        status, document = upload.call("GET", said.session["links"]["session"])
        assert status == 200
        if document["status"] != "published":
            for filename in said.completed:
                assert document["files"][filename]["status"] == "completed"
            for filename, file in document["files"].items():
                if file["status"] != "completed":
                    assert upload.call("DELETE", file["link"])[0] == 204
                    said.completed.discard(filename)
                else:
                    said.completed.add(filename)
        publish(upload, said)
    check(served, everything)


def _nothing_is_stuck(folder: str) -> None:
    """A month later the abandoned sessions are over, their names free, their bytes gone, and the published ones there."""
    clock = Clock(int(time.time() * 1_000_000) + 40 * 86_400 * 1_000_000)
    parts = open_parts(Settings(folder), now=clock)
    tidy(parts)
    parts.close()
    with sqlite3.connect(f"{folder}/index.sqlite3") as database:
        live = database.execute(
            "select count(*) from upload_session where state not in ('published', 'canceled')"
        )
        assert live.fetchone() == (0,)
        reserved = database.execute("select count(*) from file_name where sha256 is null").fetchone()
        held = database.execute("select count(*) from upload_file where sha256 is not null").fetchone()
        assert (reserved, held) == ((0,), (0,))
        serials = [row[0] for row in database.execute("select serial from change order by serial")]
        assert serials == list(range(1, len(serials) + 1))
        needed = {row[0] for row in database.execute("select sha256 from file")}
        needed |= {row[0] for row in database.execute("select metadata_sha256 from file")}
    database.close()
    stored = {path.name for path in Path(folder, "blobs").rglob("*") if path.is_file()}
    assert needed - {None} <= stored
