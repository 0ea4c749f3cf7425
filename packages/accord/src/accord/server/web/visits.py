"""A request for a page: who looks, at which index, and the ways from here to the roots; and the answer to it.

Readers get no cookie.  A session's cookie is read here and nowhere else; ``Authorization`` counts for nothing on pages, so
that a browser's remembered password is no way in for a foreign page.  A handler is a plain function from a :class:`Visit`
to a response.  :func:`reading` makes a GET, :func:`changing` a POST, whose form must carry its session's secret and
must not come from a foreign page; no function makes both.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from accord.server.accounts import principals, sessions
from accord.server.accounts.principals import ANYBODY
from accord.server.api.simple import matches
from accord.server.bodies import read_body
from accord.server.catalogue import visible
from accord.server.errors import Refused
from accord.server.pages.shelf import finish
from accord.server.settings import DEFAULT_INDEX
from accord.server.web import render

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request

    from accord.server.accounts.principals import Principal
    from accord.server.accounts.sessions import Session
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.parts import Parts

__all__ = ["COOKIE", "Visit", "changing", "cookie_name", "reading", "same_site", "visit_of"]

COOKIE = "accord_session"
_SHELF_AGE = 60


@dataclass(frozen=True, slots=True)
class Visit:
    """``root`` is the relative way to the server's root, ``base`` the one to the index's.  ``form`` is what a POST sent."""

    parts: Parts
    request: Request
    at: int
    session: Session | None
    root: str
    base: str
    index_name: str
    form: dict[str, list[str]] = field(default_factory=dict)

    @property
    def who(self) -> Principal:
        return ANYBODY if self.session is None else self.session.who

    @property
    def address(self) -> str:
        """The server as its clients reach it, without a slash at the end."""
        return self.parts.settings.public_url or str(self.request.base_url).rstrip("/")

    @property
    def secure(self) -> bool:
        return self.address.startswith("https:")

    def path(self, name: str) -> str:
        found: str = self.request.path_params[name]
        return found

    def query(self, name: str) -> str:
        return self.request.query_params.get(name, "")

    def field(self, name: str) -> str:
        """The first value of a form's field, ``""`` where there is none."""
        return next(iter(self.form.get(name, ())), "")

    def index(self, connection: Connection, project: str | None = None, action: str = "read") -> IndexRow:
        """The index of the path, of which the visitor may do ``action``.  Raises ``Refused``: 401, 403, 404."""
        found = visible.index_for(connection, self.who, self.index_name)
        principals.demand(connection, self.who, action, found, project, self.at)
        return found

    def show(self, template: str, *, status: int = 200, **values: Any) -> Response:
        """A page for this visitor alone, or for anybody where nobody is signed in."""
        body = self.body(template, **values)
        if self.session is not None or status != 200:
            return Response(
                body, status, {**render.SECURITY, "content-type": _HTML, "cache-control": "no-store"}
            )
        etag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
        headers = {
            **render.SECURITY,
            "content-type": _HTML,
            "etag": etag,
            "cache-control": "private, no-cache",
            "vary": "Cookie",
        }
        if matches(self.request.headers.get("if-none-match"), etag):
            return Response(b"", 304, headers)
        return Response(body, 200, headers)

    def keep(
        self,
        template: str,
        of: frozenset[tuple[int, str | None]],
        serial: int,
        *,
        public: bool,
        **values: Any,
    ) -> Response:
        """A page that goes on the shelf if everybody may see it and it is the same for all of them.

        Without a ``public_url`` it tells each client the address this one came by, so it is made anew for each.
        """
        if public and self.session is None and self.parts.settings.public_url is not None:
            made = finish(
                {"text/html": self.body(template, **values)},
                of,
                serial=serial,
                max_age=_SHELF_AGE,
                packed=self.parts.settings.packed,
                partial=True,
                own=tuple((name.encode(), value.encode()) for name, value in render.SECURITY.items()),
            )
            self.parts.shelf.put(self.request.url.path, made, serial)
        return self.show(template, **values)

    def body(self, template: str, **values: Any) -> bytes:
        return render.page(template, visit=self, root=self.root, base=self.base, **values)


