"""An S3-compatible object store for tests: moto's server, in a process of its own, on a free port.

It keeps everything in memory: ``pause`` (it takes connections and says nothing) is how it fails, not killing.
"""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
import urllib.request
from typing import Self

from accord.io.ports import free_port

__all__ = ["CREDENTIALS", "Objects"]

CREDENTIALS = {"AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "tests"}
"""What processes that use it need in their environment; it takes any."""


class Objects:
    def __init__(self) -> None:
        port = free_port()
        self.endpoint = f"http://127.0.0.1:{port}"
        self._process = subprocess.Popen(
            [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def __enter__(self) -> Self:
        end = time.monotonic() + 60
        while True:
            try:
                urllib.request.urlopen(f"{self.endpoint}/moto-api/", timeout=5).close()  # noqa: S310 - our own
                return self
            except OSError:
                assert time.monotonic() < end and self._process.poll() is None, "moto's server does not start"
                time.sleep(0.05)

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.wait()

    def new_bucket(self, options: str = "") -> str:
        """The URL of a new bucket, as ``--storage`` takes it; ``options`` go to its query."""
        name = f"bucket-{secrets.token_hex(6)}"
        request = urllib.request.Request(f"{self.endpoint}/{name}", method="PUT")  # noqa: S310 - our own
        urllib.request.urlopen(request, timeout=30).close()  # noqa: S310 - our own
        return f"s3://{name}/index?endpoint={self.endpoint}{options and '&' + options}"

    def pause(self) -> None:
        os.kill(self._process.pid, signal.SIGSTOP)

    def go_on(self) -> None:
        os.kill(self._process.pid, signal.SIGCONT)
