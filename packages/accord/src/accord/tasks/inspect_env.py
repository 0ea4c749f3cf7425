"""What is installed in an environment: list, freeze, details, a check that it fits together, and trees.

Reads what the standards put there (``.dist-info`` of PEP 376/427, ``direct_url.json`` of PEP 610, ``INSTALLER``,
``REQUESTED``, ``RECORD``) whichever tool installed it, and changes nothing.  Nothing of the environment is imported
or run; its interpreter is only described, by ``accord.environments.interpreters``.
"""

from __future__ import annotations

import csv
import importlib.metadata
import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, cast

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from accord.tasks.trees import Edge, Node
from accord_core.errors import UsageError
from accord_core.project.requirement import parse_requirement

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from email.message import Message

__all__ = [
    "Details",
    "Installed",
    "Looked",
    "Problem",
    "check",
    "details",
    "freeze",
    "listing",
    "look",
    "nodes",
    "read_installed",
    "tools",
]


@dataclass(frozen=True, slots=True)
class Installed:
    """One installed distribution as its metadata tells.

    ``name`` is the normal form, ``raw_name`` and ``version`` are as written.  ``requires`` holds the Requires-Dist
    lines.  ``editable`` is the source folder of an editable install; ``direct_url`` the PEP 610 record.
    """

    name: str
    raw_name: str
    version: str
    path: str
    location: str
    requires: tuple[str, ...]
    requires_python: str | None
    extras: tuple[str, ...]
    installer: str | None
    requested: bool
    direct_url: Mapping[str, object] | None
    editable: str | None