_HTML = "text/html; charset=utf-8"
Handler = Callable[[Visit], Response]


def cookie_name(*, secure: bool) -> str:
    """With the prefix that keeps other hosts and paths from setting it, where there is https."""
    return f"__Host-{COOKIE}" if secure else COOKIE


def visit_of(parts: Parts, request: Request) -> Visit:
    """Who looks.  A cookie that is no session (any more) is nobody's."""
    at = parts.now()
    secure = (parts.settings.public_url or str(request.base_url)).startswith("https:")
    key = request.cookies.get(cookie_name(secure=secure))
    session = None
    if key:
        with parts.database.read() as connection:
            session = sessions.find_session(connection, key, at)
    # Escaped slashes are part of a segment for the browser that resolves our links.
    raw = request.scope.get("raw_path") or request.scope["path"].encode()
    depth = max(raw.partition(b"?")[0].count(b"/") - 1, 0)
    root = "../" * depth or "./"
    named = request.path_params.get("index")
    base = root if named is None else f"{root}{named}/"
    return Visit(parts, request, at, session, root, base, named or DEFAULT_INDEX)


def reading(parts: Parts, path: str, handler: Handler) -> Route:
    """A GET that changes nothing."""

    def answer(request: Request) -> Response:
        return handler(visit_of(parts, request))

    return Route(path, answer, methods=["GET"], name=f"web-{handler.__name__}")


def changing(parts: Parts, path: str, handler: Handler, *, signed_in: bool = True) -> Route:
    """A POST by somebody who is signed in; ``signed_in=False`` is for signing in itself."""

    async def answer(request: Request) -> Response:
        form = await _form(request, parts)
        return await run_in_threadpool(change, request, form)

    def change(request: Request, form: dict[str, list[str]]) -> Response:
        visit = visit_of(parts, request)
        visit = Visit(
            visit.parts,
            visit.request,
            visit.at,
            visit.session,
            visit.root,
            visit.base,
            visit.index_name,
            form,
        )
        if not same_site(visit):
            raise _foreign()
        if signed_in:
            if visit.session is None:
                raise Refused(401, "not-signed-in", "sign in first", hint="sign in, and send the form again")
            if not sessions.csrf_fits(visit.session, visit.field("csrf")):
                raise _foreign()
        return handler(visit)

    return Route(path, answer, methods=["POST"], name=f"web-{handler.__name__}")


def _foreign() -> Refused:
    return Refused(
        403,
        "form-not-ours",
        "this form was not made for your session",
        hint="go back to the page, load it again and send the form from there",
    )


def same_site(visit: Visit) -> bool:
    """What the browser itself says of the page a form comes from; old ones say nothing, and the form's secret decides."""
    fetch = visit.request.headers.get("sec-fetch-site")
    if fetch is not None:
        return fetch in ("same-origin", "none")
    origin = visit.request.headers.get("origin")
    return origin is None or urlsplit(origin)[:2] == urlsplit(visit.address)[:2]


async def _form(request: Request, parts: Parts) -> dict[str, list[str]]:
    """A form of a page.  Raises ``Refused``: ``form-type`` (415), ``form-too-large`` (413), ``form-invalid`` (400), and as ``read_body``."""
    limits = parts.settings.limits
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != "application/x-www-form-urlencoded":
        raise Refused(415, "form-type", f"a page's form is not sent as {kind[:100]!r}")
    most = limits.page_form_bytes
    larger = Refused(413, "form-too-large", f"the form is larger than {most} bytes")
    data = await read_body(request, limits, most, larger)
    try:
        pairs = parse_qsl(data.decode(), keep_blank_values=True, max_num_fields=limits.page_form_fields)
    except ValueError as fault:
        raise Refused(400, "form-invalid", "the form cannot be read") from fault
    found: dict[str, list[str]] = {}
    for name, value in pairs:
        found.setdefault(name, []).append(value)
    return found
