"""Pythons: where they are, what they are (hot).

An interpreter is described by running one small script in it, once; the answer is kept by the file's real path, time
and size, together with everything derived from it (markers, tags), so that a warm command starts no process and
imports nothing.  A virtual environment is described by its base interpreter and its own ``pyvenv.cfg``; it is never
run.  This room reads folders and variables it is handed and decides nothing about versions a project wants.
"""

from __future__ import annotations

import marshal
import os
import sys
import time

from accord.environments.requests import Request, accepts, parse_request
from accord.io import files
from accord.io.digests import sha256
from accord_core.errors import InstallError

__all__ = ["FOLDER", "Interpreter", "accepts", "find", "find_all", "inspect", "parse_request"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable, Iterator, Mapping
    from typing import Any

FOLDER = "interpreters-v1"
_FORMAT = 4
_SECONDS = 30  # for one description; PyPy needs about one
_MOST_SAID = 1 << 20  # bytes of one description, on either stream; a Python says about 3,000


class Interpreter:
    """One Python.

    ``executable``      as found; ``real`` the file behind all links
    ``version``         ``"3.12.1"``; ``implementation`` ``"cpython"``, ``"pypy"``, …
    ``markers``         the PEP 508 environment, without ``extra``
    ``tags``            wheel tags, best first
    ``paths``           ``purelib``, ``platlib``, ``scripts``, ``data``, ``headers`` relative to an environment, with ``/``
    ``identity``        hex digest; changes when the file or what it says of itself changes
    ``is_venv``         whether ``executable`` belongs to a virtual environment; then ``prefix`` is its folder
    ``base_prefix``     where the standard library is installed; ``base_executable`` the Python there
    ``cache_tag``, ``magic``  of its compiled files
    """

    __slots__ = (
        "base_executable",
        "base_prefix",
        "cache_tag",
        "executable",
        "identity",
        "implementation",
        "is_venv",
        "magic",
        "markers",
        "paths",
        "prefix",
        "real",
        "stdlib",
        "tags",
        "version",
    )

    def __init__(self, executable: str, real: str, record: Mapping[str, Any]) -> None:
        self.executable = executable
        self.real = real
        self.version: str = record["version"]
        self.implementation: str = record["implementation"]
        self.markers: dict[str, str] = record["markers"]
        self.tags: tuple[str, ...] = record["tags"]
        self.paths: dict[str, str] = record["paths"]
        self.identity: str = record["identity"]
        self.base_prefix: str = record["base_prefix"]
        self.base_executable: str = record["base_executable"]
        self.stdlib: str = record["stdlib"]
        self.cache_tag: str = record["cache_tag"]
        self.magic: str = record["magic"]
        folder = _venv_of(executable)
        self.is_venv = folder is not None
        self.prefix = folder or self.base_prefix

    @property
    def short(self) -> str:
        """``"3.12"``."""
        return self.markers["python_version"]

    @property
    def free_threaded(self) -> bool:
        """Whether it is a build without the GIL (PEP 703): its own ABI then ends in ``t``."""
        return self.implementation == "cpython" and self.tags[0].split("-")[1].endswith("t")

    def __repr__(self) -> str:
        return f"<Interpreter {self.implementation} {self.version} {self.executable}>"


def _venv_of(executable: str) -> str | None:
    folder = os.path.dirname(executable)
    for place in (os.path.dirname(folder), folder):
        if os.path.isfile(place + "/pyvenv.cfg"):
            return place
    return None


# -- describing ----------------------------------------------------------------------------------------------


def inspect(executable: str, *, cache_dir: str, meanwhile: Callable[[], object] | None = None) -> Interpreter:
    """Describe the Python at ``executable`` (an absolute or relative path to a file).

    ``meanwhile`` is called while a Python that was not seen before starts and answers.

    ``InstallError`` ``interpreter-broken`` if it does not start or answers nonsense, ``interpreter-too-old`` below 3.8.
    """
    executable, real, status = _file_of(executable)
    # platform_release and platform_version are markers and change with the kernel.
    uname = os.uname() if hasattr(os, "uname") else None
    key = (status.st_mtime_ns, status.st_size, uname.release + uname.version if uname else "")
    place = os.path.join(cache_dir, FOLDER, sha256(os.fsencode(real)).hexdigest()[:32])
    record = _cached(place, key)
    if record is None:
        record = _describe(executable, real, status, meanwhile)
        try:
            os.makedirs(os.path.dirname(place), exist_ok=True)
            files.write_atomic(place, marshal.dumps((_FORMAT, key, record)), sync=False)
        except OSError:
            pass  # a cache that cannot be written costs a second start, nothing else
    return Interpreter(executable, real, record)


def describe(executable: str) -> dict[str, Any]:
    """What the Python at ``executable`` says of itself (the attributes of :class:`Interpreter` up to ``prefix``), asked
    now.  Raises as :func:`inspect` does."""
    return _describe(*_file_of(executable), None)


def _file_of(executable: str) -> tuple[str, str, os.stat_result]:
    executable = os.path.abspath(executable)
    real = os.path.realpath(executable)
    try:
        return executable, real, os.stat(real)
    except OSError as error:
        raise _broken(executable, error.strerror or str(error)) from error


def _cached(place: str, key: tuple[int, int, str]) -> dict[str, Any] | None:
    try:
        with open(place, "rb") as file:
            # Written by this module into the user's own cache.
            form, known, record = marshal.loads(file.read())  # noqa: S302
    except (OSError, ValueError, EOFError, TypeError):
        return None
    if form != _FORMAT or known != key or not isinstance(record, dict):
        return None
    return record


def _describe(
    executable: str, real: str, status: os.stat_result, meanwhile: Callable[[], object] | None
) -> dict[str, Any]:
    import subprocess

    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "_facts.py")
    # The real file, so that a venv's own startup code is not run; a wrapper script must be run as it is.
    try:
        process = subprocess.Popen(
            [real, "-I", "-S", "-B", script],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd=os.path.dirname(real),
        )
    except OSError as error:
        raise _broken(executable, error.strerror or str(error)) from error
    # What it takes to read the answer is imported while that is made.
    import json

    from accord.environments.tags import interpreter_tags

    with process:
        try:
            if meanwhile is not None:
                meanwhile()
            told, complaint = _answer(process)
        except subprocess.TimeoutExpired:
            process.kill()
            raise _broken(executable, f"it did not answer within {_SECONDS} s") from None
        except ValueError as error:
            process.kill()
            raise _broken(executable, str(error)) from None
        except BaseException:
            process.kill()
            raise
    try:
        facts = json.loads(told.decode("utf-8").strip().rpartition("\n")[2])
        version = tuple(facts["version_info"])
        too_old = version < (3, 8)
    except (ValueError, KeyError, TypeError, RecursionError):
        raise _broken(executable, _last_line(complaint) or f"it ended with {process.returncode}") from None
    if too_old:
        raise InstallError(
            "interpreter-too-old",
            f"{executable} is Python {'.'.join(map(str, version))}; Accord manages 3.8 and newer",
            hint="name another one with --python",
        )
    try:
        return _record(facts, real, status, interpreter_tags(facts, real))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise _broken(
            executable, f"it describes itself as no Python does ({type(error).__name__})"
        ) from error


