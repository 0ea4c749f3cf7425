"""What a server must have for itself before it says that it serves: its folder, and its address.

Two servers on one folder would receive uploads into each other's files; two on one address would answer in turns, because
the processes of one server share theirs (``SO_REUSEPORT``), and nothing would say so.
"""

from __future__ import annotations

import errno
import fcntl
import os
import socket

from accord_core.errors import UsageError

__all__ = ["claim_folder", "require_address"]


def claim_folder(data: str) -> int:
    """Take the server's folder; returns the open file that holds it until the process and its children have ended.

    Raises ``UsageError("server-running")``.
    """
    handle = os.open(os.path.join(data, "serving"), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as fault:
        who = os.pread(handle, 100, 0).decode("ascii", "replace").strip()
        os.close(handle)
        raise UsageError(
            "server-running",
            f"a server ({who or 'another process'}) serves {data} already",
            hint="end it first, or name another folder with --data",
        ) from fault
    os.ftruncate(handle, 0)
    os.pwrite(handle, f"process {os.getpid()}\n".encode(), 0)
    return handle


def require_address(host: str, port: int) -> int:
    """The port to listen at: a free one for 0.  Raises ``UsageError``: ``server-address-in-use``, ``server-address``."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except OSError as fault:
        if fault.errno == errno.EADDRINUSE:
            raise UsageError(
                "server-address-in-use",
                f"something listens at {host}:{port} already",
                hint="end it, or choose another address with --bind",
            ) from fault
        raise UsageError(
            "server-address",
            f"the server cannot listen at {host}:{port}: {fault.strerror}",
            hint="--bind takes an address of this machine; ports below 1024 need a right of their own",
        ) from fault
