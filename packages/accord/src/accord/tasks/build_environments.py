"""Isolated environments for build backends: resolved like anything else, made from the store, kept and used again (hot).

Implements ``accord.build.ports.BuildEnvironments``.  An environment below ``<cache>/build-envs-v2`` belongs to what is
in it, ``<digest of the wheels and the interpreter>/``, and is found by what was asked for, through
``asked/<digest of the question>``, which is believed for a day, so that a warm build resolves nothing and asks no
index.  Decision record 18 has the reasons:

* files are copies, so that no build reaches the store;
* in the sandbox an environment is read-only;
* without one, what a build changed is seen before the next build uses it: the environment is sealed by the inode, size
  and change time of every file, which no program sets, and one whose seal is broken is made again.
"""

from __future__ import annotations

import marshal
import os
import time
from _thread import allocate_lock

from accord.io.digests import sha256
from accord.io.files import remove_tree, write_atomic
from accord_core.errors import BuildError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.build.ports import Python
    from accord.environments.plan import Wanted
    from accord.tasks.session import Session
    from accord_core.lock.model import Lock

__all__ = ["FOLDER", "Isolated", "Part"]

FOLDER = "build-envs-v2"
_DEEPEST = 4  # a build requirement that must be built needs build requirements, and so on
_BELIEVED = 86_400.0  # seconds for which the answer to the same question is not asked for again
_FORM = 1

if TYPE_CHECKING:
    from typing import Protocol

    class LockedRequirements(Protocol):
        """A lock to take build requirements from where it fits: its ``digest``, the folder ``base`` it lies in, whether
        it is ``strict``, and what it says for a question: None where it does not answer it."""

        base: str
        digest: str
        strict: bool

        def lock_for(self, session: Session, requirements: tuple[str, ...]) -> Lock | None: ...

    # name, version, file name, sha256 of one distribution in an environment
    Part = tuple[str, str, str, str]


class Isolated:
    """Environments for one run; ``depth`` guards against builds without end.  ``lock`` says what to take instead of
    resolving; ``members`` are wheels of this workspace, built before, by name: path, digest, and the names they need."""

    def __init__(self, session: Session, depth: int = 0, *, lock: LockedRequirements | None = None) -> None:
        self._session = session
        self._depth = depth
        self._lock = lock
        self._made: dict[tuple[str, ...], str] = {}
        self._guard = allocate_lock()
        self.parts: dict[tuple[str, ...], tuple[Part, ...]] = {}
        self.members: dict[str, tuple[str, str, frozenset[str]]] = {}

    def make(self, requirements: tuple[str, ...], python: Python) -> str:
        """See the port.  Raises BuildError ``build-requirement-loop`` when builds need builds without end."""
        if self._depth >= _DEEPEST:
            raise BuildError(
                "build-requirement-loop",
                f"the build requirements need builds, {_DEEPEST} deep: {', '.join(requirements)}",
                hint="allow wheels for them, or name a version that has one",
            )
        with self._guard:
            known = self._made.get(requirements)
            if known is None:
                root, self.parts[requirements] = self._find(requirements)
                known = self._made[requirements] = f"{root}/bin/python"
        return known

    def _find(self, requirements: tuple[str, ...]) -> tuple[str, tuple[Part, ...]]:
        folder = os.path.join(self._session.cache_dir, FOLDER)
        key = self._question(requirements)
        asked = f"{folder}/asked/{key}"
        settings = self._session.settings
        if not (settings.refresh or settings.upgrade):
            found = _known(folder, asked, None if self._lock is not None and self._lock.strict else _BELIEVED)
            if found is not None:
                return found
        from accord.io.locks import FileLock

        os.makedirs(f"{folder}/asked", exist_ok=True)
        with FileLock(
            f"{asked}.lock",
            "an environment to build in",
            timeout=float("inf"),
            on_wait=self._session.reporter.note,
        ):
            return self._new(requirements, folder, asked)

    def _question(self, requirements: tuple[str, ...]) -> str:
        """Everything that the answer depends on, but for what indexes offer today."""
        session = self._session
        settings = session.settings
        said = (
            _FORM,
            requirements,
            session.interpreter.identity,
            sorted(
                (name, repr(value)) for name, value in settings.as_dict().items() if name not in _NO_MATTER
            ),
            repr(session.project.get("index")),
            repr(session.project.get("sources")),
            session.project_dir if session.project.get("index") else None,
            _words(settings.build_constraints),
            None if self._lock is None else (self._lock.digest, self._lock.strict),
            [self.members[name][1] for name in self._own(requirements)],
            sorted(
                (name, value) for name, value in session.environ.items() if name.startswith(_INDEX_VARIABLES)
            ),
        )
        return sha256(repr(said).encode()).hexdigest()[:40]

    def _own(self, requirements: tuple[str, ...]) -> list[str]:
        """The members of the workspace among what is required, and among what those need."""
        if not self.members:
            return []
        from accord_core.project.requirement import parse_requirement

        found: set[str] = set()
        waiting = [parse_requirement(text).name for text in requirements]
        while waiting:
            name = waiting.pop()
            if name in self.members and name not in found:
                found.add(name)
                waiting += self.members[name][2]
        return sorted(found)

    def _new(self, requirements: tuple[str, ...], folder: str, asked: str) -> tuple[str, tuple[Part, ...]]:
        from accord.io.locks import FileLock
        from accord.tasks.compiling import find_compiled
        from accord.tasks.installing import How, chosen_of, wanted_of
        from accord.tasks.settings import Selection

        session = self._session.for_builds(self._depth + 1)
        lock = None if self._lock is None else self._lock.lock_for(session, requirements)
        base = "/" if self._lock is None else self._lock.base
        if lock is None:
            lock, base = self.resolved(session, requirements), "/"
        wanted = wanted_of(session, chosen_of(session, lock, Selection()), base, How())
        parts = tuple(sorted(_part(one) for one in wanted))
        name = sha256(repr((_FORM, session.interpreter.identity, parts)).encode()).hexdigest()[:40]
        root = f"{folder}/{name}"
        if _sealed(root) is None:
            find_compiled(session, wanted, compile_bytecode=True)
            with FileLock(f"{root}.lock", "an environment to build in", on_wait=session.reporter.note):
                if _sealed(root) is None:
                    _make(root, session, wanted, parts)
        write_atomic(asked, marshal.dumps((_FORM, name)), sync=False)
        return root, parts

    def resolved(self, session: Session, requirements: tuple[str, ...], base: str = "/") -> Lock:
        """The lock of ``requirements``, resolved now, for the folder ``base``."""
        from accord.tasks.asked import Asked, Wish
        from accord.tasks.inputs import read_inputs
        from accord.tasks.locking import make_lock
        from accord.tasks.resolving import resolve
        from accord_core.project.requirement import parse_requirement

        wishes = []
        for text in requirements:
            requirement = parse_requirement(text)
            wishes.append(
                Wish(
                    requirement,
                    "[build-system] requires",
                    marker=requirement.marker,
                    reference=requirement.url,
                )
            )
        # What the workspace has is what is meant, whatever an index offers under the name.
        own = self._own(requirements)
        wishes += [Wish(None, "the workspace", reference=self.members[name][0], base="/") for name in own]
        limits = read_inputs((), session.settings.replace(constraints=session.settings.build_constraints))
        resolution = resolve(session, Asked(wishes, constraints=limits.asked.constraints))
        try:
            return make_lock(resolution, session.target, base=base)
        finally:
            resolution.close()


