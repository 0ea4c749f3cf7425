"""A process that unpacks wheels, one after the other, for whoever started it.

Reads jobs from standard input and writes answers to standard output.  Started as ``python -I -c …`` by
:mod:`accord.store.crew`, so that it inherits neither threads nor locks; ends when its input ends.
"""

from __future__ import annotations

import os

from accord.io.pipes import read_value, write_value
from accord.store.store import Store
from accord_core import errors
from accord_core.archive.limits import Limits

__all__ = ["main"]


def main() -> None:
    """Work until standard input ends, or until nobody wants the answers any more."""
    try:
        _serve()
    except BrokenPipeError:
        pass  # whoever started this was killed


def _serve() -> None:
    answers = os.dup(1)
    os.dup2(2, 1)  # whatever a library prints must not stand between two answers
    while True:
        job = read_value(0)
        if not isinstance(job, dict):
            return
        try:
            limits = Limits(**job["limits"]) if job["limits"] else None
            entry = Store(job["cache_dir"]).add(
                job["path"],
                job["sha256"],
                filename=job["filename"],
                expect_metadata=job["expect_metadata"],
                limits=limits,
            )
        except errors.AccordError as error:
            write_value(answers, _as_value(error))
        else:
            write_value(answers, {"sha256": entry.sha256})


def _as_value(error: errors.AccordError) -> dict[str, object]:
    where = error.where
    return {
        "family": type(error).__name__,
        "code": error.code,
        "message": error.message,
        "context": list(error.context),
        "hint": error.hint,
        "where": None if where is None else (where.path, where.table, where.key, where.line),
    }