@dataclass(frozen=True, slots=True)
class Looked:
    """What was found where: the distributions, the PEP 508 markers of the interpreter, and its site folders."""

    installed: tuple[Installed, ...]
    markers: Mapping[str, str]
    folders: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Details:
    """What ``pip show`` tells about one distribution, and who asks for it."""

    installed: Installed
    summary: str | None
    homepage: str | None
    author: str | None
    licence: str | None
    requires: tuple[str, ...]
    required_by: tuple[str, ...]
    files: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that does not fit: ``kind`` is ``missing``, ``conflict``, ``python``, ``duplicate`` or ``unreadable``."""

    kind: str
    name: str
    version: str
    requirement: str
    found: str | None
    message: str


def look(*, env: str | None, folders: Sequence[str], python: str | None, cache_dir: str) -> Looked:
    """Read the environment ``env``, or the site folders of the interpreter ``python`` (a request), or ``folders``.

    ``UsageError`` ``no-environment`` if ``env`` is none; whatever ``interpreters.find`` raises.
    """
    from accord.environments import interpreters

    if env is not None and not os.path.isfile(os.path.join(env, "pyvenv.cfg")):
        raise UsageError("no-environment", f"{env} is not an environment", hint="accord venv makes one")
    if env is not None:
        from accord.tasks.environment import heal

        heal(env)
    interpreter = interpreters.find(env or python, cache_dir=cache_dir)
    libraries = [os.path.join(interpreter.prefix, interpreter.paths[key]) for key in ("platlib", "purelib")]
    # One of them is often a link to the other.
    where = tuple(folders) or tuple({os.path.realpath(folder): folder for folder in libraries}.values())
    return Looked(read_installed(where), interpreter.markers, where)


def read_installed(folders: Sequence[str]) -> tuple[Installed, ...]:
    """Every distribution in the site folders, sorted by name; a name twice if it is there twice."""
    found = [
        one
        for folder in dict.fromkeys(os.path.abspath(folder) for folder in folders)
        for one in _read_folder(folder)
    ]
    return tuple(sorted(found, key=lambda one: (one.name, one.path)))


def _read_folder(folder: str) -> Iterator[Installed]:
    for found in importlib.metadata.distributions(path=[folder]):
        # pip leaves a folder named ~ame behind while it replaces a package; PathDistribution has no public path.
        path = str(getattr(found, "_path", folder))
        if os.path.basename(path).startswith("~"):
            continue
        distribution = _Distribution(path)
        metadata = _headers(distribution)
        name = metadata.get("Name") or ""
        direct = _json(distribution.read_text("direct_url.json"))
        yield Installed(
            name=canonicalize_name(name or os.path.basename(path).partition("-")[0]),
            raw_name=name,
            version=metadata.get("Version") or "",
            path=path,
            location=folder,
            requires=tuple(distribution.requires or ()),
            requires_python=metadata.get("Requires-Python"),
            extras=tuple(metadata.get_all("Provides-Extra") or ()),
            installer=(distribution.read_text("INSTALLER") or "").strip() or None,
            requested=distribution.read_text("REQUESTED") is not None,
            direct_url=direct,
            editable=_editable(direct),
        )


class _Distribution(importlib.metadata.PathDistribution):
    """One whose files may be in any encoding: metadata of before 2.2 (and of makers who did not care) are shown as far
    as they are UTF-8."""

    def __init__(self, path: str) -> None:
        super().__init__(Path(path))
        self._folder = path

    def read_text(self, filename: str | os.PathLike[str]) -> str | None:
        try:
            # An .egg-info may be a file, which is asked for by the empty name.
            path = os.path.join(self._folder, filename) if filename else self._folder
            with open(path, encoding="utf-8", errors="replace") as file:
                return file.read()
        except OSError:
            return None


def _headers(distribution: importlib.metadata.Distribution) -> Message[str, str]:
    # The protocol importlib.metadata promises has no way to ask for a header that may be absent; what it returns is
    # an email message in every version there is.
    return cast("Message[str, str]", distribution.metadata)


def _json(text: str | None) -> Mapping[str, object] | None:
    if not text:
        return None
    try:
        value = json.loads(text)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _editable(direct: Mapping[str, object] | None) -> str | None:
    from urllib.parse import unquote, urlsplit

    if direct is None:
        return None
    information = direct.get("dir_info")
    if not isinstance(information, dict) or not information.get("editable"):
        return None
    return unquote(urlsplit(str(direct.get("url", ""))).path)


# -- list and freeze -------------------------------------------------------------------------------------


def listing(
    installed: Iterable[Installed],
    *,
    exclude: Iterable[str] = (),
    editable: bool | None = None,
    not_required: bool = False,
    environment: Mapping[str, str] | None = None,
) -> tuple[Installed, ...]:
    """The distributions to list: without ``exclude`` (normal names), only or no editable ones, only those nothing
    else asks for."""
    all_of_them = tuple(installed)
    left_out = set(exclude)
    if not_required:
        left_out |= {name for one in all_of_them for name, _ in requirements(one, environment or {})}
    return tuple(
        one
        for one in all_of_them
        if one.name not in left_out and (editable is None or (one.editable is not None) is editable)
    )


def tools(markers: Mapping[str, str]) -> tuple[str, ...]:
    """What an environment holds to install with, which ``pip freeze`` leaves out as pip does: nobody asked for it."""
    minor = int(markers["python_version"].split(".")[1])
    return ("pip",) if minor >= 12 else ("pip", "distribute", "setuptools", "wheel")


def freeze(installed: Iterable[Installed], *, editable: bool = True) -> tuple[str, ...]:
    """One line in requirements format for each distribution, sorted by name.

    Direct references are written as such (PEP 610 tells where from), editable ones as ``-e PATH``.
    """
    return tuple(_frozen(one, editable) for one in installed)


def _frozen(one: Installed, editable: bool) -> str:
    if one.editable is not None:
        return f"-e {one.editable}" if editable else f"{one.raw_name} @ file://{one.editable}"
    if one.direct_url is None:
        return f"{one.raw_name}=={one.version}"
    return f"{one.raw_name} @ {direct_reference(one.direct_url)}"


def direct_reference(direct: Mapping[str, object]) -> str:
    """The URL of a PEP 508 direct reference for a PEP 610 record ("Direct URL Data Structure")."""
    url = str(direct.get("url", ""))
    fragment = []
    version_control = direct.get("vcs_info")
    if isinstance(version_control, dict):
        url = f"{version_control.get('vcs')}+{url}@{version_control.get('commit_id')}"
    archive = direct.get("archive_info")
    if isinstance(archive, dict):
        hashes = archive.get("hashes")
        if isinstance(hashes, dict) and hashes:
            algorithm = "sha256" if "sha256" in hashes else sorted(hashes)[0]
            fragment.append(f"{algorithm}={hashes[algorithm]}")
        elif archive.get("hash"):
            fragment.append(str(archive["hash"]))
    if direct.get("subdirectory"):
        fragment.append(f"subdirectory={direct['subdirectory']}")
    return f"{url}#{'&'.join(fragment)}" if fragment else url


# -- requirements between what is installed ----------------------------------------------------------------


def requirements(
    one: Installed, environment: Mapping[str, str], extras: Iterable[str] = ()
) -> tuple[tuple[str, Requirement], ...]:
    """The requirements of ``one`` whose markers hold in ``environment`` (PEP 508) with ``extras``; lines nobody can
    read are left out (:func:`check` reports them)."""
    found = []
    for line in one.requires:
        try:
            requirement = _requirement(line)
            applies = _applies(requirement, environment, extras)
        except ValueError:
            continue
        if applies:
            found.append((canonicalize_name(requirement.name), requirement))
    return tuple(found)


def _requirement(line: str) -> Requirement:
    """Raises ``ValueError`` also for what ``packaging`` reads and cannot compare."""
    parse_requirement(line)
    return Requirement(line)


def _applies(requirement: Requirement, environment: Mapping[str, str], extras: Iterable[str]) -> bool:
    marker = requirement.marker
    if marker is None:
        return True
    return any(marker.evaluate({**environment, "extra": extra}) for extra in ("", *extras))


def check(installed: Sequence[Installed], environment: Mapping[str, str]) -> tuple[Problem, ...]:
    """What does not fit together: requirements that are missing or not met, a Python that is refused, names that
    are installed twice, metadata nobody can read.  ``environment`` are the PEP 508 markers of the interpreter."""
    by_name: dict[str, Installed] = {}
    problems: list[Problem] = []
    for one in installed:
        if one.name in by_name:
            message = f"{one.raw_name} is installed twice: {by_name[one.name].path} and {one.path}"
            problems.append(Problem("duplicate", one.name, one.version, "", one.version, message))
        by_name.setdefault(one.name, one)
    wanted_extras = _extras_in_use(installed, by_name, environment)
    for one in installed:
        problems.extend(_unreadable(one))
        problems.extend(_python(one, environment.get("python_full_version", "")))
        for name, requirement in requirements(one, environment, wanted_extras.get(one.name, ())):
            problem = _unmet(one, requirement, by_name.get(name))
            if problem is not None:
                problems.append(problem)
    return tuple(problems)


def _extras_in_use(
    installed: Iterable[Installed], by_name: Mapping[str, Installed], environment: Mapping[str, str]
) -> dict[str, set[str]]:
    """The extras that installed distributions ask of each other, followed until nothing new turns up."""
    extras: dict[str, set[str]] = {}
    queue = list(installed)
    while queue:
        one = queue.pop()
        for name, requirement in requirements(one, environment, extras.get(one.name, ())):
            asked = {canonicalize_name(extra) for extra in requirement.extras}
            if name in by_name and not asked <= extras.get(name, set()):
                extras.setdefault(name, set()).update(asked)
                queue.append(by_name[name])
    return extras


def _unreadable(one: Installed) -> Iterator[Problem]:
    if not one.raw_name or not one.version:
        message = f"{one.path} has no readable metadata"
        yield Problem("unreadable", one.name, one.version, "", None, message)
    for line in one.requires:
        try:
            _requirement(line)
        except ValueError:
            message = f"{one.raw_name} {one.version} has a requirement nobody can read: {line}"
            yield Problem("unreadable", one.name, one.version, line, None, message)


def _python(one: Installed, python: str) -> Iterator[Problem]:
    if not one.requires_python or not python:
        return
    try:
        fits = SpecifierSet(one.requires_python).contains(python, prereleases=True)
    except ValueError:  # InvalidSpecifier, and numbers of more digits than int() reads
        return
    if not fits:
        message = f"{one.raw_name} {one.version} requires Python {one.requires_python}, but this is {python}"
        yield Problem("python", one.name, one.version, one.requires_python, python, message)


def _unmet(one: Installed, requirement: Requirement, found: Installed | None) -> Problem | None:
    asked = f"{requirement.name}{requirement.specifier}"
    if found is None:
        message = f"{one.raw_name} {one.version} requires {asked}, which is not installed"
        return Problem("missing", one.name, one.version, asked, None, message)
    if requirement.url is not None:
        return None
    try:
        fits = requirement.specifier.contains(Version(found.version), prereleases=True)
    except ValueError:  # InvalidVersion, and numbers of more digits than int() reads
        fits = str(requirement.specifier) in ("", f"==={found.version}")
    if fits:
        return None
    message = (
        f"{one.raw_name} {one.version} requires {asked}, but {found.raw_name} {found.version} is installed"
    )
    return Problem("conflict", one.name, one.version, asked, found.version, message)


def nodes(installed: Sequence[Installed], environment: Mapping[str, str]) -> dict[str, Node]:
    """The dependencies between what is installed, for :mod:`accord.tasks.trees`; extras count where they are asked
    for."""
    by_name = {one.name: one for one in reversed(installed)}
    extras = _extras_in_use(installed, by_name, environment)
    found = {}
    for name in sorted(by_name):
        one = by_name[name]
        edges: dict[str, list[str]] = {}
        for target, requirement in requirements(one, environment, extras.get(name, ())):
            if target != name:
                asked = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
                edges.setdefault(target, []).append(f"{asked}{requirement.specifier}")
        needs = tuple(Edge(target, ",".join(filter(None, edges[target]))) for target in sorted(edges))
        found[name] = Node(name, one.raw_name, one.version, needs)
    return found


# -- details -----------------------------------------------------------------------------------------------


def details(
    installed: Sequence[Installed], name: str, environment: Mapping[str, str], *, files: bool = False
) -> Details | None:
    """What is known about ``name`` (normal form), or ``None`` if it is not installed."""
    one = next((one for one in installed if one.name == name), None)
    if one is None:
        return None
    distribution = _Distribution(one.path)
    metadata = _headers(distribution)
    extras = _extras_in_use(installed, {other.name: other for other in installed}, environment)
    required_by = {
        other.raw_name
        for other in installed
        for required, _ in requirements(other, environment, extras.get(other.name, ()))
        if required == name
    }
    homepage = metadata.get("Home-page") or next(
        (
            url.partition(",")[2].strip()
            for url in metadata.get_all("Project-URL") or ()
            if url.partition(",")[0].strip().lower().replace("-", "").replace(" ", "") == "homepage"
        ),
        None,
    )
    listed = _files(distribution) if files else None
    return Details(
        installed=one,
        summary=metadata.get("Summary"),
        homepage=homepage,
        author=metadata.get("Author") or metadata.get("Author-email"),
        licence=metadata.get("License-Expression") or metadata.get("License"),
        requires=tuple(sorted({requirement.name for _, requirement in requirements(one, environment)})),
        required_by=tuple(sorted(required_by)),
        files=listed,
    )


def _files(distribution: importlib.metadata.Distribution) -> tuple[str, ...] | None:
    """What it records; ``None`` where nothing does, or nothing that can be read."""
    try:
        found = distribution.files
    except (ValueError, csv.Error):
        return None
    return None if found is None else tuple(sorted(str(file) for file in found))
