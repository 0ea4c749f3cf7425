"""What tests of people share: calls of the JSON API by the administrator or by somebody else, and users with tokens."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from accord.testing.archives import wheel_parts, zip_bytes
from accord.testing.serving import basic

if TYPE_CHECKING:
    from accord.testing.serving import InProcess, Reply

__all__ = ["call", "give", "hide", "person", "put", "wheel"]


def call(index: InProcess, method: str, path: str, document: Any = None, token: str | None = None) -> Reply:
    """``token`` empty: nobody."""
    shown = index.token if token is None else token
    headers = {"content-type": "application/json", **(basic(shown) if shown else {})}
    return index.request(method, path, headers, b"" if document is None else json.dumps(document).encode())


def person(index: InProcess, name: str, **restrictions: Any) -> str:
    """A user, new or not, and a token of theirs."""
    assert call(index, "POST", "/api/users", {"name": name}).status in (201, 409)
    made = call(index, "POST", "/api/tokens", {"name": "t", "user": name, **restrictions})
    assert made.status == 201, made.text
    return str(made.json()["secret"])


def give(index: InProcess, place: str, user: str, role: str) -> None:
    """``place`` is ``INDEX`` or ``INDEX/PROJECT``."""
    name, _, project = place.partition("/")
    path = f"/api/indexes/{name}" + (f"/projects/{project}" if project else "")
    assert call(index, "PUT", f"{path}/roles/{user}", {"role": role}).status == 200


def hide(index: InProcess, place: str, *, hidden: bool = True) -> None:
    name, _, project = place.partition("/")
    if project:
        done = call(index, "PATCH", f"/api/indexes/{name}/projects/{project}", {"private": hidden})
    else:
        done = call(index, "PATCH", f"/api/indexes/{name}", {"public": not hidden})
    assert done.status == 200, done.text


def wheel(project: str = "spam", version: str = "1.0") -> tuple[str, bytes]:
    parts = wheel_parts(name=project, version=version)
    return f"{project}-{version}-py3-none-any.whl", zip_bytes(parts)


def put(
    index: InProcess, project: str = "spam", version: str = "1.0", *, token: str | None = None, to: str = ""
) -> Reply:
    return index.upload(*wheel(project, version), token=token, index=to)
