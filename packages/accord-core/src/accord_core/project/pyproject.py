"""``pyproject.toml``: who a project is, what it needs, how it is built, and what it says to Accord.

Read in two steps, lenient raw and strict rich: whatever is wrong anywhere in the tables we understand is reported
at once, with table, key and line; tables of other tools are kept and not judged.  Standards: PEP 621 (``[project]``)
with PEP 639 (licences), PEP 735 (``[dependency-groups]``), PEP 517 and 518 (``[build-system]``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accord_core.names import normalise, valid
from accord_core.project.declared import Declared, read_many
from accord_core.project.faults import DEFAULT_LIMITS, Faults, Limits, load_toml
from accord_core.project.fields import Fields
from accord_core.project.groups import Groups, read_groups
from accord_core.project.positions import KeyPath
from accord_core.project.tool_table import ToolTable, read_tool_table
from accord_core.project.versions import sort_key

__all__ = ["LEGACY_BUILD_SYSTEM", "BuildSystem", "Project", "read_pyproject"]

_FIELDS = (
    "name",
    "version",
    "description",
    "readme",
    "requires-python",
    "license",
    "license-files",
    "authors",
    "maintainers",
    "keywords",
    "classifiers",
    "urls",
    "scripts",
    "gui-scripts",
    "entry-points",
    "dependencies",
    "optional-dependencies",
    "import-names",
    "import-namespaces",
)
_AT: KeyPath = ("project",)


@dataclass(frozen=True, slots=True)
class BuildSystem:
    """``[build-system]`` (PEP 518 "requires", PEP 517 "build-backend", "backend-path")."""

    requires: tuple[str, ...]
    build_backend: str
    backend_path: tuple[str, ...] = ()


# "If the pyproject.toml file is absent, or the build-backend key is missing …" (PEP 517)
LEGACY_BUILD_SYSTEM = BuildSystem(("setuptools>=40.8.0",), "setuptools.build_meta:__legacy__")


@dataclass(frozen=True, slots=True)
class Project:
    """A whole ``pyproject.toml``.

    ``name`` is normalised and ``raw_name`` as written, both None where there is no ``[project]`` table;
    ``version`` is None where it is dynamic.  ``optional_dependencies`` is keyed by normal names of extras.
    ``license`` is the expression, or None where the older table form stands.  ``raw`` is everything, untouched.
    """

    path: str
    name: str | None
    raw_name: str | None
    version: str | None
    requires_python: str | None
    description: str | None
    license: str | None
    license_files: tuple[str, ...]
    dynamic: tuple[str, ...]
    dependencies: tuple[Declared, ...]
    optional_dependencies: Mapping[str, tuple[Declared, ...]]
    scripts: Mapping[str, str]
    gui_scripts: Mapping[str, str]
    entry_points: Mapping[str, Mapping[str, str]]
    groups: Groups
    build_system: BuildSystem | None
    tool: ToolTable
    raw: Mapping[str, Any] = field(repr=False)

    @property
    def is_package(self) -> bool:
        """Whether the project itself can be built and installed: it says how."""
        return self.build_system is not None

    @property
    def default_groups(self) -> tuple[str, ...]:
        """The groups installed unless said otherwise: those of ``[tool.accord]``, else ``dev`` where there is one."""
        if self.tool.default_groups is not None:
            return self.tool.default_groups
        return ("dev",) if "dev" in self.groups else ()


def read_pyproject(text: str, path: str = "pyproject.toml", *, limits: Limits = DEFAULT_LIMITS) -> Project:
    """Read a ``pyproject.toml``.

    Raises ``DocumentError``: ``invalid-pyproject`` with every fault in ``faults``, or with the first where the text
    is not TOML at all; ``document-too-large``.
    """
    data = load_toml(text, path, code="invalid-pyproject", limits=limits)
    faults = Faults(path, text, limits=limits)
    project = _Reader(faults).whole(data, path)
    count = len(faults)
    faults.refuse("invalid-pyproject", f"{path} has {count} fault{'s' if count != 1 else ''}")
    return project


class _Reader(Fields):
    def whole(self, data: Mapping[str, Any], path: str) -> Project:
        table = self.table(data, "project", ()) or {}
        named = isinstance(data.get("project"), dict)
        if named:
            self.unknown(table, _AT, (*_FIELDS, "dynamic"))
        dynamic = self.dynamic(table)
        raw_name = self.name(table) if named else None
        groups = read_groups(data, self.faults)
        tool = read_tool_table(data, self.faults)
        for i, name in enumerate(tool.default_groups or ()):
            if name not in groups:
                self.faults.add(
                    "unknown-group",
                    f"there is no dependency group {name!r}",
                    ("tool", "accord", "default-groups", i),
                )
        self.details(table)
        return Project(
            path=path,
            name=None if raw_name is None else normalise(raw_name),
            raw_name=raw_name,
            version=self.version(table, dynamic) if named else None,
            requires_python=self.specifier(table, "requires-python", _AT),
            description=self.text(table, "description", _AT),
            license=self.license(table),
            license_files=self.license_files(table),
            dynamic=dynamic,
            dependencies=read_many(table.get("dependencies"), (*_AT, "dependencies"), self.faults),
            optional_dependencies=self.optional(table),
            scripts=self.references(table, "scripts", _AT),
            gui_scripts=self.references(table, "gui-scripts", _AT),
            entry_points=self.entry_points(table),
            groups=groups,
            build_system=self.build_system(data),
            tool=tool,
            raw=data,
        )

    def name(self, table: Mapping[str, Any]) -> str | None:
        name = self.text(table, "name", _AT, required=True)
        if name is None or not valid(name):
            if name is not None:
                hint = "letters, digits, and '-', '_', '.' between them"
                self.faults.add("invalid-name", f"{name!r} cannot name a project", (*_AT, "name"), hint=hint)
            return None
        return name

    def version(self, table: Mapping[str, Any], dynamic: tuple[str, ...]) -> str | None:
        version = self.text(table, "version", _AT)
        if version is None:
            if "version" not in dynamic and "version" not in table:
                hint = 'write version = "0.1.0", or list it in dynamic'
                self.faults.add(
                    "missing-key", "version is neither given nor dynamic", (*_AT, "version"), hint=hint
                )
            return None
        return (
            version
            if self.check(sort_key, version, (*_AT, "version"), "is not a version (PEP 440)")
            else None
        )

    def dynamic(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        """ "Build back-ends MUST raise an error if the metadata specifies a field statically as well as …"."""
        dynamic = self.texts(table, "dynamic", _AT)
        for name in dynamic:
            at: KeyPath = (*_AT, "dynamic")
            if name == "name":
                self.faults.add("invalid-value", "the name of a project cannot be dynamic", at)
            elif name not in _FIELDS:
                self.faults.add("invalid-value", f"{name!r} is no field that could be dynamic", at)
            elif name in table:
                self.faults.add("conflicting-keys", f"{name} is given and dynamic as well", (*_AT, name))
        return dynamic

    def license(self, table: Mapping[str, Any]) -> str | None:
        value = table.get("license")
        at: KeyPath = (*_AT, "license")
        if isinstance(value, dict):  # the older form, without meaning to machines
            if len(value) != 1 or not isinstance(value.get("file", value.get("text")), str):
                self.faults.add("invalid-value", "a license table holds file or text", at)
            return None
        expression = self.text(table, "license", _AT)
        if expression is None:
            return None
        from packaging.licenses import canonicalize_license_expression

        return (
            expression
            if self.check(canonicalize_license_expression, expression, at, "is no SPDX expression")
            else None
        )

    def license_files(self, table: Mapping[str, Any]) -> tuple[str, ...]:
        files = self.texts(table, "license-files", _AT)
        for pattern in files:
            if pattern[:1] in ("/", "\\") or ".." in pattern.replace("\\", "/").split("/"):
                message = f"{pattern!r} leads out of the project"
                self.faults.add("invalid-value", message, (*_AT, "license-files"))
        return files

    def optional(self, table: Mapping[str, Any]) -> dict[str, tuple[Declared, ...]]:
        found: dict[str, tuple[Declared, ...]] = {}
        spelt: dict[str, str] = {}
        for raw, entries in (self.table(table, "optional-dependencies", _AT) or {}).items():
            at: KeyPath = (*_AT, "optional-dependencies", raw)
            name = normalise(raw)
            if not valid(raw):
                self.faults.add("invalid-name", f"{raw!r} cannot name an extra", at)
            elif name in spelt:
                # "… two or more … normalize to the same value": PEP 685
                self.faults.add(
                    "duplicate-name", f"the extras {spelt[name]!r} and {raw!r} have the same name", at
                )
            else:
                spelt[name] = raw
                found[name] = read_many(entries, at, self.faults)
        return found

    def references(self, table: Mapping[str, Any], key: str, at: KeyPath) -> dict[str, str]:
        """Names and object references (entry points specification, "object reference")."""
        found: dict[str, str] = {}
        inside = self.table(table, key, at) or {}
        for name in inside:
            reference = self.text(inside, name, (*at, key))
            if reference is None:
                continue
            module, _, attribute = reference.partition("[")[0].strip().partition(":")
            dotted = [*module.strip().split("."), *(attribute.strip().split(".") if attribute else [])]
            if not all(part.isidentifier() for part in dotted):
                hint = "write package.module:function"
                message = f"{reference!r} does not name an object"
                self.faults.add("invalid-value", message, (*at, key, name), hint=hint)
            elif not name.strip() or any(character in name for character in "\n\r=") or name[:1] == "[":
                self.faults.add("invalid-name", f"{name!r} cannot name an entry point", (*at, key, name))
            else:
                found[name] = reference
        return found

    def entry_points(self, table: Mapping[str, Any]) -> dict[str, dict[str, str]]:
        groups = self.table(table, "entry-points", _AT) or {}
        found = {}
        for group in groups:
            if group in ("console_scripts", "gui_scripts"):
                at: KeyPath = (*_AT, "entry-points", group)
                hint = f"use [project.{'gui-scripts' if group == 'gui_scripts' else 'scripts'}]"
                self.faults.add("unknown-key", f"{group} has a table of its own", at, hint=hint)
            else:
                found[group] = self.references(groups, group, (*_AT, "entry-points"))
        return found

    def details(self, table: Mapping[str, Any]) -> None:
        """Fields no other part asks for, judged because a build would fail on them."""
        for key in ("keywords", "classifiers", "import-names", "import-namespaces"):
            self.texts(table, key, _AT)
        urls = self.table(table, "urls", _AT) or {}
        for label in urls:
            self.text(urls, label, (*_AT, "urls"))
        for key in ("authors", "maintainers"):
            for i, person in enumerate(self.tables(table, key, _AT)):
                at: KeyPath = (*_AT, key, i)
                self.unknown(person, at, ("name", "email"))
                for part in ("name", "email"):
                    self.text(person, part, at)
        readme = table.get("readme")
        if isinstance(readme, dict):
            at = (*_AT, "readme")
            self.unknown(readme, at, ("file", "text", "content-type"))
            for part in ("file", "text", "content-type"):
                self.text(readme, part, at)
            if ("file" in readme) is ("text" in readme):
                self.faults.add("conflicting-keys", "a readme table holds file or text", at)
        else:
            self.text(table, "readme", _AT)

    def build_system(self, data: Mapping[str, Any]) -> BuildSystem | None:
        table, at = self.table(data, "build-system", ()), ("build-system",)
        if table is None:
            return None
        self.unknown(table, at, ("requires", "build-backend", "backend-path"))
        if "requires" not in table:
            self.faults.add("missing-key", "requires is required", (*at, "requires"))
        requires = read_many(table.get("requires"), (*at, "requires"), self.faults)
        backend = self.text(table, "build-backend", at)
        return BuildSystem(
            tuple([one.text for one in requires]),
            backend or LEGACY_BUILD_SYSTEM.build_backend,
            self.texts(table, "backend-path", at),
        )
