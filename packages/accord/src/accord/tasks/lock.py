"""Locking: a project, or requirement files, to a standard lock or a compiled requirements file (hot).

The use cases behind ``accord lock`` and ``accord pip compile``.  Nothing is written before everything is known, and
what is written appears in one step.
"""

from __future__ import annotations

import os
import time

from accord.io.reading import is_kept, read_at_most
from accord.io.reporting import SILENT
from accord.tasks.inputs import pins_of, read_inputs
from accord.tasks.locking import environment_marker, make_lock
from accord.tasks.outcomes import CompileOutcome, LockOutcome
from accord.tasks.resolving import resolve
from accord.tasks.session import Session
from accord.tasks.settings import CompileOutput, ResolveSettings
from accord_core.errors import AccordError, DocumentError, UsageError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import TypedDict

    from accord.io.reporting import Reporter
    from accord.tasks.asked import Asked
    from accord.tasks.project import LoadedProject
    from accord.tasks.resolving import Resolution
    from accord.tasks.settings import Selection
    from accord_core.lock.model import Lock

    class ProjectWords(TypedDict, total=False):
        project: Mapping[str, object]
        project_dir: str


__all__ = ["compile_requirements", "lock_files", "lock_is_current", "lock_loaded", "lock_project"]


_LARGEST = 64 * 1024 * 1024  # bytes of an earlier output; a universal lock of 700 projects is two megabytes


def compile_requirements(
    inputs: Sequence[str],
    *,
    python: str | None,
    settings: ResolveSettings,
    selection: Selection | None,
    form: CompileOutput,
    output: str | None,
    reporter: Reporter = SILENT,
) -> CompileOutcome:
    """Resolve ``inputs`` and write what ``form`` says to ``output`` (None: only returned).

    Versions pinned by an earlier output are kept while they fit and are not to be upgraded.
    """
    began = time.perf_counter()
    _refuse_universal(settings)
    output = None if output == "-" else output
    read = read_inputs(inputs, settings, selection=selection, as_pip=True)
    old = _existing(output)
    with Session(read.settings, python=python, reporter=reporter, **_project_of(inputs)) as session:
        if old is not None:
            read.asked.prefer = _preferences(old, output or "")
        resolution = resolve(session, read.asked)
        try:
            _warn(resolution, reporter)
            as_lock = form.format == "pylock.toml"
            base = _base(output)
            lock = make_lock(
                resolution,
                session.target,
                with_files=as_lock or form.hashes,
                requires_python=read.asked.requires_python,
                base=base,
            )
            if as_lock:
                text = _dumps(lock)
            else:
                text = _requirements(lock, base, resolution, read.asked, form, session)
        finally:
            resolution.close()
    written = output is not None and text != old
    if written:
        from accord.tasks.lockfile import write_lock

        assert output is not None
        write_lock(output, text)
    return CompileOutcome(
        text=text,
        path=output,
        lock=lock,
        packages=len(lock.packages),
        seconds=time.perf_counter() - began,
        written=written,
    )


def lock_files(
    files: Sequence[str],
    *,
    output: str,
    python: str | None,
    settings: ResolveSettings,
    selection: Selection | None,
    check: bool = False,
    dry_run: bool = False,
    reporter: Reporter = SILENT,
) -> LockOutcome:
    """Lock requirement files into ``output``.  ``check`` raises DocumentError ``lock-outdated`` instead of writing."""
    began = time.perf_counter()
    _refuse_universal(settings)
    read = read_inputs(files, settings, selection=selection, as_pip=True)
    with Session(read.settings, python=python, reporter=reporter, **_project_of(files)) as session:
        before, text = _old_lock(output, session)
        if before is not None:
            read.asked.prefer = _pinned(before)
        lock = _solved(session, read.asked, _base(output))
    return _finish(output, before, text, lock, check=check, dry_run=dry_run, began=began)


