"""Finished pages, and where files lie, in the memory of one process, by the path they are asked under.

A page is put here when it was asked for, in each of its forms and packings, and stays until something it was made of
changes.  :meth:`Shelf.current` compares two integers; where they differ, :meth:`Shelf.catch_up` reads from the journal
which projects changed and takes their pages away.  So a page found on a current shelf is true, and no request waits for
a database.  By a path alone lies only what anybody may read; what not everybody gets lies at a :class:`Place`.
"""

from __future__ import annotations

import gzip
import hashlib
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import zstandard
from sqlalchemy import select

from accord.server.database import tables
from accord.server.headers import HARDENED

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from accord.server.database import Database
    from accord.server.settings import Settings

__all__ = ["PACKINGS", "Finished", "Packed", "Place", "Shelf", "finish", "finish_file"]

PACKINGS = ("", "gzip", "zstd")
_SMALL = 256  # bytes below which packing only costs
_NEVER = 1 << 62
_PLACES = 8  # of one path
Headers = tuple[tuple[bytes, bytes], ...]
_FOR_TOOLS: Headers = (
    *HARDENED,
    (b"access-control-allow-origin", b"*"),
    (b"access-control-expose-headers", b"ETag, X-PyPI-Last-Serial"),
)


@dataclass(frozen=True, slots=True)
class Packed:
    """One form of a page in one packing, with the headers of its answers."""

    body: bytes
    etag: bytes
    found: Headers  # of 200
    unchanged: Headers  # of 304
    path: str | None = None  # of a file on this machine that is sent in the place of ``body``


@dataclass(frozen=True, slots=True)
class Finished:
    """A page: ``forms[content type, packing]``.  ``of`` names the ``(index, project)`` pairs it was made of, ``project``
    ``None`` for a whole index.  ``only`` is the one content type there is, where nothing is negotiated.  ``partial``: it
    leaves away what some readers see, or is written down where somebody says who he is.  ``ranged``: a part of it may be
    asked for, which is for the application to answer."""

    forms: dict[tuple[str, str], Packed]
    of: frozenset[tuple[int, str | None]]
    size: int = field(default=0)
    only: str | None = None
    partial: bool = False
    ranged: bool = False


def finish(
    documents: dict[str, bytes],
    of: frozenset[tuple[int, str | None]],
    *,
    serial: int,
    max_age: int,
    packed: bool = True,
    partial: bool = False,
    own: Headers | None = None,
) -> Finished:
    """Pack documents and make their headers.  A single document is a page without negotiation.  ``own`` headers stand in
    the place of those that pages for tools carry."""
    forms: dict[tuple[str, str], Packed] = {}
    packings = {id(body): _packings(body, packed) for body in documents.values()}  # HTML has two names
    for content_type, body in documents.items():
        mark = hashlib.sha256(content_type.encode() + b"\0" + body).hexdigest()[:32]
        for packing, data in packings[id(body)].items():
            forms[content_type, packing] = _packed(
                content_type, packing, data, mark, serial, max_age, negotiated=len(documents) > 1, own=own
            )
    held = sum(len(data) for found in packings.values() for data in found.values())
    only = next(iter(documents)) if len(documents) == 1 else None
    return Finished(forms, of, held + 2048 * len(forms), only, partial)


def finish_file(
    headers: Mapping[str, str],
    of: frozenset[tuple[int, str | None]],
    *,
    size: int,
    path: str | None = None,
    body: bytes = b"",
    place: str | None = None,
) -> Finished:
    """A file of ``size`` bytes, which are ``body``, or lie at ``path``, or are sent by the web server in front from its
    ``place``; ``headers`` are those of 304 as well."""
    own = tuple((name.encode(), value.encode("latin-1")) for name, value in headers.items())
    shared = (*own, *(pair for pair in HARDENED if pair[0].decode() not in headers))
    found: Headers = (*shared, (b"content-length", str(size if place is None else 0).encode()))
    if place is not None:
        found = (*found, (b"x-accel-redirect", place.encode()))
    one = Packed(body, headers["etag"].encode(), found, shared, path)
    kind = headers["content-type"]
    return Finished({(kind, ""): one}, of, len(body) + 2048, kind, partial=True, ranged=True)


def _packings(body: bytes, packed: bool) -> dict[str, bytes]:
    if not packed or len(body) <= _SMALL:
        return {"": body}
    return {"": body, "gzip": gzip.compress(body, 6, mtime=0), "zstd": zstandard.compress(body, 9)}


