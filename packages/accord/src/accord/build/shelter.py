"""Where a build runs: in the sandbox, or in the open where the person's policy lets it (hot).

Decides what a build sees.  Readable: the system, the interpreter, the environment with the build requirements, what
the variables of compilers point to.  Writable: its scratch folder, which it knows as ``/build``, and the person's own
tree when that is what is built, where backends keep what they built before; of that tree ``.git``, virtual
environments, the folder for what is built and a cache that lies there stay closed, and what a build makes under such a
name is taken away again: the next ``git status``, or an editor, would run it outside.  ``accord.io.sandbox`` makes a command line of it.
"""

from __future__ import annotations

import errno
import os
import time

from accord.io import sandbox
from accord.io.files import remove_tree
from accord_core.errors import BuildError

__all__ = ["HOME", "MODES", "TEMPORARY", "SandboxPolicy", "Shelter", "Shelters"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord.build.ports import Python
    from accord.io.processes import Finished
    from accord.io.reporting import Reporter

MODES = ("require", "warn", "off")
PLACE = "/build"
HOME, TEMPORARY = "home", "tmp"  # folders of a room
# Variables that lead compilers and build tools to folders, several joined as in PATH or a single one.
_PATHS = (
    "PATH", "LD_LIBRARY_PATH", "CPATH", "C_INCLUDE_PATH", "CPLUS_INCLUDE_PATH", "LIBRARY_PATH", "PKG_CONFIG_PATH",
    "PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR", "CMAKE_PREFIX_PATH", "CUDA_HOME", "CUDA_PATH", "JAVA_HOME",
    "OPENSSL_DIR", "OPENSSL_LIB_DIR", "OPENSSL_INCLUDE_DIR", "SDKROOT", "RUSTUP_HOME", "SSL_CERT_DIR",
)  # fmt: skip
_SEEN = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/opt")
_CLOSED = (
    ".git",
    ".hg",
    ".venv",
    "venv",
    ".tox",
    ".nox",
    ".github",
    ".gitlab-ci.yml",
    ".pre-commit-config.yaml",
)
_LOOK = (
    0.5  # seconds between two looks at how much a build has written, at least; and 50 times what a look takes
)


class SandboxPolicy:
    """``mode`` is one of :data:`MODES`; ``network`` holds normalised names of projects whose builds may use it, or
    ``:all:``; ``bwrap`` is the program that is asked for.  A build sees its scratch folder as ``place``, itself as
    ``user`` with the number ``uid``, and the machine as ``host``.  ``memo`` is a file that remembers that there is a
    sandbox here.  ``closed`` are further folders that stay closed where they lie in the tree that is built."""

    __slots__ = ("bwrap", "closed", "host", "memo", "mode", "network", "place", "uid", "user")

    def __init__(
        self,
        mode: str = "warn",
        network: frozenset[str] = frozenset(),
        bwrap: str = "bwrap",
        *,
        place: str = PLACE,
        user: str = "builder",
        uid: str = "1000",
        host: str = "build",
        memo: str | None = None,
        closed: Sequence[str] = (),
    ) -> None:
        self.memo = memo
        self.closed = tuple(closed)
        self.mode = mode
        self.network = network
        self.bwrap = bwrap
        self.place = place
        self.user = user
        self.uid = uid
        self.host = host

    @property
    def home(self) -> str:
        """The home folder inside."""
        return f"/home/{self.user}"

    def may_connect(self, project: str | None) -> bool:
        return ":all:" in self.network or project in self.network


class Shelter:
    """The place of one build.  ``closed`` says whether it is the sandbox."""

    __slots__ = ("_bwrap", "_cost", "_cwd", "_kept", "_looked", "_memo", "_view", "closed", "network")

    def __init__(
        self,
        view: sandbox.View | None,
        cwd: str,
        bwrap: str = "bwrap",
        memo: str | None = None,
        kept: Sequence[str] = (),
    ) -> None:
        self._memo = memo
        self._kept = {path: _link(path) for path in kept}
        self._view = view
        self._cwd = cwd
        self._bwrap = bwrap
        self._looked = time.monotonic()
        self._cost = 0.0
        self.closed = view is not None
        self.network = view is None or view.network

    def inside(self, path: str) -> str:
        """Where the build sees ``path``."""
        return path if self._view is None else self._view.inside(path)

    def command(self, program: Sequence[str]) -> list[str]:
        """The command line for ``program``, given in words as they are inside."""
        if self._view is None:
            return list(program)
        return sandbox.command(self._view, program, cwd=self.inside(self._cwd), bwrap=self._bwrap)

    def full(self, folder: str, limit: int) -> str | None:
        """``disk`` when ``folder`` holds more than ``limit`` bytes, as far as it is time to look."""
        now = time.monotonic()
        if now - self._looked < max(_LOOK, self._cost * 50):
            return None
        over = _size(folder, limit) > limit
        self._looked = time.monotonic()
        self._cost = self._looked - now
        return "disk" if over else None

    def planted(self) -> list[str]:
        """What the build made or led elsewhere under names that are closed to it; it is put right again."""
        found = []
        for path, before in self._kept.items():
            if _link(path) == before:
                continue
            found.append(path)
            remove_tree(path)
            if before:
                os.symlink(before, path)
        return found

    def broken(self, done: Finished, tail: Sequence[str]) -> bool:
        """Whether it was the sandbox that failed and not what ran in it."""
        broken = self.closed and done.status == 1 and bool(tail) and tail[0].startswith("bwrap: ")
        if broken and self._memo is not None and os.path.exists(self._memo):
            os.unlink(self._memo)
        return broken


class Shelters:
    """The policy of one run.  What it has to say it says once."""

    def __init__(self, policy: SandboxPolicy, reporter: Reporter) -> None:
        self._policy = policy
        self._reporter = reporter
        self._said = False

    @property
    def closed(self) -> bool:
        """Whether builds run in the sandbox.  BuildError ``sandbox-unavailable`` where it is required and not here."""
        if self._policy.mode == "off":
            return False
        reason = sandbox.probe(self._policy.bwrap, self._policy.memo)
        if reason is None:
            return True
        if self._policy.mode == "require":
            raise BuildError(
                "sandbox-unavailable",
                f"builds must run in a sandbox, and there is none: {reason}",
                hint="install bubblewrap and allow user namespaces, or say --sandbox warn",
            )
        if not self._said:
            self._said = True
            self._reporter.warn(f"builds run without a sandbox and can do whatever you can: {reason}")
        return False

    def shelter(
        self,
        project: str | None,
        tree: str,
        scratch: str,
        room: str,
        *,
        own: bool,
        python: Python,
        executable: str,
        environ: Mapping[str, str],
        home: str,
        more: Sequence[str] = (),
    ) -> Shelter:
        """The place for a build with the variables ``environ`` to build ``tree`` in, with ``scratch`` to write to; it also
        reads the folders ``more``.  ``room`` is new, for this process alone, and has folders :data:`HOME` and
        :data:`TEMPORARY`."""
        if not self.closed:
            return Shelter(None, tree)
        readonly = [
            os.path.dirname(os.path.dirname(executable)),
            python.base_prefix,
            *_folders(environ, home),
            *more,
        ]
        inner = tree.startswith(scratch + os.sep)
        writable: list[str] = []
        closed: list[str] = []
        kept: list[str] = []
        if not inner:
            if own:
                self._check_home(tree, home)
            (writable if own else readonly).append(tree)
            closed = self._closed_of(tree)
            # Nothing can be mounted over what is not there, or over a link: that is looked at afterwards.
            kept = [path for path in closed if _link(path) is not None] if own else []
            closed = [path for path in closed if _link(path) is None]
            above = _repository(tree, home) if own else None
            if above is not None:
                readonly.append(above)
        view = sandbox.View(
            home=f"{room}/{HOME}",
            temporary=f"{room}/{TEMPORARY}",
            readonly=_outermost(readonly),
            writable=writable,
            closed=closed,
            place=(self._policy.home, self._policy.uid, self._policy.host),
            moved=((scratch, self._policy.place),),
            shown=sandbox.etc_files(f"{room}/etc", self._policy.user, self._policy.uid, self._policy.home),
            network=self._policy.may_connect(project),
        )
        return Shelter(view, tree, self._policy.bwrap, self._policy.memo, kept)

    def _check_home(self, tree: str, home: str) -> None:
        """A project that is a person's whole home is no sandbox: all of it can be read and written."""
        if not (os.path.realpath(home or os.path.expanduser("~")) + os.sep).startswith(
            os.path.realpath(tree).rstrip(os.sep) + os.sep
        ):
            return
        if self._policy.mode == "require":
            raise BuildError(
                "sandbox-unavailable",
                f"{tree} is your home folder, or holds it: its build could read and write everything there",
                hint="move the project into a folder of its own, or say --sandbox warn",
            )
        if not self._said:
            self._said = True
            self._reporter.warn(f"{tree} is your home folder, or holds it: its build sees all of it")

    def _closed_of(self, tree: str) -> list[str]:
        """What of ``tree`` a build may not change, there or not."""
        closed = [os.path.join(tree, name) for name in _CLOSED]
        closed += [path for path in self._policy.closed if path.startswith(tree + os.sep)]
        with os.scandir(tree) as entries:
            closed += [one.path for one in entries if os.path.exists(f"{one.path}/pyvenv.cfg")]
        return list(dict.fromkeys(closed))


def _link(path: str) -> str | None:
    """What the link ``path`` holds; the empty word where nothing is, None for a file or folder of its own."""
    try:
        return os.readlink(path)
    except FileNotFoundError:
        return ""
    except OSError:
        return None


def _outermost(paths: Sequence[str]) -> list[str]:
    """``paths`` without those the system's own folders hold, or another one of them."""
    kept: list[str] = []
    for path in sorted(set(map(os.path.abspath, paths))):
        above = (*_SEEN, *kept)
        if path != os.sep and not any(path == one or path.startswith(one + os.sep) for one in above):
            kept.append(path)
    return kept


def _folders(environ: Mapping[str, str], home: str) -> list[str]:
    """Folders that variables of compilers lead to; never a person's whole ``home``."""
    home = os.path.realpath(home or os.path.expanduser("~"))
    found = []
    for name in _PATHS:
        for path in environ.get(name, "").split(os.pathsep):
            if path.startswith(os.sep) and not path.startswith(tuple(one + os.sep for one in _SEEN)):
                real = os.path.realpath(path)
                if os.path.isdir(real) and not (home + os.sep).startswith(real + os.sep):
                    found += [path, real]
    return found


def _repository(tree: str, home: str) -> str | None:
    """The work tree that ``tree`` is a part of: versions come from it; never a home folder."""
    folder = os.path.abspath(tree)
    while True:
        if os.path.lexists(os.path.join(folder, ".git")):
            return None if folder in (tree, home, os.path.expanduser("~")) else folder
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _size(folder: str, limit: int) -> int:
    """Bytes on the disk below ``folder``; counting stops above ``limit``."""
    total = 0
    waiting = [folder]
    while waiting and total <= limit:
        try:
            with os.scandir(waiting.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        waiting.append(entry.path)
                    else:
                        total += entry.stat(follow_symlinks=False).st_blocks * 512
        except OSError as error:
            if error.errno == errno.ENAMETOOLONG:
                return limit + 1  # nested so that nobody sees how much it is
            continue  # it changes while we look
    return total
