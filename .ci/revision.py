"""Write the first revision of the server's schema anew from its tables.

Until the first release there is one revision, and it is what ``database.tables`` says; afterwards revisions are written by
hand and this file goes.  Run it when a table changes.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext
from sqlalchemy import create_engine

from accord.server.database import tables

PLACE = Path(__file__).parent.parent / "packages/accord/src/accord/server/database/revisions/revision_1.py"
HEAD = '''"""Schema 1: every table of the first release.  Written by ``.ci/revision.py``."""

from __future__ import annotations

from typing import TYPE_CHECKING

import sqlalchemy as sa

if TYPE_CHECKING:
    from alembic.operations import Operations

__all__ = ["upgrade"]


def upgrade(op: Operations) -> None:
'''


def main() -> None:
    with create_engine("sqlite://").connect() as connection:
        found = produce_migrations(MigrationContext.configure(connection), tables.metadata)
    assert found.upgrade_ops is not None
    lines = render_python_code(found.upgrade_ops).splitlines()
    PLACE.write_text(HEAD + "\n".join(line for line in lines if "###" not in line) + "\n")
    subprocess.run([sys.executable, "-m", "ruff", "format", "-q", str(PLACE)], check=True)


if __name__ == "__main__":
    main()
