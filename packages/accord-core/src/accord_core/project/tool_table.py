"""``[tool.accord]``: what a project says to Accord beyond the standards.

index                 array of tables: name, url, default, explicit, projects (names that belong to it)
sources               table by project: one of index, path, url, git, with what refines it
constraints           requirements that limit versions without asking for anything
overrides             requirements that replace whatever anybody asks of the same project
exclude-dependencies  names that are never installed as a dependency
resolution            highest, lowest, lowest-direct
prerelease            if-necessary-or-explicit, disallow, allow, if-necessary, explicit
exclude-newer         a moment or a duration; files uploaded later do not exist
default-groups        dependency groups installed unless said otherwise (default: dev, where there is one)
python                which interpreter ("3.12", "cpython3.12", a path)
no-build              true, or names of projects that are never built
build-network         true, or names of projects whose builds may use the network
build-sandbox         require, warn: builds run in a sandbox or not at all, or without one after a warning
workspace             table: members (globs of folders with projects) and exclude
link-mode             reflink, hardlink, copy, auto
compile-bytecode      true: compile what is installed, instead of at the first import
check                 table: ignore (codes of checks that `accord check` leaves out here)
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from accord_core.names import normalise, valid
from accord_core.project.cutoff import parse_cutoff
from accord_core.project.declared import Declared, read_many
from accord_core.project.faults import Faults
from accord_core.project.fields import Fields
from accord_core.project.positions import KeyPath

__all__ = [
    "KEYS",
    "LINK_MODES",
    "PRERELEASE_MODES",
    "RESOLUTIONS",
    "SANDBOX_MODES",
    "Index",
    "Source",
    "ToolTable",
    "Workspace",
    "read_tool_table",
]

RESOLUTIONS = ("highest", "lowest", "lowest-direct")
PRERELEASE_MODES = ("if-necessary-or-explicit", "disallow", "allow", "if-necessary", "explicit")
SANDBOX_MODES = ("require", "warn")  # a project may ask for more than the person does, not for less
LINK_MODES = ("auto", "reflink", "hardlink", "copy")
KEYS = (
    "index",
    "sources",
    "constraints",
    "overrides",
    "exclude-dependencies",
    "resolution",
    "prerelease",
    "exclude-newer",
    "default-groups",
    "python",
    "no-build",
    "build-network",
    "build-sandbox",
    "workspace",
    "link-mode",
    "compile-bytecode",
    "check",
)
# Tables that belong to the build backend, which reads them whole and reports their faults itself.
_OF_THE_BACKEND = ("backend", "build", "extension", "step")
_INDEX_KEYS = ("name", "url", "publish-url", "default", "explicit", "projects")
_KINDS = ("index", "path", "url", "git")
_REVISIONS = ("rev", "tag", "branch")
_SOURCE_KEYS = (*_KINDS, *_REVISIONS, "editable", "subdirectory")
_AT: KeyPath = ("tool", "accord")


@dataclass(frozen=True, slots=True)
class Index:
    """One ``[[tool.accord.index]]``, in the order written.

    ``publish_url``: where files are published.  ``explicit``: serves only projects assigned to it.  ``default``: takes the
    place of the default index.  ``projects`` are normal names.
    """

    name: str
    url: str
    default: bool = False
    explicit: bool = False
    projects: tuple[str, ...] = ()
    publish_url: str | None = None


@dataclass(frozen=True, slots=True)
class Source:
    """Where a project comes from instead of the indexes; exactly one of ``index, path, url, git`` is set.

    ``revision`` is ``("rev" | "tag" | "branch", name)``.
    """

    index: str | None = None
    path: str | None = None
    url: str | None = None
    git: str | None = None
    revision: tuple[str, str] | None = None
    editable: bool = False
    subdirectory: str | None = None


@dataclass(frozen=True, slots=True)
class Workspace:
    """``[tool.accord.workspace]``: globs, relative to the file, of the folders that hold its projects, and of those
    that do not belong to it."""

    members: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ToolTable:
    """``[tool.accord]`` understood; ``None`` and empty mean: not said.  Project names are normal names."""

    indexes: tuple[Index, ...] = ()
    sources: Mapping[str, Source] = field(default_factory=dict)
    constraints: tuple[Declared, ...] = ()
    overrides: tuple[Declared, ...] = ()
    exclude_dependencies: tuple[str, ...] = ()
    resolution: str | None = None
    prerelease: str | None = None
    exclude_newer: str | None = None
    default_groups: tuple[str, ...] | None = None
    python: str | None = None
    no_build: bool = False
    no_build_projects: tuple[str, ...] = ()
    build_network: bool = False
    build_network_projects: tuple[str, ...] = ()
    build_sandbox: str | None = None
    workspace: Workspace | None = None
    link_mode: str | None = None
    compile_bytecode: bool | None = None
    check_ignore: tuple[str, ...] = ()


def read_tool_table(data: Mapping[str, Any], faults: Faults) -> ToolTable:
    """The ``[tool.accord]`` table of ``data``, a whole document; what is wrong goes to ``faults``."""
    tool = data.get("tool")
    reader = _Reader(faults)
    table = reader.table(tool, "accord", ("tool",)) if isinstance(tool, dict) else None
    return ToolTable() if table is None else reader.whole(table)


class _Reader(Fields):
    def whole(self, table: Mapping[str, Any]) -> ToolTable:
        self.unknown(table, _AT, (*KEYS, *_OF_THE_BACKEND))
        indexes = self.indexes(table)
        build, network = table.get("no-build"), table.get("build-network")
        return ToolTable(
            indexes=indexes,
            sources=self.sources(table, {index.name for index in indexes}),
            constraints=read_many(table.get("constraints"), (*_AT, "constraints"), self.faults),
            overrides=read_many(table.get("overrides"), (*_AT, "overrides"), self.faults),
            exclude_dependencies=self.names(table, "exclude-dependencies", _AT),
            resolution=self.choice(table, "resolution", _AT, RESOLUTIONS),
            prerelease=self.choice(table, "prerelease", _AT, PRERELEASE_MODES),
            exclude_newer=self.exclude_newer(table),
            default_groups=self.names(table, "default-groups", _AT) if "default-groups" in table else None,
            python=self.text(table, "python", _AT),
            no_build=build is True,
            no_build_projects=() if isinstance(build, bool) else self.names(table, "no-build", _AT),
            build_network=network is True,
            build_network_projects=()
            if isinstance(network, bool)
            else self.names(table, "build-network", _AT),
            build_sandbox=self.choice(table, "build-sandbox", _AT, SANDBOX_MODES),
            workspace=self.workspace(table),
            link_mode=self.choice(table, "link-mode", _AT, LINK_MODES),
            compile_bytecode=self.boolean(table, "compile-bytecode", _AT),
            check_ignore=self.check_ignore(table),
        )

    def check_ignore(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        at: KeyPath = (*_AT, "check")
        inside = self.table(table, "check", _AT) or {}
        self.unknown(inside, at, ("ignore",))
        return self.texts(inside, "ignore", at)

    def indexes(self, table: Mapping[str, Any]) -> tuple[Index, ...]:
        found: list[Index] = []
        owners: dict[str, str] = {}
        for i, entry in enumerate(self.tables(table, "index", _AT)):
            at: KeyPath = (*_AT, "index", i)
            self.unknown(entry, at, _INDEX_KEYS)
            name, url = (
                self.text(entry, "name", at, required=True),
                self.text(entry, "url", at, required=True),
            )
            index = Index(
                name or "",
                url or "",
                default=self.boolean(entry, "default", at) or False,
                explicit=self.boolean(entry, "explicit", at) or False,
                projects=self.names(entry, "projects", at),
                publish_url=self.text(entry, "publish-url", at),
            )
            if name is not None and any(other.name == name for other in found):
                self.faults.add("duplicate-name", f"two indexes are called {name!r}", (*at, "name"))
            if index.default and any(other.default for other in found):
                self.faults.add("conflicting-keys", "only one index can be the default", (*at, "default"))
            if index.default and index.explicit:
                message = "the default index serves every project, an explicit one only those assigned to it"
                self.faults.add("conflicting-keys", message, (*at, "explicit"))
            for project in index.projects:
                if owners.setdefault(project, index.name) != index.name:
                    message = f"{project} is assigned to {owners[project]!r} and to {index.name!r}"
                    self.faults.add("conflicting-keys", message, (*at, "projects"))
            found.append(index)
        return tuple(found)

    def sources(self, table: Mapping[str, Any], indexes: set[str]) -> dict[str, Source]:
        found: dict[str, Source] = {}
        for raw in self.table(table, "sources", _AT) or {}:
            at: KeyPath = (*_AT, "sources", raw)
            entry = self.table(table["sources"], raw, (*_AT, "sources"))
            if entry is None:
                continue
            name = normalise(raw)
            if not valid(raw):
                self.faults.add("invalid-name", f"{raw!r} is not the name of a project", at)
            elif name in found:
                self.faults.add("duplicate-name", f"{name} has two sources", at)
            else:
                found[name] = self.source(entry, at, indexes)
        return found

    def source(self, entry: Mapping[str, Any], at: KeyPath, indexes: set[str]) -> Source:
        self.unknown(entry, at, _SOURCE_KEYS)
        kinds = [key for key in _KINDS if key in entry]
        if len(kinds) != 1:
            given = " and ".join(kinds) or "none of them"
            self.faults.add(
                "conflicting-keys", f"a source is one of {', '.join(_KINDS)}; here is {given}", at
            )
        revisions = [key for key in _REVISIONS if key in entry]
        if len(revisions) > 1:
            self.faults.add(
                "conflicting-keys", f"{' and '.join(revisions)} cannot both name the revision", at
            )
        for key, allowed in (
            *[(key, ("git",)) for key in revisions],
            ("editable", ("path",)),
            ("subdirectory", ("git", "url")),
        ):
            if key in entry and len(kinds) == 1 and kinds[0] not in allowed:
                message = f"{key} belongs to {' or '.join(allowed)}, not to {kinds[0]}"
                self.faults.add("conflicting-keys", message, (*at, key))
        source = Source(
            index=self.text(entry, "index", at),
            path=self.text(entry, "path", at),
            url=self.text(entry, "url", at),
            git=self.text(entry, "git", at),
            revision=next(((key, text) for key in revisions if (text := self.text(entry, key, at))), None),
            editable=self.boolean(entry, "editable", at) or False,
            subdirectory=self.subdirectory(entry, at),
        )
        if source.index is not None and source.index not in indexes:
            hint = "indexes are named in [[tool.accord.index]]"
            self.faults.add("unknown-index", f"there is no index {source.index!r}", (*at, "index"), hint=hint)
        return source

    def workspace(self, table: Mapping[str, Any]) -> Workspace | None:
        entry = self.table(table, "workspace", _AT)
        if entry is None:
            return None
        at: KeyPath = (*_AT, "workspace")
        self.unknown(entry, at, ("members", "exclude"))
        found = Workspace(*(self.globs(entry, key, at) for key in ("members", "exclude")))
        if not found.members:
            hint = 'members = ["packages/*"]'
            self.faults.add("missing-key", "a workspace names its members", (*at, "members"), hint=hint)
        return found

    def globs(self, table: Mapping[str, Any], key: str, at: KeyPath) -> tuple[str, ...]:
        found = self.texts(table, key, at)
        for i, text in enumerate(found):
            if text.startswith(("/", "~")) or "\\" in text or ".." in text.split("/") or not text:
                self.faults.add("invalid-value", f"{text!r} leads out of the project", (*at, key, i))
        return found

    def exclude_newer(self, table: Mapping[str, Any]) -> str | None:
        value = table.get("exclude-newer")
        if isinstance(value, (date, datetime)):  # TOML has dates of its own
            return value.isoformat()
        text = self.text(table, "exclude-newer", _AT)
        wrong = "is neither a moment nor a duration such as '7 days'"
        if text is None or not self.check(parse_cutoff, text, (*_AT, "exclude-newer"), wrong):
            return None
        return text
