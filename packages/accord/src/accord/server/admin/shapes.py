"""What the JSON API answers with, as JSON Schema (2020-12) for its description.

Only words: nothing is made with them.  The tests hold every answer against them, and let none have a member that is not
named here.  A later version may have more: programs are to pass over what they do not know.
"""

from __future__ import annotations

from typing import Any

from accord.server.accounts import principals
from accord.server.api.openapi import FLAG, INSTANT, NUMBER, TEXT, array, or_null, record
from accord.server.catalogue import life, policy

__all__ = [
    "CHANGE",
    "ENTRY",
    "FILES",
    "HELD",
    "INDEX",
    "JOB",
    "JOB_AGAIN",
    "JUDGED",
    "NAMESPACE",
    "NEW_TOKEN",
    "NUMBER",
    "OWNER",
    "POLICY",
    "PRIVACY",
    "PROMOTED",
    "REJECTED",
    "ROLE",
    "ROLE_GIVEN",
    "SELF",
    "STATUS",
    "TEXT",
    "TOKEN",
    "USER",
    "given",
    "listed",
]

Schema = dict[str, Any]

_DETAIL: Schema = {"type": "object", "description": "what there is to say of it, by its action"}


def _more(fewer: Schema, members: dict[str, Schema]) -> Schema:
    return record({**fewer["properties"], **members})


def listed(name: str, entry: Schema, following: Schema | None = None) -> Schema:
    """A list below its name; ``following``: what ``next`` is, by which the next request goes on, null at the end."""
    end = {} if following is None else {"next": or_null(following)}
    return record({name: array(entry), **end})


def given(*names: str, whole: bool = False) -> Schema:
    """Of a body: at least one of these is given, or ``whole`` is true."""
    ways: list[Schema] = [{"required": [name], "properties": {name: TEXT}} for name in names]
    if whole:
        ways.append({"required": ["whole"], "properties": {"whole": {"const": True}}})
    return {"anyOf": ways}


USER = record(
    {
        "name": TEXT,
        "display": TEXT,
        "email": TEXT,
        "admin": FLAG,
        "disabled": FLAG,
        "created": INSTANT,
        "password": {**FLAG, "description": "whether there is one"},
    }
)
_RESTRICTION: Schema = {
    "type": "object",
    "properties": {
        "actions": array({"enum": list(principals.ACTIONS)}),
        "indexes": array(TEXT),
        "projects": array(TEXT),
        "expires": {**NUMBER, "description": "microseconds since 1970"},
    },
}
SELF = _more(USER, {"restrictions": array(_RESTRICTION)})
TOKEN = record(
    {
        "id": TEXT,
        "user": TEXT,
        "name": TEXT,
        "restrictions": _RESTRICTION,
        **{name: or_null(INSTANT) for name in ("created", "expires", "last_used", "revoked")},
    }
)
NEW_TOKEN = _more(TOKEN, {"secret": {**TEXT, "description": "shown this once"}})
ENTRY = record(
    {
        "id": NUMBER,
        "at": INSTANT,
        "actor": TEXT,
        "address": TEXT,
        "action": TEXT,
        "subject": TEXT,
        "outcome": TEXT,
        "detail": _DETAIL,
    }
)
INDEX = record(
    {
        "name": TEXT,
        "title": TEXT,
        "kind": TEXT,
        "public": FLAG,
        "bases": array(TEXT),
        "mix": array(TEXT),
        "creators": TEXT,
        "new_projects": TEXT,
        "serial": NUMBER,
    }
)
ROLE = record({"user": TEXT, "role": TEXT, "project": or_null(TEXT), "granted": INSTANT})
ROLE_GIVEN = record({"user": TEXT, "role": TEXT, "project": or_null(TEXT)})
PRIVACY = record({"index": TEXT, "project": TEXT, "private": FLAG})
OWNER = record({"index": TEXT, "project": TEXT, "owner": TEXT})
FILES = record({"index": TEXT, "project": TEXT, "files": array(TEXT)})
STATUS = record(
    {
        "project": TEXT,
        "version": or_null(TEXT),
        "status": {"enum": list(life.PROJECT_STATUSES)},
        "reason": or_null(TEXT),
    }
)
PROMOTED = record(
    {
        "index": TEXT,
        "project": TEXT,
        "version": TEXT,
        "from": TEXT,
        "files": array(TEXT),
        "new": {**array(TEXT), "description": "those that were not there before"},
        "waits": {**FLAG, "description": "in quarantine, for a verdict"},
    }
)
CHANGE = record(
    {
        "serial": NUMBER,
        "at": INSTANT,
        "actor": TEXT,
        "action": TEXT,
        "version": or_null(TEXT),
        "filename": or_null(TEXT),
        "detail": _DETAIL,
    }
)
NAMESPACE = record({"index": TEXT, "namespace": TEXT, "owner": TEXT, "open": FLAG})
_SECONDS = or_null({"type": "number", "description": "seconds"})
JOB = record(
    {
        "id": NUMBER,
        "kind": TEXT,
        "arguments": {"type": "object"},
        "state": TEXT,
        "next": or_null(INSTANT),
        "every": _SECONDS,
        "attempts": NUMBER,
        "ran": or_null(INSTANT),
        "took": _SECONDS,
        "failure": or_null(TEXT),
    }
)
JOB_AGAIN = record({"id": NUMBER, "kind": TEXT})
POLICY = record(
    {
        **dict.fromkeys(("exact_names", "direct_urls", "local_versions", "linux_wheels"), FLAG),
        "reserved_names": array(TEXT),
        "project_bytes": NUMBER,
        "quarantine": {"enum": list(policy.QUARANTINE)},
    }
)
HELD = record(
    {
        "filename": TEXT,
        "project": TEXT,
        "version": TEXT,
        "size": NUMBER,
        "sha256": {"type": "string", "pattern": "^[0-9a-f]{64}$"},
        "uploader": TEXT,
        "uploaded": INSTANT,
    }
)
JUDGED = _more(HELD, {"state": {"const": "live"}})
REJECTED = _more(HELD, {"state": {"const": "rejected"}, "reason": TEXT})
