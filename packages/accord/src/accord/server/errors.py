"""What the server refuses: an :class:`~accord_core.errors.AccordError` that knows its HTTP status.

The record is the same for every reader; ``api`` renders it as ``application/problem+json`` (RFC 9457), ``upload`` also
in the words old clients show, ``web`` as a page.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from http import HTTPStatus

from accord_core.errors import AccordError, Where

__all__ = [
    "Refused",
    "disk_fault",
    "disk_full",
    "is_full",
    "no_such_index",
    "no_such_project",
    "server_fault",
    "unauthenticated",
]


class Refused(AccordError):
    """A request that is not granted.  ``status`` is the HTTP status, ``headers`` go with the answer, ``members`` are
    extension members of its document (RFC 9457 section 3.2)."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        where: Where | None = None,
        context: tuple[str, ...] = (),
        hint: str | None = None,
        headers: dict[str, str] | None = None,
        members: dict[str, object] | None = None,
    ) -> None:
        super().__init__(code, message, where=where, context=context, hint=hint)
        self.status = status
        self.headers = headers or {}
        self.members = members or {}

    def problem(self) -> dict[str, object]:
        """The problem document (RFC 9457); ``code`` is Accord's, the same as on the command line."""
        document: dict[str, object] = {
            "type": "about:blank",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.message,
            "code": self.code,
        }
        if self.context:
            document["context"] = list(self.context)
        if self.hint:
            document["hint"] = self.hint
        return document | self.members


# Each in one place, because whoever may not know of a thing is told what is told where there is none, to the letter.


def no_such_index(name: str) -> Refused:
    return Refused(404, "no-such-index", f"this server has no index {name!r}")


def no_such_project(index: str, project: str) -> Refused:
    return Refused(404, "no-such-project", f"{index} has no project {project}")


def unauthenticated() -> Refused:
    """Anybody is told so of an index that is not public and of one that is not there: clients send what they have next."""
    return Refused(
        401,
        "not-authenticated",
        "this needs a token that is good here",
        hint="user name __token__, the token as password",
        headers={"WWW-Authenticate": 'Basic realm="accord"'},
    )


def server_fault(members: dict[str, object] | None = None) -> Refused:
    return Refused(
        500,
        "server-fault",
        "a fault of this server",
        hint="its operator finds it in the log under the name of the request (X-Request-ID)",
        members=members,
    )


def is_full(fault: OSError) -> bool:
    """Whether there was no room: on the disk, for this user, or for a file of that size."""
    return fault.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


def disk_fault(fault: OSError) -> Refused:
    """The answer where a disk of the server did not take what was to be written."""
    if is_full(fault):
        return Refused(
            507,
            "server-disk-full",
            "the server has no room left to write",
            hint="nothing was changed; try again when its operator has made room",
            headers={"Retry-After": "60"},
        )
    return Refused(
        503,
        "server-storage-unavailable",
        f"the server's disk does not take what is to be written ({fault.strerror})",
        hint="nothing was changed; try again",
        headers={"Retry-After": "10"},
    )


@contextmanager
def disk_full() -> Iterator[None]:
    """Raises ``Refused("server-disk-full")`` (507) where there is no room for what is written inside."""
    try:
        yield
    except OSError as fault:
        if not is_full(fault):
            raise
        raise disk_fault(fault) from fault
