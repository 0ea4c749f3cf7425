"""The rows by themselves: serials, names, pointers from row to row; and how each damage of them is mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import and_, delete, func, insert, or_, select, update

from accord.server.database import tables

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

    from accord.server.database import Database, Writing
    from accord.server.upkeep.needed import Needed

__all__ = ["Found", "faults", "file_of_metadata", "forget_cached", "set_size"]

Mend = Callable[["Writing"], None]
# Rows that mean nothing without what they point at.
_LEAVES = ("dependency", "role", "web_session", "index_base", "namespace", "token", "upload_file")


@dataclass(frozen=True, slots=True)
class Found:
    code: str
    subject: str
    words: str
    remedy: str


def faults(database: Database) -> Iterator[tuple[Found, Mend | None]]:
    """Every damage of the rows, with what mends it where something does."""
    with database.read() as connection:
        found = [
            *_sqlite(connection, database.is_sqlite),
            *_serials(connection),
            *_project_serials(connection),
            *_unnumbered(connection),
            *_names(connection),
            *_twice(connection),
            *_pointers(connection),
        ]
    yield from found


def _sqlite(connection: Connection, is_sqlite: bool) -> Iterator[tuple[Found, Mend | None]]:
    if not is_sqlite:
        return
    for (words,) in connection.exec_driver_sql("PRAGMA integrity_check(20)"):
        if words != "ok":
            yield (
                Found(
                    "database-damaged",
                    "database",
                    str(words),
                    "restore a copy; accord index export saves the rest",
                ),
                None,
            )


def _serials(connection: Connection) -> Iterator[tuple[Found, Mend | None]]:
    counted = connection.execute(select(tables.serial.c.value)).scalar()
    number, last = connection.execute(
        select(func.count(), func.max(tables.change.c.serial)).select_from(tables.change)
    ).one()
    last = last or 0
    if counted is None or counted < last:
        yield (
            Found(
                "serial-behind",
                "serial",
                f"the counter is at {counted}, the journal at {last}",
                "the counter goes on where the journal ends",
            ),
            partial(_set_serial, value=last),
        )
    elif counted > last:
        yield (
            Found(
                "journal-short",
                "serial",
                f"the counter is at {counted}, the journal ends at {last}",
                "changes are lost: mirrors should look at everything again",
            ),
            None,
        )
    if number != last:
        yield (
            Found(
                "journal-gap",
                "serial",
                f"the journal has {number} changes, the last is number {last}",
                "changes are lost: mirrors should look at everything again",
            ),
            None,
        )


def _set_serial(writing: Writing, *, value: int) -> None:
    writing.connection.execute(delete(tables.serial))
    writing.connection.execute(insert(tables.serial).values(id=1, value=value))


def _project_serials(connection: Connection) -> Iterator[tuple[Found, Mend | None]]:
    """A project's serial is that of its newest change; mirrors compare it."""
    newest = (
        select(
            tables.change.c.index_id,
            tables.change.c.project,
            func.max(tables.change.c.serial).label("serial"),
        )
        .where(tables.change.c.project.is_not(None))
        .group_by(tables.change.c.index_id, tables.change.c.project)
        .subquery()
    )
    rows = connection.execute(
        select(tables.project.c.id, tables.project.c.name, tables.project.c.serial, newest.c.serial)
        .join(
            newest,
            and_(newest.c.index_id == tables.project.c.index_id, newest.c.project == tables.project.c.name),
        )
        .where(tables.project.c.serial != newest.c.serial)
    )
    for identity, name, has, wanted in rows:
        yield (
            Found(
                "project-serial",
                name,
                f"the project says serial {has}, its newest change is {wanted}",
                "the project says the serial of its newest change",
            ),
            partial(_set_project_serial, identity=identity, value=wanted),
        )


def _set_project_serial(writing: Writing, *, identity: int, value: int) -> None:
    writing.connection.execute(
        update(tables.project).where(tables.project.c.id == identity).values(serial=value)
    )


def _unnumbered(connection: Connection) -> Iterator[tuple[Found, Mend | None]]:
    """A live file nobody sees, because it was never numbered, or is numbered in the future."""
    last = select(func.max(tables.change.c.serial)).scalar_subquery()
    file, change = tables.file.c, tables.change.c
    rows = connection.execute(
        select(
            file.id,
            file.filename,
            select(func.min(change.serial))
            .where(
                change.index_id == file.index_id,
                change.filename == file.filename,
                change.action.in_(("add-file", "promote", "restore")),
            )
            .scalar_subquery(),
        ).where(file.state == "live", or_(file.added_serial.is_(None), file.added_serial > last))
    )
    for identity, filename, serial in rows:
        yield (
            Found(
                "file-serial",
                filename,
                "the file has no place in the order of changes",
                "it gets the number of the change that added it"
                if serial
                else "no change added it: withdraw it or publish it again",
            ),
            partial(_number, identity=identity, serial=serial) if serial else None,
        )


