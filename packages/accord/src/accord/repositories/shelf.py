"""The catalogue on disk: what is known of pages, warm records and metadata in one SQLite file, and the pages themselves
in a folder beside it (hot).

May know rows and bytes; must not know what they mean.  Everything here can be lost without harm: a damaged file is
set aside and begun anew, and a folder that cannot be written to is replaced by memory.  Several processes may use one
file (WAL); each writes in one short transaction at its end.  Pages are most of the bytes and least of the reads, and
SQLite would write each twice, so each is a file, which its row knows by its digest: whatever became of the file, a page
is the one its row speaks of or it is not there.
"""

from __future__ import annotations

import os
from _thread import allocate_lock

from accord.io import digests, files

TYPE_CHECKING = False
if TYPE_CHECKING:
    import sqlite3
    from collections.abc import Callable
else:
    try:
        # What sqlite3 is made of, without its converters of dates, which load datetime: 2 of a warm command's 40 ms.
        import _sqlite3 as sqlite3
    except ImportError:
        import sqlite3

__all__ = ["PAGES", "PageRow", "Shelf"]

PAGES = "pages-v1"  # the folder beside the file

_SCHEMA = """
CREATE TABLE IF NOT EXISTS page(
  source TEXT, project TEXT, etag TEXT, modified TEXT, expires REAL, digest BLOB, status TEXT, reason TEXT,
  PRIMARY KEY(source, project));
CREATE TABLE IF NOT EXISTS warm(
  source TEXT, project TEXT, target TEXT, digest BLOB, record BLOB, PRIMARY KEY(source, project, target));
CREATE TABLE IF NOT EXISTS metadata(
  source TEXT, project TEXT, version TEXT, file TEXT, sha256 TEXT, python TEXT, needs BLOB,
  PRIMARY KEY(source, project, version));
"""


class PageRow:
    """What is known of one page without reading it.  ``digest``: sha256 of the page as kept, None where the source has
    no such project."""

    __slots__ = ("digest", "etag", "expires", "modified", "reason", "status")

    def __init__(
        self,
        etag: str | None,
        modified: str | None,
        expires: float,
        digest: bytes | None,
        status: str = "active",
        reason: str | None = None,
    ) -> None:
        self.etag = etag
        self.modified = modified
        self.expires = expires
        self.digest = digest
        self.status = status
        self.reason = reason


