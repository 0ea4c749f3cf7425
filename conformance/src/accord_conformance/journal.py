"""What was played of a run that has not ended: a run takes an hour, and may be killed.

JSON lines in ``FILE.played``, beside the FILE that the run will be written to, each whole as soon as its case is: the run without results, then the results.
The file goes when the run is in its place.  It is locked as long as its run lives: two runs that are written to one FILE would lose what the other found.
"""

from __future__ import annotations

import fcntl
import json
import os
from dataclasses import asdict
from pathlib import Path
from types import TracebackType

from accord_conformance import __version__
from accord_conformance.errors import SuiteError
from accord_conformance.results import UNENDED, Played, Run

__all__ = ["Journal", "journal_of"]


def journal_of(path: Path) -> Path:
    """Where the results of the run that will be written to ``path`` are until then."""
    return path.with_name(path.name + UNENDED)


class Journal:
    """Open from before the first case until the run is written; what is there of an earlier run stays until ``begin``."""

    def __init__(self, path: Path) -> None:
        """SuiteError when it cannot be written, or another run is writing it."""
        self.path = journal_of(path)
        try:
            # Nothing is taken from a run that lives: it is emptied by ``begin``, when the lock is held.
            self._file = self.path.open("a", encoding="utf-8", errors="replace")
        except OSError as error:
            raise SuiteError(str(self.path), f"cannot be written: {error.strerror}") from error
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self._file.close()
            raise SuiteError(str(path), "another run is being written there") from error
        except OSError:  # a file system that has no locks
            pass

    def begin(self, run: Run) -> None:
        """Starts anew, with a run that has no results yet; SuiteError when that cannot be written."""
        self._file.truncate(0)
        self._add({"suite": __version__, **asdict(run)})

    def add(self, played: Played) -> None:
        """One more result, kept from now on if this process is killed; SuiteError when it cannot be written."""
        self._add(asdict(played))

    def _add(self, values: object) -> None:
        try:
            self._file.write(json.dumps(values, ensure_ascii=False) + "\n")
            self._file.flush()
        except OSError as error:
            raise SuiteError(str(self.path), f"cannot be written: {error.strerror}") from error

    def __enter__(self) -> Journal:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Gone when all went well; else it stays, unless nothing is in it."""
        if kind is None or not os.fstat(self._file.fileno()).st_size:
            self.path.unlink(missing_ok=True)
        try:
            self._file.close()
        except OSError:  # it tries once more to write what did not fit
            pass
