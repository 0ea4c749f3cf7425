"""An index as it was at an earlier serial.

Serials count the changes of every index together, so one number names a state of a whole stack.  Rows are not deleted, and
each entry of the journal that changed one says what was before it: the past is the present with the entries after it taken
back, the oldest of them last.  Rows are read first and the journal after them, so that a change which is made between the two
is taken back as well.

Of an index with an upstream the past is what *it* said: what it saw of upstream's pages, when it saw it.  A file upstream has
no more (``gone``) stands in the past from the serial with which it came to that with which it went.

Three things are not as they were.  Who may read is asked of today.  What was withdrawn since, or is in quarantine, is not
given out again.  Namespaces are left out: they say who may publish, which nobody does into the past.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, func, select

from accord.server.accounts import principals
from accord.server.catalogue import indexes, reading
from accord.server.database import tables
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.accounts.principals import Principal
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.reading import FileRow, ProjectRow

__all__ = ["Moment", "Then", "index_then", "moment", "names_then", "order_then", "tell_then"]

_SERIAL = re.compile(r"[0-9]{1,18}\Z")
_TIME = re.compile(r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,6}))?Z\Z", re.ASCII)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Moment:
    """``settled``: what is to be seen at this serial can change no more, but for what is withdrawn."""

    serial: int
    settled: bool


@dataclass(frozen=True, slots=True)
class Then:
    """A project as it was: ``rows`` of the indexes that answered, the first one's with the status it had.  ``whole``:
    nothing is held back today that may be offered again."""

    rows: tuple[ProjectRow, ...]
    files: tuple[FileRow, ...]
    versions: tuple[str, ...]
    whole: bool

    @property
    def row(self) -> ProjectRow:
        return self.rows[0]

    @property
    def serial(self) -> int:
        return max(row.serial for row in self.rows)


def moment(connection: Connection, text: str, now: int) -> Moment:
    """What stands behind ``@`` in an address: a serial, or an instant (``2026-11-01T00:00:00Z``), which names the last
    serial not after it.  Raises ``Refused``: ``moment-invalid``, ``no-such-moment`` (404)."""
    change = tables.change.c
    last = connection.execute(
        select(change.serial, change.at).order_by(change.serial.desc()).limit(1)
    ).first()
    latest = 0 if last is None else last.serial
    if _SERIAL.match(text):
        if not 0 < int(text) <= latest:
            raise _to_come(text)
        return Moment(int(text), settled=True)
    at = _instant(text)
    if at is None:
        raise Refused(
            404,
            "moment-invalid",
            f"@{text[:60]} names no state of an index",
            hint="a serial, or an instant like @2026-11-01T00:00:00Z",
        )
    # No change is entered with an earlier instant than the one before it: from the first later one on, nothing is added.
    said = 0 if last is None else last.at
    if at > max(now, said):
        raise _to_come(text)
    serial = connection.execute(select(func.max(change.serial)).where(change.at <= at)).scalar()
    if serial is None:
        raise Refused(404, "no-such-moment", f"@{text[:60]} is before this server began")
    return Moment(int(serial), settled=at < said)


def _instant(text: str) -> int | None:
    match = _TIME.match(text)
    if match is None:
        return None
    try:
        found = datetime.fromisoformat(match[1] + "+00:00")
    except ValueError:
        return None
    return (found - _EPOCH) // _MICROSECOND + int((match[2] or "").ljust(6, "0"))


def _to_come(text: str) -> Refused:
    return Refused(404, "no-such-moment", f"@{text[:60]} is still to come")


def index_then(connection: Connection, index: IndexRow, serial: int) -> IndexRow:
    """With the settings and the serial it had.  Raises ``Refused("no-such-moment")`` where it was not there yet."""
    change = tables.change.c
    own = connection.execute(
        select(func.max(change.serial)).where(change.index_id == index.id, change.serial <= serial)
    ).scalar()
    if own is None:
        raise Refused(404, "no-such-moment", f"{index.name} was made later")
    found = replace(index, serial=int(own))
    before = _before(connection, index, serial, "change-stack")
    if before is not None:
        found = replace(found, settings={**index.settings, "mix": before["mix"]})
    return found


def order_then(connection: Connection, index: IndexRow, serial: int) -> tuple[IndexRow, ...]:
    """``indexes.reading_order`` as it was."""
    found: dict[int, IndexRow] = {}
    waiting = [index]
    while waiting:
        here = waiting.pop()
        if here.id in found:
            continue
        found[here.id] = index_then(connection, here, serial)
        bases = indexes.bases_of(connection, here)
        before = _before(connection, here, serial, "change-stack")
        if before is not None:
            bases = tuple(indexes.index_numbered(connection, number) for number in before["bases"])
        waiting.extend(reversed(bases))
    return tuple(found.values())


def _before(connection: Connection, index: IndexRow, serial: int, action: str) -> dict[str, Any] | None:
    """What the first entry after ``serial`` of that kind found; ``None`` where there was none: it is as now."""
    change = tables.change.c
    detail = connection.execute(
        select(change.detail)
        .where(
            change.index_id == index.id,
            change.project.is_(None),
            change.serial > serial,
            change.action == action,
        )
        .order_by(change.serial)
        .limit(1)
    ).scalar()
    return None if detail is None else detail["before"]


def tell_then(
    connection: Connection, who: Principal, index: IndexRow, name: str, serial: int, at: int
) -> Then | None:
    """``stacks.tell`` as it was, for who may read ``index`` today."""
    order = order_then(connection, index, serial)
    mixed = name in order[0].settings.get("mix", ())
    rows: list[ProjectRow] = []
    files: dict[str, FileRow] = {}
    versions: list[str] = []
    for source in order:
        row = _project_then(connection, source, name, serial)
        if row is None:
            continue
        if not principals.may(connection, who, "read", source, name, at):
            break
        there = reading.files_of(connection, row, at=serial)
        undone = _Undone.read(connection, row, serial)
        rows.append(undone.project(row))
        versions += _versions_then(connection, row, serial)
        for file in undone.files(there):
            files.setdefault(file.filename, file)
        if not mixed:
            break
    if not rows:
        return None
    whole = not any(reading.holds_back(connection, row) for row in rows)
    return Then(tuple(rows), tuple(files.values()), reading.in_order(versions), whole)


def names_then(
    connection: Connection, who: Principal, index: IndexRow, serial: int, at: int
) -> list[tuple[str, int]]:
    """``(display, serial)`` of every project the stack had, by name."""
    found: dict[str, tuple[str, int] | None] = {}
    change, project = tables.change.c, tables.project.c
    for source in order_then(connection, index, serial):
        open_to = principals.may(connection, who, "read", source, None, at)
        rows = connection.execute(
            select(project.name, project.display, project.private, func.max(change.serial))
            .join(tables.change, and_(change.index_id == project.index_id, change.project == project.name))
            .where(project.index_id == source.id, change.serial <= serial)
            .group_by(project.name, project.display, project.private)
        ).all()
        for name, display, private, own in rows:
            seen = open_to
            if private:
                seen = principals.may(connection, who, "read", source, name, at)
            found.setdefault(name, (display, own) if seen else None)
    return [told for _, told in sorted(found.items()) if told is not None]


def _project_then(connection: Connection, index: IndexRow, name: str, serial: int) -> ProjectRow | None:
    row = reading.find_project(connection, index, name)
    if row is None:
        return None
    change = tables.change.c
    own = connection.execute(
        select(func.max(change.serial)).where(
            change.index_id == index.id, change.project == name, change.serial <= serial
        )
    ).scalar()
    return None if own is None else replace(row, serial=int(own))


def _versions_then(connection: Connection, row: ProjectRow, serial: int) -> list[str]:
    rows = connection.execute(
        select(tables.release.c.version)
        .join(tables.file, tables.file.c.release_id == tables.release.c.id)
        .where(tables.release.c.project_id == row.id, tables.file.c.added_serial <= serial)
        .distinct()
    )
    return list(rows.scalars())


# What was before an entry that does not say it: those of an index that has what its upstream says.
_UNSAID: dict[str, dict[str, Any]] = {
    "status": {"status": "active", "reason": None},
    "release-status": {"status": "active", "reason": None},
    "yank": {"yanked": False, "reason": None},
    "unyank": {"yanked": True, "reason": None},
    "withdraw": {"state": "live"},
    "remove-file": {"state": "live"},
    "restore": {"state": "withdrawn"},
    "change-files": {},
}


@dataclass(slots=True)
class _Undone:
    """What the entries after a serial found, each of the first that touched a thing."""

    status: dict[str, Any] | None
    releases: dict[str, dict[str, Any]]
    yanks: dict[str, dict[str, Any]]
    states: dict[str, dict[str, Any]]
    others: dict[str, dict[str, Any]]

    @classmethod
    def read(cls, connection: Connection, row: ProjectRow, serial: int) -> _Undone:
        change = tables.change.c
        entries = connection.execute(
            select(change.action, change.version, change.filename, change.detail)
            .where(
                change.index_id == row.index_id,
                change.project == row.name,
                change.serial > serial,
                change.action.in_(tuple(_UNSAID)),
            )
            .order_by(change.serial)
        )
        found = cls(None, {}, {}, {}, {})
        for action, version, filename, detail in entries:
            before = detail.get("before") or _UNSAID[action]
            if action == "status":
                found.status = found.status or before
            elif action == "release-status":
                found.releases.setdefault(version, before)
            elif action in ("yank", "unyank"):
                found.yanks.setdefault(filename, before)
            elif action == "change-files":
                for name, values in before.items():
                    found.others[name] = {**values, **found.others.get(name, {})}
            else:
                found.states.setdefault(filename, before)
        return found

    def project(self, row: ProjectRow) -> ProjectRow:
        if self.status is None:
            return row
        return replace(row, status=self.status["status"], status_reason=self.status["reason"])

    def files(self, there: tuple[FileRow, ...]) -> list[FileRow]:
        if self.status is not None and self.status["status"] == "quarantined":
            return []
        found = []
        for file in there:
            if self.releases.get(file.version, {}).get("status") == "quarantined":
                continue
            if self.states.get(file.filename, {}).get("state", file.state) != "live":
                continue
            file = replace(file, state="live", **self.others.get(file.filename, {}))
            before = self.yanks.get(file.filename)
            if before is not None:
                file = replace(file, yanked=before["yanked"], yank_reason=before["reason"])
            found.append(file)
        return found
