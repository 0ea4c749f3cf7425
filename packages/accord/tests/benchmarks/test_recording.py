"""The recording relay: what it lacks it brings from the configured index, once, and keeps."""

from __future__ import annotations

import asyncio
import hashlib
import io
import json
import os
import random
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from benchmarks.pages import Origins
from benchmarks.remote import TAIL, wheel_metadata
from benchmarks.server import Server, Snapshot, serve
from benchmarks.snapshot import Limits, Recorder, configured_index, seal

WHEEL = "demo-1.0-py3-none-any.whl"
DEFAULT = Limits()
METADATA = b"Metadata-Version: 2.1\nName: demo\nVersion: 1.0\n"


def wheel(payload: int) -> bytes:
    """A wheel whose METADATA stands before ``payload`` bytes that do not compress; the same whenever it is made."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr(zipfile.ZipInfo("demo-1.0.dist-info/METADATA"), METADATA)
        archive.writestr(zipfile.ZipInfo("demo/data"), random.Random(1).randbytes(payload))
    return stream.getvalue()


def upstream(folder: Path) -> Server:
    """An index whose pages announce metadata files that it does not have, as some mirrors do."""
    (folder / "pages").mkdir(parents=True)
    files = folder / "files" / "0" / "packages"
    files.mkdir(parents=True)
    (files / WHEEL).write_bytes(wheel(300_000))
    digest = hashlib.sha256((files / WHEEL).read_bytes()).hexdigest()
    file = {
        "filename": WHEEL,
        "url": f"https://origin.example/packages/{WHEEL}",
        "hashes": {"sha256": digest},
    }
    (folder / "pages" / "demo.json").write_text(json.dumps({"name": "demo", "files": [file]}))
    seal(str(folder), "https://index.example/simple/", Origins(["https://origin.example"]))
    snapshot = Snapshot(str(folder))
    snapshot.load()
    return Server(snapshot)


def recorded(
    tmp_path: Path, do: Callable[[Recorder], object], limits: Limits = DEFAULT
) -> tuple[Server, list[object]]:
    """Run ``do(recorder)`` (awaitables) against an upstream on loopback; gives the upstream and the results."""
    server = upstream(tmp_path / "upstream")

    async def run() -> list[object]:
        listener, url = await serve(server, "127.0.0.1", 0)
        async with listener:
            recorder = Recorder(Snapshot(str(tmp_path / "copy")), url, limits)
            found = do(recorder)
            assert isinstance(found, list)
            results = await asyncio.gather(*found, return_exceptions=True)
            recorder.pool.clear()
            recorder.threads.shutdown()
            await server.hang_up()
            return results

    return server, asyncio.run(run())


def on_loopback(recorder: Recorder, path: str) -> str:
    """A file of the first origin, which for these tests is the upstream itself below ``/files/0``."""
    origin = recorder.index.removesuffix("/simple/") + "/files/0"
    recorder.origins.known[:] = [origin]
    return f"/files/0/{path}"


def test_a_page_is_brought_once_and_kept_raw(tmp_path: Path) -> None:
    server, results = recorded(tmp_path, lambda one: [one.miss("/simple/demo/") for _ in range(5)])
    assert results == [True] * 5
    assert server.requests == 1
    kept = json.loads((tmp_path / "copy" / "pages" / "demo.json").read_bytes())
    assert kept["files"][0]["filename"] == WHEEL


def test_what_the_index_has_not_either_is_absent(tmp_path: Path) -> None:
    _, results = recorded(tmp_path, lambda one: [one.miss("/simple/none/")])
    assert results == [False]
    assert not (tmp_path / "copy" / "pages" / "none.json").exists()


def test_metadata_the_mirror_lacks_is_read_out_of_the_wheel(tmp_path: Path) -> None:
    server, results = recorded(
        tmp_path, lambda one: [one.miss(on_loopback(one, f"packages/{WHEEL}.metadata"))]
    )
    assert results == [True]
    place = tmp_path / "copy" / "files" / "0" / "packages" / f"{WHEEL}.metadata"
    assert place.read_bytes() == METADATA
    assert server.missed == {f"/files/0/packages/{WHEEL}.metadata"}


@pytest.mark.parametrize("short", [0, 1])
def test_a_file_may_be_as_long_as_its_limit(tmp_path: Path, short: int) -> None:
    limits = Limits(file=len(wheel(300_000)) - short)
    _, (result,) = recorded(tmp_path, lambda one: [one.miss(on_loopback(one, f"packages/{WHEEL}"))], limits)
    place = tmp_path / "copy" / "files" / "0" / "packages" / WHEEL
    if short:
        assert isinstance(result, RuntimeError)
        assert not place.exists()
    else:
        assert place.read_bytes() == wheel(300_000)


@pytest.mark.parametrize("short", [0, 1])
def test_a_page_may_be_as_long_as_its_limit(tmp_path: Path, short: int) -> None:
    recorded(tmp_path / "first", lambda one: [one.miss("/simple/demo/")])
    size = (tmp_path / "first" / "copy" / "pages" / "demo.json").stat().st_size
    _, (result,) = recorded(
        tmp_path / "second", lambda one: [one.miss("/simple/demo/")], Limits(page=size - short)
    )
    assert isinstance(result, RuntimeError) if short else result is True


@pytest.mark.parametrize("connections", [1, 3])
def test_never_more_connections_than_the_limit(tmp_path: Path, connections: int) -> None:
    names = [f"/simple/none-{number}/" for number in range(12)]
    seen: list[int] = []

    def ask(one: Recorder) -> list[object]:
        seen.append(one.threads._max_workers)
        return [one.miss(name) for name in names]

    server, results = recorded(tmp_path, ask, Limits(connections=connections))
    assert results == [False] * 12
    assert seen == [connections]
    assert 1 <= server.most_open <= connections


def test_wheels_at_hand_are_taken_over_only_when_the_page_names_their_digest(tmp_path: Path) -> None:
    at_hand = tmp_path / "wheels"
    at_hand.mkdir()
    recorded(tmp_path, lambda one: [one.miss("/simple/demo/")])
    recorder = Recorder(Snapshot(str(tmp_path / "copy")), "https://index.example/simple/")
    (at_hand / WHEEL).write_bytes(b"another wheel of that name")
    assert recorder.seed(str(at_hand)) == 0
    (at_hand / WHEEL).write_bytes(wheel(300_000))
    assert recorder.seed(str(at_hand)) == 1
    recorder.threads.shutdown()


@pytest.mark.parametrize("payload", [10, TAIL, 5 * TAIL])
@pytest.mark.parametrize("ranges", [True, False])
def test_metadata_by_ranges_and_from_servers_without_them(payload: int, ranges: bool) -> None:
    content = wheel(payload)
    asked = []

    def ask(span: str) -> tuple[bytes, str | None]:
        asked.append(span)
        first, _, last = span.removeprefix("bytes=").partition("-")
        if not ranges:
            return content, None
        start = int(first) if first else max(0, len(content) - int(last))
        stop = int(last) + 1 if first else len(content)
        return content[start:stop], f"bytes {start}-{stop - 1}/{len(content)}"

    assert wheel_metadata(ask) == METADATA
    assert len(asked) == 1 if not ranges or payload == 10 else len(asked) <= 4


def test_no_wheel_no_metadata() -> None:
    assert wheel_metadata(lambda _span: None) is None


def test_an_archive_without_metadata_is_no_wheel() -> None:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        archive.writestr("vendored/demo-1.0.dist-info/METADATA", METADATA)
    with pytest.raises(KeyError):
        wheel_metadata(lambda _span: (stream.getvalue(), None))


def test_the_index_is_the_one_pip_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "https://index.example/simple")
    assert configured_index() == "https://index.example/simple/"


def test_without_a_setting_it_is_the_default_pip_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.delenv("PIP_INDEX_URL", raising=False)
    assert configured_index().startswith("https://")
