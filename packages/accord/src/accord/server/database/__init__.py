"""Rows: the schema, the connection, and the order of all changes (the serial).

Rooms make the statements they run all the time once, as constants of their modules: to put one together costs several times
what running it does.
"""

from __future__ import annotations

from accord.server.database.engine import READ_ONLY, SCHEMA, Change, Database, Writing

__all__ = ["READ_ONLY", "SCHEMA", "Change", "Database", "Writing"]
