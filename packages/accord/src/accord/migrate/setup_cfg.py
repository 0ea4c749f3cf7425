"""``setup.cfg``: the sections setuptools reads (and the older words of distutils2 and pbr), as keywords of ``setup()``.

Lists keep the lines they stand in, so that their comments go with them.  Sections of other tools are theirs: the file
stays for them.
"""

from __future__ import annotations

import configparser
import re

from accord.migrate import comments
from accord.migrate.constants import constants_of
from accord.migrate.packages import find_packages
from accord.migrate.values import FoundPackages, Text, Unknown
from accord.migrate.words import Source
from accord_core.errors import DocumentError, Where

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.model import Described
    from accord.migrate.tree import Tree

__all__ = ["CfgSetup", "read_setup_cfg"]

_ALIASES = {
    "home_page": "url", "summary": "description", "classifier": "classifiers", "platform": "platforms",
    "description_file": "long_description", "long_description_file": "long_description", "licence": "license",
    "license_file": "license_files", "requires_dist": "install_requires", "project_url": "project_urls",
    "requires_python": "python_requires", "description_content_type": "long_description_content_type",
}  # fmt: skip
_LISTS = frozenset(
    (
        "keywords",
        "platforms",
        "license_files",
        "scripts",
        "py_modules",
        "namespace_packages",
        "provides",
        "obsoletes",
        "requires",
    )
)
_LINES = frozenset(("classifiers", "install_requires", "tests_require", "setup_requires", "dependency_links"))
_FLAGS = frozenset(("zip_safe", "include_package_data", "use_2to3"))
_DICTS = frozenset(("project_urls", "package_dir"))
_SECTIONS = {
    "options.extras_require": "extras_require", "options.package_data": "package_data",
    "options.exclude_package_data": "exclude_package_data", "options.entry_points": "entry_points",
    "options.data_files": "data_files", "options.packages.find": "",
}  # fmt: skip
_OPTIONS = frozenset(
    (
        "python_requires",
        "install_requires",
        "packages",
        "py_modules",
        "package_dir",
        "include_package_data",
        "zip_safe",
        "scripts",
    )
)
# Sections of setuptools' commands, which are no metadata.
_COMMANDS = {
    "bdist_wheel": ("universal wheels were for Python 2", "nothing: a pure project's wheel serves every Python 3"),
    "wheel": ("universal wheels were for Python 2", "nothing: a pure project's wheel serves every Python 3"),
    "aliases": ("setup.py commands are gone", "use your task runner"),
    "egg_info": ("tags of development builds are no metadata", "see [tool.accord.build] version for versions from git"),
    "sdist": ("options of commands are no metadata", "see [tool.accord.build] sdist-include"),
    "build_ext": ("options of commands are no metadata", "see [[tool.accord.extension]]"),
    "upload": ("uploading has its own tools", "nothing"),
    "upload_docs": ("uploading has its own tools", "nothing"),
    "install": ("options of commands are no metadata", "nothing"),
    "bdist_rpm": ("options of commands are no metadata", "make packages of distributions with their own tools"),
    "build_sphinx": ("setup.py commands are gone", "call sphinx-build"),
    "options.packages": ("it is no section setuptools knows", "nothing"),
}  # fmt: skip


class CfgSetup:
    """``words`` as keywords of ``setup()``; ``foreign`` the sections of other tools."""

    __slots__ = ("foreign", "source", "words")

    def __init__(self, words: dict[str, Any], source: Source, foreign: tuple[str, ...]) -> None:
        self.words = words
        self.source = source
        self.foreign = foreign


def read_setup_cfg(tree: Tree, into: Described) -> CfgSetup | None:
    """The metadata of ``setup.cfg``, None where there is no such file.  DocumentError ``setup-cfg-invalid``."""
    text = tree.read("setup.cfg")
    if text is None:
        return None
    parser = configparser.RawConfigParser(strict=False, allow_no_value=True)
    try:
        parser.read_string(text, "setup.cfg")
    except configparser.Error as error:
        raise DocumentError(
            "setup-cfg-invalid",
            f"setup.cfg cannot be read: {str(error).splitlines()[0]}",
            where=Where("setup.cfg", line=getattr(error, "lineno", None)),
            hint="setuptools reads it neither: mend it first",
        ) from error
    places = _places(text)
    source = Source("setup.cfg", tree, comments.of_lines(text), {})
    words: dict[str, Any] = {}
    for section in parser.sections():
        if section in ("metadata", "options"):
            for key, value in parser.items(section):
                name = key.replace("-", "_")
                name = _ALIASES.get(name, name)
                if (
                    section == "metadata"
                    and name in _OPTIONS
                    and not parser.has_option("metadata", "requires-dist")
                ):
                    into.leave(
                        f"setup.cfg:{places.get((section, key), 1)}",
                        f"[metadata] {key}",
                        "setuptools looks for it in [options] and ignored it here",
                        "write it into pyproject.toml if it was meant",
                    )
                    continue
                lines = _lines(value or "", places.get((section, key), 0), text)
                source.lines[name] = places.get((section, key), 0)
                words[name] = _value(tree, key.replace("-", "_"), name, lines, parser)
        elif section in _SECTIONS:
            _section(parser, section, places, text, words)
        elif section == "egg_info" and not any(
            value not in ("", "0", "false", None) for _, value in parser.items(section)
        ):
            continue  # what sdist itself writes
        elif section in _COMMANDS:
            why, todo = _COMMANDS[section]
            into.leave(f"setup.cfg:{places.get((section, ''), 1)}", f"[{section}]", why, todo)
    _entry_point_section(parser, words)
    if words.pop("pbr", None) or "files" in parser.sections() or "pbr" in parser.sections():
        _distutils2(parser, words, tree, into)
    mine = {"metadata", "options", "files", "entry_points", "extras", "pbr", *_SECTIONS, *_COMMANDS}
    return CfgSetup(
        {k: v for k, v in words.items() if v is not None},
        source,
        tuple(s for s in parser.sections() if s not in mine),
    )