def _answer(process: subprocess.Popen[bytes]) -> tuple[bytes, bytes]:
    """What it writes to either stream, as ``communicate`` has it, but no more than a Python has to say of itself.

    ``ValueError`` beyond that, ``TimeoutExpired`` where it takes too long.
    """
    import selectors
    import subprocess

    assert process.stdout is not None and process.stderr is not None
    until = time.monotonic() + _SECONDS
    told, complaint = bytearray(), bytearray()
    with selectors.DefaultSelector() as waiting:
        waiting.register(process.stdout, selectors.EVENT_READ, told)
        waiting.register(process.stderr, selectors.EVENT_READ, complaint)
        while waiting.get_map():
            ready = waiting.select(max(0.0, until - time.monotonic()))
            if not ready:
                raise subprocess.TimeoutExpired(process.args, _SECONDS)
            for key, _ in ready:
                piece = os.read(key.fd, 1 << 16)
                key.data.extend(piece)
                if not piece:
                    waiting.unregister(key.fileobj)
                elif len(key.data) > _MOST_SAID:
                    raise ValueError(f"it wrote more than {_MOST_SAID:,} bytes")
    process.wait(max(0.0, until - time.monotonic()))
    return bytes(told), bytes(complaint)


def _record(
    facts: Mapping[str, Any], real: str, status: os.stat_result, tags: tuple[str, ...]
) -> dict[str, Any]:
    markers = facts["markers"]
    paths = dict(facts["paths"])
    paths["headers"] = f"include/site/python{markers['python_version']}"
    paths["data"] = ""
    told = repr(
        (real, status.st_mtime_ns, status.st_size, markers["python_full_version"], facts["soabi"], paths)
    )
    return {
        "version": markers["python_full_version"].rstrip("+"),
        "implementation": markers["implementation_name"],
        "markers": markers,
        "tags": tags,
        "paths": paths,
        "identity": sha256(told.encode()).hexdigest(),
        "base_prefix": facts["base_prefix"],
        "base_executable": real if facts["executable"] is None else facts["executable"],
        "stdlib": facts["stdlib"],
        "cache_tag": facts["cache_tag"],
        "magic": facts["magic"],
    }


