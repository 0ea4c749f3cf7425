"""Reading ``pyproject.toml`` for the builder: the ``project`` table of PEP 621/639/794 and ``tool.accord.build``.

A person edits this file, so it is read whole and every fault is reported at once, each with its table and key.
The result is a :class:`Project` whose values are in normal form.  This room reads ``pyproject.toml`` and checks
that named files exist; it writes nothing.

``[tool.accord.build]`` is read by :mod:`accord_backend.settings`.
"""

from __future__ import annotations

import os
import sys

from . import plain, rules, settings
from .errors import BackendError, Fault
from .globs import Pattern, Unusable
from .tables import Table, close
from .trees import DiskTree, matching

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from .layout import Home
    from .native.description import Extension
    from .steps import Step

__all__ = ["Limits", "Project", "document", "read"]

_KEYS = frozenset((
    "name", "version", "description", "readme", "requires-python", "license", "license-files",
    "authors", "maintainers", "keywords", "classifiers", "urls", "scripts", "gui-scripts",
    "entry-points", "dependencies", "optional-dependencies", "dynamic", "import-names",
    "import-namespaces",
))  # fmt: skip
# What may be asked to be found out (PEP 621, "dynamic"); everything else is written down.
_DYNAMIC = frozenset(("version", "import-names", "import-namespaces"))
_STATIC = {
    "readme": "name the file, readme = 'README.md', or write one file out of several in a declared step",
    "dependencies": "write them down (PEP 508); what depends on the platform says so in a marker",
    "optional-dependencies": "write them down, one array for each extra",
    "scripts": "write them down",
    "classifiers": "write them down; 'accord check' knows the list",
}
_LICENCE_DEFAULTS = ("LICEN[CS]E*", "COPYING*", "NOTICE*", "AUTHORS*")
_README_TYPES = {".md": "text/markdown", ".rst": "text/x-rst", ".txt": "text/plain"}
_LABEL_LIMIT = 32  # core metadata, "Project-URL"


class Limits:
    """Bytes read of ``pyproject.toml``, and of each readme and licence."""

    pyproject = 8 * 1024 * 1024
    text = 64 * 1024 * 1024


