"""A cache, a store and made-up wheels in a test's own folder, and a way to die at any step.

Real files throughout: the wheels are archives that the store unpacks, the interpreter is the one running the test.
"""

from __future__ import annotations

import hashlib
import os
import signal
import stat
import subprocess
import sys
import tempfile
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from accord.environments import closures, interpreters
from accord.environments.apply import apply
from accord.environments.plan import Wanted, plan
from accord.environments.seal import Sealed, seal
from accord.io import steps
from accord.store.compiled import CompiledFiles
from accord.store.compiling import compile_wheels
from accord.store.store import Store
from accord.testing.archives import Part, wheel_parts, zip_bytes

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

__all__ = [
    "SPAM",
    "SPAM_POINTS",
    "Bench",
    "compiled_in",
    "dies_at",
    "run_python",
    "shares",
    "snapshot",
    "steps_of",
    "write_wheel",
]

# A wheel with something for every place: a package, a namespace package, a script and data.
SPAM = {
    "spam/__init__.py": b"def main():\n    print('spam')\n",
    "ns/spam.py": b"",
    "DATA/scripts/run": b"#!python\nimport sys; print(sys.prefix)\n",
    "DATA/data/share/spam/kernel.json": b"{}",
    "DATA/data/share/spam/a.txt": b"a",
}
SPAM_POINTS = "[console_scripts]\nspam = spam:main\n"


def shares() -> bool:
    """Whether sealed environments share their trees where tests work: root without the immutable flag shares nothing."""
    return closures.shareable(tempfile.gettempdir())


def write_wheel(
    folder: str,
    name: str = "spam",
    version: str = "1.0",
    files: Mapping[str, bytes] | None = None,
    *,
    entry_points: str | None = None,
    executable: Sequence[str] = (),
    **options: Any,
) -> str:
    """Write an honest wheel into ``folder`` and return its path.  A key of ``files`` may start with ``DATA/`` for the
    wheel's ``.data`` folder."""
    named = {
        path.replace("DATA/", f"{name}-{version}.data/", 1): data
        for path, data in (files if files is not None else {f"{name}/__init__.py": b"value = 1\n"}).items()
    }
    parts = [
        Part(part.name, part.data, mode=0o100755) if part.name in executable else part
        for part in wheel_parts(named, name=name, version=version, entry_points=entry_points, **options)
    ]
    path = os.path.join(folder, f"{name}-{version}-py3-none-any.whl")
    with open(path, "wb") as file:
        file.write(zip_bytes(parts))
    return path


class Bench:
    """A working place: ``cache`` folder, ``store``, ``python`` (an Interpreter), ``env`` (a path, not made yet)."""

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.cache = os.path.join(folder, "cache")
        self.env = os.path.join(folder, "project", ".venv")
        self.wheels = os.path.join(folder, "wheels")
        os.makedirs(self.wheels)
        self.store = Store(self.cache)

    @cached_property
    def python(self) -> interpreters.Interpreter:
        return interpreters.find(sys.executable, cache_dir=self.cache)

    def wanted(
        self,
        name: str = "spam",
        version: str = "1.0",
        files: Mapping[str, bytes] | None = None,
        *,
        requested: bool = False,
        direct_url: dict[str, Any] | None = None,
        **options: Any,
    ) -> Wanted:
        """A made-up distribution, in the store."""
        path = write_wheel(self.wheels, name, version, files, **options)
        entry = self.store.add(path)
        return Wanted(entry.name, entry.version, entry=entry, requested=requested, direct_url=direct_url)

    def compiled(self, want: Wanted) -> Wanted:
        """The same, compiled in the store for this interpreter."""
        assert want.entry is not None
        want.compiled = CompiledFiles(self.cache, "this-python")
        compile_wheels(want.compiled, [want.entry], self.python.real)
        return want

    def install(self, *wanted: Wanted, key: str = "", exact: bool = True, **options: Any) -> int:
        """Bring the environment to hold ``wanted``."""
        return apply(plan(self.env, wanted, exact=exact), key=key, **options)

    def seal(self, env: str, *wanted: Wanted, key: str = "key", **options: Any) -> Sealed:
        """Make ``env`` a sealed environment of ``wanted``."""
        return seal(env, self.python, key, lambda: wanted, cache_dir=self.cache, **options)

    @property
    def site(self) -> str:
        """The environment's site-packages."""
        return f"{self.env}/{self.python.paths['purelib']}"


def compiled_in(env: str, folder: str) -> list[str]:
    """What the environment's Pythons compiled of the sources in a ``__pycache__`` of site-packages."""
    (closure,) = os.listdir(f"{env}/.accord/compiled")
    names = [unquote(name) for name in os.listdir(f"{env}/.accord/compiled/{closure}")]
    return sorted(name.removeprefix(folder) for name in names if name.startswith(folder))


def run_python(env: str, *arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run the environment's Python with nothing of the caller's in its variables."""
    variables = {"PATH": os.defpath, "HOME": env, "LANG": "C.UTF-8", **options.pop("env", {})}
    return subprocess.run(
        [f"{env}/bin/python", *arguments],
        capture_output=True,
        text=True,
        check=False,
        env=variables,
        **options,
    )


def snapshot(folder: str) -> dict[str, str]:
    """What lies below ``folder``, as ``path → contents`` (a digest, a link's target, or ``/`` for an empty folder);
    Accord's own folder and compiled files left out."""
    found: dict[str, str] = {}
    for above, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in (".accord", "__pycache__"))
        inside = os.path.relpath(above, folder)
        if not folders and not names:
            found[inside] = "/"
        for name in [*names, *(one for one in folders if os.path.islink(os.path.join(above, one)))]:
            path = os.path.join(above, name)
            key = os.path.normpath(os.path.join(inside, name))
            if os.path.islink(path):
                found[key] = f"-> {os.readlink(path)}"
            elif stat.S_ISREG(os.lstat(path).st_mode):
                with open(path, "rb") as file:
                    found[key] = hashlib.sha256(file.read()).hexdigest()
    return found


def steps_of(action: Callable[[], object]) -> list[str]:
    """The steps an action says, in order; it is carried out."""
    said: list[str] = []
    steps.hook = said.append
    try:
        action()
    finally:
        steps.hook = None
    return said


def dies_at(number: int, action: Callable[[], object]) -> bool:
    """Carry the action out in a process of its own that is killed (``SIGKILL``) when it says its ``number``-th step,
    counted from 0.  True if it was killed, False if it ended before; an exception in it fails the test."""
    child = os.fork()
    if child == 0:
        left = number

        def hook(_: str) -> None:
            nonlocal left
            if left == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left -= 1

        steps.hook = hook
        try:
            action()
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        assert os.WTERMSIG(status) == signal.SIGKILL
        return True
    assert os.WEXITSTATUS(status) == 0
    return False


def open_to_all(folder: str) -> None:
    """Let everybody walk to ``folder`` and read it."""
    while folder != "/":
        os.chmod(folder, os.stat(folder).st_mode | 0o055)  # noqa: S103 - a test's own folder, and those above it
        folder = os.path.dirname(folder)


def as_nobody(action: Callable[[], object]) -> None:
    """Carry the action out in a process of the user without rights; needs root.  An exception in it fails the test."""
    child = os.fork()
    if child == 0:
        try:
            os.setgid(65534)
            os.setuid(65534)
            action()
        except BaseException as error:
            os.write(2, f"{type(error).__name__}: {error}\n".encode())
            os._exit(1)
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