def _last_line(data: bytes) -> str:
    return data.decode("utf-8", "replace").strip().rpartition("\n")[2][:300]


def _broken(executable: str, why: str) -> InstallError:
    return InstallError(
        "interpreter-broken",
        f"{executable} cannot be used: {why}",
        hint="name another Python with --python; accord python list shows what was found",
    )


# -- finding -------------------------------------------------------------------------------------------------


def find(
    request: str | None,
    *,
    cache_dir: str,
    environ: Mapping[str, str] = os.environ,
    directory: str | None = None,
    meanwhile: Callable[[], object] | None = None,
) -> Interpreter:
    """The Python asked for, or the one at hand.  ``meanwhile``: see :func:`inspect`.

    ``request`` is a version or implementation (:func:`parse_request`), the path of a Python or of an environment, the
    name of a command, or ``None``: the active environment (``VIRTUAL_ENV``), the nearest ``.venv`` at or above
    ``directory``, else the running Python's base.  ``InstallError`` ``interpreter-not-found`` lists what was looked at.
    """
    if request is None:
        active = environ.get("VIRTUAL_ENV") or _nearest_venv(os.path.abspath(directory or "."))
        executable = active and environment_python(active)
        return inspect(executable or _base_of_running(), cache_dir=cache_dir, meanwhile=meanwhile)
    wanted = parse_request(request)
    if wanted is None or os.sep in request:
        return inspect(_by_path(request, environ), cache_dir=cache_dir, meanwhile=meanwhile)
    looked: list[str] = []
    for path in _candidates(wanted, environ):
        try:
            found = inspect(path, cache_dir=cache_dir, meanwhile=meanwhile)
        except InstallError as error:
            looked.append(f"{path}: {error.message}")
            continue
        if wanted.accepts(found):
            return found
        threads = " without the GIL" if found.free_threaded else ""
        looked.append(f"{path}: {found.implementation} {found.version}{threads}")
    raise _not_found(request, looked)


def find_all(*, cache_dir: str, environ: Mapping[str, str] = os.environ) -> tuple[Interpreter, ...]:
    """Every Python found on this machine, each real file once, in order of preference."""
    found: dict[str, Interpreter] = {}
    for path in _candidates(Request("", "", (), ""), environ):
        try:
            one = inspect(path, cache_dir=cache_dir)
        except InstallError:
            continue
        found.setdefault(one.real, one)
    return tuple(found.values())


def environment_python(folder: str) -> str | None:
    """The Python of the environment in ``folder``, or ``None``."""
    for name in ("bin/python", "bin/python3", "bin/pypy3", "Scripts/python.exe"):
        path = os.path.join(folder, name)
        if os.path.isfile(path):
            return path
    return None


def _by_path(request: str, environ: Mapping[str, str]) -> str:
    path = os.path.expanduser(request)
    if os.path.isdir(path):
        executable = environment_python(path)
        if executable is None and os.path.isfile(os.path.join(path, "pyvenv.cfg")):
            raise InstallError(
                "environment-broken",
                f"the Python of the environment {path} is gone",
                context=_lost(path),
                hint=f"accord venv --clear {path} makes it anew; accord sync then fills it",
            )
        if executable is None:
            raise _not_found(request, [f"{path}: a folder without a Python in it"])
        return executable
    if os.path.isfile(path):
        return path
    if os.sep not in request:
        for folder in _search_path(environ):
            if os.access(os.path.join(folder, request), os.X_OK):
                return os.path.join(folder, request)
    raise _not_found(request, [f"{path}: not there"])