class Project:
    """The ``project`` table in normal form.  ``root`` is the source tree (absolute), paths below it use ``/``.

    ``readme`` is ``(text, content type)``; ``optional_dependencies`` maps extras to requirements;
    ``entry_points`` maps groups to ``{name: reference}``, scripts included.  ``scripts``, ``sboms``, ``headers`` and
    ``data`` are pairs of a path in the tree and one below where such files are installed.  ``dynamic`` holds what was
    found out and not written down, ``version_file`` the path it was found at, ``home`` is where the modules are once
    somebody asked :mod:`accord_backend.layout`.
    """

    __slots__ = (
        "authors", "classifiers", "data", "dependencies", "description", "dynamic", "entry_points", "extensions", "headers",
        "home", "import_names", "import_namespaces", "keywords", "licence_expression", "licence_files", "licence_text",
        "maintainers", "modules", "name", "optional_dependencies", "readme", "readme_file", "requires_python", "root",
        "sboms", "scripts", "sdist_exclude", "sdist_include", "steps", "tree", "urls", "version", "version_file",
        "warnings", "wheel_exclude",
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
    dynamic: frozenset[str]
    modules: list[str] | None
    sdist_include: tuple[Pattern, ...]
    sdist_exclude: tuple[Pattern, ...]
    wheel_exclude: tuple[Pattern, ...]
    scripts: list[tuple[str, str]]
    sboms: list[tuple[str, str]]
    headers: list[tuple[str, str]]
    data: list[tuple[str, str]]
    version_file: str | None
    tree: DiskTree
    home: Home | None
    extensions: tuple[Extension, ...]
    steps: tuple[Step, ...]
    warnings: list[str]  # what a person should know and no build fails for

    @property
    def stem(self) -> str:
        """``{name}-{version}`` as file names spell it."""
        return f"{rules.file_name_part(self.name)}-{self.version}"


def read(root: str) -> Project:
    """The project in the folder ``root``.

    Raises ``BackendError``: ``pyproject-missing``, ``pyproject-not-toml``, or ``pyproject-invalid`` with
    every fault found.
    """
    root = os.path.abspath(root)
    path = os.path.join(root, "pyproject.toml")
    faults: list[Fault] = []
    top = Table(document(root), "", faults)
    result = Project()
    result.root = root
    result.tree = DiskTree(root)
    result.home = None
    if not isinstance(top.data.get("project"), dict):
        faults.append(Fault("key-missing", "project", "the table is missing; a build needs name and version"))
    table = top.table("project")
    _identity(table, result)
    _words(table, result)
    _readme(table, result)
    _licence(table, result)
    _people(table, result)
    _requirements(table, result)
    _entry_points(table, result)
    accord = top.table("tool").table("accord")
    build = accord.table("build")
    _build_settings(build, result)
    _native(accord, result)
    source = settings.version_source(build, "version" in result.dynamic)
    result.version_file = None
    if faults:
        raise BackendError(
            "pyproject-invalid",
            f"{path} has {len(faults)} fault{'s' if len(faults) > 1 else ''}",
            hint="the keys are described in the pyproject.toml specification of the Python packaging guide",
            faults=tuple(faults),
        )
    _found_out(result, source)
    return result


def _native(accord: Table, result: Project) -> None:
    result.extensions, result.steps = (), ()
    if "extension" in accord.data:
        from .native.description import read_extensions

        result.extensions = read_extensions(accord)
    if "step" in accord.data:
        from .steps import read_steps

        result.steps = read_steps(accord)


def document(root: str) -> dict[str, Any]:
    """``pyproject.toml`` as it is written.  Raises ``BackendError`` as :func:`read` does."""
    path = os.path.join(root, "pyproject.toml")
    try:
        with open(path, "rb") as file:
            data = file.read(Limits.pyproject + 1)
    except OSError as fault:
        code = "pyproject-missing" if isinstance(fault, FileNotFoundError) else "pyproject-unreadable"
        raise BackendError(code, f"there is no pyproject.toml to read in {root}: {fault.strerror}") from None
    if len(data) > Limits.pyproject:
        raise BackendError("pyproject-too-large", f"{path} has more than {Limits.pyproject:,} bytes")
    try:
        text = data.decode("utf-8")
        found = plain.read(text)
        return _any_toml(text) if found is None else found
    except (ValueError, RecursionError) as fault:  # of which both decoding errors are
        raise BackendError("pyproject-not-toml", f"{path} is not valid TOML: {fault}") from None


def _any_toml(text: str) -> dict[str, Any]:
    if sys.version_info >= (3, 11):
        import tomllib
    else:
        import tomli as tomllib
    return tomllib.loads(text)


def _found_out(result: Project, source: dict[str, Any]) -> None:
    """What the document leaves to be found: the version, and the names the wheel provides (PEP 794)."""
    if source:
        from . import versions

        result.version = versions.find(result, source)
    asked = result.dynamic & {"import-names", "import-namespaces"}
    if asked:
        from .layout import import_names

        names, spaces = import_names(result)
        if "import-names" in asked:
            result.import_names = names
        if "import-namespaces" in asked:
            result.import_namespaces = spaces
        elif spaces and result.import_namespaces is None:
            raise BackendError(
                "import-namespaces-missing",
                f"the modules lie in the namespace {spaces[0]!r}, which the metadata must name too (PEP 794)",
                hint="project.dynamic = ['import-names', 'import-namespaces']",
            )


def _identity(table: Table, result: Project) -> None:
    table.only(*_KEYS)
    result.dynamic = frozenset(table.texts("dynamic")) - set(table.data)
    for key in table.texts("dynamic"):
        if key == "name":
            table.fault("dynamic-name", "dynamic", "name may not be dynamic")
        elif key in table.data:
            table.fault("dynamic-and-static", "dynamic", f"{key} is also given a value")
        elif key not in _KEYS:
            table.fault("key-unknown", "dynamic", f"{key!r} is no key of project{close(key, _KEYS)}")
        elif key not in _DYNAMIC:
            table.fault(
                "dynamic-unsupported", "dynamic", f"{_STATIC.get(key, 'nothing is run to find it')}: {key}"
            )
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


def _words(table: Table, result: Project) -> None:
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
    _import_names(table, result)


def _import_names(table: Table, result: Project) -> None:
    result.import_names = table.texts("import-names") if "import-names" in table.data else None
    result.import_namespaces = table.texts("import-namespaces") if "import-namespaces" in table.data else None
    plain: dict[str, str] = {}
    for key, texts in (
        ("import-names", result.import_names),
        ("import-namespaces", result.import_namespaces),
    ):
        for text in texts or ():
            name, mark, private = (part.strip() for part in text.partition(";"))
            if not all(part.isidentifier() for part in name.split(".")) or (mark and private != "private"):
                table.fault(
                    "import-name-invalid", key, f"{text!r} is not an import name, '; private' aside (PEP 794)"
                )
            elif plain.setdefault(name, key) != key:
                table.fault("import-name-twice", key, f"{name!r} is also in {plain[name]}")
    if result.import_namespaces == []:
        table.fault("import-name-invalid", "import-namespaces", "is left out where there are none")
    for name, key in plain.items():
        above = name.rpartition(".")[0]
        if above and above not in plain and not result.dynamic & {"import-names", "import-namespaces"}:
            table.fault(
                "import-name-parent", key, f"{name!r} needs {above!r} in one of the two arrays (PEP 794)"
            )


def _readme(table: Table, result: Project) -> None:
    result.readme = None
    result.readme_file = None
    value = table.data.get("readme")
    if value is None:
        return
    entry = (
        Table({"file": value}, "project.readme", table.faults)
        if isinstance(value, str)
        else table.table("readme")
    )
    entry.only("file", "text", "content-type")
    file, text, kind = entry.text("file"), entry.text("text"), entry.text("content-type")
    if (file is None) == (text is None):
        table.fault("readme-source", "readme", "give exactly one of file and text")
        return
    if file is not None:
        result.readme_file = os.path.normpath(file).replace(os.sep, "/")
        text = _named_text(table, result.root, "readme", file)
        if isinstance(value, str):  # a table says it itself
            kind = _README_TYPES.get(os.path.splitext(file)[1].lower())
    if kind is None or kind.partition(";")[0].strip().lower() not in _README_TYPES.values():
        table.fault("readme-type", "readme", "give content-type: text/markdown, text/x-rst or text/plain")
    elif text is not None:
        result.readme = (text, kind)


def _named_text(table: Table, root: str, key: str, path: str) -> str | None:
    if os.path.isabs(path) or ".." in path.replace("\\", "/").split("/"):
        table.fault("path-outside", key, f"{path!r} must lie inside the project")
        return None
    place = os.path.join(root, path)
    try:
        if os.path.exists(place) and not os.path.isfile(place):
            table.fault("file-missing", key, f"{path!r} is not a file")
            return None
        with open(place, "rb") as file:
            data = file.read(Limits.text + 1)
        if len(data) > Limits.text:
            table.fault("text-too-large", key, f"{path!r} has more than {Limits.text:,} bytes")
            return None
        return data.decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    except UnicodeDecodeError:
        table.fault("text-not-utf8", key, f"{path!r} is not UTF-8")
    except OSError as fault:
        table.fault("file-missing", key, f"{path!r} cannot be read: {fault.strerror}")
    return None


def _licence(table: Table, result: Project) -> None:
    result.licence_expression = None
    result.licence_text = None
    found: set[str] = set()
    result.warnings = []
    value = table.data.get("license")
    if isinstance(value, dict):
        entry = table.table("license")
        entry.only("file", "text")
        file, text = entry.text("file"), entry.text("text")
        result.warnings.append(
            "project.license: a table is deprecated (PEP 639); "
            "write an SPDX expression, license = 'MIT', and name the files in license-files"
        )
        if (file is None) == (text is None):
            table.fault("license-source", "license", "give an SPDX expression, such as license = 'MIT'")
        if "license-files" in table.data:
            table.fault("license-mixed", "license", "license-files needs license to be an SPDX expression")
        result.licence_text = text
        if file is not None:
            result.licence_text = _named_text(table, result.root, "license.file", file)
            found.add(os.path.normpath(file).replace(os.sep, "/"))
    elif value is not None:
        text = table.text("license")
        result.licence_expression = rules.licence_expression(text) if text is not None else None
        if text is not None and result.licence_expression is None:
            table.fault("license-invalid", "license", f"{text!r} is not an SPDX expression")
        result.warnings += [
            f"project.license: {said}" for said in rules.licence_warnings(result.licence_expression or "")
        ]
        if any(line.startswith("License ::") for line in result.classifiers):
            table.fault(
                "license-twice", "classifiers", "drop the 'License ::' lines: license says it (PEP 639)"
            )
    patterns = table.texts("license-files") if "license-files" in table.data else None
    for pattern in _LICENCE_DEFAULTS if patterns is None else patterns:
        try:
            if patterns is not None:
                _standard(pattern)
            files = matching(result.tree, Pattern(pattern))
        except Unusable as fault:
            table.fault(fault.code, "license-files", str(fault))
            continue
        if patterns is not None and not files:
            table.fault("license-files-none", "license-files", f"no file matches {pattern!r}")
        found.update(files)
    for path in sorted(found):
        _named_text(table, result.root, "license-files", path)
    result.licence_files = tuple(sorted(found))


def _standard(pattern: str) -> None:
    """Raises Unusable for a sign that no glob of the specification has ("Valid glob patterns")."""
    for sign in pattern:
        if not sign.isalnum() and sign not in " _-./*?[]\\":
            raise Unusable(
                "glob-invalid", f"{pattern!r} holds {sign!r}, which no pattern of the standard does"
            )


def _people(table: Table, result: Project) -> None:
    for key in ("authors", "maintainers"):
        people = []
        value = table.data.get(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            table.fault("wrong-type", key, "must be an array of tables with name and email")
            value = []
        for number, item in enumerate(value):
            entry = Table(item, f"project.{key}[{number}]", table.faults)
            person = {part: text for part in ("name", "email") for text in [entry.text(part)] if text}
            if not person or set(item) - {"name", "email"}:
                entry.fault("person-invalid", "", "needs name, email or both, and nothing else")
            elif "," in person.get("name", "") or "\n" in "".join(person.values()):
                entry.fault("person-invalid", "name", "a name holds no comma and no line break (PEP 621)")
            people.append(person)
        setattr(result, key, people)


def _requirements(table: Table, result: Project) -> None:
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


def _checked(table: Table, key: str) -> list[str]:
    found = []
    for text in table.texts(key):
        normal = rules.requirement(text)
        if normal is None:
            table.fault("requirement-invalid", key, f"{text!r} is not a requirement (PEP 508)")
        else:
            found.append(normal)
    return found


def _entry_points(table: Table, result: Project) -> None:
    groups: dict[str, dict[str, str]] = {
        "console_scripts": table.strings("scripts"),
        "gui_scripts": table.strings("gui-scripts"),
    }
    given = table.table("entry-points")
    for group in given.data:
        if group in groups:
            given.fault("entry-points-reserved", group, "belongs to project.scripts or project.gui-scripts")
        elif not rules.is_entry_point_group(group):
            given.fault(
                "entry-point-group", group, "is not of letters, digits and underscores, with dots between"
            )
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


def _build_settings(table: Table, result: Project) -> None:
    for key in sorted(set(table.data) - settings.KEYS):
        table.fault("key-unknown", key, f"is not a key of tool.accord.build{close(key, settings.KEYS)}")
    settings.read(table, result)
