"""``/api/indexes/INDEX/quarantine``: the files that wait, their bytes for whoever looks at them, and the word that ends it.

A scanner of one's own needs no more than these four: it lists what waits, fetches, and says ``release`` or ``reject``, with
a token narrowed to the action ``quarantine``.  ``/api/indexes/INDEX/policy`` says which files wait, and what else is asked of
a file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from accord.server.accounts import principals
from accord.server.admin import shapes
from accord.server.admin.asking import MOST_ENTRY, Asked, Body, Operation, describe, whole_number
from accord.server.api.openapi import operation, parameter
from accord.server.catalogue import policy, quarantine, visible
from accord.server.errors import Refused
from accord.server.limits import DEFAULT

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["openapi", "routes"]

_Name = Annotated[str, msgspec.Meta(max_length=DEFAULT.name_bytes)]

_WHOLE = msgspec.Meta(ge=0, le=(1 << 53) - 1, extra_json_schema={"multipleOf": 1})


class PolicyChange(Body, frozen=True):
    exact_names: bool | None = None
    direct_urls: bool | None = None
    local_versions: bool | None = None
    linux_wheels: bool | None = None
    reserved_names: Annotated[list[_Name], msgspec.Meta(max_length=DEFAULT.list_entries)] | None = None
    # JSON has one kind of numbers: 1e9 is a whole one (JSON Schema 2020-12, section 6.1.1 of validation).
    project_bytes: Annotated[float, _WHOLE] | None = None
    quarantine: Literal["none", "all", "new-projects"] | None = None


class Rejection(Body, frozen=True):
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=DEFAULT.reason_bytes)]


def routes(parts: Parts) -> list[BaseRoute]:
    return [*(one.route(parts) for one in _OPERATIONS), _content(parts)]


def openapi(paths: dict[str, Any]) -> None:
    describe(_OPERATIONS, paths)
    described = {"schema": {"type": "string", "contentMediaType": "application/octet-stream"}}
    paths[_CONTENT] = {
        "get": operation(
            "the bytes of a file that waits",
            [parameter(name, f"the {name}") for name in ("index", "filename")],
            {"200": {"description": "the bytes", "content": {"application/octet-stream": described}}},
            problems=(401, 403, 404, 429, 503),
            token=True,
        )
    }


def show_policy(asked: Asked[None]) -> object:
    return policy.policy_of(asked.here).as_dict()


def change_policy(asked: Asked[PolicyChange]) -> object:
    given = {name: getattr(asked.body, name) for name in PolicyChange.__struct_fields__}
    size = asked.body.project_bytes
    if size is not None:
        if not size.is_integer():
            raise Refused(
                400, "json-body", "$.project_bytes: not a whole number", context=("$.project_bytes",)
            )
        given["project_bytes"] = int(size)
    with asked.writing() as writing:
        return policy.change_policy(
            writing, asked.here, {name: value for name, value in given.items() if value is not None}
        ).as_dict()


def list_quarantine(asked: Asked[None]) -> object:
    """``?after=`` the ``next`` of the answer before."""
    after = asked.query("after")
    start = 0 if after is None else whole_number(after, "after", default=0, most=MOST_ENTRY)
    limit = whole_number(asked.query("limit"), "limit", default=100, most=DEFAULT.list_entries)
    with asked.reading() as connection:
        found = quarantine.waiting(connection, asked.here, after=start, limit=limit)
    return {
        "files": [one.as_dict() for one in found],
        "next": found[-1].id if len(found) == limit else None,
    }


def _content(parts: Parts) -> Route:
    """The bytes of a file that waits: never cached, never opened by a browser."""

    def content(request: Request) -> Response:
        at = parts.now()
        with parts.database.read() as connection:
            who = principals.authenticate(connection, request.headers.get("authorization"), at)
            index = visible.index_for(connection, who, request.path_params["index"])
            principals.demand(connection, who, "quarantine", index, None, at)
            found = quarantine.waiting_file(connection, index, request.path_params["filename"])
        headers = {
            "content-length": str(found.size),
            "content-disposition": "attachment",
            "cache-control": "no-store",
            "x-content-type-options": "nosniff",
        }
        if parts.storage.size(found.sha256) is None:
            raise Refused(500, "blob-missing", f"the bytes of {found.filename} are missing")
        body = parts.storage.stream(found.sha256)
        return StreamingResponse(body, 200, headers, media_type="application/octet-stream")

    return Route(_CONTENT, content, methods=["GET"], name="quarantine-content")


def release_file(asked: Asked[None]) -> object:
    with asked.writing() as writing:
        found = quarantine.release(writing, asked.parts.storage, asked.here, asked.path("filename"))
        return {**found.as_dict(), "state": "live"}


def reject_file(asked: Asked[Rejection]) -> object:
    with asked.writing() as writing:
        found = quarantine.reject(writing, asked.here, asked.path("filename"), asked.body.reason)
        return {**found.as_dict(), "state": "rejected", "reason": asked.body.reason}


_FILE = "/api/indexes/{index}/quarantine/{filename}"
_CONTENT = _FILE + "/content"
_OPERATIONS = (
    Operation("GET", "/api/indexes/{index}/policy", show_policy, "admin", answer=shapes.POLICY),
    Operation(
        "PATCH", "/api/indexes/{index}/policy", change_policy, "admin", PolicyChange, answer=shapes.POLICY
    ),
    Operation(
        "GET",
        "/api/indexes/{index}/quarantine",
        list_quarantine,
        "quarantine",
        query=(("after", {"type": "integer", "minimum": 1, "maximum": MOST_ENTRY}), "limit"),
        answer=shapes.listed("files", shapes.HELD, shapes.NUMBER),
    ),
    Operation("POST", _FILE + "/release", release_file, "quarantine", answer=shapes.JUDGED),
    Operation("POST", _FILE + "/reject", reject_file, "quarantine", Rejection, answer=shapes.REJECTED),
)
