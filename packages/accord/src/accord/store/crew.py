"""A few processes that unpack, and a queue before them.

Inflating and hashing release the interpreter lock, writing 26,000 small files hardly does: two processes unpack
the set the benchmarks use in half the time two threads take.  A thread per process hands out jobs; downloading
threads submit and go on.  The processes are started fresh, never forked, so a crew may be made at any time.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import Future, ThreadPoolExecutor

from accord.io.parallel import processors
from accord.io.pipes import read_value, write_value
from accord.store.store import Store
from accord_core import errors
from accord_core.errors import StoreError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType

    from accord.store.entry import Entry
    from accord_core.archive.limits import Limits

__all__ = ["Crew"]

_MOST = 8
_FAMILIES = {
    name: getattr(errors, name) for name in errors.__all__ if name.endswith("Error") and name != "AccordError"
}


class Crew:
    """``with Crew(cache_dir) as crew: futures = [crew.submit(path, sha256) …]``

    ``width`` processes (default: one per processor, at most eight), started when first needed.
    """

    def __init__(self, cache_dir: str, width: int | None = None) -> None:
        self._store = Store(cache_dir)
        self._cache_dir = cache_dir
        self._width = width or min(_MOST, processors())
        self._pool = ThreadPoolExecutor(self._width, thread_name_prefix="unpack")
        self._local = threading.local()
        self._processes: list[subprocess.Popen[bytes]] = []
        self._guard = threading.Lock()

    def submit(
        self,
        wheel_path: str,
        sha256: str | None = None,
        *,
        filename: str | None = None,
        expect_metadata: str | None = None,
        limits: Limits | None = None,
    ) -> Future[Entry]:
        """Have the wheel unpacked; the future holds its entry, or raises what :meth:`Store.add` raises."""
        job: dict[str, object] = {
            "cache_dir": self._cache_dir,
            "path": os.path.abspath(wheel_path),
            "sha256": sha256,
            "filename": filename,
            "expect_metadata": expect_metadata,
            "limits": None if limits is None else {name: getattr(limits, name) for name in limits.__slots__},
        }
        return self._pool.submit(self._run, job)

    def start(self) -> None:
        """Start the processes now, while something else is waited for."""
        for _ in range(self._width):
            self._pool.submit(self._mine)

    def _mine(self) -> subprocess.Popen[bytes]:
        process: subprocess.Popen[bytes] | None = getattr(self._local, "process", None)
        if process is None or process.poll() is not None:
            process = _start()
            self._local.process = process
            with self._guard:
                self._processes.append(process)
        return process

    def _run(self, job: dict[str, object]) -> Entry:
        process = self._mine()
        assert process.stdin is not None and process.stdout is not None
        try:
            write_value(process.stdin.fileno(), job)
            answer = read_value(process.stdout.fileno())
        except OSError:
            answer = None
        if not isinstance(answer, dict):
            process.kill()
            process.wait()
            raise StoreError(
                "worker-died",
                f"the process unpacking {os.path.basename(str(job['path']))} ended with {process.returncode}",
                hint="run again; if it stays, the machine may be out of memory",
            )
        if "code" in answer:
            raise _error(answer)
        entry = self._store.find(answer["sha256"])
        if entry is None:
            raise StoreError("store-entry-gone", f"{job['path']} was unpacked and is gone", hint="run again")
        return entry

    def close(self) -> None:
        """Finish what was submitted and end the processes."""
        self._pool.shutdown(wait=True)
        for process in self._processes:
            if process.stdin is not None:
                process.stdin.close()
            process.wait()
            if process.stdout is not None:
                process.stdout.close()

    def __enter__(self) -> Crew:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if error is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            for process in self._processes:
                process.kill()
        self.close()


def _start() -> subprocess.Popen[bytes]:
    # -I keeps the caller's variables and folder out; the paths it needs are told.
    code = f"import sys; sys.path[:] = {sys.path!r}; from accord.store.worker import main; main()"
    # In a group of its own: Ctrl-C, and what else a terminal sends to everybody, is for the parent to act on.
    return subprocess.Popen(
        [sys.executable, "-I", "-S", "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
        process_group=0 if os.name == "posix" else None,
    )


def _error(answer: dict[str, object]) -> errors.AccordError:
    family = _FAMILIES.get(str(answer["family"]), StoreError)
    where = answer["where"]
    place = None
    if isinstance(where, tuple):
        place = errors.Where(where[0], table=where[1], key=where[2], line=where[3])
    context = answer["context"]
    hint = answer["hint"]
    error: errors.AccordError = family(
        str(answer["code"]),
        str(answer["message"]),
        where=place,
        context=tuple(str(line) for line in context) if isinstance(context, list) else (),
        hint=None if hint is None else str(hint),
    )
    return error