def _number(writing: Writing, *, identity: int, serial: int) -> None:
    writing.connection.execute(
        update(tables.file).where(tables.file.c.id == identity).values(added_serial=serial)
    )


def _names(connection: Connection) -> Iterator[tuple[Found, Mend | None]]:
    """Each file's name is burnt, for its bytes."""
    file, name = tables.file.c, tables.file_name.c
    rows = connection.execute(
        select(file.index_id, file.filename, file.sha256, file.uploaded, name.filename, name.sha256)
        .outerjoin_from(
            tables.file,
            tables.file_name,
            and_(name.index_id == file.index_id, name.filename == file.filename),
        )
        .where(
            file.state != "staged",
            # Nobody uploads to an index with an upstream.
            file.index_id.in_(select(tables.index.c.id).where(tables.index.c.kind != "upstream")),
            or_(name.filename.is_(None), name.sha256.is_(None), name.sha256 != file.sha256),
        )
    )
    for index_id, filename, sha256, uploaded, burnt, of in rows:
        if burnt is None or of is None:
            yield (
                Found(
                    "name-not-burnt",
                    filename,
                    "the name of the file could be used again",
                    "the name is burnt",
                ),
                partial(_burn, index_id=index_id, filename=filename, sha256=sha256, used=uploaded),
            )
        else:
            yield (
                Found(
                    "name-of-others",
                    filename,
                    f"the name was given to {of}, the file has {sha256}",
                    "find out which are the right bytes; withdraw the file if it is not these",
                ),
                None,
            )


def _burn(writing: Writing, **values: Any) -> None:
    name = tables.file_name.c
    writing.connection.execute(
        delete(tables.file_name).where(
            name.index_id == values["index_id"], name.filename == values["filename"]
        )
    )
    writing.connection.execute(insert(tables.file_name).values(**values))


def _twice(connection: Connection) -> Iterator[tuple[Found, Mend | None]]:
    file = tables.file.c
    rows = connection.execute(
        select(file.index_id, file.filename, func.count())
        .where(file.state == "live", file.removed_serial.is_(None), file.added_serial.is_not(None))
        .group_by(file.index_id, file.filename)
        .having(func.count() > 1)
    )
    for _, filename, count in rows:
        yield (
            Found(
                "file-twice",
                filename,
                f"{count} live files have this name in one index",
                "withdraw the wrong one",
            ),
            None,
        )


def _pointers(connection: Connection) -> Iterator[tuple[Found, Mend | None]]:
    """Rows that point at rows which are not there (PostgreSQL allows none; SQLite where its check was off)."""
    for table in tables.metadata.sorted_tables:
        for column in table.c:
            for key in column.foreign_keys:
                other = key.column
                lost = connection.execute(
                    select(func.count())
                    .select_from(table)
                    .where(column.is_not(None), column.not_in(select(other)))
                ).scalar_one()
                if lost:
                    leaf = table.name in _LEAVES
                    yield (
                        Found(
                            "row-lost",
                            f"{table.name}.{column.name}",
                            f"{lost} rows point at a {other.table.name} that is not there",
                            "such rows mean nothing and go" if leaf else "restore the rows from a copy",
                        ),
                        partial(_drop_lost, table=table, column=column, other=other) if leaf else None,
                    )


def _drop_lost(writing: Writing, *, table: Table, column: Any, other: Any) -> None:
    writing.connection.execute(delete(table).where(column.is_not(None), column.not_in(select(other))))


def set_size(writing: Writing, table: str, sha256: str, size: int) -> None:
    """What rows of ``table`` say of the length of a blob."""
    of = tables.metadata.tables[table]
    writing.connection.execute(update(of).where(of.c.sha256 == sha256).values(size=size))


def forget_cached(writing: Writing, one: Needed) -> None:
    """A page or file of upstream does not lie here any more."""
    page, cached = tables.upstream_page, tables.upstream_file
    if one.table == page.name:
        writing.connection.execute(delete(page).where(page.c.sha256 == one.sha256))
    elif one.column == "sha256":
        writing.connection.execute(update(cached).where(cached.c.sha256 == one.sha256).values(stored=False))
    elif one.column == "provenance_sha256":
        writing.connection.execute(
            update(cached).where(cached.c.provenance_sha256 == one.sha256).values(provenance_fetched=None)
        )
    else:
        writing.connection.execute(
            update(cached).where(cached.c.metadata_sha256 == one.sha256).values(metadata_stored=False)
        )


def file_of_metadata(connection: Connection, one: Needed) -> str | None:
    """The digest of a file whose core metadata a pointer names."""
    file = tables.file.c
    return connection.execute(
        select(file.sha256).where(file.metadata_sha256 == one.sha256, file.filename == one.subject).limit(1)
    ).scalar()
