"""What the server refuses: an :class:`~accord_core.errors.AccordError` that knows its HTTP status.

The record is the same for every reader; ``api`` renders it as ``application/problem+json`` (RFC 9457), ``upload`` also
in the words old clients show, ``web`` as a page.
"""

from __future__ import annotations

from accord_core.errors import AccordError, Where

__all__ = ["Refused"]


class Refused(AccordError):
    """A request that is not granted.  ``status`` is the HTTP status, ``headers`` go with the answer."""

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
    ) -> None:
        super().__init__(code, message, where=where, context=context, hint=hint)
        self.status = status
        self.headers = headers or {}
