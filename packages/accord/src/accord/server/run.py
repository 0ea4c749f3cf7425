"""Serving: the processes, their start and their end."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from accord.server.database.counter import Counter
from accord.server.front import SETTINGS_VARIABLE

if TYPE_CHECKING:
    from accord.server.settings import Settings

__all__ = ["serve"]


def serve(settings: Settings, *, host: str, port: int, workers: int) -> None:
    """Serve until SIGINT or SIGTERM; requests that are being answered are answered."""
    from granian.constants import Interfaces, Loops
    from granian.server.mp import MPServer

    # Loaded before the processes are forked: they share it, and start at once.
    import accord.server.app
    import accord.server.front  # noqa: F401

    counter = Counter(os.path.join(settings.cache, "serial"))

    class Server(MPServer):
        def shutdown(self, exit_code: int = 0) -> None:
            counter.end()  # before the processes are told, because they finish what they answer
            super().shutdown(exit_code)  # type: ignore[no-untyped-call]

    os.environ[SETTINGS_VARIABLE] = settings.dump()
    Server(
        "accord.server.front:make",
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        factory=True,
        workers=workers,
        loop=Loops.auto,
        log_access=False,
        log_enabled=False,
        websockets=False,
        workers_kill_timeout=10,
    ).serve()
