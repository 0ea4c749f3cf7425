"""What a database's failures mean to whoever asked: gone, full, in the way of somebody else, or not to be stored."""

from __future__ import annotations

import errno

from sqlalchemy.exc import (
    DataError,
    DBAPIError,
    IntegrityError,
    InterfaceError,
    OperationalError,
    ResourceClosedError,
    SQLAlchemyError,
)
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from accord.server.errors import Refused, disk_fault

__all__ = ["not_storable", "refusal"]

_FULL = ("database or disk is full", "no space left on device", "disk quota exceeded", "disk i/o error")


def refusal(fault: SQLAlchemyError, *, many_writers: bool) -> Refused | None:
    """The answer to a request that met ``fault``: ``None`` where it is a fault of ours.

    Where there are ``many_writers`` (PostgreSQL), breaking a uniqueness means that somebody else was quicker: the
    request, sent again, sees what they wrote.
    """
    words = str(getattr(fault, "orig", None) or fault).lower()
    if isinstance(fault, (OperationalError, InterfaceError, DBAPIError)) and any(
        one in words for one in _FULL
    ):
        return disk_fault(OSError(errno.ENOSPC, ""))
    if isinstance(fault, DataError):
        return not_storable()
    if isinstance(fault, IntegrityError):
        if not many_writers or "unique" not in words:
            return None
        return Refused(
            503,
            "write-conflict",
            "somebody else wrote the same at the same moment",
            hint="send the request again",
            headers={"Retry-After": "1"},
        )
    gone = isinstance(fault, DBAPIError) and fault.connection_invalidated
    if gone or isinstance(fault, (OperationalError, InterfaceError, NoConnectionFree, ResourceClosedError)):
        return Refused(
            503,
            "server-database-unavailable",
            "the database does not answer",
            headers={"Retry-After": "5"},
        )
    return None


def not_storable() -> Refused:
    return Refused(
        400,
        "text-not-storable",
        "a text is too long, or has a character no database keeps (NUL)",
        hint="look at the fields of the metadata",
    )
