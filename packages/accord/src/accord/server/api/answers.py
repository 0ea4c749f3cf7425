"""From finished pages to answers: which form and packing a client takes, 304, 406, and the way a page is made and kept.

Every room that serves pages goes through :func:`serve`; ``front`` uses :func:`pick` and :func:`matches` alone.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from starlette.responses import Response

from accord.server.accounts import principals
from accord.server.api.places import index_of
from accord.server.errors import Refused
from accord.server.pages.shelf import Place, finish
from accord_core.index.negotiate import HTML, JSON, LEGACY_HTML, choose

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from sqlalchemy import Connection
    from starlette.requests import Request

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.pages.shelf import Finished, Packed
    from accord.server.parts import Parts

__all__ = ["Made", "answer", "demand_reading", "format_asked", "matches", "pick", "serve"]

_FORMATS = {
    JSON: JSON,
    HTML: HTML,
    LEGACY_HTML: LEGACY_HTML,
    "application/vnd.pypi.simple.latest+json": JSON,
    "application/vnd.pypi.simple.latest+html": HTML,
}
_NO_PACKING = ("",)
_REMEMBERED = 500
"""Bytes of a header, or a query, that is kept with what it means.  What people's programs send is shorter; a stranger's longest
ones would fill the memory of a process."""


@dataclass(frozen=True, slots=True)
class Made:
    """Documents by content type, and what they are made of; ``documents`` makes them, if that is needed.  ``public``: anybody
    may read them, always; ``kept``: they are the same for every address the server is reached under.  ``file``, an index and
    a project, is where the page may be written as a file.  ``seen`` is all they depend on besides the path and what is told
    in the journal: who may read the same of it, at the same address, gets the same page; ``None``: it is for nobody else."""

    documents: Callable[[], dict[str, bytes]]
    of: frozenset[tuple[int, str | None]]
    serial: int
    max_age: int
    public: bool
    kept: bool = True
    file: tuple[str, str] | None = None
    seen: Hashable = None


def serve(parts: Parts, request: Request, make: Callable[[Connection, IndexRow], Made]) -> Response:
    """Answer with the page ``make`` gives, which is called once for each change of what it says it is made of.

    ``make`` is called with an index the client may read; whether it may read the project is for ``make`` to demand.
    """
    path = request.scope["path"]
    parts.shelf.catch_up()
    found = parts.shelf.find(path)
    if found is not None:  # another page changed, not this one
        return answer(request, found, public=True)
    with parts.shelf.turn(path):
        serial = parts.shelf.catch_up()
        found = parts.shelf.find(path)
        if found is not None:
            return answer(request, found, public=True)
        with parts.database.read() as connection:
            index = index_of(connection, request)
            made = make(connection, index)  # and with it who may read what is decided, for this request
            place = _place(made, path)
            page = None if place is None else parts.shelf.find(place)
            documents = made.documents() if page is None else {}
        if page is None:
            page = finish(
                documents, made.of, serial=made.serial, max_age=made.max_age, packed=parts.settings.packed
            )
            until = request.scope.get("accord.until")
            if place is not None:
                parts.shelf.put(place, page, serial, until=until)
            if made.public and made.kept and made.file is not None and until is None:
                parts.materials.keep(*made.file, page, serial)
    return answer(request, page, public=made.public, shared=made.kept)


def _place(made: Made, path: str) -> str | Place | None:
    if made.public and made.kept:
        return path
    return None if made.seen is None else Place(path, made.seen)


def demand_reading(
    parts: Parts, connection: Connection, request: Request, index: IndexRow, project: str | None
) -> Principal:
    """Who reads, and may.  Raises as ``principals.demand`` does where the sender may not."""
    at = parts.now()
    who = principals.authenticate(connection, request.headers.get("authorization"), at)
    principals.demand(connection, who, "read", index, project, at)
    return who


def answer(request: Request, page: Finished, *, public: bool, shared: bool = True) -> Response:
    """One form of a page, or 304, or 406.  What is not ``public``, or not ``shared`` because it was made for this one
    client, stays out of every cache but the client's."""
    chosen = pick(
        page,
        request.headers.get("accept"),
        request.headers.get("accept-encoding"),
        format_asked(request.scope["query_string"]),
    )
    if chosen is None:
        raise Refused(
            406,
            "not-acceptable",
            "the page is there as JSON and as HTML, neither of which is asked for",
            headers={"Vary": "Accept, Accept-Encoding"},
        )
    unchanged = matches(request.headers.get("if-none-match"), chosen.etag.decode())
    empty = unchanged or request.method == "HEAD"
    found = Response(b"" if empty else chosen.body, 304 if unchanged else 200)
    found.raw_headers = list(chosen.unchanged if unchanged else chosen.found)
    if not (public and shared):
        found.headers["cache-control"] = "private, no-cache"
    if not public:
        del found.headers["access-control-allow-origin"]
    return found


def format_asked(query: bytes) -> str | None:
    """The value of ``?format=`` ("URL Parameter"), ``None`` where it is not there.  A ``+`` stands for itself: people write
    content types there as they are."""
    if not query:
        return None
    return (_format if len(query) <= _REMEMBERED else _format.__wrapped__)(query)


@lru_cache(maxsize=256)
def _format(query: bytes) -> str | None:
    found = parse_qs(query.decode("latin-1").replace("+", "%2B"), keep_blank_values=True).get("format")
    return None if found is None else found[0] if len(found) == 1 and found[0] in _FORMATS else ""


@lru_cache(maxsize=1024)
def _form(accept: str | None, wanted: str | None) -> str | None:
    if wanted is not None:
        return _FORMATS.get(wanted)
    return choose(accept)


@lru_cache(maxsize=1024)
def _packings(accept_encoding: str | None) -> tuple[str, ...]:
    """The packings a client takes, best first: by its qualities, then zstd before gzip, and plain last."""
    if not accept_encoding:
        return _NO_PACKING
    qualities: dict[str, float] = {}
    for part in accept_encoding.split(","):
        name, _, parameter = part.strip().partition(";")
        key, _, value = parameter.replace(" ", "").partition("=")
        try:
            quality = float(value) if key.lower() == "q" else 1.0
        except ValueError:
            quality = 0.0
        qualities[name.strip().lower()] = quality
    rest = qualities.get("*", 0.0)
    ranked = sorted(("zstd", "gzip"), key=lambda packing: -qualities.get(packing, rest))
    return (*(packing for packing in ranked if qualities.get(packing, rest) > 0), "")


def pick(
    page: Finished, accept: str | None, accept_encoding: str | None, wanted: str | None = None
) -> Packed | None:
    """The form and packing to answer with, ``None`` for 406.  ``wanted`` is the value of ``?format=``."""
    form_of = _form if accept is None or len(accept) <= _REMEMBERED else _form.__wrapped__
    form = page.only or form_of(accept, wanted)
    if form is None:
        return None
    short = accept_encoding is None or len(accept_encoding) <= _REMEMBERED
    for packing in (_packings if short else _packings.__wrapped__)(accept_encoding):
        found = page.forms.get((form, packing))
        if found is not None:
            return found
    return None


def matches(if_none_match: str | None, etag: str) -> bool:
    """Whether an ``If-None-Match`` names the ETag (RFC 9110 section 13.1.2: weak comparison)."""
    if if_none_match is None:
        return False
    if if_none_match == etag:
        return True
    return any(part.strip().removeprefix("W/") in (etag, "*") for part in if_none_match.split(","))
