"""The description of our own JSON API (OpenAPI 3.1) at ``/openapi.json``, put together from what each room says of itself.

A room that answers JSON exports ``openapi(paths)`` beside ``routes(parts)`` and enters its paths there, with the helpers
below; ``app`` asks every room.  The Simple API is described by its standard and is not repeated.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

__all__ = [
    "FLAG",
    "INSTANT",
    "NO_NUL",
    "NUMBER",
    "TEXT",
    "array",
    "document",
    "json_answer",
    "operation",
    "or_null",
    "parameter",
    "record",
    "route",
]

NO_NUL = r"^[^\u0000]*$"
TEXT: dict[str, Any] = {"type": "string"}
NUMBER: dict[str, Any] = {"type": "integer"}
FLAG: dict[str, Any] = {"type": "boolean"}
INSTANT: dict[str, Any] = {"type": "string", "format": "date-time"}

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable, kebab-case; the reference of errors has them all"},
        "hint": {"type": "string"},
        "context": {"type": "array", "items": {"type": "string"}},
    },
}


def or_null(schema: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema (2020-12), as all of these."""
    return {"anyOf": [schema, {"type": "null"}]}


def array(items: dict[str, Any]) -> dict[str, Any]:
    return {"type": "array", "items": items}


def record(members: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """An object that always has these members.  A later version may have more."""
    return {"type": "object", "required": list(members), "properties": members}


def parameter(
    name: str, about: str, *, where: str = "path", schema: dict[str, Any] | None = None
) -> dict[str, Any]:
    """A parameter; ``where`` is ``path`` or ``query``."""
    return {
        "name": name,
        "in": where,
        "required": where == "path",
        "description": about,
        "schema": schema or {"type": "string", "pattern": NO_NUL},
    }


def json_answer(about: str, schema: dict[str, Any]) -> dict[str, Any]:
    """An answer whose body is JSON of that schema."""
    return {"description": about, "content": {"application/json": {"schema": schema}}}


def operation(
    summary: str,
    parameters: Iterable[dict[str, Any]],
    responses: dict[str, dict[str, Any]],
    *,
    problems: Iterable[int] = (),
    body: dict[str, Any] | None = None,
    token: bool = False,
) -> dict[str, Any]:
    """One method of a path.  ``problems`` are the statuses it refuses with, ``body`` the schema of the JSON it takes,
    ``token`` says that it needs one."""
    found = dict(responses)
    for status in problems:
        found[str(status)] = {
            "description": HTTPStatus(status).phrase,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}},
        }
    operation: dict[str, Any] = {"summary": summary, "parameters": list(parameters), "responses": found}
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
    if token:
        operation["security"] = [{"token": []}, {"basic": []}]
    return operation


def document(describe: Iterable[Callable[[dict[str, Any]], None]]) -> dict[str, Any]:
    """The whole description.  A path that two rooms enter is a mistake of theirs: ``ValueError``."""
    paths: dict[str, Any] = {}
    for room in describe:
        entered: dict[str, Any] = {}
        room(entered)
        if twice := entered.keys() & paths.keys():
            raise ValueError(f"described twice: {sorted(twice)}")
        paths.update(entered)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Accord index",
            "version": "1",
            "description": "Each path answers for the first index at the root, and for any index below its name.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {"Problem": _PROBLEM},
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer"},
                "basic": {"type": "http", "scheme": "basic"},
            },
        },
    }


def route(describe: Iterable[Callable[[dict[str, Any]], None]]) -> Route:
    """``/openapi.json``, written once."""
    body = json.dumps(document(describe), ensure_ascii=False, indent=1).encode()
    headers = {"cache-control": "max-age=600, public", "access-control-allow-origin": "*"}

    def answer(_request: Request) -> Response:
        return Response(body, media_type="application/json", headers=headers)

    return Route("/openapi.json", answer, name="openapi")
