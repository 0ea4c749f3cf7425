"""One made-up index in three shapes: in memory, as a folder, and behind a server on this machine.

:class:`MadeUp` collects releases; :meth:`MadeUp.memory`, :meth:`MadeUp.write` and :meth:`MadeUp.answer` offer them
through the port, a tree of files and HTTP.  The contract tests run over all three, so that a test written against
the fake holds for the real thing.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass, field

from accord.repositories.artifacts import Artifacts
from accord.repositories.port import ABSENT, FRESH, UNCHANGED, Answer
from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.loopback import Asked, reply
from accord_core.archive.remote import metadata_from_tail
from accord_core.errors import RepositoryError
from accord_core.index import negotiate
from accord_core.index.filenames import WHEEL, kind
from accord_core.index.model import ACTIVE, File, Page
from accord_core.index.parse import parse_page
from accord_core.index.serialise import html_page, json_page

__all__ = ["MadeUp", "MemoryRepository", "wheel"]


def wheel(
    name: str, version: str, *, requires: tuple[str, ...] = (), tag: str = "py3-none-any"
) -> tuple[str, bytes]:
    """File name and bytes of a small honest wheel; ``name`` is written as it is (``foo_bar``)."""
    lines = ["Metadata-Version: 2.4", f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    parts = wheel_parts(
        {f"{name}/__init__.py": b""},
        name=name,
        version=version,
        wheel=f"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: {tag}\n",
        metadata="\n".join(lines) + "\n",
    )
    return f"{name}-{version}-{tag}.whl", zip_bytes(parts)


@dataclass
class MadeUp:
    """Releases by normalised project name; ``contents`` by file name."""

    files: dict[str, list[File]] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)
    metadata: dict[str, bytes] = field(default_factory=dict)
    status: dict[str, tuple[str, str | None]] = field(default_factory=dict)

    def add(self, project: str, filename: str, content: bytes, *, metadata: bytes | None = None) -> File:
        """Publish a file; with ``metadata`` the index announces a ``.metadata`` file beside it."""
        announced: dict[str, str] | bool = False
        if metadata is not None:
            announced = {"sha256": hashlib.sha256(metadata).hexdigest()}
            self.metadata[filename] = metadata
        file = File(
            filename,
            f"../../files/{filename}",
            {"sha256": hashlib.sha256(content).hexdigest()},
            size=len(content),
            core_metadata=announced,
        )
        self.files.setdefault(project, []).append(file)
        self.contents[filename] = content
        return file

    def page(self, project: str) -> Page | None:
        files = self.files.get(project)
        if files is None:
            return None
        status, reason = self.status.get(project, (ACTIVE, None))
        return Page(project, tuple(files), status=status, status_reason=reason, api_version="1.4")

    def memory(self, key: str = "memory:index") -> MemoryRepository:
        return MemoryRepository(self, key)

    def write(self, folder: str) -> str:
        """The index as a tree: ``simple/<project>/index.html`` and ``files/``; returns the ``simple`` folder."""
        simple, files = os.path.join(folder, "simple"), os.path.join(folder, "files")
        os.makedirs(files, exist_ok=True)
        for project in self.files:
            page = self.page(project)
            assert page is not None
            os.makedirs(os.path.join(simple, project), exist_ok=True)
            _write(os.path.join(simple, project, "index.html"), html_page(page))
        for name, content in self.contents.items():
            _write(os.path.join(files, name), content)
        for name, content in self.metadata.items():
            _write(os.path.join(files, f"{name}.metadata"), content)
        return simple

    def answer(self, asked: Asked) -> bytes | None:
        """The index as a server: ``/simple/<project>/`` and ``/files/<name>``, with ETags, 304 and ranges."""
        _, folder, *rest = asked.target.split("/")
        if folder == "files":
            name = rest[0]
            content = self.metadata.get(name.removesuffix(".metadata"))
            if not name.endswith(".metadata"):
                content = self.contents.get(name)
            return reply(status=404) if content is None else _ranged(content, asked)
        page = self.page(rest[0]) if folder == "simple" else None
        if page is None:
            return reply(status=404)
        form = negotiate.choose(asked.headers.get("accept"))
        body = json_page(page) if form == negotiate.JSON else html_page(page)
        etag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        headers = {"Content-Type": form or "text/html", "ETag": etag, "Cache-Control": "max-age=600"}
        if asked.headers.get("if-none-match") == etag:
            return reply(status=304, headers=headers)
        return reply(body, headers=headers)


class MemoryRepository:
    """:class:`~accord.repositories.port.Repository` over a :class:`MadeUp`; ``asked`` counts what was asked for."""

    local = True

    def __init__(self, index: MadeUp, key: str) -> None:
        self.key = key
        self.asked: list[tuple[str, str]] = []
        self._index = index

    def page(self, project: str, etag: str | None, last_modified: str | None) -> Answer:
        self.asked.append(("page", project))
        page = self._index.page(project)
        if page is None:
            return Answer(ABSENT)
        # Through bytes and back: links become absolute, and nobody can change the index by changing an answer.
        page = parse_page(json_page(page), negotiate.JSON, f"https://memory.example/simple/{project}/")
        tag = f'"{hashlib.sha256(json_page(page)).hexdigest()[:16]}"'
        if etag == tag:
            return Answer(UNCHANGED, etag=tag)
        return Answer(FRESH, page, etag=tag)

    def metadata(self, file: File) -> bytes | None:
        self.asked.append(("metadata", file.filename))
        if kind(file.filename) != WHEEL:
            return None
        if file.url.startswith("file:"):
            return Artifacts(None).metadata(file)
        content = self._content(file)
        announced = self._index.metadata.get(file.filename)
        if announced is not None and isinstance(file.core_metadata, dict):
            _same(file.core_metadata, announced, file)
            return announced
        return metadata_from_tail(lambda at, length: content[at : at + length], len(content), file.filename)

    def fetch(self, file: File, into: str, progress: Callable[[int], None] | None) -> str:
        self.asked.append(("fetch", file.filename))
        if file.url.startswith("file:"):
            return Artifacts(None).fetch(file, into, progress)
        content = self._content(file)
        _same(file.hashes, content, file)
        if progress is not None:
            progress(len(content))
        path = os.path.join(into, file.filename)
        _write(path, content)
        return path

    def _content(self, file: File) -> bytes:
        content = self._index.contents.get(file.filename)
        if content is None:
            raise RepositoryError("file-missing", f"{file.filename} is not in memory")
        return content


def _same(hashes: dict[str, str], content: bytes, file: File) -> None:
    digest = hashlib.sha256(content).hexdigest()
    if hashes.get("sha256", digest) != digest:
        raise RepositoryError(
            "hash-mismatch", f"{file.filename} is not the file it should be: its sha256 differs"
        )


def _ranged(content: bytes, asked: Asked) -> bytes:
    wanted = asked.headers.get("range")
    if wanted is None:
        return reply(content, headers={"Accept-Ranges": "bytes"})
    first_text, _, last_text = wanted.removeprefix("bytes=").partition("-")
    if first_text:
        first, last = int(first_text), min(int(last_text or len(content) - 1), len(content) - 1)
    else:
        first, last = max(0, len(content) - int(last_text)), len(content) - 1
    if first > last:
        return reply(status=416, headers={"Content-Range": f"bytes */{len(content)}"})
    headers = {"Content-Range": f"bytes {first}-{last}/{len(content)}"}
    return reply(content[first : last + 1], status=206, headers=headers)


def _write(path: str, content: bytes) -> None:
    with open(path, "wb") as stream:
        stream.write(content)
