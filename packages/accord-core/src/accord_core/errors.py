"""The root of the one error tree.

Every failure a person can meet is an :class:`AccordError` with a stable kebab-case code.  An error is a
record, not a sentence: the command line, ``--json`` and web pages render the same fields.  This module may
know nothing of the rest of the house and imports nothing, because the fastest command pays for it too.

    AccordError                 anything Accord refuses, with a code
    ├── UsageError              the command line itself is wrong (exit status 2)
    ├── DocumentError           a document is not what its standard says: path, table, key, line
    ├── ArchiveError            an archive is hostile, damaged or beyond a named limit
    ├── RepositoryError             an index answered wrongly, not at all, or has no such project
    ├── ResolutionError         no set of versions satisfies what was asked; carries the tree of causes
    ├── BuildError              a source tree could not be built
    ├── StoreError              the store is damaged, full or not writable
    └── InstallError            an environment could not be made or changed; it is as it was

A class may be raised with any code of its family; ``docs/reference/errors.md`` lists them all and a test
compares the list with the source.
"""

from __future__ import annotations

__all__ = [
    "AccordError",
    "ArchiveError",
    "BuildError",
    "DocumentError",
    "InstallError",
    "RepositoryError",
    "ResolutionError",
    "StoreError",
    "UsageError",
    "Where",
]


class Where:
    """A place in a document: path, and as far as it can be known table, key and line (1-based)."""

    __slots__ = ("key", "line", "path", "table")

    def __init__(
        self, path: str, *, table: str | None = None, key: str | None = None, line: int | None = None
    ) -> None:
        self.path = path
        self.table = table
        self.key = key
        self.line = line

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        inside = ".".join(part for part in (self.table, self.key) if part)
        return f"{place} [{inside}]" if inside else place

    def as_dict(self) -> dict[str, object]:
        return {"path": self.path, "table": self.table, "key": self.key, "line": self.line}


class AccordError(Exception):
    """A failure with a stable ``code`` (kebab-case), what happened, where, why, and what to do next.

    ``message`` says what happened in one line.  ``context`` holds further lines, one fact each (the chain of
    requirements, the faults of a document).  ``hint`` says what to do next.  ``where`` is a :class:`Where`.
    """

    exit_status = 1

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: Where | None = None,
        context: tuple[str, ...] = (),
        hint: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.where = where
        self.context = context
        self.hint = hint

    def as_dict(self) -> dict[str, object]:
        """The record ``--json`` prints: ``code, message, where, context, hint, cause``."""
        return {
            "code": self.code,
            "message": self.message,
            "where": None if self.where is None else self.where.as_dict(),
            "context": list(self.context),
            "hint": self.hint,
            "cause": None if self.__cause__ is None else str(self.__cause__),
        }


class UsageError(AccordError):
    exit_status = 2


class DocumentError(AccordError):
    """A document broke its standard.  ``faults`` holds every fault found, each a DocumentError without faults."""

    def __init__(
        self,
        code: str,
        message: str,
        *,
        where: Where | None = None,
        context: tuple[str, ...] = (),
        hint: str | None = None,
        faults: tuple[DocumentError, ...] = (),
    ) -> None:
        super().__init__(code, message, where=where, context=context, hint=hint)
        self.faults = faults


class ArchiveError(AccordError):
    pass


class RepositoryError(AccordError):
    pass


class ResolutionError(AccordError):
    pass


class BuildError(AccordError):
    pass


class StoreError(AccordError):
    pass


class InstallError(AccordError):
    pass
