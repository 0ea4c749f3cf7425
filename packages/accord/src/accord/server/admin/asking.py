"""How a route of the JSON API is made: who asks is known, the action is allowed and the body is a record before it is called.

    reading(parts, "/api/indexes/{index}/roles", roles, action="admin")
    changing(parts, "PUT", "/api/indexes/{index}/roles/{user}", grant, action="admin", body=Grant)
    Operation("PUT", "/api/indexes/{index}/roles/{user}", grant, "admin", Grant)    # the same as data, with a description

``{index}`` and ``{project}`` in the path say where the action is demanded; without them it is the server as a whole.  A
handler is a plain function from an :class:`Asked` to what is answered as JSON (``None``: 204).  It reads in ``with
asked.reading() as connection`` and changes in ``with asked.writing() as writing``, where the permission is looked at once
more, so that what was taken away meanwhile is gone.

``reading`` makes a GET, ``changing`` anything else, and no function makes both (TOB-PYPI26-8).  Bodies are ``msgspec``
structs with ``forbid_unknown_fields``; a fault is told with its place in the document.  Only ``application/json`` is
read, which no form of a foreign page can send without being asked first.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

import msgspec
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response
from starlette.routing import Route

from accord.server.accounts import principals, sessions
from accord.server.api.openapi import NO_NUL, json_answer, parameter
from accord.server.api.openapi import operation as openapi_operation
from accord.server.bodies import read_body
from accord.server.catalogue import visible
from accord.server.errors import Refused
from accord.server.limits import DEFAULT
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.requests import Request

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing
    from accord.server.limits import Limits
    from accord.server.parts import Parts

__all__ = [
    "MOST_ENTRY",
    "Asked",
    "Body",
    "Method",
    "Operation",
    "changing",
    "describe",
    "reading",
    "whole_number",
]

Method = Literal["POST", "PUT", "PATCH", "DELETE"]


class Body(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The base of what a route reads.  ``rule``: what its description says besides its members (JSON Schema)."""

    rule: ClassVar[dict[str, Any]] = {}


B = TypeVar("B")


@dataclass(frozen=True, slots=True)
class Asked(Generic[B]):
    """A request that was authenticated and allowed.  ``index`` and ``project`` (normalised) are of its path."""

    parts: Parts
    request: Request
    who: Principal
    at: int
    action: str
    index: IndexRow | None
    project: str | None
    body: B

    def path(self, name: str) -> str:
        found: str = self.request.path_params[name]
        return found

    def query(self, name: str) -> str | None:
        """Raises ``Refused("query-value")`` (400)."""
        found = self.request.query_params.get(name)
        if found is not None and "\0" in found:
            raise Refused(400, "query-value", f"{name} has a character no text has (NUL)")
        return found

    @property
    def here(self) -> IndexRow:
        """The index of a path that names one."""
        assert self.index is not None
        return self.index

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        with self.parts.database.read() as connection:
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Writing]:
        """One transaction by whoever asks, who must still be allowed to when it begins."""
        with self.parts.database.write(self.who.actor) as writing:
            connection, who = writing.connection, self.who
            if who.token:
                who = principals.authenticate(connection, self.request.headers.get("authorization"), self.at)
            principals.demand(connection, who, self.action, self.index, self.project, self.at)
            yield writing


Handler = Callable[[Asked[Any]], object]


@dataclass(frozen=True, slots=True)
class Operation:
    """One thing the API does.  A table of them is a room: its routes and its description are made of it.

    ``answer`` is the schema of what it answers (``shapes``), none for a handler that answers nothing.  ``passwords``: a
    user's name and password will do, as well as a token.  ``query`` names what the address may say, with a schema
    where the name alone does not tell it.
    """

    method: Literal["GET"] | Method
    path: str
    handler: Handler
    action: str
    body: type[Body] | None = None
    passwords: bool = False
    query: tuple[str | tuple[str, dict[str, Any]], ...] = ()
    answer: dict[str, Any] | None = None

    def route(self, parts: Parts) -> Route:
        if self.method == "GET":
            return reading(parts, self.path, self.handler, action=self.action, passwords=self.passwords)
        return changing(
            parts,
            self.method,
            self.path,
            self.handler,
            action=self.action,
            body=self.body,
            passwords=self.passwords,
        )


def describe(operations: Iterable[Operation], paths: dict[str, Any]) -> None:
    """Enter operations into an OpenAPI description (``api.openapi``)."""
    for one in operations:
        words = (one.handler.__doc__ or one.handler.__name__.replace("_", " ")).partition("\n")[0]
        parameters = [
            parameter(name, f"the {name}", schema=_PATH.get(name))
            for name in re.findall(r"{(\w+)}", one.path)
        ]
        for asked in one.query:
            name, schema = (asked, _QUERY.get(asked)) if isinstance(asked, str) else asked
            parameters.append(parameter(name, f"the {name}", where="query", schema=schema))
        empty = one.answer is None and one.handler.__annotations__.get("return") in (None, "None")
        status = "204" if empty else "201" if one.method == "POST" else "200"
        answered = {"description": "done"} if empty else json_answer(words, one.answer or {"type": "object"})
        paths.setdefault(one.path, {})[one.method.lower()] = openapi_operation(
            words,
            parameters,
            {status: answered},
            problems=(400, 401, 403, 404, 409, 429, 503, *((413, 415) if one.body else ())),
            body=None if one.body is None else _schema(one.body),
            token=one.action != "read",
        )