_NO_MATTER = frozenset(
    ("build_sandbox", "cache_dir", "config_settings", "offline", "refresh", "upgrade", "no_build_isolation")
)
_INDEX_VARIABLES = ("PIP_", "UV_", "ACCORD_DEFAULT_INDEX", "ACCORD_INDEX", "ACCORD_CONFIG_DIR")


def _words(files: tuple[str, ...]) -> str:
    """What files named for constraints say: the same name may say another thing tomorrow."""
    if not files:
        return ""
    from accord.tasks.inputs import read_text

    return "\0".join(read_text(path) for path in files)


def _part(one: Wanted) -> Part:
    entry = one.entry
    assert entry is not None, "it is no dry run"
    return one.name, one.version, entry.filename, entry.sha256


def _known(folder: str, asked: str, believed: float | None) -> tuple[str, tuple[Part, ...]] | None:
    """The environment that answered the question before, if that is not too long ago and it is as it was made."""
    try:
        if believed is not None and not 0 <= time.time() - os.stat(asked).st_mtime < believed:
            return None
        with open(asked, "rb") as file:
            form, name = marshal.loads(file.read())  # noqa: S302 - our own cache
    except (OSError, ValueError, EOFError, TypeError):
        return None
    parts = _sealed(f"{folder}/{name}") if form == _FORM else None
    if parts is None:
        return None
    try:
        os.utime(f"{folder}/{name}.seal")  # it was used now
    except OSError:
        pass
    return f"{folder}/{name}", parts


def _make(root: str, session: Session, wanted: list[Wanted], parts: tuple[Part, ...]) -> None:
    from accord.environments import create as creating
    from accord.environments.apply import apply_locked
    from accord.environments.plan import plan

    remove_tree(root)
    try:
        creating.create(root, session.interpreter)
        apply_locked(plan(root, wanted), link_mode="copy", conflicts="last", command="build requirements")
    except BaseException:
        remove_tree(root)
        raise
    write_atomic(f"{root}.seal", marshal.dumps((_FORM, parts, _fingerprint(root))), sync=False)


def _sealed(root: str) -> tuple[Part, ...] | None:
    """What is in the environment ``root``; None where there is none, or it is not what was made."""
    try:
        with open(f"{root}.seal", "rb") as file:
            form, parts, fingerprint = marshal.loads(file.read())  # noqa: S302 - our own cache
        if form != _FORM or _fingerprint(root) != fingerprint:
            return None
    except (OSError, ValueError, EOFError, TypeError):
        return None
    return tuple(tuple(part) for part in parts)


def _fingerprint(root: str) -> str:
    """Inode, size, mode and change time of everything below ``root``: a program may set a modification time, the
    change time is the kernel's."""
    facts: list[tuple[object, ...]] = []
    waiting = [root]
    while waiting:
        here = waiting.pop()
        own = os.lstat(here)
        facts.append((here[len(root) :], own.st_ino, own.st_mode, own.st_ctime_ns))
        with os.scandir(here) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    waiting.append(entry.path)
                else:
                    found = entry.stat(follow_symlinks=False)
                    facts.append(
                        (
                            entry.path[len(root) :],
                            found.st_ino,
                            found.st_mode,
                            found.st_size,
                            found.st_ctime_ns,
                        )
                    )
    facts.sort(key=lambda fact: str(fact[0]))
    return sha256(repr(facts).encode()).hexdigest()