def _places(text: str) -> dict[tuple[str, str], int]:
    """The line of each section (key ``""``) and of each key in it."""
    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\[([^]]+)\]", line)
        if head:
            section = head[1]
            found[section, ""] = number
        elif line[:1].strip() and line[0] not in "#;":
            key = re.split(r"\s*[=:]", line, maxsplit=1)[0].strip().lower()
            found[section, key] = number
    return found


def _lines(value: str, first: int, text: str) -> list[Text]:
    """The lines of a value with their numbers; a file's blank and comment lines inside the value count too."""
    if not value.strip():
        return []
    source = text.splitlines()
    found: list[Text] = []
    number = first
    for part in value.splitlines():
        words = part.strip()
        if not words:
            continue
        at = number
        while at <= len(source) and words not in source[at - 1]:
            at += 1
        if at <= len(source):
            number = at
        found.append(Text(words, (), number))
        if at <= len(source) and number > first:
            number += 1
        elif at <= len(source):
            number = first + 1
    return found


def _value(tree: Tree, key: str, name: str, lines: list[Text], parser: configparser.RawConfigParser) -> Any:
    whole = "\n".join(lines)
    if name in ("version", "long_description", "classifiers", "description", "license"):
        if whole.startswith("attr:"):
            return _attribute(tree, whole[5:].strip(), parser)
        if whole.startswith("file:"):
            return _file(tree, whole[5:], split=name == "classifiers")
        if key in ("description_file", "long_description_file"):
            return _file(tree, whole.replace("\n", ","), split=False)
    if name == "packages":
        return _packages(tree, whole, parser)
    if name in _FLAGS:
        return whole.lower() in ("1", "true", "yes")
    if name in _LISTS:
        return [
            Text(part.strip(), (), line.line) for line in lines for part in line.split(",") if part.strip()
        ]
    if name in _LINES:
        if name == "install_requires" and whole.startswith("file:"):
            return _file(tree, whole[5:], split=True)
        if (
            len(lines) == 1
            and ";" in lines[0]
            and name != "classifiers"
            and not re.search(r"[<>=!'\"]", lines[0].partition(";")[2])
        ):
            return [Text(part.strip(), (), lines[0].line) for part in lines[0].split(";") if part.strip()]
        return lines
    if name in _DICTS:
        pairs = [line for each in lines for line in (each.split(",") if name == "package_dir" else [each])]
        return {
            part.partition("=")[0].strip(): part.partition("=")[2].strip() for part in pairs if "=" in part
        }
    if name == "entry_points" and whole.startswith("file:"):
        return _file(tree, whole[5:], split=False)
    return Text(whole, (), lines[0].line) if lines else None


def _attribute(tree: Tree, dotted: str, parser: configparser.RawConfigParser) -> Any:
    """``attr: package.module.NAME``, by reading the module's literals."""
    module, _, name = dotted.rpartition(".")
    bases = [
        line.partition("=")[2].strip()
        for line in parser.get("options", "package_dir", fallback="").splitlines()
        if line.strip().startswith("=")
    ]
    for base in (*bases, "", "src"):
        path = tree.module_file(module, base)
        if path is not None:
            found = constants_of(tree, path).get(name)
            if found is not None:
                return found
            deeper = _reexported(tree, path, module, name, base)
            if deeper is not None:
                return deeper
    return Unknown(f"{dotted} is no literal in its module")


def _reexported(tree: Tree, path: str, module: str, name: str, base: str) -> Any:
    """A literal that a package imports from a module of its own."""
    import ast

    try:
        body = ast.parse(tree.read(path) or "").body
    except (SyntaxError, ValueError):
        return None
    for node in body:
        if isinstance(node, ast.ImportFrom):
            for alias in node.names:
                if (alias.asname or alias.name) == name:
                    target = node.module or ""
                    full = f"{module}.{target}" if node.level == 1 else target
                    inner = tree.module_file(full.strip("."), base)
                    return constants_of(tree, inner).get(alias.name) if inner else None
    return None


