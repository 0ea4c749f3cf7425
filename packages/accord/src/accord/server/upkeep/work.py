"""What operators do about jobs: try one again, forget one that was given up; both are written down."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.server.accounts import audit
from accord.server.errors import Refused
from accord.server.jobs import queue

if TYPE_CHECKING:
    from accord.server.database import Writing

__all__ = ["forget", "retry"]


def retry(writing: Writing, number: int) -> str:
    """Do it now, as if it had never been tried; its kind.  Raises ``Refused("no-such-job")`` (404), also of one that is
    being done."""
    kind = queue.again(writing, number)
    if kind is None:
        raise _none(number, "that waits or was given up")
    audit.record(writing, "retry-job", f"{kind} {number}")
    return kind


def forget(writing: Writing, number: int) -> str:
    """Its kind.  Raises ``Refused("no-such-job")`` (404), also of one that was not given up."""
    kind = queue.forget(writing, number)
    if kind is None:
        raise _none(number, "that was given up")
    audit.record(writing, "forget-job", f"{kind} {number}")
    return kind


def _none(number: int, which: str) -> Refused:
    return Refused(
        404,
        "no-such-job",
        f"there is no job {number} {which}",
        hint="accord index jobs shows which there are",
    )
