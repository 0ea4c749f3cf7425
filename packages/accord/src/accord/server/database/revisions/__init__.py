"""How tables become those of the next version: one module for each schema, with what makes it of the one before.

A new database is made from ``tables`` at once; these run on databases that older versions made (``accord index upgrade``).
Both ways must lead to the same schema, which a test compares.  Alembic does the changes, because SQLite cannot alter most of
a table and alembic knows the way around; the number of the schema is in ``state``, so no second book is kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import func, inspect, select, update

from accord.server.database import SCHEMA, tables
from accord.server.database.revisions import revision_1
from accord.server.errors import Refused

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.database import Database

__all__ = ["REVISIONS", "build", "upgrade"]

Revision = Callable[[Operations], None]
REVISIONS: dict[int, Revision] = {1: revision_1.upgrade}
"""What leads to each schema from the one before."""


def build(connection: Connection, *, revisions: Mapping[int, Revision] = REVISIONS, after: int = 0) -> None:
    """Run the revisions after a schema, inside the caller's transaction."""
    operations = Operations(MigrationContext.configure(connection))
    for number in sorted(revisions):
        if number > after:
            revisions[number](operations)


def upgrade(
    database: Database, *, schema: str = SCHEMA, revisions: Mapping[int, Revision] = REVISIONS
) -> None:
    """Bring a database that has tables to ``schema``, whole or not at all; a new one is left alone.

    Processes of the old version must have ended.  Raises ``Refused("server-schema-unknown")`` for a newer one.
    """
    with database.alter() as connection:
        if not database.is_sqlite:
            connection.execute(select(func.pg_advisory_xact_lock(0)))
        if not inspect(connection).has_table("state"):
            return
        row = tables.state.c
        found = connection.execute(select(row.value).where(row.key == "schema")).scalar() or ""
        if not found.isdigit() or int(found) > int(schema):
            raise Refused(
                500,
                "server-schema-unknown",
                f"the database has schema {found}, this version knows {schema}",
                hint="use the version of Accord that wrote it",
            )
        build(connection, revisions=revisions, after=int(found))
        connection.execute(update(tables.state).where(row.key == "schema").values(value=schema))