def lock_project(
    project_dir: str,
    *,
    python: str | None = None,
    settings: ResolveSettings,
    check: bool = False,
    dry_run: bool = False,
    prefer: Mapping[str, str] | None = None,
    reporter: Reporter = SILENT,
) -> LockOutcome:
    """Bring the project's ``pylock.toml`` up to what its ``pyproject.toml`` asks for.

    A lock that is right already is left alone, and no index is asked.  ``prefer`` are versions of names to choose while they
    fit, where no lock says any.  Raises DocumentError ``lock-outdated`` with
    ``check``, ``invalid-pyproject``; ResolutionError; RepositoryError.
    """
    from accord.io.folders import cache_dir
    from accord.tasks.folders import project_environment
    from accord.tasks.project import load_project
    from accord.tasks.turns import Turn

    _refuse_universal(settings)
    with Turn(project_dir, cache_dir(settings.cache_dir), reporter):
        project = load_project(project_dir)
        with Session(
            settings,
            python=python,
            env=project_environment(project.folder),
            project=project.tool,
            project_dir=project.folder,
            requires_python=project.document.requires_python,
            reporter=reporter,
        ) as session:
            return lock_loaded(session, project, check=check, dry_run=dry_run, prefer=prefer)


def lock_loaded(
    session: Session,
    project: LoadedProject,
    *,
    check: bool = False,
    dry_run: bool = False,
    prefer: Mapping[str, str] | None = None,
) -> LockOutcome:
    """The same for a session and project at hand."""
    from accord.tasks.folders import lock_path
    from accord.tasks.project import check_python

    began = time.perf_counter()
    path = lock_path(project.folder)
    before, text = _old_lock(path, session)
    check_python(project.document, session)
    digest = project.digest()
    if before is not None and not session.settings.upgrade and lock_is_current(before, digest, session):
        return LockOutcome(path=path, lock=before, seconds=time.perf_counter() - began)
    asked = project.asked()
    asked.prefer = dict(prefer or {}) if before is None else _pinned(before)
    lock = _solved(session, asked, project.folder, project=project, digest=digest)
    return _finish(path, before, text, lock, check=check, dry_run=dry_run, began=began)


def lock_is_current(lock: Lock, digest: str, session: Session) -> bool:
    """Whether a lock was made from these inputs, for this target."""
    tool = (lock.tool or {}).get("accord")
    recorded = tool.get("inputs") if isinstance(tool, dict) else None
    return recorded == digest and lock.environments == (environment_marker(session.target),)


def _solved(
    session: Session,
    asked: Asked,
    base: str,
    *,
    project: LoadedProject | None = None,
    digest: str | None = None,
) -> Lock:
    resolution = resolve(session, asked)
    try:
        _warn(resolution, session.reporter)
        return make_lock(
            resolution,
            session.target,
            extras=project.extras if project else (),
            groups=project.groups if project else (),
            requires_python=asked.requires_python,
            inputs_digest=digest,
            base=base,
        )
    finally:
        resolution.close()


def _old_lock(path: str, session: Session) -> tuple[Lock | None, str | None]:
    """The lock that is there, if it can be read: a broken one is replaced, never trusted."""
    if not is_kept(path):
        return None, None
    from accord.tasks.lockfile import load_lock, lock_bytes

    body = lock_bytes(path)
    try:
        return load_lock(path, session.cache_dir, body), body.decode("utf-8")
    except (DocumentError, UnicodeDecodeError) as error:
        session.reporter.warn(f"{path} is no lock that can be read ({error}); it is made anew")
        return None, None


def _pinned(lock: Lock) -> dict[str, str]:
    return {package.name: package.version for package in lock.packages if package.version is not None}


def _finish(
    path: str, before: Lock | None, old: str | None, lock: Lock, *, check: bool, dry_run: bool, began: float
) -> LockOutcome:
    from accord.tasks.lockfile import write_lock

    text = _dumps(lock)
    changed = text != old
    added, removed, replaced = _differences(before, lock)
    if changed and check:
        raise DocumentError(
            "lock-outdated",
            f"{os.path.relpath(path)} does not say what is asked for",
            context=tuple(
                [f"+ {name} {version}" for name, version in added]
                + [f"- {name} {version}" for name, version in removed]
                + [f"~ {name} {one} -> {other}" for name, one, other in replaced]
            ),
            where=Where(path),
            hint="run accord lock",
        )
    if changed and not dry_run:
        write_lock(path, text)
    return LockOutcome(
        path=path,
        lock=lock,
        added=added,
        removed=removed,
        replaced=replaced,
        seconds=time.perf_counter() - began,
        written=changed and not dry_run,
    )