MOST_ENTRY = 10**18 - 1
_PATH: dict[str, dict[str, Any]] = {
    "job": {"type": "integer", "minimum": 1, "maximum": MOST_ENTRY},
    "prefix": {
        "type": "string",
        "pattern": "^[A-Za-z0-9]+(?:[-_.]+[A-Za-z0-9]+)*$",
        "maxLength": DEFAULT.name_bytes,
    },
}
_QUERY: dict[str, dict[str, Any]] = {
    "limit": {"type": "integer", "minimum": 1, "maximum": DEFAULT.list_entries},
    "before": {"type": "integer", "minimum": 1, "maximum": MOST_ENTRY},
}


def _schema(body: type[Body]) -> dict[str, Any]:
    found: dict[str, Any] = _texts(msgspec.json.schema(body)["$defs"][body.__name__])
    return {**found, **body.rule}


def _texts(schema: Any) -> Any:
    """The schema, where every text that says nothing of its letters is one without NUL: no database keeps that."""
    if isinstance(schema, list):
        return [_texts(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    found = {name: _texts(value) for name, value in schema.items()}
    if found.get("type") == "string" and not found.keys() & {"pattern", "enum", "format"}:
        found["pattern"] = NO_NUL
    return found


def reading(parts: Parts, path: str, handler: Handler, *, action: str, passwords: bool = False) -> Route:
    """A GET that changes nothing."""

    def answer(request: Request) -> Response:
        return _json(handler(_asked(parts, request, action, passwords=passwords)), 200)

    return Route(path, answer, methods=["GET"], name=handler.__name__)


def changing(
    parts: Parts,
    method: Method,
    path: str,
    handler: Handler,
    *,
    action: str,
    body: type[Body] | None = None,
    passwords: bool = False,
) -> Route:
    """A change; ``body`` is read before the handler is called, and after the permission was looked at."""

    async def answer(request: Request) -> Response:
        asked = await run_in_threadpool(_asked, parts, request, action, passwords=passwords)
        if body is not None:
            asked = replace(asked, body=await _document(request, body, parts.settings.limits))
        return await run_in_threadpool(change, asked)

    def change(asked: Asked[Any]) -> Response:
        return _json(handler(asked), 201 if method == "POST" else 200)

    return Route(path, answer, methods=[method], name=handler.__name__)


def whole_number(text: str | None, name: str, *, default: int, most: int) -> int:
    """A number of the query.  Raises ``Refused("query-value")`` (400)."""
    if text is None:
        return default
    if not text.isascii() or not text.isdigit() or len(text) > 18 or not 0 < int(text) <= most:
        raise Refused(400, "query-value", f"{name} is a number from 1 to {most}, not {text[:40]!r}")
    return int(text)


def _asked(parts: Parts, request: Request, action: str, *, passwords: bool) -> Asked[Any]:
    """Raises ``Refused``: 401, 403, 404."""
    at = parts.now()
    header = request.headers.get("authorization")
    name = request.path_params.get("index")
    project = request.path_params.get("project")
    project = None if project is None else normalise(project)
    given = principals.name_and_password(header) if passwords else None
    known = None if given is None else sessions.check_password(parts.database, parts.passwords, *given)
    with parts.database.read() as connection:
        who = known or principals.authenticate(connection, header, at)
        index = None if name is None else visible.index_for(connection, who, name)
        principals.demand(connection, who, action, index, project, at)
    return Asked(parts, request, who, at, action, index, project, None)


async def _document(request: Request, kind: type[Body], limits: Limits) -> Body:
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refused(415, "json-type", f"a body is application/json here, not {content_type[:100]!r}")
    most = limits.json_bytes
    larger = Refused(413, "json-too-large", f"the body is larger than {most} bytes")
    data = await read_body(request, limits, most, larger)
    try:
        document = msgspec.json.decode(data, type=kind)
    except msgspec.ValidationError as fault:
        what, _, place = str(fault).partition(" - at ")
        place = place.strip("`") or "$"
        raise Refused(400, "json-body", f"{place}: {what}", context=(place,)) from fault
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError) as fault:
        raise Refused(400, "json-body", f"the body is no JSON: {fault}") from fault
    if _has_nul(msgspec.to_builtins(document)):
        raise Refused(400, "json-body", "a text has a character no database keeps (NUL)")
    return document


def _has_nul(value: object) -> bool:
    if isinstance(value, dict):
        return any(map(_has_nul, value.values()))
    if isinstance(value, list):
        return any(map(_has_nul, value))
    return isinstance(value, str) and "\0" in value


def _json(document: object, status: int) -> Response:
    headers = {"cache-control": "no-store"}
    if document is None:
        return Response(b"", 204, headers)
    return Response(
        json.dumps(document, ensure_ascii=False).encode(), status, headers, media_type="application/json"
    )
