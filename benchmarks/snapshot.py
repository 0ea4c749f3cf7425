"""Make the snapshot of the index that the benchmarks run against: once, bounded to their inputs.

``python benchmarks/snapshot.py`` starts the snapshot server on loopback in recording mode and lets the ordinary tools
(uv, pip, and Accord when it is installed) do the jobs of the benchmark through it.  What they ask for and the folder
does not hold is passed on to the index that the pip beside this interpreter is configured for, over at most eight
connections, and kept.  Nothing else is asked for: the folder ends up with exactly the pages, metadata files, wheels
and source distributions these jobs touch.  A second run asks only for what is missing.

``benchmarks/snapshot/``: ``pages/NAME.json`` (raw bytes), ``files/<origin>/<path>``, ``origins.json``, and, written by
the last step, ``served/`` (the finished forms).  The folder is ignored by git.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import hashlib
import json
import os
import re
import shutil
import ssl
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote, unquote, urlsplit, urlunsplit

import urllib3

if not __package__:  # started by path: the folder above holds the package `benchmarks`
    sys.path[0] = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

from benchmarks.pages import JSON, Origins, build, file_path
from benchmarks.remote import wheel_metadata
from benchmarks.server import Server, Snapshot, serve

from benchmarks import jobs

__all__ = ["Limits", "Recorder", "configured_index", "seal"]


@dataclass(frozen=True, slots=True)
class Limits:
    connections: int = 8  # to the configured index, at once
    page: int = 64 * 1024 * 1024  # bytes of one index page
    file: int = 1024 * 1024 * 1024  # bytes of one file; the largest wheel of the inputs has 50 MB


def configured_index(python: str = sys.executable) -> str:
    """The base URL of the Simple API the pip beside ``python`` uses: configured, or pip's own default.

    Raises ``RuntimeError`` where there is no pip or it names no index.
    """
    for command in (["config", "get", "global.index-url"], ["config", "get", ":env:.index-url"]):
        done = subprocess.run([python, "-m", "pip", *command], capture_output=True, text=True, check=False)
        if done.returncode == 0 and done.stdout.strip():
            return done.stdout.strip().rstrip("/") + "/"
    told = subprocess.run(
        [python, "-m", "pip", "install", "--help"], capture_output=True, text=True, check=False
    )
    option = told.stdout.partition("--index-url <url>")[2]
    found = re.search(r"\(default\s+(\S+?)\)", option.partition("--extra-index-url")[0])
    if found is None:
        raise RuntimeError(f"the pip beside {python} names no index: {told.stderr.strip()}")
    return found.group(1).rstrip("/") + "/"


class Recorder:
    """Passes what the snapshot lacks on to the configured index, and keeps the answer."""

    def __init__(self, snapshot: Snapshot, index: str, limits: Limits = Limits()) -> None:
        parts = urlsplit(index)
        self.snapshot = snapshot
        self.limits = limits
        self.index = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2]))
        secret = unquote(parts.netloc.rpartition("@")[0])
        self.headers = {"User-Agent": "accord-benchmark-snapshot"}
        self.index_headers = urllib3.make_headers(basic_auth=secret) if secret else {}
        self.origins = Origins(_load(os.path.join(snapshot.folder, "origins.json"), []))
        self.pool = urllib3.PoolManager(
            maxsize=limits.connections, block=True, ssl_context=ssl.create_default_context()
        )
        self.threads = ThreadPoolExecutor(limits.connections)
        self.under_way: dict[str, asyncio.Future[bool]] = {}
        self.asked = 0
        os.makedirs(os.path.join(snapshot.folder, "pages"), exist_ok=True)
        for entry in os.scandir(os.path.join(snapshot.folder, "pages")):
            with open(entry.path, "rb") as stream:
                self._form(entry.name.removesuffix(".json"), stream.read())

    def seed(self, wheels: str) -> int:
        """Take over the wheels of a folder that a recorded page lists with the same digest; returns how many."""
        at_hand = {entry.name: entry.path for entry in os.scandir(wheels)}
        taken = 0
        for entry in os.scandir(os.path.join(self.snapshot.folder, "pages")):
            with open(entry.path, "rb") as stream:
                page = json.load(stream)
            for file in page["files"]:
                if file["filename"] not in at_hand:
                    continue
                with open(at_hand[file["filename"]], "rb") as stream:
                    content = stream.read()
                place = os.path.join(self.snapshot.files, file_path(file["url"], self.origins))
                if hashlib.sha256(content).hexdigest() == file["hashes"]["sha256"]:
                    os.makedirs(os.path.dirname(place), exist_ok=True)
                    _write(place, content)
                    taken += 1
        return taken

    async def miss(self, path: str) -> bool:
        """Bring ``path`` (as the server knows it) from the index; False when the index has it not either."""
        waiting = self.under_way.get(path)
        if waiting is None:
            bring = self._page if path.startswith("/simple/") else self._file
            waiting = asyncio.get_running_loop().run_in_executor(self.threads, bring, path)
            self.under_way[path] = waiting
        return await waiting

    def _form(self, name: str, raw: bytes) -> None:
        self.snapshot.add(name, build(raw, f"{self.index}{name}/", self.origins, {}))

    def _page(self, path: str) -> bool:
        name = path[len("/simple/") : -1]
        headers = {**self.headers, **self.index_headers, "Accept": JSON}
        raw = self._get(f"{self.index}{quote(name)}/", headers, self.limits.page)
        if raw is None:
            return False
        _write(os.path.join(self.snapshot.folder, "pages", f"{name}.json"), raw)
        self._form(name, raw)
        return True

    def _file(self, path: str) -> bool:
        number, _, inside = path[len("/files/") :].partition("/")
        url = f"{self.origins.known[int(number)]}/{inside}"
        raw = self._get(url, self.headers, self.limits.file)
        if raw is None and url.endswith(".whl.metadata"):
            raw = wheel_metadata(lambda span: self._range(url.removesuffix(".metadata"), span))
        if raw is None:
            return False
        place = os.path.join(self.snapshot.files, number, unquote(inside))
        os.makedirs(os.path.dirname(place), exist_ok=True)
        _write(place, raw)
        return True

    def _range(self, url: str, span: str) -> tuple[bytes, str | None] | None:
        self.asked += 1
        answer = self.pool.request("GET", url, headers={**self.headers, "Range": span}, retries=3)
        if answer.status in (403, 404):
            return None
        if answer.status not in (200, 206):
            raise RuntimeError(f"{url}: status {answer.status}")
        return answer.data, answer.headers.get("Content-Range")

    def _get(self, url: str, headers: dict[str, str], limit: int) -> bytes | None:
        self.asked += 1
        answer = self.pool.request("GET", url, headers=headers, preload_content=False, retries=3)
        try:
            if answer.status in (403, 404):
                return None
            if answer.status != 200:
                raise RuntimeError(f"{url}: status {answer.status}")
            raw = answer.read(limit + 1, decode_content=True)
            if len(raw) > limit:
                raise RuntimeError(f"{url}: more than {limit} bytes")
            return raw
        finally:
            answer.release_conn()


def _load(path: str, default: list[str]) -> list[str]:
    with contextlib.suppress(FileNotFoundError), open(path, "rb") as stream:
        loaded: list[str] = json.load(stream)
        return loaded
    return default


def _write(path: str, content: bytes) -> None:
    """A file appears whole or not at all: a recording that was cut off can simply be run again."""
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as stream:
        stream.write(content)
    os.replace(stream.name, path)


def _metadata_digests(files: str) -> Iterator[tuple[str, str]]:
    for folder, _folders, names in os.walk(files):
        for name in names:
            if name.endswith(".metadata"):
                place = os.path.join(folder, name)
                with open(place, "rb") as stream:
                    digest = hashlib.file_digest(stream, "sha256").hexdigest()
                yield os.path.relpath(place, files), digest


def seal(folder: str, index: str, origins: Origins) -> int:
    """Write ``served/``, the finished form of every page; returns how many.  The last step of a recording."""
    digests = dict(_metadata_digests(os.path.join(folder, "files")))
    served = os.path.join(folder, "served")
    os.makedirs(served, exist_ok=True)
    etags = {}
    for entry in os.scandir(os.path.join(folder, "pages")):
        name = entry.name.removesuffix(".json")
        with open(entry.path, "rb") as stream:
            forms = build(stream.read(), f"{index}{name}/", origins, digests)
        _write(os.path.join(served, f"{name}.json.gz"), forms.json.body_gz)
        _write(os.path.join(served, f"{name}.html.gz"), forms.html.body_gz)
        etags[name] = [forms.json.etag, forms.html.etag]
    _write(os.path.join(folder, "origins.json"), json.dumps(origins.known).encode())
    _write(os.path.join(served, "etags.json"), json.dumps(etags).encode())
    return len(etags)


async def record(
    folder: str, python: str, chosen: list[str], wheels: str | None, say: Callable[[str], None]
) -> int:
    """Run the recording jobs named in ``chosen`` through the relay, then seal.  Returns the number of failed jobs."""
    index = configured_index()
    snapshot = Snapshot(folder)
    os.makedirs(snapshot.files, exist_ok=True)
    recorder = Recorder(snapshot, index)
    if wheels is not None:
        say(f"{recorder.seed(wheels)} wheels taken over from {wheels}")
    server = Server(snapshot, recorder.miss)
    listener, url = await serve(server, "127.0.0.1", 0)
    scratch = tempfile.mkdtemp(prefix="recording-", dir=folder)
    failed = 0
    try:
        for job in jobs.recording(url, scratch, folder, python):
            if chosen and job.name not in chosen:
                continue
            before = recorder.asked
            process = await asyncio.create_subprocess_exec(
                *job.command,
                env={**os.environ, **job.environ},
                cwd=job.cwd or scratch,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
            )
            _, errors = await process.communicate()
            failed += process.returncode != 0
            say(f"{job.name}: status {process.returncode}, {recorder.asked - before} documents fetched")
            if process.returncode:
                say(errors.decode(errors="replace")[-3000:])
        listener.close()
        await server.hang_up()
        say(f"{seal(folder, recorder.index, recorder.origins)} pages sealed")
    finally:
        shutil.rmtree(scratch)
        recorder.threads.shutdown()
    return failed


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    here = os.path.dirname(os.path.abspath(__file__))
    parser.add_argument("--snapshot", default=os.path.join(here, "snapshot"))
    parser.add_argument("--python", default="3.12", help="the CPython 3.12 the inputs are resolved for")
    parser.add_argument(
        "--wheels", help="a folder of wheels to take over where their digests agree with the index"
    )
    parser.add_argument("jobs", nargs="*", help="only these recording jobs")
    options = parser.parse_args()
    python = jobs.find_python(options.python)

    def say(text: str) -> None:
        print(text, flush=True)

    work = record(os.path.abspath(options.snapshot), python, options.jobs, options.wheels, say)
    return 1 if asyncio.run(work) else 0


if __name__ == "__main__":
    sys.exit(main())
