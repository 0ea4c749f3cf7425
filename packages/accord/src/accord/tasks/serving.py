"""Start an index on this machine: its first index and administrator, then its processes."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass

from accord_core.errors import UsageError

__all__ = ["Started", "default_data", "serve"]


@dataclass(frozen=True, slots=True)
class Started:
    """``url`` is where it answers, ``token`` the administrator's, at the very first start only."""

    url: str
    data: str
    token: str | None


def default_data() -> str:
    """Where a server of this user keeps its things unless told otherwise."""
    base = os.environ.get("XDG_DATA_HOME") or os.path.join(os.path.expanduser("~"), ".local", "share")
    return os.path.join(base, "accord", "server")


def serve(
    *,
    data: str,
    host: str,
    port: int,
    workers: int,
    database: str = "",
    storage: str = "",
    public_url: str | None = None,
    started: Callable[[Started], None],
) -> None:
    """Serve until the process is told to end; ``started`` is called once, before the first request.

    Raises ``UsageError``: ``extra-missing``, ``server-data-unwritable``, ``server-storage-unknown``.
    """
    try:
        from accord.server import run
        from accord.server.parts import first_start, open_parts
        from accord.server.settings import Settings
    except ModuleNotFoundError as missing:
        raise UsageError(
            "extra-missing",
            f"serving needs {missing.name}, which is not installed",
            hint="pip install 'accord[server]'",
        ) from missing
    settings = Settings(os.path.abspath(data), database=database, storage=storage, public_url=public_url)
    parts = open_parts(settings)
    token = first_start(parts)
    parts.close()
    started(Started(public_url or f"http://{host}:{port}", settings.data, token))
    run.serve(settings, host=host, port=port, workers=workers)