def _differences(
    before: Lock | None, after: Lock
) -> tuple[list[tuple[str, str]], list[tuple[str, str]], list[tuple[str, str, str]]]:
    old = {} if before is None else {package.name: package.version or "" for package in before.packages}
    new = {package.name: package.version or "" for package in after.packages}
    added = sorted((name, version) for name, version in new.items() if name not in old)
    removed = sorted((name, version) for name, version in old.items() if name not in new)
    replaced = sorted(
        (name, old[name], version) for name, version in new.items() if name in old and old[name] != version
    )
    return added, removed, replaced


def _dumps(lock: Lock) -> str:
    from accord_core.lock.write import dumps

    return dumps(lock)


def _requirements(
    lock: Lock, base: str, resolution: Resolution, asked: Asked, form: CompileOutput, session: Session
) -> str:
    from accord_core.lock.requirements import Layout, dumps_requirements

    origins: dict[str, tuple[str, ...]] = {}
    for wish, (name, _, _) in resolution.roots:
        if wish.via not in origins.get(name, ()):
            origins[name] = (*origins.get(name, ()), wish.via)
    for wish in asked.constraints:
        if wish.requirement is not None and wish.requirement.name in resolution.solution.pins:
            name = wish.requirement.name
            via = wish.via.replace("-r ", "-c ")
            if via not in origins.get(name, ()):
                origins[name] = (*origins.get(name, ()), via)
    layout = Layout(
        hashes=form.hashes,
        annotate=form.annotate,
        annotation_style=form.annotation_style,
        strip_extras=form.strip_extras,
        strip_markers=form.strip_markers,
        command=form.command if form.header else None,
        options=_options(form, session),
        leave_out=frozenset(form.no_emit),
        origins=origins,
        extras={name: pin.extras for name, pin in resolution.solution.pins.items()},
    )
    if resolution.direct:
        from accord.tasks.lockpaths import with_urls

        lock = with_urls(lock, base)
    return dumps_requirements(lock, layout)


def _options(form: CompileOutput, session: Session) -> tuple[str, ...]:
    lines = []
    if form.emit_index_url:
        indexes = session.indexes.indexes
        lines += [f"--index-url {index.url}" for index in indexes[:1]]
        lines += [f"--extra-index-url {index.url}" for index in indexes[1:]]
    if form.emit_find_links:
        from accord.io.urls import without_credentials

        lines += [f"--find-links {without_credentials(place)}" for place in session.indexes.find_links]
    return tuple(lines)


def _base(output: str | None) -> str:
    """The folder that relative paths in the output are taken from: its own, for what is no file the one we are in."""
    if output is None or (os.path.exists(output) and not is_kept(output)):
        return os.getcwd()
    return os.path.dirname(os.path.abspath(output))


def _existing(output: str | None) -> str | None:
    if output is None:
        return None
    if not is_kept(output):
        return None
    try:
        body = read_at_most(output, _LARGEST)
        return body.decode("utf-8") if len(body) <= _LARGEST else None
    except (OSError, UnicodeDecodeError):
        return None


def _preferences(text: str, path: str) -> dict[str, str]:
    if not path.endswith(".toml"):
        return pins_of(text)
    from accord_core.lock.read import loads

    try:
        return _pinned(loads(text, path))
    except AccordError:
        return {}


def _project_of(files: Sequence[str]) -> ProjectWords:
    """The ``[tool.accord]`` table of the project file among ``files``, for the session."""
    for path in files:
        if os.path.basename(path) == "pyproject.toml" or os.path.isdir(path):
            from accord.tasks.project import load_project

            project = load_project(path)
            return {"project": project.tool, "project_dir": project.folder}
    return {}


def _warn(resolution: Resolution, reporter: Reporter) -> None:
    for line in resolution.warnings():
        reporter.warn(line)


def _refuse_universal(settings: ResolveSettings) -> None:
    if settings.universal:
        raise UsageError(
            "universal-unsupported",
            "a lock is made for one interpreter and platform; one for all of them is not built yet",
            hint="leave --universal out, and lock once for each --python",
        )
