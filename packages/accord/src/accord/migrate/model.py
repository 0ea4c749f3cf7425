"""The neutral record between every format that is read and the one document that is written.

A reader fills a :class:`Described` with what its format says, in the words of the standards (PEP 621, 639, 735), and
puts whatever has no place there into ``leftovers``: nothing is dropped in silence.  A :class:`Described` is the one
thing here that changes, because several files of one project are read into it in turn; its parts are values.
"""

from __future__ import annotations

from dataclasses import dataclass, field

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.recorded import Recorded

__all__ = [
    "Described",
    "Extension",
    "Files",
    "Item",
    "Leftover",
    "Person",
    "Readme",
    "Version",
]


@dataclass(frozen=True, slots=True)
class Leftover:
    """What could not be carried over: where it stands (``setup.py:12``), what it is, why, and what a person does now."""

    where: str
    what: str
    why: str
    todo: str

    def as_dict(self) -> dict[str, str]:
        return {"where": self.where, "what": self.what, "why": self.why, "todo": self.todo}


@dataclass(frozen=True, slots=True)
class Item:
    """A requirement (PEP 508), or with ``include`` the name of another group, with the comments it had."""

    text: str
    comment: str | None = None
    above: tuple[str, ...] = ()
    include: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    name: str | None = None
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """Where the version is written: ``text`` is what it is now, found by reading, never by guessing.

    ``module`` and ``attribute`` name a literal in the project's code, ``file`` a file that holds nothing else, ``git``
    the tags; with none of them the text itself goes into ``pyproject.toml``.
    """

    text: str | None = None
    module: str | None = None
    attribute: str = "__version__"
    file: str | None = None
    git: bool = False
    tag_prefix: str = "v"

    @property
    def dynamic(self) -> bool:
        return bool(self.module or self.file or self.git)


@dataclass(frozen=True, slots=True)
class Readme:
    """``files`` in the order they are joined; ``text`` where the words stand in no file of their own."""

    files: tuple[str, ...] = ()
    content_type: str | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class Extension:
    """An extension module.  ``options`` are those of ``[[tool.accord.extension]]`` with their values."""

    name: str
    sources: tuple[str, ...]
    options: tuple[tuple[str, Any], ...] = ()
    where: str = ""


@dataclass(slots=True)
class Files:
    """Which files the old build puts into a wheel.

    ``tool`` says whose rules hold: ``setuptools`` lists packages, others take whole folders.  ``package_dir`` maps
    packages to folders (``""``: the root of all).  ``found`` is what a search for packages was asked for, kept for
    those who keep setuptools.  ``include`` and ``exclude`` are globs of the other tools, ``sdist_*`` those of theirs
    that mean the sdist alone.
    """

    tool: str = "setuptools"
    packages: list[str] | None = None
    modules: list[str] = field(default_factory=list)
    package_dir: dict[str, str] = field(default_factory=dict)
    package_data: dict[str, list[str]] = field(default_factory=dict)
    exclude_package_data: dict[str, list[str]] = field(default_factory=dict)
    include_package_data: bool | None = None
    found: dict[str, Any] | None = None
    data_files: list[tuple[str, list[str]]] = field(default_factory=list)
    scripts: list[str] = field(default_factory=list)
    headers: list[str] = field(default_factory=list)
    include: list[str] = field(default_factory=list)
    exclude: list[str] = field(default_factory=list)
    sdist_include: list[str] = field(default_factory=list)
    sdist_exclude: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Described:
    """A project, as far as one or several of its files describe it.

    ``needs_old_backend`` holds the reasons for which only the old backend can build this project; ``old_backend``
    is its name (``setuptools``, ``flit``, ``poetry``, ``pdm``; ``as-is`` for a ``[build-system]`` that stays, ``none``
    for what is never built).  ``comments`` are lines that stood above a field, by
    the field's name in the ``project`` table.  ``sources``, ``indexes``, ``constraints`` and ``workspace`` are those
    of ``[tool.accord]``; ``dynamic`` what the old ``[project]`` leaves to its backend, ``pins`` versions of an old lock that a new one should have, ``recorded`` the
    digests of files an old lock knew, ``read`` the files that were read.
    """

    old_backend: str = "setuptools"
    build_requires: list[str] = field(default_factory=list)
    name: str | None = None
    version: Version | None = None
    description: str | None = None
    readme: Readme | None = None
    requires_python: str | None = None
    licence_text: str | None = None
    licence: str | None = None
    licence_files: list[str] | None = None
    authors: list[Person] = field(default_factory=list)
    maintainers: list[Person] = field(default_factory=list)
    keywords: list[str] = field(default_factory=list)
    classifiers: list[Item] = field(default_factory=list)
    urls: dict[str, str] = field(default_factory=dict)
    scripts: dict[str, str] = field(default_factory=dict)
    gui_scripts: dict[str, str] = field(default_factory=dict)
    entry_points: dict[str, dict[str, str]] = field(default_factory=dict)
    dependencies: list[Item] = field(default_factory=list)
    optional: dict[str, list[Item]] = field(default_factory=dict)
    groups: dict[str, list[Item]] = field(default_factory=dict)
    default_groups: list[str] | None = None
    files: Files = field(default_factory=Files)
    extensions: list[Extension] = field(default_factory=list)
    sources: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    indexes: list[dict[str, Any]] = field(default_factory=list)
    constraints: list[Item] = field(default_factory=list)
    workspace: dict[str, list[str]] = field(default_factory=dict)
    comments: dict[str, tuple[str, ...]] = field(default_factory=dict)
    leftovers: list[Leftover] = field(default_factory=list)
    needs_old_backend: list[str] = field(default_factory=list)
    dynamic: list[str] = field(default_factory=list)
    pins: list[str] = field(default_factory=list)
    recorded: list[Recorded] = field(default_factory=list)
    read: list[str] = field(default_factory=list)

    def leave(self, where: str, what: str, why: str, todo: str) -> None:
        """Write down something that could not be carried over, once."""
        left = Leftover(where, what, why, todo)
        if left not in self.leftovers:
            self.leftovers.append(left)

    def wishes(self, group: str, *, is_package: bool) -> list[Item]:
        """Where the wishes of an environment go: what a package needs is in its own description, so that its developers'
        environment is a group; what is no package has no other dependencies."""
        return self.groups.setdefault(group, []) if is_package else self.dependencies

    def keep_old(self, reason: str) -> None:
        if reason not in self.needs_old_backend:
            self.needs_old_backend.append(reason)