class Shelf:
    """Rows by (source, project).  Reads go to the file at once; writes wait for :meth:`flush`."""

    def __init__(self, path: str, note: Callable[[str], None]) -> None:
        self._lock = allocate_lock()
        self._waiting: list[tuple[str, tuple[object, ...]]] = []
        self._pages: dict[tuple[str, str], bytes] = {}  # those that cannot be files
        self._folder = os.path.join(os.path.dirname(path), PAGES)
        self._path = path
        self._note = note
        self._connection = _open(path, note)

    def _one(self, query: str, arguments: tuple[object, ...]) -> tuple[object, ...] | None:
        with self._lock:
            try:
                row: tuple[object, ...] | None = self._connection.execute(query, arguments).fetchone()
            except sqlite3.ProgrammingError:
                raise  # a fault of ours, not of the file
            except sqlite3.DatabaseError as error:
                self._met(error)
                return None
        return row

    def _met(self, error: sqlite3.DatabaseError) -> None:
        """A read or write failed: what cannot be had counts as not there, and a damaged file is replaced."""
        if _is_damage(error):
            self._connection.close()
            self._connection = _open(self._path, self._note, error)

    def page(self, source: str, project: str) -> PageRow | None:
        row = self._one(
            "SELECT etag, modified, expires, digest, status, reason FROM page WHERE source=? AND project=?",
            (source, project),
        )
        return None if row is None else PageRow(*row)  # type: ignore[arg-type]

    def page_and_warm(self, source: str, project: str, target: str) -> tuple[PageRow, bytes | None] | None:
        """A page's row and, when it was compiled for ``target`` in its present state, the warm record."""
        row = self._one(
            "SELECT p.etag, p.modified, p.expires, p.digest, p.status, p.reason, w.record FROM page p LEFT JOIN warm w"
            " ON w.source=p.source AND w.project=p.project AND w.target=? AND w.digest=p.digest"
            " WHERE p.source=? AND p.project=?",
            (target, source, project),
        )
        return None if row is None else (PageRow(*row[:6]), row[6])  # type: ignore[arg-type, return-value]

    def kept(self, source: str, project: str, digest: bytes) -> bytes | None:
        """The page of that digest; None where it is lost, or another one was kept since."""
        from hashlib import sha256

        blob = self._pages.get((source, project))
        if blob is None:
            try:
                with open(self._place(source, project), "rb") as file:
                    blob = file.read()
            except OSError:
                return None
        return blob if sha256(blob).digest() == digest else None

    def metadata(self, source: str, project: str, version: str) -> tuple[str, str, str | None, bytes] | None:
        """``(file name, sha256 of METADATA, Requires-Python, marshalled needs)``."""
        return self._one(  # type: ignore[return-value]
            "SELECT file, sha256, python, needs FROM metadata WHERE source=? AND project=? AND version=?",
            (source, project, version),
        )

    # ------------------------------------------------------------ writing

    def keep(self, source: str, project: str, blob: bytes) -> bool:
        """Put a page into its file, at once; whether that could be done.  Touches nothing else, so that a copy of this
        process may do it."""
        place = self._place(source, project)
        try:
            try:
                files.write_atomic(place, blob, sync=False)
            except FileNotFoundError:
                os.makedirs(self._folder, exist_ok=True)
                files.write_atomic(place, blob, sync=False)
        except OSError:
            return False
        return True

    def remember(self, source: str, project: str, blob: bytes) -> None:
        """Have a page that could not be kept until the end of this run."""
        self._pages[source, project] = blob

    def _place(self, source: str, project: str) -> str:
        return os.path.join(self._folder, digests.sha256(f"{source} {project}".encode()).hexdigest()[:40])

    def _later(self, statement: str, *arguments: object) -> None:
        with self._lock:
            self._waiting.append((statement, arguments))

    def put_page(self, source: str, project: str, row: PageRow) -> None:
        self._later(
            "INSERT OR REPLACE INTO page VALUES(?,?,?,?,?,?,?,?)",
            *(source, project, row.etag, row.modified, row.expires, row.digest, row.status, row.reason),
        )

    def touch(self, source: str, project: str, expires: float) -> None:
        self._later("UPDATE page SET expires=? WHERE source=? AND project=?", expires, source, project)

    def put_warm(self, source: str, project: str, target: str, digest: bytes, record: bytes) -> None:
        self._later("INSERT OR REPLACE INTO warm VALUES(?,?,?,?,?)", source, project, target, digest, record)

    def put_metadata(
        self,
        source: str,
        project: str,
        version: str,
        file: str,
        sha256: str,
        python: str | None,
        needs: bytes,
    ) -> None:
        self._later(
            "INSERT OR REPLACE INTO metadata VALUES(?,?,?,?,?,?,?)",
            *(source, project, version, file, sha256, python, needs),
        )

    def flush(self) -> None:
        """Write what waits, in one transaction.  A cache that cannot be written is no failure."""
        with self._lock:
            waiting, self._waiting = self._waiting, []
            if not waiting:
                return
            try:
                self._connection.execute("BEGIN IMMEDIATE")
                for statement, arguments in waiting:
                    self._connection.execute(statement, arguments)
                self._connection.execute("COMMIT")
            except sqlite3.DatabaseError as error:
                if self._connection.in_transaction:
                    self._connection.rollback()
                self._met(error)

    def close(self) -> None:
        self.flush()
        with self._lock:
            self._connection.close()


def _open(
    path: str, note: Callable[[str], None], damage: sqlite3.DatabaseError | None = None
) -> sqlite3.Connection:
    """The file, made if need be; ``damage`` is what was found in it just now.  Memory where it cannot be had."""
    try:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if damage is None:
            try:
                return _connect(path)
            except sqlite3.DatabaseError as error:
                if not _is_damage(error):
                    raise
                damage = error
        for suffix in ("-wal", "-shm", ""):
            if os.path.exists(path + suffix):
                os.replace(path + suffix, f"{path}.damaged{suffix}")
        note(f"the catalogue was damaged ({damage}); begun anew, the old file is {path}.damaged")
        return _connect(path)
    except (OSError, sqlite3.Error) as error:
        note(f"the catalogue cannot be kept in {path} ({error}); nothing learnt now is remembered")
        return _connect(":memory:")


def _is_damage(error: sqlite3.DatabaseError) -> bool:
    """Whether the file is at fault: locked, full and read-only files are errors of a class of their own."""
    return type(error) is sqlite3.DatabaseError or str(error).startswith("no such ")


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=20, isolation_level=None, check_same_thread=False)
    try:
        # One statement tells whether the file is ours and whole; only a new one pays for the schema.
        if connection.execute("PRAGMA user_version").fetchone()[0] != 1:
            connection.execute("PRAGMA journal_mode=WAL")
            connection.executescript(_SCHEMA)
            connection.execute("PRAGMA user_version=1")
        connection.execute("PRAGMA synchronous=NORMAL")
        # The test that the file is whole: a read of the first page of each table.
        connection.execute("SELECT 1 FROM page LIMIT 1").fetchone()
    except BaseException:
        connection.close()
        raise
    return connection
