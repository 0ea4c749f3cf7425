"""Ports of this machine, for servers that are started after the port is known."""

from __future__ import annotations

import random
import socket

__all__ = ["free_port"]

_PORTS = range(20_000, 32_000)


def free_port() -> int:
    """One that is free, and none of those that the system gives to whoever asks for any: somebody would now and then have it
    before the server listens, or while it is killed and started again."""
    while True:
        port = random.SystemRandom().choice(_PORTS)
        try:
            socket.create_server(("127.0.0.1", port)).close()
        except OSError:  # somebody has it
            continue
        return port