def _file(tree: Tree, names: str, *, split: bool) -> Any:
    paths = [name.strip() for part in names.splitlines() for name in part.split(",") if name.strip()]
    texts = [tree.read(path) for path in paths]
    if any(text is None for text in texts):
        missing = ", ".join(path for path, text in zip(paths, texts, strict=True) if text is None)
        return Unknown(f"{missing} cannot be read")
    if split:
        return [
            Text(line.strip(), (path,))
            for path, text in zip(paths, texts, strict=True)
            for line in (text or "").splitlines()
            if line.strip()
        ]
    return Text(
        "\n".join(
            text.strip("\n") if len(texts) > 1 and False else text for text in texts if text is not None
        ),
        tuple(paths),
    )


def _packages(tree: Tree, whole: str, parser: configparser.RawConfigParser) -> Any:
    if whole.strip() not in ("find:", "find_namespace:"):
        return [each.strip() for part in whole.splitlines() for each in part.split(",") if each.strip()]
    section = (
        dict(parser.items("options.packages.find")) if parser.has_section("options.packages.find") else {}
    )

    def words(key: str) -> list[str]:
        return [
            each.strip()
            for part in (section.get(key) or "").splitlines()
            for each in part.split(",")
            if each.strip()
        ]

    namespaces = whole.strip() == "find_namespace:"
    where = (words("where") or ["."])[0]
    found = find_packages(
        tree, where, include=words("include") or ["*"], exclude=words("exclude"), namespaces=namespaces
    )
    asked: dict[str, Any] = {"where": where, "namespaces": namespaces}
    asked.update({key: words(key) for key in ("include", "exclude") if words(key)})
    return FoundPackages(found, asked)


def _section(
    parser: configparser.RawConfigParser,
    section: str,
    places: dict[tuple[str, str], int],
    text: str,
    words: dict[str, Any],
) -> None:
    name = _SECTIONS[section]
    if not name:
        return
    raw = {
        key: _lines(value or "", places.get((section, key), 0), text) for key, value in parser.items(section)
    }
    cased = _cased(text, section)
    named = {cased.get(key, key): lines for key, lines in raw.items()}
    if name == "data_files":
        words[name] = [
            (key, [part.strip() for line in lines for part in line.split(",") if part.strip()])
            for key, lines in named.items()
        ]
    elif name in ("package_data", "exclude_package_data"):
        words[name] = {
            key: [part.strip() for line in lines for part in line.split(",") if part.strip()]
            for key, lines in named.items()
        }
    elif name == "extras_require":
        words[name] = {
            key: [Text(part.strip(), (), line.line) for line in lines for part in (_semicolons(line) if len(lines) == 1 else [line]) if part.strip()]
            for key, lines in named.items()
        }  # fmt: skip
    else:
        words[name] = dict(named)


def _semicolons(line: str) -> list[str]:
    """``a; b`` on one line is two requirements, ``a; marker`` one."""
    rest = line.partition(";")[2]
    return [line] if re.search(r"[<>=!'\"]|\bin\b", rest) else line.split(";")


def _cased(text: str, section: str) -> dict[str, str]:
    """Keys as written: names of extras, packages and entry point groups are not made lower case by us."""
    found: dict[str, str] = {}
    inside = False
    for line in text.splitlines():
        head = re.match(r"\[([^]]+)\]", line)
        if head:
            inside = head[1] == section
        elif inside and line[:1].strip() and line[0] not in "#;":
            key = re.split(r"\s*[=:]", line, maxsplit=1)[0].strip()
            found[key.lower()] = key
    return found


def _entry_point_section(parser: configparser.RawConfigParser, words: dict[str, Any]) -> None:
    """The older ``[entry_points]`` and ``[extras]`` of pbr."""
    for section, name in (("entry_points", "entry_points"), ("extras", "extras_require")):
        if parser.has_section(section):
            words[name] = {
                key: [line.strip() for line in (value or "").splitlines() if line.strip()]
                for key, value in parser.items(section)
            }


def _distutils2(
    parser: configparser.RawConfigParser, words: dict[str, Any], tree: Tree, into: Described
) -> None:
    """``[files]`` of distutils2, as pbr still reads it: packages by their roots, data files; the version from git."""
    if parser.has_section("files"):
        files = dict(parser.items("files"))
        roots = [each.strip() for each in (files.get("packages") or "").splitlines() if each.strip()]
        base = (files.get("packages_root") or "").strip()
        if roots:
            found = find_packages(
                tree, base or ".", include=[pattern for root in roots for pattern in (root, f"{root}.*")]
            )
            words["packages"] = found
            if base:
                words["package_dir"] = {"": base}
        modules = [each.strip() for each in (files.get("modules") or "").splitlines() if each.strip()]
        if modules:
            words["py_modules"] = modules
        if files.get("data_files"):
            into.leave(
                "setup.cfg",
                "[files] data_files",
                "distutils2 wrote it in a form of its own",
                "write it as [tool.accord.build] data",
            )
    if "version" not in words:
        words["use_scm_version"] = True
    if "install_requires" not in words and tree.is_file("requirements.txt"):
        words["install_requires"] = [
            Text(line.strip())
            for line in (tree.read("requirements.txt") or "").splitlines()
            if line.strip() and not line.startswith(("#", "-"))
        ]
    words["include_package_data"] = True
