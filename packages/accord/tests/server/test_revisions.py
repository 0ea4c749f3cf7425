"""The schema: what revisions build is what the tables say; an older one is refused, with the command that helps."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.operations import Operations
from sqlalchemy import select, update

from accord.server.database import SCHEMA, Database, tables
from accord.server.database.revisions import REVISIONS, build, upgrade
from accord.server.errors import Refused
from accord.server.parts import open_parts
from accord.testing.serving import InProcess


@pytest.fixture
def database(tmp_path: Path, database_url: str) -> Iterator[Database]:
    """A database with nothing in it."""
    found = Database(database_url or f"sqlite:///{tmp_path / 'x.sqlite3'}", cache=str(tmp_path / "cache"))
    yield found
    found.close()


def test_the_revisions_build_what_the_tables_say(database: Database) -> None:
    """After a change of a table: python .ci/revision.py, until the first release; a new revision afterwards."""
    with database.alter() as connection:
        build(connection)
        # SQLite tells defaults in other quotes; the test below compares them to the letter.
        options = {"compare_type": True, "compare_server_default": not database.is_sqlite}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def test_both_ways_lead_to_the_same_tables_to_the_letter(tmp_path: Path) -> None:
    def schema(name: str, *, revisions: bool) -> list[list[str]]:
        found = Database(f"sqlite:///{tmp_path / name}", cache=str(tmp_path / "cache"))
        with found.alter() as connection:
            if revisions:
                build(connection)
            else:
                tables.metadata.create_all(connection)
            rows = connection.exec_driver_sql("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")
            words = [" ".join(str(row[0]).split()) for row in rows]
        found.close()
        return sorted(
            sorted(part.rstrip(" )") for part in one.split(", ")) for one in words
        )  # constraints come in another order

    assert schema("one", revisions=True) == schema("two", revisions=False)


def test_the_newest_revision_is_the_schema_of_this_version() -> None:
    assert max(REVISIONS) == int(SCHEMA)
    assert sorted(REVISIONS) == list(range(1, int(SCHEMA) + 1))


@pytest.mark.parametrize(
    ("schema", "code", "help_"),
    [("0", "server-schema-old", "accord index upgrade"), ("99", "server-schema-unknown", "")],
)
def test_a_server_does_not_start_on_another_schema(
    index: InProcess, schema: str, code: str, help_: str
) -> None:
    _set_schema(index, schema)
    with pytest.raises(Refused) as refused:
        index.parts.database.create()
    assert refused.value.code == code
    assert help_ in (refused.value.hint or "")


def test_a_server_that_does_not_start_leaves_no_connection_open(
    index: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would be closed when it is collected, with a warning in the middle of something else."""
    _set_schema(index, "0")
    closed: list[Database] = []

    def close(database: Database, whole: Callable[[Database], None] = Database.close) -> None:
        closed.append(database)
        whole(database)

    monkeypatch.setattr(Database, "close", close)
    with pytest.raises(Refused):
        open_parts(index.parts.settings)
    assert len(closed) == 1


def _set_schema(index: InProcess, schema: str) -> None:
    with index.parts.database.write("test") as writing:
        writing.connection.execute(
            update(tables.state).where(tables.state.c.key == "schema").values(value=schema)
        )


def _color(op: Operations) -> None:
    op.add_column("project", sa.Column("color", sa.String(10), server_default="red", nullable=False))


def _fails(op: Operations) -> None:
    _color(op)
    raise KeyError("in the middle")


def test_an_older_database_is_brought_up_to_date(index: InProcess) -> None:
    database = index.parts.database
    upgrade(database, schema="2", revisions={**REVISIONS, 2: _color})
    assert database.schema() == "2"
    assert "color" in {column["name"] for column in sa.inspect(database.engine).get_columns("project")}
    upgrade(database, schema="2", revisions={**REVISIONS, 2: _color})


def test_an_upgrade_that_fails_changes_nothing(index: InProcess) -> None:
    database = index.parts.database
    with pytest.raises(KeyError):
        upgrade(database, schema="2", revisions={**REVISIONS, 2: _fails})
    assert database.schema() == SCHEMA
    assert "color" not in {column["name"] for column in sa.inspect(database.engine).get_columns("project")}


def test_a_newer_database_is_not_brought_down(index: InProcess) -> None:
    _set_schema(index, "99")
    with pytest.raises(Refused) as refused:
        upgrade(index.parts.database)
    assert refused.value.code == "server-schema-unknown"


def test_upgrading_what_has_the_schema_changes_nothing(index: InProcess) -> None:
    upgrade(index.parts.database)
    with index.parts.database.read() as connection:
        assert connection.execute(select(tables.index.c.name)).scalars().all() == ["main"]
