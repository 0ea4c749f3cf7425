"""What was refused, as a page: for browsers that asked for one, with the same code as everywhere and a way on."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError
from starlette.responses import Response

from accord.server.errors import Refused
from accord.server.web import render
from accord.server.web.visits import visit_of

if TYPE_CHECKING:
    from starlette.requests import Request

    from accord.server.parts import Parts

__all__ = ["fault_page", "wants_page"]

_MACHINES = re.compile(
    r"(?:/(?!project/)[^/]+)?/(?:api|changes|files|integrity|legacy|livez|metrics|namespaces?|openapi\.json|packages|pypi|"
    r"readyz|rss|simple|static|token|upload)(?:/|\Z)"
)


def wants_page(request: Request) -> bool:
    """Whether a person reads the answer: a browser says so, and the path is none that only tools ask."""
    return "text/html" in request.headers.get("accept", "") and _MACHINES.match(request.url.path) is None


def fault_page(parts: Parts, request: Request, fault: Refused) -> Response:
    """No page for tools: its words are those of ``fault``, its status too; it asks for no password by itself."""
    headers = {name: value for name, value in fault.headers.items() if name.lower() != "www-authenticate"}
    try:
        phrase = HTTPStatus(fault.status).phrase
    except ValueError:
        phrase = "Refused"
    try:
        visit = visit_of(parts, request)
        body = visit.body("fault.html", fault=fault, phrase=phrase, path=request.url.path)
    except (Refused, SQLAlchemyError):  # the database is what fails
        body = render.page("plain_fault.html", fault=fault, phrase=phrase)
    return Response(
        body,
        fault.status,
        {
            **headers,
            **render.SECURITY,
            "content-type": "text/html; charset=utf-8",
            "cache-control": "no-store",
        },
    )
