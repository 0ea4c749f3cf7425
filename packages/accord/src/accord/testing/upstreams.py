"""An upstream on this machine whose answers a test may replace, and indexes before it."""

from __future__ import annotations

import hashlib
import http.client
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import update

from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.limits import DEFAULT, Limits
from accord.testing.indexes import MadeUp, wheel
from accord.testing.loopback import Asked, Loopback
from accord.testing.serving import InProcess, Reply, Served

__all__ = [
    "JSON", "Upstream", "broken", "indexes_row", "large", "limits", "make", "names", "page", "pip", "read", "serving", "stack", "withdraw",
]  # fmt: skip

JSON = "application/vnd.pypi.simple.v1+json"
QUICK = {"upstream_retries": 0, "upstream_seconds": 10.0}


class Upstream:
    """An index on this machine whose answers a test may replace, by the beginning of the path."""

    def __init__(self) -> None:
        self.made = MadeUp()
        self.instead: dict[str, Callable[[Asked], bytes | None]] = {}
        self.server = Loopback(self._answer)

    def _answer(self, asked: Asked) -> bytes | None:
        for beginning, answer in self.instead.items():
            if asked.target.startswith(beginning):
                return answer(asked)
        return self.made.answer(asked)

    @property
    def url(self) -> str:
        return f"{self.server.url}/simple"

    def targets(self, beginning: str = "/") -> list[str]:
        return [asked.target for asked in self.server.asked if asked.target.startswith(beginning)]

    def add(self, name: str = "spam", version: str = "1.0", **more: Any) -> tuple[str, bytes]:
        filename, content = wheel(name, version)
        self.made.add(name, filename, content, **more)
        return filename, content


def limits(**more: Any) -> Limits:
    return replace(DEFAULT, **{**QUICK, **more})


def make(index: InProcess, name: str, url: str, **settings: Any) -> None:
    with index.parts.database.write("test") as writing:
        indexes.add_index(writing, name, kind="upstream", upstream_url=url, settings=settings)


def stack(index: InProcess, name: str, *bases: str, **settings: Any) -> None:
    with index.parts.database.write("test") as writing:
        rows = tuple(indexes.index_named(writing.connection, base) for base in bases)
        indexes.add_index(writing, name, bases=rows, settings=settings)


def page(index: InProcess, name: str = "spam", at: str = "/cache") -> Reply:
    return index.get(f"{at}/simple/{name}/", accept=JSON)


def names(reply: Reply) -> list[str]:
    return [file["filename"] for file in reply.json()["files"]]


def large(upstream: Upstream, *, size: int = 3_000_000) -> tuple[str, bytes]:
    content = hashlib.shake_128(b"large").digest(size)
    upstream.made.add("spam", "spam-1.0-py3-none-any.whl", content)
    return "spam-1.0-py3-none-any.whl", content


def serving(tmp_path: Path, upstream: Upstream, *, workers: int = 1) -> Served:
    served = Served(
        str(tmp_path / "served" / "data"), workers=workers, options=("--limit", "upstream_retries=0")
    )
    (tmp_path / "served").mkdir()
    with InProcess.open(served.folder) as index:
        make(index, "cache", upstream.url)
    return served


def read(url: str) -> bytes:
    with urllib.request.urlopen(url, timeout=30) as answer:  # noqa: S310 - our own
        found: bytes = answer.read()
    return found


def broken(url: str) -> None:
    """The transfer of what the URL names begins and does not end well."""
    try:
        read(url)
    except (OSError, http.client.IncompleteRead) as fault:
        if isinstance(fault, urllib.error.HTTPError):
            fault.close()
        return
    raise AssertionError(f"{url} came whole")


def withdraw(folder: str, filename: str) -> None:
    """As an operator of the index in a folder does it."""
    with InProcess.open(folder) as there, there.parts.database.write("operator") as writing:
        index = indexes.index_named(writing.connection, "main")
        writing.connection.execute(
            update(tables.file).where(tables.file.c.filename == filename).values(state="withdrawn")
        )
        writing.changed(index.id, "withdraw", project="spam", filename=filename, reason="safety")


def indexes_row(index: InProcess, name: str = "cache") -> Any:
    with index.parts.database.read() as connection:
        return indexes.index_named(connection, name)


def pip(index: Served, target: Path, *words: str) -> int:
    command = [sys.executable, "-m", "pip", "install", "-q", "--no-cache-dir", "--disable-pip-version-check"]
    command += ["--isolated", "--index-url", f"{index.url}/cache/simple/", "--target", str(target), *words]
    return subprocess.run(command, check=False, capture_output=True, timeout=120).returncode
