"""Running the configured build: ninja, its log, one build at a time per folder, and the finished modules' bytes.

The folder is kept between builds of a tree and made anew for an unpacked sdist, whose sender could have put files in it.
Everything a killed build leaves is either whole or done again: ninja believes an object only with its log's entry.
"""

from __future__ import annotations

import os
import sys

from ..errors import BackendError, say
from . import configure, diagnostics, ninja, precompiled, toolchain

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import IO, Any, Mapping, Sequence

    from .description import Extension
    from .options import Options

__all__ = ["Built", "FolderLock", "build", "open_folder"]

_LOG = "build.log"
_BUILD_FILE = "build.ninja"
_MOST_LOG = 8_000_000  # characters of a failed build's log that are read
_LAST_LINES = 20
_EPOCH = "315532800"  # 1980-01-01: what __DATE__ says, so that an old object is never another than a new one


class Built:
    """``modules`` maps paths in the wheel to the finished file; ``left_out`` names optional modules and why."""

    __slots__ = ("left_out", "modules")

    def __init__(self) -> None:
        self.modules: dict[str, bytes] = {}
        self.left_out: dict[str, str] = {}


class FolderLock:
    """Holds a build folder for one process; another waits.  The system lets go when the process ends, however it ends."""

    def __init__(self, folder: str) -> None:
        self.path = os.path.join(folder, ".lock")
        self.file: IO[bytes] | None = None

    @property
    def descriptors(self) -> tuple[int, ...]:
        return () if self.file is None else (self.file.fileno(),)

    def __enter__(self) -> FolderLock:
        self.file = open(self.path, "ab")
        try:
            import fcntl
        except ImportError:  # not on Windows, which the toolchain does not serve yet
            return self
        try:
            fcntl.flock(self.file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            sys.stderr.write(f"accord-backend: waiting for another build in {os.path.dirname(self.path)}\n")
            fcntl.flock(self.file, fcntl.LOCK_EX)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.file is not None:
            self.file.close()


def open_folder(root: str, name: str, *, clean: bool) -> None:
    """Make the build folder, empty where ``clean``.  Raises ``BackendError`` ``build-dir-unusable``."""
    folder = os.path.join(root, name)
    try:
        if clean and os.path.lexists(folder):
            import shutil

            shutil.rmtree(folder)
        os.makedirs(folder, exist_ok=True)
        ignore = os.path.join(folder, ".gitignore")
        if not os.path.exists(ignore):
            configure.write_atomically(ignore, "*\n")
    except OSError as fault:
        raise BackendError(
            "build-dir-unusable",
            f"cannot build in {name}: {fault.strerror}",
            hint="name another folder: -C build-dir=FOLDER",
        ) from None


def build(
    root: str,
    folder: str,
    extensions: Sequence[Extension],
    facts: Mapping[str, Any],
    options: Options,
    lock: FolderLock,
) -> Built:
    """Configure where needed, build what is not up to date, read the modules.  ``lock`` is the folder's, held.

    Raises ``BackendError``: those of configuring, and ``compile-failed``, ``header-missing``, ``library-missing``,
    ``link-failed``, ``cython-failed``, ``ninja-missing``, ``ninja-failed``.
    """
    place = os.path.join(root, folder)
    record, fresh = configure.configure(root, folder, extensions, facts, options)
    known = record.get("ninja")
    record["ninja"] = _ninja(record)
    if fresh or record["ninja"] != known:
        import json

        configure.write_atomically(os.path.join(place, configure.FILE), json.dumps(record, indent=1) + "\n")
    _write_if_other(os.path.join(place, _BUILD_FILE), ninja.build_file(record))
    _forget_empty(root, record)
    failed = _run(root, folder, record, options, lock) if record["extensions"] else {}
    result = Built()
    result.left_out = {**record["left-out"], **failed}
    for extension in record["extensions"]:
        if extension["name"] not in failed:
            with open(os.path.join(root, ninja.target_of(record, extension)), "rb") as file:
                result.modules[extension["target"]] = file.read()
    for name, reason in result.left_out.items():
        say(f"the optional extension {name} is left out: {reason}")
    return result


def _forget_empty(root: str, record: Mapping[str, Any]) -> None:
    """Remove objects and modules of no bytes, as a machine that went down leaves them: ninja looks at times only, and
    linkers take an empty file for a script that says nothing."""
    made = [precompiled.target_of(one) for one in record["precompiled"]]
    for extension in record["extensions"]:
        made += [unit["object"] for unit in extension["units"]] + [ninja.target_of(record, extension)]
    for path in made:
        place = os.path.join(root, path)
        try:
            if os.stat(place).st_size == 0:
                os.unlink(place)
        except OSError:
            continue  # it is not there


def _write_if_other(path: str, text: str) -> None:
    try:
        with open(path, encoding="utf-8") as file:
            if file.read() == text:
                return
    except (OSError, ValueError):
        pass
    configure.write_atomically(path, text)


def _ninja(record: Mapping[str, Any]) -> list[Any]:
    """Path and stamp of the ninja to use; the one of the last time is not asked for its version again."""
    known = record.get("ninja")
    if (
        known
        and known[1]
        and known == [known[0], toolchain.stamp(known[0])]
        and known[0] == toolchain.first_ninja(os.environ)
    ):
        return list(known)
    found = toolchain.find_ninja(os.environ)
    if found is None:
        raise BackendError(
            "ninja-missing",
            f"there is no {toolchain.NINJA} on PATH",
            hint="build in an isolated environment, which gets it, or: python -m pip install ninja",
        )
    return [found, toolchain.stamp(found)]


def _run(
    root: str, folder: str, record: Mapping[str, Any], options: Options, lock: FolderLock
) -> dict[str, str]:
    """Run ninja; names of optional extensions that failed, with the reason."""
    optional = any(extension["optional"] for extension in record["extensions"])
    command = [record["ninja"][0], "-f", f"{folder}/{_BUILD_FILE}"]
    command += ["-k", "0"] if optional else []
    command += ["-j", str(options.jobs)] if options.jobs else []
    command += ["-v"] if options.verbose else []
    log_path = os.path.join(root, folder, _LOG)
    status = _logged(command, root, log_path, options.verbose, lock)
    if status == 0:
        return {}
    with open(log_path, encoding="utf-8", errors="replace") as file:
        log = file.read(_MOST_LOG)
    left_out: dict[str, str] = {}
    for failure in diagnostics.failures(log):
        extension = diagnostics.extension_of(failure, record)
        fault = diagnostics.report(failure, record, f"{folder}/{_LOG}")
        if extension is None or not extension["optional"]:
            raise fault
        left_out.setdefault(extension["name"], f"{fault.message.splitlines()[0]} ({fault.code})")
    if not left_out:
        raise BackendError(
            "ninja-failed", "ninja failed: " + "\n".join(log.strip().splitlines()[-_LAST_LINES:])
        )
    return left_out


def _logged(command: list[str], root: str, log_path: str, shown: bool, lock: FolderLock) -> int:
    import signal
    import subprocess

    # ninja and its compilers hold the folder's lock too: where this process is killed and they go on, the next waits.
    process = subprocess.Popen(
        command, cwd=root, env=_environment(root), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, pass_fds=lock.descriptors,
    )  # fmt: skip
    assert process.stdout is not None
    try:
        with open(log_path, "wb") as log:
            for line in process.stdout:
                log.write(line)
                if shown:
                    sys.stderr.write(line.decode("utf-8", "replace"))
        return process.wait()
    except BaseException:
        # ninja removes what the interrupted commands were writing.
        process.send_signal(signal.SIGINT)
        process.wait()
        raise
    finally:
        process.stdout.close()


def _environment(root: str) -> dict[str, str]:
    environ = {
        **os.environ,
        "ACCORD_PYTHON": sys.executable,
        "ACCORD_CYTHONIZE": os.path.join(os.path.dirname(os.path.abspath(__file__)), "cythonize.py"),
        "SOURCE_DATE_EPOCH": _EPOCH,
        "LC_ALL": "C",  # messages are read by diagnostics
    }
    # gcc takes the name of the working directory, which it writes into debug data, from here if it leads there.
    environ["PWD"] = configure.working_folder(root)
    return environ
