"""The server of a folder, opened by a command of ``accord index`` beside the processes that serve it.

SQLite and PostgreSQL keep the two apart; what changes here is seen there at once, because they share the counter of
changes.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from accord.tasks.serving import default_data
from accord_core.errors import UsageError

if TYPE_CHECKING:
    from accord.server.parts import Parts

__all__ = ["Place", "operator"]


class Place:
    """Where a server keeps its things: ``--data``, ``--database``, ``--storage`` of the command line; ``attestation_roots``
    for what fetches attestations."""

    __slots__ = ("attestation_roots", "data", "database", "secret_file", "storage")

    def __init__(
        self,
        data: str | None = None,
        database: str = "",
        storage: str = "",
        secret_file: str = "",
        attestation_roots: str = "",
    ) -> None:
        self.data = os.path.abspath(data or default_data())
        self.database = database
        self.storage = storage
        self.secret_file = secret_file
        self.attestation_roots = attestation_roots

    @contextmanager
    def opened(self) -> Iterator[Parts]:
        """Raises ``UsageError``: ``no-server-here``, ``extra-missing``, and what opening a server raises."""
        try:
            from accord.server.catalogue import indexes
            from accord.server.parts import open_parts
            from accord.server.settings import Settings
        except ModuleNotFoundError as missing:
            raise UsageError(
                "extra-missing",
                f"administering an index needs {missing.name}, which is not installed",
                hint="pip install 'accord[server]'",
            ) from missing
        settings = Settings(
            self.data,
            database=self.database,
            storage=self.storage,
            secret_file=self.secret_file,
            attestation_roots=self.attestation_roots,
        )
        if not self.database and not os.path.exists(settings.database_url.removeprefix("sqlite:///")):
            raise self._nothing()
        parts = open_parts(settings)
        try:
            with parts.database.read() as connection:
                if not indexes.indexes(connection):
                    raise self._nothing()
            yield parts
        finally:
            parts.close()

    def _nothing(self) -> UsageError:
        return UsageError(
            "no-server-here",
            f"no server keeps its things in {self.database or self.data}",
            hint="accord serve makes one; --data and --database say where another is",
        )


def operator() -> str:
    """Who acts, for journals: the user of this machine's own accounts."""
    try:
        return f"operator:{getpass.getuser()}"
    except (KeyError, OSError):  # an account without a name, in a container
        return "operator"
