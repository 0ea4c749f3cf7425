"""Reading ``pyproject.toml`` for the builder: the ``project`` table of PEP 621/639/794 and ``tool.accord.build``.

A person edits this file, so it is read whole and every fault is reported at once, each with its table and key.
The result is a :class:`Project` whose values are in normal form.  This room reads ``pyproject.toml`` and checks
that named files exist; it writes nothing.

``[tool.accord.build]`` has two keys, both optional: ``modules`` (import names, dotted for namespace packages;
default: the project's name with ``_``) and ``sdist-include`` (globs of further files for the sdist).
"""

from __future__ import annotations

import os
import sys

from . import rules
from .errors import BackendError, Fault

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

__all__ = ["Project", "read"]

_KEYS = frozenset((
    "name", "version", "description", "readme", "requires-python", "license", "license-files",
    "authors", "maintainers", "keywords", "classifiers", "urls", "scripts", "gui-scripts",
    "entry-points", "dependencies", "optional-dependencies", "dynamic", "import-names",
    "import-namespaces",
))  # fmt: skip
_BUILD_KEYS = frozenset(("modules", "sdist-include"))
_LICENCE_DEFAULTS = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")
_README_TYPES = {".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}
_LABEL_LIMIT = 32  # core metadata, "Project-URL"


class Project:
    """The ``project`` table in normal form.  ``root`` is the source tree (absolute), paths below it use ``/``.

    ``readme`` is ``(text, content type)``; ``optional_dependencies`` maps extras to requirements;
    ``entry_points`` maps groups to ``{name: reference}``, scripts included.
    """

    __slots__ = (
        "authors", "classifiers", "dependencies", "description", "entry_points", "import_names",
        "import_namespaces", "keywords", "licence_expression", "licence_files", "licence_text", "maintainers",
        "modules", "name", "optional_dependencies", "readme", "readme_file", "requires_python", "root",
        "sdist_include", "urls", "version",
    )  # fmt: skip

    root: str
    name: str
    version: str
    description: str | None
    readme: tuple[str, str] | None
    readme_file: str | None
    requires_python: str | None
    licence_expression: str | None
    licence_text: str | None
    licence_files: tuple[str, ...]
    authors: list[dict[str, str]]
    maintainers: list[dict[str, str]]
    keywords: list[str]
    classifiers: list[str]
    urls: dict[str, str]
    dependencies: list[str]
    optional_dependencies: dict[str, list[str]]
    entry_points: dict[str, dict[str, str]]
    import_names: list[str] | None
    import_namespaces: list[str] | None
    modules: list[str]
    sdist_include: list[str]

    @property
    def stem(self) -> str:
        """``{name}-{version}`` as file names spell it."""
        return f"{rules.file_name_part(self.name)}-{self.version}"


class _Table:
    """One table of the document with typed access; what has another type becomes a fault and an empty value."""

    def __init__(self, data: dict[str, Any], place: str, faults: list[Fault]) -> None:
        self.data = data
        self.place = place
        self.faults = faults

    def fault(self, code: str, key: str, problem: str) -> None:
        self.faults.append(Fault(code, f"{self.place}.{key}" if key else self.place, problem))

    def text(self, key: str) -> str | None:
        value = self.data.get(key)
        if value is None or isinstance(value, str):
            return value
        self.fault("wrong-type", key, f"must be a string, not {type(value).__name__}")
        return None

    def texts(self, key: str) -> list[str]:
        value = self.data.get(key, [])
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return value
        self.fault("wrong-type", key, "must be an array of strings")
        return []

    def table(self, key: str) -> _Table:
        value = self.data.get(key, {})
        if not isinstance(value, dict):
            self.fault("wrong-type", key, "must be a table")
            value = {}
        return _Table(value, f"{self.place}.{key}" if self.place else key, self.faults)

    def strings(self, key: str) -> dict[str, str]:
        inner = self.table(key)
        return {name: value for name in inner.data for value in [inner.text(name)] if value is not None}


def read(root: str) -> Project:
    """The project in the folder ``root``.

    Raises ``BackendError``: ``pyproject-missing``, ``pyproject-not-toml``, or ``pyproject-invalid`` with
    every fault found.
    """
    root = os.path.abspath(root)
    path = os.path.join(root, "pyproject.toml")
    try:
        with open(path, "rb") as file:
            document = tomllib.loads(file.read().decode("utf-8"))
    except FileNotFoundError:
        raise BackendError("pyproject-missing", f"there is no pyproject.toml in {root}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as fault:
        raise BackendError("pyproject-not-toml", f"{path} is not valid TOML: {fault}") from None
    faults: list[Fault] = []
    top = _Table(document, "", faults)
    result = Project()
    result.root = root
    if not isinstance(document.get("project"), dict):
        faults.append(Fault("key-missing", "project", "the table is missing; a build needs name and version"))
    table = top.table("project")
    _identity(table, result)
    _words(table, result)
    _readme(table, result)
    _licence(table, result)
    _people(table, result)
    _requirements(table, result)
    _entry_points(table, result)
    _build_settings(top.table("tool").table("accord").table("build"), result)
    if faults:
        raise BackendError(
            "pyproject-invalid",
            f"{path} has {len(faults)} fault{'s' if len(faults) > 1 else ''}",
            hint="the keys are described in the pyproject.toml specification of the Python packaging guide",
            faults=tuple(faults),
        )
    return result


def _identity(table: _Table, result: Project) -> None:
    for key in sorted(set(table.data) - _KEYS):
        table.fault("key-unknown", key, "is not a key of the project table")
    for key in table.texts("dynamic"):
        if key == "name":
            table.fault("dynamic-name", "dynamic", "name may not be dynamic")
        elif key in table.data:
            table.fault("dynamic-and-static", "dynamic", f"{key} is also given a value")
        else:
            table.fault("dynamic-unsupported", "dynamic", f"this backend runs no code: write {key} down")
    name = table.text("name")
    if "name" not in table.data:
        table.fault("key-missing", "name", "is required")
    elif name is not None and rules.normal_name(name) is None:
        table.fault("name-invalid", "name", f"{name!r} is not a project name (letters, digits and inner -_.)")
    result.name = name or ""
    version = table.text("version")
    normal = rules.normal_version(version) if version is not None else None
    if "version" not in table.data and "version" not in table.texts("dynamic"):
        table.fault("key-missing", "version", "is required")
    elif version is not None and normal is None:
        table.fault("version-invalid", "version", f"{version!r} is not a version (PEP 440)")
    result.version = normal or ""


def _words(table: _Table, result: Project) -> None:
    result.description = table.text("description")
    if result.description and "\n" in result.description.strip():
        table.fault("description-lines", "description", "must be one line; long text belongs to the readme")
    result.requires_python = table.text("requires-python")
    if result.requires_python is not None and not rules.is_specifier(result.requires_python):
        table.fault("specifier-invalid", "requires-python", f"{result.requires_python!r} is not a specifier")
    result.keywords = table.texts("keywords")
    result.classifiers = table.texts("classifiers")
    result.urls = table.strings("urls")
    for label in result.urls:
        if len(label) > _LABEL_LIMIT:
            table.fault("url-label", f"urls.{label}", f"labels have up to {_LABEL_LIMIT} characters")
    for key in ("import-names", "import-namespaces"):
        names = table.texts(key) if key in table.data else None
        setattr(result, key.replace("-", "_"), names)


def _readme(table: _Table, result: Project) -> None:
    result.readme = None
    result.readme_file = None
    value = table.data.get("readme")
    if value is None:
        return
    entry = (
        _Table({"file": value}, "project", table.faults) if isinstance(value, str) else table.table("readme")
    )
    file, text, kind = entry.text("file"), entry.text("text"), entry.text("content-type")
    if (file is None) == (text is None):
        table.fault("readme-source", "readme", "give exactly one of file and text")
        return
    if file is not None:
        result.readme_file = file.replace(os.sep, "/")
        text = _named_text(table, result.root, "readme", file)
        kind = kind or _README_TYPES.get(os.path.splitext(file)[1].lower())
    if kind is None:
        table.fault("readme-type", "readme", "give content-type: text/markdown, text/x-rst or text/plain")
    elif text is not None:
        result.readme = (text, kind)


def _named_text(table: _Table, root: str, key: str, path: str) -> str | None:
    if os.path.isabs(path) or ".." in path.replace("\\", "/").split("/"):
        table.fault("path-outside", key, f"{path!r} must lie inside the project")
        return None
    try:
        with open(os.path.join(root, path), encoding="utf-8") as file:
            return file.read()
    except UnicodeDecodeError:
        table.fault("text-not-utf8", key, f"{path!r} is not UTF-8")
    except OSError as fault:
        table.fault("file-missing", key, f"{path!r} cannot be read: {fault.strerror}")
    return None


def _licence(table: _Table, result: Project) -> None:
    from .layout import matching

    result.licence_expression = None
    result.licence_text = None
    found: set[str] = set()
    value = table.data.get("license")
    if isinstance(value, dict):
        entry = table.table("license")
        file, text = entry.text("file"), entry.text("text")
        if (file is None) == (text is None):
            table.fault("license-source", "license", "give an SPDX expression, such as license = 'MIT'")
        if "license-files" in table.data:
            table.fault("license-mixed", "license", "license-files needs license to be an SPDX expression")
        result.licence_text = text
        if file is not None:
            result.licence_text = _named_text(table, result.root, "license.file", file)
            found.add(file)
    elif value is not None:
        text = table.text("license")
        result.licence_expression = rules.licence_expression(text) if text is not None else None
        if text is not None and result.licence_expression is None:
            table.fault("license-invalid", "license", f"{text!r} is not an SPDX expression")
        if any(line.startswith("License ::") for line in result.classifiers):
            table.fault(
                "license-twice", "classifiers", "drop the 'License ::' lines: license says it (PEP 639)"
            )
    patterns = table.texts("license-files") if "license-files" in table.data else None
    for pattern in _LICENCE_DEFAULTS if patterns is None else patterns:
        if pattern.startswith("/") or "\\" in pattern or ".." in pattern.split("/"):
            table.fault("path-outside", "license-files", f"{pattern!r} must lie inside the project")
            continue
        files = matching(result.root, pattern)
        if patterns is not None and not files:
            table.fault("license-files-none", "license-files", f"no file matches {pattern!r}")
        found.update(files)
    for path in sorted(found):
        _named_text(table, result.root, "license-files", path)
    result.licence_files = tuple(sorted(found))


def _people(table: _Table, result: Project) -> None:
    for key in ("authors", "maintainers"):
        people = []
        value = table.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            table.fault("wrong-type", key, "must be an array of tables with name and email")
            value = []
        for number, item in enumerate(value):
            entry = _Table(item, f"project.{key}[{number}]", table.faults)
            person = {part: text for part in ("name", "email") for text in [entry.text(part)] if text}
            if not person or set(item) - {"name", "email"}:
                entry.fault("person-invalid", "", "needs name, email or both, and nothing else")
            elif "," in person.get("name", "") or "\n" in "".join(person.values()):
                entry.fault("person-invalid", "name", "a name holds no comma and no line break (PEP 621)")
            people.append(person)
        setattr(result, key, people)


def _requirements(table: _Table, result: Project) -> None:
    result.dependencies = _checked(table, "dependencies")
    extras = table.table("optional-dependencies")
    result.optional_dependencies = {}
    for extra in extras.data:
        normal = rules.normal_name(extra)
        if normal is None:
            extras.fault("extra-invalid", extra, "is not a name of an extra")
        elif normal in result.optional_dependencies:
            extras.fault("extra-twice", extra, f"is {normal!r} once more")
        else:
            result.optional_dependencies[normal] = _checked(extras, extra)


def _checked(table: _Table, key: str) -> list[str]:
    found = []
    for text in table.texts(key):
        normal = rules.requirement(text)
        if normal is None:
            table.fault("requirement-invalid", key, f"{text!r} is not a requirement (PEP 508)")
        else:
            found.append(normal)
    return found


def _entry_points(table: _Table, result: Project) -> None:
    groups: dict[str, dict[str, str]] = {
        "console_scripts": table.strings("scripts"),
        "gui_scripts": table.strings("gui-scripts"),
    }
    given = table.table("entry-points")
    for group in given.data:
        if group in groups:
            given.fault("entry-points-reserved", group, "belongs to project.scripts or project.gui-scripts")
        else:
            groups[group] = given.strings(group)
    for group, points in groups.items():
        script = group in ("console_scripts", "gui_scripts")
        for name, reference in points.items():
            place = f"{group}.{name}"
            if not name.strip() or name != name.strip() or "=" in name or name[0] == "[" or "\n" in name:
                table.fault("entry-point-name", place, f"{name!r} cannot name an entry point")
            elif script and (not name.strip(".") or "/" in name or "\\" in name):
                table.fault("entry-point-name", place, f"{name!r} is a path; a script has a plain name")
            if not rules.is_object_reference(reference, callable_needed=script):
                table.fault("entry-point-invalid", place, f"{reference!r} is not 'module:function'")
    result.entry_points = {group: points for group, points in groups.items() if points}


def _build_settings(table: _Table, result: Project) -> None:
    for key in sorted(set(table.data) - _BUILD_KEYS):
        table.fault("key-unknown", key, "is not a key of tool.accord.build")
    result.sdist_include = table.texts("sdist-include")
    result.modules = table.texts("modules") or [rules.file_name_part(result.name)]
    for module in result.modules:
        if not all(part.isidentifier() for part in module.split(".")):
            table.fault("module-invalid", "modules", f"{module!r} is not an import name")
