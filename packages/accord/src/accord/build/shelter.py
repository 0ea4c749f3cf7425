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

from accord.build.environ import build_environment
from accord.io import processes, sandbox
from accord.io.attempts import Attempts
from accord.io.files import remove_tree
from accord_core.errors import BuildError

__all__ = ["MODES", "SandboxPolicy", "Shelter", "Shelters"]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence
    from typing import Any

    from accord.build.ports import Python
    from accord.io.processes import Finished
    from accord.io.reporting import Reporter

MODES = ("require", "warn", "off")
PLACE = "/build"
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
    """The place of one process of a build, with the variables for it in ``environment``.  ``closed`` says whether it is
    the sandbox; ``tried`` and ``read`` tell, when the process has ended, how often it tried the network in vain, and
    which of the decoys in its home it read."""

    __slots__ = (
        "_bwrap", "_cost", "_cwd", "_kept", "_looked", "_memo", "_view", "closed", "environment", "read", "tried",
    )  # fmt: skip

    def __init__(
        self,
        view: sandbox.View | None,
        cwd: str,
        environment: Mapping[str, str],
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
        self.environment = environment
        self.tried = 0
        self.read: tuple[str, ...] = ()

    def inside(self, path: str) -> str:
        """Where the build sees ``path``."""
        return path if self._view is None else self._view.inside(path)

    def run(
        self, program: Sequence[str], *, env: Mapping[str, str], cwd: str | None = None, **how: Any
    ) -> Finished:
        """Run ``program``, given in words as they are inside, as :func:`accord.io.processes.run` does; in the sandbox it
        begins in the folder of this place."""
        view = self._view
        if view is None:
            return processes.run(program, cwd=cwd, env=env, **how)
        # With the network ssh may honestly look for keys, and nothing is tried in vain.
        attempts = None if view.network else Attempts(view.home)
        try:
            done = processes.run(
                sandbox.command(view, program, cwd=self.inside(self._cwd), bwrap=self._bwrap, waits=True),
                cwd=None,
                env=env,
                alone=True,
                announced=_unheard if attempts is None else attempts.begin,
                handed=[text for _, text in view.files],
                **how,
            )
            if attempts is not None:
                self.tried, self.read = attempts.network(), attempts.home()
        finally:
            if attempts is not None:
                attempts.close()
        return done

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
        *,
        own: bool,
        python: Python,
        executable: str,
        environ: Mapping[str, str],
        keep: Collection[str] = (),
        more: Sequence[str] = (),
    ) -> Shelter:
        """The place for a process that builds ``tree`` with ``executable``, of the interpreter ``python``, and has
        ``scratch`` to write to; it also reads the folders ``more``.

        ``environ`` is the person's environment, of which it gets a part, and ``keep`` names more of that
        (:mod:`accord.build.environ`).
        """
        policy, closed = self._policy, self.closed
        # What is mounted or written for a process has a name that no earlier process of the build could take: a link left
        # in its place would be followed out here, with a person's own rights.
        word = os.urandom(6).hex()
        home, temporary = f"{scratch}/home-{word}", f"{scratch}/temporary-{word}"
        for folder in (home, temporary):
            os.mkdir(folder, mode=0o700)
        network = policy.may_connect(project)
        variables = build_environment(
            environ,
            python=executable,
            home=policy.home if closed else home,
            temporary=sandbox.TEMPORARY if closed else temporary,
            keep=keep,
            user=policy.user if closed else None,
            network=network or not closed,
        )
        if not closed:
            return Shelter(None, tree, variables)
        readonly = [
            os.path.dirname(os.path.dirname(executable)),
            python.base_prefix,
            *_folders(variables, environ.get("HOME", "")),
            *more,
        ]
        writable, shut, above = self._open_of(tree, environ.get("HOME", ""), own, scratch)
        # Nothing can be mounted over what is not there, or over a link: that is looked at afterwards.
        kept = [path for path in shut if _link(path) is not None] if own else []
        place = (policy.home, policy.uid, policy.host)
        view = sandbox.View(
            home=home,
            temporary=temporary,
            readonly=_outermost([*readonly, *above]),
            writable=writable,
            closed=[path for path in shut if _link(path) is None],
            place=place,
            moved=((scratch, policy.place),),
            files=sandbox.etc_files(policy.user, place, network=network),
            network=network,
        )
        return Shelter(view, tree, variables, policy.bwrap, policy.memo, kept)

    def _open_of(
        self, tree: str, home: str, own: bool, scratch: str
    ) -> tuple[list[str], list[str], list[str]]:
        """Of a tree outside ``scratch``: what may be written, what of that stays closed, what else may be read."""
        if tree.startswith(scratch + os.sep):
            return [], [], []
        if not own:
            return [], self._closed_of(tree), [tree]
        self._check_home(tree, home)
        above = _repository(tree, home)
        return [tree], self._closed_of(tree), [] if above is None else [above]

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


def _unheard(said: bytes) -> None:
    """Nobody wants to know where a build with the network runs."""


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
