"""The lock of a migration: the versions an old lock pinned, and its digests held against what the index offers now.

Combines the pure comparison of ``accord.migrate.recorded`` with the session's index and the resolver.  The digests are
held twice: before anything is resolved, because resolving may run the code of an sdist, and again over what was locked,
because an index may answer differently the second time.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from accord.migrate.model import Leftover
from accord.migrate.recorded import Held, Recorded, hold, vouched_for
from accord_core.errors import RepositoryError
from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.lock.model import Lock, Package
from accord_core.names import normalise
from accord_core.project.versions import sort_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord.repositories.port import Repository
    from accord.tasks.session import Session
    from accord_core.index.model import File as Offered
    from accord_core.lock.model import File

__all__ = ["Locking", "check_recorded", "lock_as_recorded", "screen"]

_AT_ONCE = 8  # pages asked for
_SHOWN = 5  # names in one line of a report


@dataclass(frozen=True, slots=True)
class Locking:
    """What came of it: the new lock (None where the translated one stays), what could not be kept, what is to be known."""

    lock: Lock | None
    leftovers: tuple[Leftover, ...]
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Checked:
    """A recorded release, what the index offers of it (digests by file name), and how the two compare."""

    recorded: Recorded
    offered: Mapping[str, Mapping[str, str]]
    held: Held


def lock_as_recorded(
    folder: str,
    pins: Sequence[str],
    recorded: Sequence[Recorded],
    session: Session,
    *,
    exact: bool,
    translated: bool,
) -> Locking:
    """Lock the project in ``folder`` with the versions of ``pins`` while they fit; ``exact`` leaves out files the old
    lock did not know.  Where the old lock was ``translated`` it is only held against the index.

    Raises RepositoryError ``migrate-locked-file-replaced`` and ``migrate-locked-file-missing``, and whatever locking does.
    """
    from accord.repositories.merged import Stack
    from accord.tasks.lock import lock_project
    from accord.tasks.project import load_project
    from accord.tasks.session import Session as Asking

    project = load_project(folder)
    with Asking(
        session.settings, project=project.tool, project_dir=project.folder, reporter=session.reporter
    ) as asking:
        checked = check_recorded(Stack(asking.sources), recorded, exact=exact or translated)
    leftovers = _gone(checked)
    if translated:
        same = sum(len(each.held.same) for each in checked)
        return Locking(None, leftovers, (f"{same:,} files of the old lock are on the index as they were",))
    wanted = _wanted(pins)
    made = lock_project(
        folder, settings=session.settings, dry_run=True, prefer=wanted, reporter=session.reporter
    )
    assert isinstance(made.lock, Lock)
    lock, notes = screen(made.lock, checked, exact=exact)
    return Locking(lock, (*leftovers, *_other_versions(lock, wanted)), notes)


# ---------------------------------------------------------------- before anything is resolved


def check_recorded(
    repository: Repository, recorded: Sequence[Recorded], *, exact: bool
) -> tuple[Checked, ...]:
    """Hold each recorded release against its page.  RepositoryError ``migrate-locked-file-replaced``.

    With ``exact`` a digest nobody offers beside a file nobody knew is no ground to refuse: such files are left out.
    """
    names = sorted({each.name for each in recorded})
    with ThreadPoolExecutor(_AT_ONCE) as threads:
        pages = dict(zip(names, threads.map(lambda name: _page(repository, name), names), strict=True))
    checked = []
    for each in recorded:
        offered = _release(pages[each.name], each)
        checked.append(Checked(each, offered, hold(each, offered)))
    replaced = [
        (each.recorded, name, how)
        for each in checked
        if each.recorded.named or not exact
        for name, how in each.held.replaced
    ]
    if replaced:
        raise _replaced(replaced)
    return tuple(checked)


def _page(repository: Repository, name: str) -> tuple[Offered, ...]:
    page = repository.page(name, None, None).page
    return () if page is None else page.files


def _release(files: Sequence[Offered], recorded: Recorded) -> dict[str, Mapping[str, str]]:
    wanted = _key(recorded.version)
    found: dict[str, Mapping[str, str]] = {}
    for file in files:
        wheel, sdist = split_wheel(file.filename), split_sdist(file.filename, recorded.name)
        version = wheel.version if wheel is not None else None if sdist is None else sdist[1]
        if version is not None and _key(version) == wanted:
            found[file.filename] = file.hashes
    return found


def _key(version: str) -> object:
    try:
        return sort_key(version)
    except ValueError:  # older than the rules
        return version


def _replaced(found: Sequence[tuple[Recorded, str, str]]) -> RepositoryError:
    first, name, _ = found[0]
    certain = first.named
    return RepositoryError(
        "migrate-locked-file-replaced",
        f"{name} is not the file that {first.where} locked"
        if certain
        else f"a file of {first.name} {first.version} may have been replaced since {first.where} was written: {name}",
        context=tuple(f"{each.name} {each.version}: {name}: {how}" for each, name, how in found[:_SHOWN]),
        hint="ask who published it why; a release is never made again under its old name"
        if certain
        else "see what changed; --only-locked-files takes nothing but what the old lock knew",
    )


# ---------------------------------------------------------------- what was locked


def screen(lock: Lock, checked: Sequence[Checked], *, exact: bool) -> tuple[Lock, tuple[str, ...]]:
    """``lock`` with nothing in it that an old lock would refuse, and what is to be known of it."""
    releases: dict[tuple[str, object], list[Checked]] = {}
    for each in checked:
        releases.setdefault((each.recorded.name, _key(each.recorded.version)), []).append(each)
    same, new, packages = 0, list[str](), list[Package]()
    for package in lock.packages:
        known = releases.get((normalise(package.name), _key(package.version or "")))
        if known is None or package.index is None:
            packages.append(package)
            continue
        sdist = None if package.sdist is None else _judged(package.sdist, known)
        wheels = [_judged(file, known) for file in package.wheels]
        same += (sdist is True) + wheels.count(True)
        new += [package.name] * ((sdist is False) + wheels.count(False))
        packages.append(_only_known(package, sdist, wheels, known[0].recorded) if exact else package)
    notes = [f"{same:,} of the files locked are those the old lock knew"]
    if not checked:
        notes = ["the old lock recorded no digests: its files could not be held against the index"]
    if new and not exact:
        notes.append(
            f"{len(new):,} of the files locked ({_few(dict.fromkeys(new))}) are newer than the old lock, which did not "
            "know them; --only-locked-files leaves such files out"
        )
    elif new:
        notes.append(f"{len(new):,} files that the old lock did not know are left out")
    return _with_packages(lock, tuple(packages)), tuple(notes)


def _judged(file: File, known: Sequence[Checked]) -> bool:
    """Whether an old lock knew this very file; RepositoryError where it is not what the index offered before."""
    name = file.filename
    if any(vouched_for(each.recorded, name, file.hashes) for each in known):
        return True
    for each in known:
        offered = each.offered.get(name)
        if not offered or any(offered.get(kind) != digest for kind, digest in file.hashes.items()):
            how = "the index did not say so when it was asked before"
            raise _replaced([(each.recorded, name, how)])
    return False


def _only_known(package: Package, sdist: bool | None, wheels: Sequence[bool], recorded: Recorded) -> Package:
    kept = tuple(file for file, is_known in zip(package.wheels, wheels, strict=True) if is_known)
    if not kept and not sdist:
        raise RepositoryError(
            "migrate-locked-file-missing",
            f"the index has no file of {package.name} {package.version} that {recorded.where} locked and this machine could use",
            context=tuple(each.name or each.digest for each in recorded.files[:_SHOWN]),
            hint="lock without --only-locked-files, after a look at what is offered now",
        )
    from copy import copy

    made = copy(package)
    made.wheels, made.sdist = kept, package.sdist if sdist else None
    return made


def _with_packages(lock: Lock, packages: tuple[Package, ...]) -> Lock:
    from copy import copy

    made = copy(lock)
    made.packages = packages
    return made


# ---------------------------------------------------------------- words


def _gone(checked: Sequence[Checked]) -> tuple[Leftover, ...]:
    """Recorded files that no index has now, and those nobody can compare, by release."""
    found = []
    for each in checked:
        release = f"{each.recorded.name} {each.recorded.version}"
        if each.held.gone:
            what = f"{release}: {len(each.held.gone)} files ({_few(each.held.gone)})"
            why = "the index has no such files" if each.offered else "the index has nothing of this release"
            found.append(Leftover(each.recorded.where, what, why, "nothing, unless one of them is needed"))
        if each.held.unsure:
            what = f"{release}: {len(each.held.unsure)} files ({_few(each.held.unsure)})"
            why = "the old lock and the index have no kind of digest in common"
            found.append(Leftover(each.recorded.where, what, why, "compare them by hand if it matters"))
    return tuple(dict.fromkeys(found))


def _few(names: Mapping[str, None] | Sequence[str]) -> str:
    shown = list(names)[:_SHOWN]
    return ", ".join(shown) + (", …" if len(names) > len(shown) else "")


def _wanted(pins: Sequence[str]) -> dict[str, str]:
    pairs = [(name, version) for name, _, version in (pin.partition("==") for pin in pins)]
    return {normalise(name.partition("[")[0]): version.partition(";")[0].strip() for name, version in pairs}


def _other_versions(lock: Lock, wanted: Mapping[str, str]) -> tuple[Leftover, ...]:
    """Versions that do not fit any more, and what nobody asks for on this machine."""
    chosen = {normalise(package.name): package.version for package in lock.packages}
    found = [
        Leftover(
            "the old lock",
            f"{name} {version}",
            f"it does not fit what is asked for now; the lock has {chosen[name]}",
            "nothing, unless you need the old version",
        )
        for name, version in sorted(wanted.items())
        if chosen.get(name) is not None and _key(str(chosen[name])) != _key(version)
    ]
    absent = sorted(wanted.keys() - chosen.keys())
    if absent:
        found.append(
            Leftover(
                "the old lock",
                f"{len(absent)} versions: {', '.join(absent)}",
                "nothing that is asked for leads to them on this machine",
                "nothing, unless another machine needs them: lock there",
            )
        )
    return tuple(found)


def read_texts(folder: str, paths: Sequence[str]) -> dict[str, bytes | None]:
    """The files as they are now, None for those that are not there, to be put back if locking fails."""
    found: dict[str, bytes | None] = {}
    for path in paths:
        try:
            with open(os.path.join(folder, path), "rb") as file:
                found[path] = file.read()
        except FileNotFoundError:
            found[path] = None
    return found


def put_back(folder: str, texts: Mapping[str, bytes | None]) -> None:
    from contextlib import suppress

    from accord.io.outputs import write_output

    for path, text in texts.items():
        if text is None:
            with suppress(FileNotFoundError):
                os.unlink(os.path.join(folder, path))
        else:
            write_output(os.path.join(folder, path), text)
