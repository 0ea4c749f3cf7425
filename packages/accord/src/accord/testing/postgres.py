"""A real PostgreSQL for tests: made in a temporary folder, reached by a socket in it, gone afterwards.

``initdb`` and ``postgres`` refuse to be root, so for root they run as ``nobody``.
"""

from __future__ import annotations

import glob
import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from typing import Self

__all__ = ["Postgres", "binaries"]

_NOBODY = "nobody"


def binaries() -> str | None:
    """The folder of the newest PostgreSQL's programs on this machine, ``None`` where there is none."""
    found = glob.glob("/usr/lib/postgresql/*/bin/initdb") + glob.glob("/usr/local/pgsql/bin/initdb")
    found.sort(key=lambda path: [int(part) if part.isdigit() else 0 for part in path.split("/")])
    if found:
        return os.path.dirname(found[-1])
    elsewhere = shutil.which("initdb")
    return os.path.dirname(os.path.realpath(elsewhere)) if elsewhere else None


class Postgres:
    """``durable``: as in production, for tests that kill; otherwise it does not wait for the disk.

    ``kill`` ends it as a power cut would, ``start`` starts it again on the same folder.
    """

    def __init__(self, *, durable: bool = False) -> None:
        programs = binaries()
        assert programs is not None, "there is no PostgreSQL on this machine"
        self._programs = programs
        self._durable = durable
        self.folder = tempfile.mkdtemp(prefix="accord-pg-")
        self._data = os.path.join(self.folder, "data")
        self._process: subprocess.Popen[bytes] | None = None
        if os.geteuid() == 0:
            account = pwd.getpwnam(_NOBODY)
            os.chown(self.folder, account.pw_uid, account.pw_gid)
        self._run("initdb", "-D", self._data, "-U", "accord", "-A", "trust", "-E", "UTF8", "--no-sync")

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def url(self, database: str) -> str:
        return f"postgresql://accord@/{database}?host={self.folder}"

    def new_database(self) -> str:
        """The URL of a database with nothing in it."""
        name = f"t{secrets.token_hex(6)}"
        self._run("createdb", "-h", self.folder, "-U", "accord", name)
        return self.url(name)

    def start(self) -> None:
        settings = ["listen_addresses=", f"unix_socket_directories={self.folder}", "max_connections=200"]
        if not self._durable:
            settings += ["fsync=off", "synchronous_commit=off", "full_page_writes=off"]
        options = [part for setting in settings for part in ("-c", setting)]
        with open(os.path.join(self.folder, "log"), "ab") as log:
            self._process = subprocess.Popen(
                [*self._command("postgres"), "-D", self._data, *options],
                stdout=log,
                stderr=log,
                cwd=self.folder,
                start_new_session=True,
            )
        end = time.monotonic() + 60
        ready = [os.path.join(self._programs, "pg_isready"), "-q", "-h", self.folder, "-U", "accord"]
        while subprocess.run(ready, check=False).returncode != 0:
            assert self._process.poll() is None and time.monotonic() < end, self._log()
            time.sleep(0.05)

    def stop(self) -> None:
        """At once, but in order (SIGINT: "fast shutdown")."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        self._end(signal.SIGKILL)

    def _end(self, number: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if number == signal.SIGKILL:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, number)
        else:
            process.send_signal(number)
        process.wait(60)

    def _log(self) -> str:
        with open(os.path.join(self.folder, "log"), errors="replace") as file:
            return file.read()[-3000:]

    def _command(self, program: str) -> list[str]:
        path = os.path.join(self._programs, program)
        if os.geteuid() != 0:
            return [path]
        account = pwd.getpwnam(_NOBODY)
        return ["setpriv", f"--reuid={account.pw_uid}", f"--regid={account.pw_gid}", "--clear-groups", path]

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [*self._command(program), *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
