"""``accord add``, ``remove`` and ``upgrade``: change what a project asks for, lock it, and bring its environment
along, or leave everything as it was.

``pyproject.toml`` and ``pylock.toml`` are put back if anything after the first write fails or is interrupted; the
environment is changed last, in one transaction of its own.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

from accord.tasks.folders import PROJECT_FILE, lock_path
from accord.tasks.project_document import read_document, rewrite
from accord.tasks.project_text import Place, add_requirement, lists, remove_requirement, set_source
from accord.tasks.restoring import Restored
from accord_core.errors import DocumentError, UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from contextlib import AbstractContextManager

    from accord.io.reporting import Reporter
    from accord.tasks.outcomes import LockOutcome, SyncOutcome
    from accord.tasks.settings import ResolveSettings, Selection

__all__ = ["AccordEngine", "Addition", "EditOutcome", "Engine", "add", "bound", "lock_and_sync", "remove"]


@dataclass(frozen=True, slots=True)
class Addition:
    """What to add, where and how, as a person says it.  ``group`` and ``optional`` exclude each other; ``git`` with
    ``rev``, ``tag`` or ``branch`` is where the one requirement comes from."""

    requirements: tuple[str, ...] = ()
    files: tuple[str, ...] = ()
    editable: tuple[str, ...] = ()
    group: str | None = None
    optional: str | None = None
    extras: tuple[str, ...] = ()
    marker: str | None = None
    raw: bool = False
    bounds: str = "lower"
    git: str | None = None
    rev: str | None = None
    tag: str | None = None
    branch: str | None = None
    subdirectory: str | None = None


@dataclass(frozen=True, slots=True)
class EditOutcome:
    """The requirements written and taken out, and what became of the lock and the environment (``None``: left)."""

    path: str
    added: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    lock: LockOutcome | None = None
    sync: SyncOutcome | None = None


@dataclass(frozen=True, slots=True)
class _Wanted:
    """One requirement to write; ``source`` goes to ``[tool.accord.sources]``; ``bound``: a version is to be added."""

    requirement: Requirement
    source: Mapping[str, Any] | None = None
    bound: bool = False


class Engine(Protocol):
    """What an edit needs besides the files: how this project is locked, and how its environment follows.

    ``lock`` is called once or twice for one edit and writes ``pylock.toml``; ``sync`` at most once, after the last
    ``lock``, and takes that lock as it is.  Either may raise, and must leave what it did not finish as it was.
    """

    def lock(self, project_dir: str, *, again: bool = False) -> LockOutcome:
        """``again``: the second time, when only a bound was added and nothing may be upgraded further."""

    def sync(self, project_dir: str) -> SyncOutcome: ...

    def turn(self, project_dir: str) -> AbstractContextManager[object]:
        """Entered before the first file is read and left after the last is written: nobody else edits meanwhile."""


@dataclass(frozen=True, slots=True)
class AccordEngine:
    """The real one: ``accord.tasks.lock`` and ``accord.tasks.sync`` with the options of a command line."""

    env: str | None
    python: str | None
    settings: ResolveSettings
    selection: Selection
    install: Mapping[str, Any]
    reporter: Reporter

    def lock(self, project_dir: str, *, again: bool = False) -> LockOutcome:
        from accord.tasks.lock import lock_project

        return lock_project(
            project_dir,
            python=self.python,
            settings=self.settings.replace(upgrade=False, refresh=False) if again else self.settings,
            check=False,
            dry_run=False,
            reporter=self.reporter,
        )

    def turn(self, project_dir: str) -> AbstractContextManager[object]:
        from accord.io.folders import cache_dir
        from accord.tasks.turns import Turn

        return Turn(project_dir, cache_dir(self.settings.cache_dir), self.reporter)

    def sync(self, project_dir: str) -> SyncOutcome:
        from accord.tasks.sync import sync_project

        return sync_project(
            project_dir,
            env=self.env,
            python=self.python,
            settings=self.settings.replace(upgrade=False),
            selection=self.selection,
            locked=False,
            frozen=True,
            dry_run=False,
            reporter=self.reporter,
            **self.install,
        )


def add(project_dir: str, addition: Addition, engine: Engine, *, lock: bool, sync: bool) -> EditOutcome:
    """Write what ``addition`` says into the project, lock and sync.

    A name without a version gets a bound from the version that was locked.  Raises ``UsageError``
    (``requirement-invalid``, ``path-without-name`` ...) and whatever the engine raises; then both files are as they
    were.
    """
    with engine.turn(project_dir):
        return _add(project_dir, addition, engine, lock=lock, sync=sync)


def _add(project_dir: str, addition: Addition, engine: Engine, *, lock: bool, sync: bool) -> EditOutcome:
    path = os.path.join(project_dir, PROJECT_FILE)
    place = Place(optional=addition.optional, group=addition.group)
    named = lists(read_document(path)[0], path).get(str(place), ())
    # A bare name that is asked for already: the bound a person wrote stays.
    wanted = [
        one
        for one in _wanted(addition, project_dir)
        if not (one.bound and canonicalize_name(one.requirement.name) in named)
    ]
    written = [str(one.requirement) for one in wanted]

    def change(text: str) -> str:
        for one, line in zip(wanted, written, strict=True):
            text = add_requirement(text, line, place, path)
            if one.source is not None:
                text = set_source(text, one.requirement.name, one.source, path)
        return text

    locked = synced = None
    lock_file = lock_path(project_dir)
    with Restored(path, lock_file) as restored:
        rewrite(path, change, restored)
        if lock:
            locked = engine.lock(project_dir)
            restored.wrote(lock_file)
        if locked is not None and not addition.raw:
            bounded = [_bounded(one, locked, addition.bounds) for one in wanted]
            if bounded != written:
                written[:] = bounded
                rewrite(path, change, restored)
                again = engine.lock(project_dir, again=True)
                restored.wrote(lock_file)
                locked = locked.replace(lock=again.lock, seconds=locked.seconds + again.seconds)
        if sync:
            synced = engine.sync(project_dir)
    return EditOutcome(path, added=tuple(written), lock=locked, sync=synced)


def remove(
    project_dir: str,
    names: Sequence[str],
    engine: Engine,
    *,
    group: str | None,
    optional: str | None,
    lock: bool,
    sync: bool,
) -> EditOutcome:
    """Take ``names`` out of one list of the project, lock and sync; ``UsageError`` ``not-a-dependency``."""
    with engine.turn(project_dir):
        return _remove(
            project_dir, names, engine, Place(optional=optional, group=group), lock=lock, sync=sync
        )


def _remove(
    project_dir: str, names: Sequence[str], engine: Engine, place: Place, *, lock: bool, sync: bool
) -> EditOutcome:
    path = os.path.join(project_dir, PROJECT_FILE)
    gone: list[str] = []

    def change(text: str) -> str:
        gone.clear()
        for name in dict.fromkeys(canonicalize_name(name) for name in names):
            text, taken = remove_requirement(text, name, place, path)
            if not taken:
                raise _not_there(name, place, text)
            gone.extend(taken)
            if not any(name in held for held in lists(text).values()):
                text = set_source(text, name, None, path)
        return text

    with Restored(path, lock_path(project_dir)) as restored:
        rewrite(path, change, restored)
        locked = synced = None
        if lock:
            locked = engine.lock(project_dir)
            restored.wrote(lock_path(project_dir))
        if sync:
            synced = engine.sync(project_dir)
    return EditOutcome(path, removed=tuple(gone), lock=locked, sync=synced)


def lock_and_sync(project_dir: str, engine: Engine) -> tuple[LockOutcome, SyncOutcome]:
    """``accord upgrade``: a new lock and the environment it describes, or both as they were."""
    with engine.turn(project_dir), Restored(lock_path(project_dir)) as restored:
        locked = engine.lock(project_dir)
        restored.wrote(lock_path(project_dir))
        synced = engine.sync(project_dir)
    return locked, synced


# -- what a person typed -----------------------------------------------------------------------------------


def _wanted(addition: Addition, project_dir: str) -> tuple[_Wanted, ...]:
    texts, editable = list(addition.requirements), list(addition.editable)
    if addition.files:
        from accord.tasks.requirement_lines import requirements_in_files

        more = requirements_in_files(addition.files, os.environ)
        texts.extend(more[0])
        editable.extend(more[1])
    found = [_from_path(path, project_dir, editable=True) for path in editable]
    for text in texts:
        is_path = text.startswith((".", "/", "~")) or (
            os.sep in text and "://" not in text and "@" not in text
        )
        found.append(_from_path(text, project_dir, editable=False) if is_path else _from_text(text))
    if not found:
        raise UsageError("usage", "nothing to add", hint="name requirements, or give -r FILE or -e PATH")
    if addition.git is not None:
        if len(found) != 1 or found[0].source is not None:
            raise UsageError(
                "usage", "--git says where one requirement comes from", hint="give exactly one name"
            )
        found = [_Wanted(found[0].requirement, _git_source(addition))]
    elif addition.rev or addition.tag or addition.branch or addition.subdirectory:
        raise UsageError(
            "usage", "--rev, --tag, --branch and --subdirectory belong to --git", hint="add --git URL"
        )
    return tuple(_dressed(one, addition) for one in found)


def _dressed(one: _Wanted, addition: Addition) -> _Wanted:
    """``one`` with the extras and the marker of the command line."""
    requirement = Requirement(str(one.requirement))
    requirement.extras |= set(addition.extras)
    if addition.marker is not None:
        requirement = _parse(f"{requirement} ; {addition.marker}")
    return _Wanted(requirement, one.source, one.bound)


def _from_text(text: str) -> _Wanted:
    requirement = _parse(text)
    return _Wanted(requirement, bound=not requirement.specifier and requirement.url is None)


def _parse(text: str) -> Requirement:
    try:
        return Requirement(text)
    except InvalidRequirement as error:
        raise UsageError(
            "requirement-invalid",
            f"{text!r} is not a requirement: {str(error).splitlines()[0]}",
            hint="write NAME, 'NAME>=2', 'NAME[extra]', 'NAME @ URL' or a path that begins with ./",
        ) from error


def _from_path(text: str, project_dir: str, *, editable: bool) -> _Wanted:
    """A source tree, wheel or sdist on this machine, named by what it says of itself."""
    bare, bracket, extras = text.partition("[")
    folder = os.path.abspath(os.path.expanduser(bare))
    name = _name_at(folder, text)
    shown = os.path.relpath(folder, project_dir).replace(os.sep, "/")
    shown = shown if shown.startswith(".") else f"./{shown}"
    source: dict[str, Any] = {"path": shown}
    if editable:
        source["editable"] = True
    return _Wanted(_parse(f"{name}{bracket}{extras}"), source)


def _name_at(path: str, typed: str) -> str:
    import tomllib

    if os.path.isfile(path):
        from packaging.utils import parse_sdist_filename, parse_wheel_filename

        try:
            reader = parse_wheel_filename if path.endswith(".whl") else parse_sdist_filename
            return str(reader(os.path.basename(path))[0])
        except ValueError as error:
            message = f"{typed} is neither a wheel nor an sdist by its name"
            raise UsageError(
                "path-without-name", message, hint="use the name the file was built with"
            ) from error
    if not os.path.isdir(path):
        raise UsageError("file-not-found", f"there is no {typed}", hint="check the path")
    name = None
    try:
        text, _ = read_document(os.path.join(path, PROJECT_FILE))
        name = tomllib.loads(text).get("project", {}).get("name")
    except (OSError, tomllib.TOMLDecodeError, DocumentError):
        name = None
    if not isinstance(name, str):
        raise UsageError(
            "path-without-name",
            f"{typed} does not say its name: it has no pyproject.toml with project.name",
            hint=f"write NAME @ file://{path}",
        )
    return name


def _git_source(addition: Addition) -> dict[str, Any]:
    references = {"rev": addition.rev, "tag": addition.tag, "branch": addition.branch}
    given = {key: value for key, value in references.items() if value is not None}
    if len(given) > 1:
        raise UsageError(
            "usage", f"{' and '.join('--' + key for key in given)} exclude each other", hint="leave one"
        )
    source: dict[str, Any] = {"git": addition.git, **given}
    if addition.subdirectory is not None:
        source["subdirectory"] = addition.subdirectory
    return source


def _bounded(one: _Wanted, locked: LockOutcome, kind: str) -> str:
    """The requirement, with a bound of ``kind`` if it wants one: from the lowest version that was locked, because
    forks may lock several."""
    name = canonicalize_name(one.requirement.name)
    lock: Any = locked.lock
    versions = [
        Version(package.version) for package in lock.packages if package.name == name and package.version
    ]
    if not one.bound or one.source is not None or not versions:
        return str(one.requirement)
    dressed = Requirement(str(one.requirement))
    dressed.specifier &= bound(min(versions), kind)
    return str(dressed)


def bound(version: Version, kind: str) -> Any:
    """``>=1.2.3`` (``lower``), ``>=1.2.3,<2`` (``major``), ``>=1.2.3,<1.3`` (``minor``), ``==1.2.3`` (``exact``).

    A local label is left out of what has an order ("local versions are not allowed", PEP 440 "Ordered comparison").
    """
    from packaging.specifiers import SpecifierSet

    if kind == "exact":
        return SpecifierSet(f"=={version}")
    text = f">={version.public}"
    if kind == "major":
        text += f",<{version.epoch}!{version.major + 1}" if version.epoch else f",<{version.major + 1}"
    elif kind == "minor":
        epoch = f"{version.epoch}!" if version.epoch else ""
        text += f",<{epoch}{version.major}.{version.minor + 1}"
    return SpecifierSet(text)


def _not_there(name: str, place: Place, text: str) -> UsageError:
    elsewhere = [words for words, names in lists(text).items() if name in names]
    hint = f"it is in {' and '.join(elsewhere)}" if elsewhere else "accord tree shows what is asked for"
    return UsageError("not-a-dependency", f"{name} is not in {place}", hint=hint)
