"""Migrating a project: its descriptions read, ``pyproject.toml`` (and ``pylock.toml``) written, the two builds compared.

Combines the readers and the writer of ``accord.migrate`` with the session's interpreter, build environments and
builder.  Old files stay unless asked; nothing is written before everything was read.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, replace

from accord.io.reporting import SILENT
from accord_core.errors import UsageError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    from accord.io.reporting import Reporter
    from accord.migrate.compare import Difference
    from accord.migrate.model import Described, Leftover
    from accord.migrate.tree import Tree
    from accord.tasks.session import Session
    from accord.tasks.settings import ResolveSettings

__all__ = ["KINDS", "Migrated", "Options", "migrate", "migrate_folder"]

KINDS = (
    "setuptools", "poetry", "flit", "pdm", "pipenv", "requirements", "uv", "conda", "bento", "buildout",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Options:
    """``kind`` limits what is read to one format; ``backend`` is the one to build with (None: accord where it can say
    everything, the old one elsewhere); ``keep`` keeps the old one in any case.  ``outgrown`` goes the other way: from
    accord's description to the files of that backend (``meson-python``, ``scikit-build-core``).

    ``run_setup``: False never runs ``setup.py``, True does so where reading was not enough, None (nobody decided)
    reports what a run would tell.  ``lock`` makes ``pylock.toml`` with the versions of an old lock that could not be
    translated as it is, and holds what it recorded of its files against the index; ``only_locked_files`` leaves out of
    that lock what the old one did not know.  ``check`` builds before and after, and compares.
    """

    kind: str | None = None
    backend: str | None = None
    keep: bool = False
    outgrown: str | None = None
    run_setup: bool | None = None
    dry_run: bool = False
    remove_old: bool = False
    lock: bool = False
    only_locked_files: bool = False
    check: bool = False


@dataclass(frozen=True, slots=True)
class Migrated:
    """What was read and made.  ``written`` maps paths (relative to ``folder``) to their new text; ``kept`` and
    ``removed`` are the old files, ``spent`` those a build does not read any more, ``compiled`` the sources of
    extensions as a wheel would name them; ``notes`` what is to be known of the lock; ``differences`` is the outcome of a check, None where there was none."""

    folder: str
    kinds: tuple[str, ...]
    backend: str
    reasons: tuple[str, ...]
    written: dict[str, str]
    kept: tuple[str, ...]
    removed: tuple[str, ...]
    leftovers: tuple[Leftover, ...]
    ran_setup: bool
    spent: tuple[str, ...] = ()
    compiled: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    differences: tuple[Difference, ...] | None = None

    @property
    def complete(self) -> bool:
        """Whether everything was carried over, and if it was checked, builds as before."""
        return not self.leftovers and not any(each.reason is None for each in self.differences or ())

    def as_dict(self) -> dict[str, Any]:
        return {
            "path": self.folder,
            "kinds": list(self.kinds),
            "backend": self.backend,
            "backend_reasons": list(self.reasons),
            "written": sorted(self.written),
            "kept": list(self.kept),
            "removed": list(self.removed),
            "ran_setup": self.ran_setup,
            "notes": list(self.notes),
            "leftovers": [left.as_dict() for left in self.leftovers],
            "differences": None
            if self.differences is None
            else [each.as_dict() for each in self.differences],
        }


def migrate_folder(
    folder: str,
    options: Options,
    *,
    settings: ResolveSettings,
    python: str | None = None,
    reporter: Reporter = SILENT,
    ask: Callable[[str], bool] | None = None,
) -> Migrated:
    """:func:`migrate` with a session of its own."""
    from accord.tasks.session import Session

    # Limits of build requirements are there because the old build is of its day; the new one says itself what it needs.
    today = settings.replace(build_constraints=())
    with (
        Session(settings, python=python, project_dir=folder, reporter=reporter) as session,
        Session(today, python=python, project_dir=folder, reporter=reporter) as new_session,
    ):
        return migrate(folder, options, session, ask=ask, new_session=new_session)


def migrate(
    folder: str,
    options: Options,
    session: Session,
    *,
    ask: Callable[[str], bool] | None = None,
    new_session: Session | None = None,
) -> Migrated:
    """Read the project in ``folder`` and write its new description.

    ``ask`` puts a question to a person where nobody decided whether ``setup.py`` may run.  ``new_session`` builds the new
    wheel of a check, where that needs another environment than the old.  Raises UsageError ``migrate-nothing``;
    DocumentError ``migrate-incomplete`` and those of the readers; BuildError ``migrate-setup-failed`` and those of builds.
    """
    from accord.migrate.document import write_document
    from accord.migrate.project import describe
    from accord.migrate.tree import Tree
    from accord.tasks.migrate_locking import put_back, read_texts

    folder = os.path.abspath(folder)
    if not os.path.isdir(folder):
        raise UsageError("migrate-nothing", f"{folder} is no folder", hint="name the folder of a project")
    tree = Tree(folder)
    if options.outgrown is not None:
        return _finished(_outgrown(tree, options.outgrown), options, session, new_session)
    found = describe(tree, options.kind)
    ran = found.needs_run and _may_run(options, ask, session)
    if ran:
        found = describe(tree, options.kind, recorded=_recorded(tree, session, found.described))
    written = write_document(
        found.described,
        tree,
        backend=None if options.keep else options.backend or "accord",
        forced=options.backend is not None,
        replaced=found.replaced,
        has_project=found.has_project,
    )
    described = found.described
    texts = {"pyproject.toml": written.text, **found.locks}
    if described.pins and found.locks:
        described.leave(
            "the old lock",
            f"{len(described.pins)} versions of requirements files",
            "uv.lock is the lock that was taken over",
            "nothing",
        )
    elif described.pins and not options.lock:
        described.leave(
            "the old lock",
            f"{len(described.pins)} locked versions",
            "it does not say where its files are, and a standard lock must",
            "accord migrate --lock asks the index, keeps these versions, and refuses files that are not what they were",
        )
    removed = _removable(described, written.backend) if options.remove_old else ()
    outcome = Migrated(
        folder=folder,
        kinds=found.kinds,
        backend=written.backend,
        reasons=written.reasons,
        written=texts,
        kept=tuple(path for path in described.read if path not in removed and path != "pyproject.toml"),
        removed=removed,
        leftovers=tuple(described.leftovers),
        ran_setup=ran,
        spent=_spent(described, written.backend),
        compiled=tuple(path.removeprefix("src/") for each in described.extensions for path in each.sources),
    )
    locking = options.lock and bool(described.pins or described.recorded)
    if locking and options.dry_run:
        outcome = replace(outcome, notes=("it is made, and held against the index, when this is written",))
    if not locking or options.dry_run:
        return _finished(outcome, options, session, new_session)
    before = read_texts(folder, ("pyproject.toml", "pylock.toml"))
    outcome = _finished(replace(outcome, removed=()), options, session, new_session)
    try:
        outcome = _locked(outcome, described, found.locks, options, session)
    except BaseException:
        put_back(folder, before)
        raise
    _remove(folder, removed)
    return replace(outcome, removed=removed)


def _outgrown(tree: Tree, target: str) -> Migrated:
    from accord.migrate.outgrown import outgrown_files

    texts, leftovers = outgrown_files(tree, target)
    return Migrated(tree.root, ("accord",), target, (), texts, (), (), leftovers, ran_setup=False)


def _finished(outcome: Migrated, options: Options, session: Session, new_session: Session | None) -> Migrated:
    """What was made, compared and written as far as that was asked for."""
    if options.check:
        outcome = replace(outcome, differences=_compared(outcome, session, new_session or session))
    if not options.dry_run:
        _write(outcome)
        _remove(outcome.folder, outcome.removed)
    return outcome


def _may_run(options: Options, ask: Callable[[str], bool] | None, session: Session) -> bool:
    if options.run_setup is not None or ask is None:
        return bool(options.run_setup)
    from accord.tasks.sheltered import shelters

    closed = shelters(session).closed
    where = "in the sandbox?" if closed else "here? Without a sandbox its code can do all that you can."
    return ask(f"setup.py says what only a run can tell: may it be run {where}")


def _write(outcome: Migrated) -> None:
    from accord.io.outputs import write_output

    for path, text in outcome.written.items():
        write_output(os.path.join(outcome.folder, path), text.encode())


def _remove(folder: str, paths: tuple[str, ...]) -> None:
    for path in paths:
        os.unlink(os.path.join(folder, path))


def _locked(
    outcome: Migrated, described: Described, locks: dict[str, str], options: Options, session: Session
) -> Migrated:
    """With the lock that keeps versions and digests of the old one, as far as it can."""
    from accord.tasks.migrate_locking import lock_as_recorded
    from accord_core.lock.write import dumps

    made = lock_as_recorded(
        outcome.folder,
        described.pins,
        described.recorded,
        session,
        exact=options.only_locked_files,
        translated="pylock.toml" in locks,
    )
    written = dict(outcome.written)
    if made.lock is not None:
        from accord.tasks.lockfile import write_lock

        written["pylock.toml"] = dumps(made.lock)
        write_lock(os.path.join(outcome.folder, "pylock.toml"), written["pylock.toml"])
    return replace(
        outcome, leftovers=(*outcome.leftovers, *made.leftovers), notes=made.notes, written=written
    )


def _spent(described: Described, backend: str) -> tuple[str, ...]:
    """Old files that have no part in the new build."""
    if backend == "setuptools" and described.needs_old_backend:
        return ()
    return tuple(path for path in ("setup.py", "setup.cfg") if path in described.read)


def _removable(described: Described, backend: str) -> tuple[str, ...]:
    """Old files of which nothing is left: those that no leftover names and the new build does not need."""
    if backend == described.old_backend and described.needs_old_backend:
        return ()
    named = {left.where.partition(":")[0] for left in described.leftovers}
    return tuple(path for path in described.read if path != "pyproject.toml" and path not in named)


def _recorded(tree: Tree, session: Session, described: Described) -> dict[str, Any]:
    """What a run of ``setup.py`` gives, in an environment that has what it asks for, on a copy of the tree, in the
    sandbox where builds are."""
    import shutil

    from accord.io.scratch import scratch_folder
    from accord.migrate.setup_run import record_setup
    from accord.tasks.build_environments import Isolated
    from accord.tasks.sheltered import Sheltered

    os.makedirs(session.cache_dir, exist_ok=True)
    python = Isolated(session).make(
        (*_old_requirements(tree), *described.build_requires), session.interpreter
    )
    with (
        scratch_folder("migrate-", session.cache_dir) as scratch,
        scratch_folder("migrate-log-", session.cache_dir) as logs,
    ):
        copy = os.path.join(scratch, "tree")
        shutil.copytree(
            tree.root, copy, symlinks=True, ignore=shutil.ignore_patterns(".git", ".venv", ".tox")
        )
        place = Sheltered(session, copy, scratch, python, label="setup.py")
        return record_setup(copy, logs, python=python, runner=place.run)


def _old_requirements(tree: Tree) -> tuple[str, ...]:
    from accord.build.backend import read_build_system

    system = read_build_system(tree.root, tree.root)
    return (*system.requires, "setuptools")


# ---------------------------------------------------------------- the test of a migration


def _compared(outcome: Migrated, session: Session, new_session: Session) -> tuple[Difference, ...]:
    """The differences between a wheel of the folder as it was and one of what was written, each built in a copy."""
    from accord.io.scratch import scratch_folder
    from accord.migrate.compare import compare_wheels
    from accord_core.archive.wheel import open_wheel

    os.makedirs(session.cache_dir, exist_ok=True)
    with scratch_folder("migrate-", session.cache_dir) as scratch:
        old = _built(outcome, scratch, "old", session, changed=False)
        new = _built(outcome, scratch, "new", new_session, changed=True)
        with open_wheel(old) as before, open_wheel(new) as after:
            return tuple(
                _explained(each, outcome.leftovers, outcome.compiled)
                for each in compare_wheels(before, after)
            )


def _explained(
    difference: Difference, leftovers: tuple[Leftover, ...], compiled: tuple[str, ...] = ()
) -> Difference:
    """A difference that the report of leftovers tells is no silent one."""
    if difference.reason is not None:
        return difference
    if difference.what in compiled and difference.new is None:
        return replace(difference, reason="the source of an extension has nothing to do in its wheel")
    for left in leftovers:
        told = {
            "Description": left.what.startswith("the readme,") or left.what == "long_description",
            "licence": left.where == "license" or left.what == "license",
            "Platform": left.what.startswith("platforms"),
        }
        if difference.what.endswith("-nspkg.pth") and left.what.startswith("namespace_packages"):
            return replace(difference, reason="among the leftovers: namespace_packages")
        named = "/" in difference.what or left.what.startswith("files at the root: ")
        if told.get(difference.what) or (named and difference.what in left.what):
            return replace(difference, reason=f"among the leftovers: {left.what.partition(' = ')[0]}")
    return difference


def _built(outcome: Migrated, scratch: str, which: str, session: Session, *, changed: bool) -> str:
    import shutil

    from accord.build.reference import parse_reference
    from accord.build.sources import DirectorySource

    copy = os.path.join(scratch, which)
    shutil.copytree(outcome.folder, copy, symlinks=True, ignore=shutil.ignore_patterns(".venv", ".tox"))
    if changed:
        for path, text in outcome.written.items():
            with open(os.path.join(copy, path), "w", encoding="utf-8") as file:
                file.write(text)
        for path in outcome.spent:  # so that nothing of them can have a part in it
            os.unlink(os.path.join(copy, path))
    source = DirectorySource(parse_reference(copy, base=scratch))
    return session.builder.wheel(source, os.path.join(scratch, f"{which}-dist")).path