def _packed(
    content_type: str,
    packing: str,
    data: bytes,
    mark: str,
    serial: int,
    max_age: int,
    *,
    negotiated: bool,
    own: Headers | None,
) -> Packed:
    # Strong: no two forms or packings share one (RFC 9110 section 8.8.3.3).
    etag = f'"{mark}{"-" + packing if packing else ""}"'.encode()
    shared: list[tuple[bytes, bytes]] = [
        (b"etag", etag),
        (b"cache-control", f"max-age={max_age}, public".encode()),
        (b"vary", b"Accept, Accept-Encoding" if negotiated else b"Accept-Encoding"),
        (b"x-pypi-last-serial", str(serial).encode()),
        *(_FOR_TOOLS if own is None else own),
    ]
    spelt = (
        content_type
        if "json" in content_type or "v1+html" in content_type
        else f"{content_type}; charset=utf-8"
    )
    found = [*shared, (b"content-type", spelt.encode()), (b"content-length", str(len(data)).encode())]
    if packing:
        found.append((b"content-encoding", packing.encode()))
    return Packed(data, etag, tuple(found), tuple(shared))


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page lies that not everybody gets: one that is ``seen`` so by some readers, or is for one address of the server.
    ``front`` asks for paths alone and never comes upon it; whoever asks for it has found out before what the reader may
    see, and ``seen`` is all of that."""

    path: str
    seen: Hashable


class Shelf:
    def __init__(self, database: Database, settings: Settings) -> None:
        self._database = database
        self._most = settings.limits.page_cache_bytes
        self._materialise = settings.materialise
        self._pages: OrderedDict[str | Place, Finished] = OrderedDict()
        self._until: dict[str | Place, int] = {}
        self._by_source: dict[tuple[int, str | None], set[str | Place]] = {}
        self._places: dict[str, list[Place]] = {}
        self._lock = threading.Lock()
        self._turns = tuple(threading.Lock() for _ in range(64))
        self._bytes = 0
        self._serial = database.serial()

    def current(self) -> bool:
        """Whether everything on the shelf is true, as far as this machine knows."""
        return self._serial >= self._database.counter.value()

    def find(self, path: str | Place) -> Finished | None:
        """The page at a path; ask :meth:`current` first."""
        if self._until and self._until.get(path, _NEVER) <= self._database.now():
            return None
        return self._pages.get(path)

    def turn(self, path: str) -> threading.Lock:
        """Whoever makes the page at a path holds this meanwhile, so that a page many ask for is made once.  Pages may
        share one."""
        return self._turns[hash(path) % len(self._turns)]

    def put(self, path: str | Place, page: Finished, serial: int, *, until: int | None = None) -> None:
        """Keep a page that was made from the database at ``serial``; it is left away if that is the past by now.  ``until``
        is the instant at which somebody must be asked whether it is still true."""
        with self._lock:
            if serial < self._serial:
                return
            self._take(path)
            if isinstance(path, Place):
                # Addresses are of the clients' choosing: nobody empties the shelf with one page under many.
                others = self._places.setdefault(path.path, [])
                if len(others) >= _PLACES:
                    self._take(others[0])
                self._places.setdefault(path.path, []).append(path)
            self._pages[path] = page
            if until is not None:
                self._until[path] = until
            self._bytes += page.size
            for source in page.of:
                self._by_source.setdefault(source, set()).add(path)
            while self._bytes > self._most and len(self._pages) > 1:
                self._take(next(iter(self._pages)))

    def catch_up(self) -> int:
        """Take away what changed meanwhile; returns the serial the shelf is true for."""
        with self._lock, self._database.read() as connection:
            now = connection.execute(select(tables.serial.c.value)).scalar_one()
            if now > self._serial:
                changes = tables.change.c
                changed = connection.execute(
                    select(changes.index_id, changes.project)
                    .where(changes.serial > self._serial, changes.serial <= now)
                    .distinct()
                )
                for index_id, project in changed:
                    self._drop(index_id, project)
                self._serial = now
            return self._serial

    def _drop(self, index_id: int, project: str | None) -> None:
        if project is None:
            # The files of all pages are gone with such a change; they come back when the pages are made again.
            sources = [source for source in self._by_source if source[0] == index_id or self._materialise]
        else:
            sources = [(index_id, project), (index_id, None)]
        for source in sources:
            for path in tuple(self._by_source.get(source, ())):
                self._take(path)

    def _take(self, path: str | Place) -> None:
        page = self._pages.pop(path, None)
        self._until.pop(path, None)
        if page is None:
            return
        self._bytes -= page.size
        if isinstance(path, Place):
            self._places[path.path].remove(path)
            if not self._places[path.path]:
                del self._places[path.path]
        for source in page.of:
            paths = self._by_source.get(source)
            if paths is not None:
                paths.discard(path)
                if not paths:
                    del self._by_source[source]