def _lost(folder: str) -> tuple[str, ...]:
    path = os.path.join(folder, "bin", "python")
    return (f"{path} leads to {os.readlink(path)}",) if os.path.islink(path) else ()


def _not_found(request: str, looked: list[str]) -> InstallError:
    return InstallError(
        "interpreter-not-found",
        f"there is no Python for {request!r}",
        context=tuple(f"looked at {one}" for one in looked) or ("looked on PATH and found no Python at all",),
        hint="install it, or name a path with --python; accord python list shows what is there",
    )


def _nearest_venv(folder: str) -> str | None:
    while True:
        if os.path.isfile(folder + "/.venv/pyvenv.cfg"):
            return folder + "/.venv"
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _base_of_running() -> str:
    return getattr(sys, "_base_executable", None) or sys.executable


def _search_path(environ: Mapping[str, str]) -> list[str]:
    # Shims of version managers are scripts that start something else, or fail, depending on where they are called;
    # the Pythons behind them are found in the managers' own folders.
    folders = environ.get("PATH", os.defpath).split(os.pathsep)
    return [folder for folder in folders if folder and os.path.basename(folder) != "shims"]


def _candidates(wanted: Request, environ: Mapping[str, str]) -> Iterator[str]:
    """Paths worth describing, most likely first, each once."""
    seen: set[str] = set()
    for path in _places(wanted, environ):
        if path in seen or not os.access(path, os.X_OK) or os.path.isdir(path):
            continue
        seen.add(path)
        yield path


def _places(wanted: Request, environ: Mapping[str, str]) -> Iterator[str]:
    if wanted.may_be(sys.implementation.name, sys.version_info[:3]):
        yield _base_of_running()
    names = ["python3", "python"]
    if wanted.implementation in ("pypy", "graalpy"):
        names = [f"{wanted.implementation}3", wanted.implementation]
    if len(wanted.version) > 1:
        short = f"{wanted.version[0]}.{wanted.version[1]}"
        program = "pypy" if wanted.implementation == "pypy" else "python"
        names.insert(0, program + short + ("t" if wanted.free_threaded else ""))
    elif not wanted.version:
        names = [*(f"python3.{minor}" for minor in range(15, 7, -1)), *names, "pypy3", "graalpy"]
    folders = _search_path(environ)
    managed = tuple(_managed(environ))
    if len(wanted.version) > 1:
        # To describe a Python costs a start of it; first come those whose names say that they are what is wanted.
        for folder in folders:
            yield os.path.join(folder, names[0])
        yield from (path for numbers, path in managed if numbers[: len(wanted.version)] == wanted.version)
        names = names[1:]
    for name in names:
        for folder in folders:
            yield os.path.join(folder, name)
    yield from (path for _, path in managed)


def _managed(environ: Mapping[str, str]) -> Iterator[tuple[tuple[int, ...], str]]:
    """Pythons that version managers keep in folders of their own, newest first, with the numbers in the folder's name."""
    home = environ.get("HOME") or os.path.expanduser("~")
    data = environ.get("XDG_DATA_HOME") or os.path.join(home, ".local", "share")
    for root in (
        os.path.join(environ.get("PYENV_ROOT") or os.path.join(home, ".pyenv"), "versions"),
        environ.get("UV_PYTHON_INSTALL_DIR") or os.path.join(data, "uv", "python"),
        os.path.join(environ.get("ASDF_DATA_DIR") or os.path.join(home, ".asdf"), "installs", "python"),
    ):
        try:
            names = os.listdir(root)
        except OSError:
            continue
        for name in sorted(names, key=_numbers, reverse=True):
            for command in ("bin/python3", "bin/pypy3", "bin/python"):
                yield _numbers(name), os.path.join(root, name, command)


def _numbers(name: str) -> tuple[int, ...]:
    digits = "".join(sign if sign.isdigit() else " " for sign in name)
    return tuple(int(part) for part in digits.split())
