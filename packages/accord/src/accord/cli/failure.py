"""From an exception to the words or the JSON record a person gets, and the exit status.

An :class:`AccordError` is shown with its code, what happened, where, why, what to do next, and where the code is
explained.  An ``OSError`` that no room translated gets one of the codes of this module, because a full disk is not
a fault of ours; anything else is, and is called ``internal-error``.  Only loaded when something went wrong.
"""

from __future__ import annotations

import errno
from typing import TYPE_CHECKING, Any

from accord.io.urls import redact_all
from accord_core.errors import AccordError, DocumentError

if TYPE_CHECKING:
    from accord.cli.context import Context
    from accord.cli.paint import Paint

__all__ = ["ERRORS_PAGE", "as_accord_error", "report", "words"]

ERRORS_PAGE = "docs/reference/errors.md"


def report(error: Exception, context: Context) -> int:
    """Show ``error`` as ``context`` asks and return the exit status."""
    failure = as_accord_error(error)
    if context.json:
        context.emit({"error": record(failure)})
    else:
        for line in words(failure, context.paint_error):
            context.complain(line)
    if context.verbose and failure.code in ("internal-error", "system-refused"):
        import traceback

        for line in "".join(traceback.format_exception(error)).splitlines():
            context.complain(line)
    return failure.exit_status


def record(failure: AccordError) -> dict[str, object]:
    """The record ``--json`` prints under ``error``; faults of a document stand in ``faults``."""
    fields = failure.as_dict()
    fields["docs"] = f"{ERRORS_PAGE}#{failure.code}"
    if isinstance(failure, DocumentError) and failure.faults:
        fields["faults"] = [fault.as_dict() for fault in failure.faults]
    shown: dict[str, object] = _without_passwords(fields)
    return shown


def _without_passwords(value: Any) -> Any:
    """The last door: whatever a message quotes of what was typed, a password in a URL stays in here."""
    if isinstance(value, str):
        return redact_all(value)
    if isinstance(value, dict):
        return {key: _without_passwords(each) for key, each in value.items()}
    if isinstance(value, (list, tuple)):
        return [_without_passwords(each) for each in value]
    return value


def words(failure: AccordError, paint: Paint) -> list[str]:
    """The lines a person reads; complete without colour."""
    lines = [f"{paint('error', 'red', 'bold')}[{failure.code}]: {failure.message}"]
    if failure.where is not None:
        lines.append(f"  {paint('at', 'dim')} {failure.where}")
    for text in failure.context:
        # What follows a fact's first line lies deeper, so that no quoted value looks like a line of ours.
        first, *more = text.split("\n")
        lines.extend((f"  {first}", *(f"    {line}" for line in more)))
    if isinstance(failure, DocumentError) and not failure.context:
        lines.extend(f"  {fault.where}: {fault.message}" for fault in failure.faults)
    if failure.__cause__ is not None and str(failure.__cause__) not in ("", failure.message):
        lines.append(f"  {paint('cause', 'dim')}: {failure.__cause__}")
    if failure.hint:
        lines.append(f"  {paint('hint', 'cyan')}: {failure.hint}")
    lines.append(f"  {paint('see', 'dim')} {ERRORS_PAGE}#{failure.code}")
    return [redact_all(line) for line in lines]


def as_accord_error(error: Exception) -> AccordError:
    """``error`` itself, or the coded error that stands for it."""
    if isinstance(error, AccordError):
        return error
    if isinstance(error, OSError):
        return _from_os(error)
    return AccordError(
        "internal-error",
        f"Accord met a fault of its own: {type(error).__name__}: {error}",
        hint="run it again with --verbose and report what it prints; environments and locks are as they were, "
        "or are put right by the next accord command",
    )


def _from_os(error: OSError) -> AccordError:
    place = f": {error.filename}" if error.filename else ""
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return AccordError(
            "disk-full",
            f"the disk is full{place}",
            hint="make room (`accord cache prune` removes what was not used lately) and run the command again",
        )
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AccordError(
            "not-writable",
            f"not permitted{place} ({error.strerror})",
            hint="check who owns the folder, or choose another one with --env or --cache-dir",
        )
    if error.errno in (errno.ENOENT, errno.ENOTDIR):
        return AccordError("file-not-found", f"there is no such file or folder{place}", hint="check the path")
    return AccordError(
        "system-refused",
        f"the operating system refused: {error}",
        hint="run it again with --verbose to see where it happened",
    )
