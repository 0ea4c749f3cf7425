"""Rows: the schema, the connection, and the order of all changes (the serial)."""

from __future__ import annotations

from accord.server.database.engine import READ_ONLY, SCHEMA, Change, Database, Writing

__all__ = ["READ_ONLY", "SCHEMA", "Change", "Database", "Writing"]
