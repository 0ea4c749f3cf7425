"""The keywords of ``setup()`` into a described project, whether they were read from ``setup.py`` or ``setup.cfg``.

Values come as plain Python with :class:`~accord.migrate.values.Text` for strings; ``Unknown`` ones are reported.  A key
that ``pyproject.toml`` has no place for is reported with what to do about it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from accord.migrate.comments import Comments
from accord.migrate.model import Described, Item, Person, Readme, Version
from accord.migrate.requirement_text import join_marker, requirement_item
from accord.migrate.values import FoundPackages, Text, Unknown, origins, unknown_in
from accord_core.project.versions import normal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["Source", "describe_words"]

_SILENT = frozenset(("zip_safe", "name", "script_name", "script_args"))
_LEFT = {
    "platforms": ("pyproject.toml has no such field", "say it with 'Operating System' classifiers"),
    "test_suite": ("setup.py test is gone", "name the tests in your test runner's table"),
    "test_loader": ("setup.py test is gone", "name the tests in your test runner's table"),
    "dependency_links": ("installers ignore it", "name the index in [[tool.accord.index]] or the URL in [tool.accord.sources]"),
    "namespace_packages": ("namespaces need no declaration since Python 3.3 (PEP 420)", "delete the __init__.py files that only declare the namespace, in all its projects"),
    "obsoletes": ("no index or installer reads it", "nothing"),
    "provides": ("no index or installer reads it", "nothing"),
    "requires": ("no installer reads it", "move what is needed to dependencies"),
    "use_2to3": ("Python 2 sources are not translated any more", "translate them once and commit the result"),
    "convert_2to3_doctests": ("Python 2 sources are not translated any more", "nothing"),
    "features": ("setuptools removed it", "describe optional extensions with optional = true"),
    "eager_resources": ("wheels are unpacked", "nothing"),
    "download_url_": ("", ""),
}  # fmt: skip
_BUILD_COMMANDS = frozenset((
    "build", "build_py", "build_ext", "build_clib", "build_scripts", "sdist", "bdist_wheel", "egg_info", "install",
    "install_lib", "install_data", "install_scripts", "develop", "editable_wheel", "bdist_egg",
))  # fmt: skip
_KEEP = frozenset(
    (
        "libraries",
        "ext_package",
        "cffi_modules",
        "rust_extensions",
        "distclass",
        "cython_modules",
        "cmake_install_dir",
    )
)


@dataclass(slots=True)
class Source:
    """The file the words stand in, its comments, and the lines its keywords begin at."""

    path: str
    tree: Tree
    comments: Comments
    lines: dict[str, int]

    def where(self, key: str, line: int = 0) -> str:
        number = line or self.lines.get(key, 0)
        return f"{self.path}:{number}" if number else self.path


def describe_words(words: dict[str, Any], source: Source, into: Described) -> None:
    """Put every keyword of ``words`` into its place in ``into``, or among its leftovers."""
    known = {key: value for key, value in words.items() if _is_known(key, value, source, into)}
    _identity(known, source, into)
    _texts(known, source, into)
    _people(known, into)
    _links(known, into)
    _requirements(known, source, into)
    _entry_points(known, source, into)
    _files(known, source, into)
    _rest(known, source, into)
    for key, field in (
        ("install_requires", "dependencies"),
        ("python_requires", "requires-python"),
        ("classifiers", "classifiers"),
        ("version", "version"),
        ("name", "name"),
        ("extras_require", "optional-dependencies"),
    ):
        above = source.comments.above(source.lines.get(key, 0))
        if key in known and above:
            into.comments[field] = above


def _is_known(key: str, value: Any, source: Source, into: Described) -> bool:
    """Whether a value can be used; a list or table whose parts are partly known is, with its unknown parts reported."""
    found = unknown_in(value)
    if found is None:
        return value is not None
    if key in ("cmdclass", "distclass", "zip_safe", "long_description_content_type_"):
        return key != "zip_safe"
    partly = (
        isinstance(value, list)
        and key in ("install_requires", "classifiers", "tests_require", "setup_requires")
    ) or (isinstance(value, dict) and key in ("extras_require", "entry_points"))
    into.leave(
        source.where(key, found.line), key, found.reason,
        "let accord run it (--run-setup), or write it into pyproject.toml by hand",
    )  # fmt: skip
    if key in (
        "packages",
        "py_modules",
        "package_data",
        "package_dir",
        "ext_modules",
        "data_files",
        "scripts",
    ):
        into.keep_old(f"{key} is only known when {source.path} runs")
    return partly


# ---------------------------------------------------------------- who and what


def _identity(words: dict[str, Any], source: Source, into: Described) -> None:
    if isinstance(words.get("name"), str):
        into.name = str(words["name"])
    version = words.get("version")
    if isinstance(version, (str, int, float)):
        into.version = _version(Text(str(version), origins(version)), source, into)
    elif isinstance(version, (tuple, list)):
        into.version = Version(".".join(str(part) for part in version))
    scm = words.get("use_scm_version")
    if scm:
        into.version = Version(git=True)
        _left_scm(scm, source, into)
    if isinstance(words.get("python_requires"), str):
        into.requires_python = str(words["python_requires"]).strip()


def _left_scm(scm: Any, source: Source, into: Described) -> None:
    options = sorted(scm) if isinstance(scm, dict) else []
    for option in options:
        into.leave(
            source.where("use_scm_version"), f"use_scm_version[{option!r}] = {_short(scm[option])}",
            "versions from git tags have no such option here",
            "look at [tool.accord.build] version, and write the version file in a step if code reads it",
        )  # fmt: skip


def _version(text: Text, source: Source, into: Described) -> Version:
    plain = str(text).strip()
    try:
        normal(plain)
    except ValueError:
        into.leave(
            source.where("version"),
            f"version {plain!r}",
            "it is not a version (PEP 440)",
            "write a valid one",
        )
        return Version()
    return version_from(source.tree, plain, text.origins)


def version_from(tree: Tree, plain: str, files: tuple[str, ...]) -> Version:
    """The version ``plain``, led back to the one file it was read from where that is a literal or the file's only word."""
    from accord.migrate.constants import constants_of

    for path in files[:1] if len(files) == 1 else ():
        if path.endswith(".py") and path != "setup.py":
            inner = path.removeprefix("src/").removesuffix(".py").removesuffix("/__init__")
            names = [
                name
                for name in literals(tree.read(path) or "", plain)
                if constants_of(tree, path).get(name) == plain
            ]
            if names and all(part.isidentifier() for part in inner.split("/")):
                name = "__version__" if "__version__" in names else names[0]
                return Version(plain, module=inner.replace("/", "."), attribute=name)
        elif (tree.read(path) or "").strip() == plain:
            return Version(plain, file=path)
    return Version(plain)


def literals(text: str, value: str) -> list[str]:
    """The names a module assigns the string ``value`` to, written out: what a backend finds by reading."""
    import ast

    try:
        body = ast.parse(text).body
    except (SyntaxError, ValueError):
        return []
    found: list[str] = []
    for node in body:
        if (
            isinstance(node, (ast.Assign, ast.AnnAssign))
            and isinstance(node.value, ast.Constant)
            and node.value.value == value
        ):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found += [target.id for target in targets if isinstance(target, ast.Name)]
    return found


def _texts(words: dict[str, Any], source: Source, into: Described) -> None:
    if isinstance(words.get("description"), str):
        into.description = " ".join(str(words["description"]).split()) or None
    _readme(words, source, into)
    keywords = words.get("keywords")
    if isinstance(keywords, str):
        keywords = keywords.split(",")
    into.keywords += [str(each).strip() for each in keywords or () if str(each).strip()]
    classifiers = words.get("classifiers")
    if isinstance(classifiers, str):
        classifiers = [Text(each.strip()) for each in classifiers.splitlines()]
    for each in classifiers or ():
        if isinstance(each, str) and each.strip():
            line = getattr(each, "line", 0)
            into.classifiers.append(
                Item(str(each).strip(), source.comments.at(line), source.comments.above(line))
            )
    if isinstance(words.get("license"), str):
        into.licence_text = str(words["license"]).strip() or None
    files = words.get("license_files", words.get("license_file"))
    if files:
        into.licence_files = [str(each).strip() for each in ([files] if isinstance(files, str) else files)]


def _readme(words: dict[str, Any], source: Source, into: Described) -> None:
    text = words.get("long_description")
    if not isinstance(text, str) or not text.strip():
        return
    kind = words.get("long_description_content_type")
    kind = str(kind) if isinstance(kind, str) else None
    tree = source.tree
    for path in origins(text):
        if (tree.read(path) or "").strip() == text.strip():
            into.readme = Readme((path,), kind)
            return
    files = tuple(path for path in origins(text) if not path.endswith(".py"))
    if not files:
        for name in tree.listing("."):
            if name.lower().startswith("readme") and (tree.read(name) or "\0").strip() == text.strip():
                into.readme = Readme((name,), kind)
                return
    into.readme = Readme(files, kind, str(text))


def _people(words: dict[str, Any], into: Described) -> None:
    for role, people in (("author", into.authors), ("maintainer", into.maintainers)):
        name, mail = words.get(role), words.get(f"{role}_email")
        people += persons(
            str(name) if isinstance(name, str) else None, str(mail) if isinstance(mail, str) else None
        )


def persons(name: str | None, mail: str | None) -> list[Person]:
    """People from an ``author`` and an ``author_email`` field, each of which may hold several."""
    mails = [part.strip() for part in re.split(r"[,;]\s*", mail or "") if part.strip()]
    names = [part.strip() for part in re.split(r",\s*(?:and\s+)?", name or "") if part.strip()]
    inside = [re.fullmatch(r"\"?(.*?)\"?\s*<([^<>]+)>", each) for each in mails]
    if mails and all(inside):
        return [Person(each[1] or None, each[2]) for each in inside if each] + (
            [Person(each) for each in names if each not in {found[1] for found in inside if found}]
        )
    if len(names) == len(mails):
        return [Person(*pair) for pair in zip(names, mails, strict=True)]
    if len(mails) == 1 and len(names) > 1:
        return [Person(names[0], mails[0]), *(Person(each) for each in names[1:])]
    return [*(Person(each) for each in names), *(Person(email=each) for each in mails)]


def _links(words: dict[str, Any], into: Described) -> None:
    if isinstance(words.get("url"), str) and words["url"].strip():
        into.urls["Homepage"] = str(words["url"]).strip()
    if isinstance(words.get("download_url"), str) and words["download_url"].strip():
        into.urls["Download"] = str(words["download_url"]).strip()
    more = words.get("project_urls")
    if isinstance(more, dict):
        for label, url in more.items():
            if str(label) in into.urls and into.urls[str(label)] != str(url):
                into.urls.setdefault("Home", into.urls[str(label)])
            into.urls[str(label)] = str(url).strip()


# ---------------------------------------------------------------- requirements


def _requirements(words: dict[str, Any], source: Source, into: Described) -> None:
    into.dependencies += items(words.get("install_requires"), "install_requires", source, into)
    extras = words.get("extras_require")
    for key, values in extras.items() if isinstance(extras, dict) else ():
        extra, _, marker = str(key).partition(":")
        for item in items(values, f"extras_require[{str(key)!r}]", source, into):
            text = join_marker(item.text, marker) if marker else item.text
            target = into.optional.setdefault(extra.strip(), []) if extra.strip() else into.dependencies
            target.append(Item(text, item.comment, item.above))
        if extra.strip():
            into.optional.setdefault(extra.strip(), [])
    tests = items(words.get("tests_require"), "tests_require", source, into)
    if tests:
        into.groups.setdefault("test", []).extend(tests)
    for item in items(words.get("setup_requires"), "setup_requires", source, into):
        if not re.match(r"(setuptools|wheel|pytest-runner)\b(?!-)", item.text.lower().replace("_", "-")):
            into.build_requires.append(item.text)


def items(values: Any, key: str, source: Source, into: Described) -> list[Item]:
    """Requirements of a list, or of a text of lines."""
    if isinstance(values, str):
        first = getattr(values, "line", 0)
        values = [
            Text(line, (), first + number if first else 0)
            for number, line in enumerate(str(values).splitlines())
        ]
    found: list[Item] = []
    for each in values if isinstance(values, (list, tuple)) else ():
        if not isinstance(each, str):
            continue
        line = getattr(each, "line", 0)
        text, _, beside = str(each).partition(" #")
        if not text.strip() or text.strip().startswith("#"):
            continue
        item = requirement_item(
            text.strip(),
            beside.strip() or source.comments.at(line),
            source.comments.above(line),
            getattr(each, "marker", None),
        )
        if item is None:
            into.leave(
                source.where(key, line),
                f"{key}: {text.strip()}",
                "it is not a requirement (PEP 508)",
                "write it in the form of the standard",
            )
        else:
            found.append(item)
    return found


def _entry_points(words: dict[str, Any], source: Source, into: Described) -> None:
    given = words.get("entry_points")
    groups: dict[str, Any] = {}
    if isinstance(given, str):
        group = ""
        for line in given.splitlines():
            line = line.strip()
            if line.startswith("[") and line.endswith("]"):
                group = line[1:-1].strip()
                groups[group] = []
            elif line and line[0] not in "#;" and group:
                groups[group].append(line)
    elif isinstance(given, dict):
        groups = {
            str(key): value.splitlines() if isinstance(value, str) else value for key, value in given.items()
        }
    for group, values in groups.items():
        for each in values if isinstance(values, (list, tuple)) else ():
            if not isinstance(each, str) or "=" not in each:
                if isinstance(each, str) and each.strip() and not each.strip().startswith("#"):
                    into.leave(
                        source.where("entry_points"),
                        f"entry point {each.strip()!r}",
                        "it is not name = object",
                        "write it in that form",
                    )
                continue
            name, _, target = (part.strip() for part in each.partition("="))
            put_entry_point(into, group, name, target.split(" #")[0].strip())


def put_entry_point(into: Described, group: str, name: str, target: str) -> None:
    match group:
        case "console_scripts":
            into.scripts[name] = target
        case "gui_scripts":
            into.gui_scripts[name] = target
        case _:
            into.entry_points.setdefault(group, {})[name] = target


# ---------------------------------------------------------------- files


def _files(words: dict[str, Any], source: Source, into: Described) -> None:
    files = into.files
    packages = words.get("packages")
    if isinstance(packages, FoundPackages):
        files.found = dict(packages.asked)
    if isinstance(packages, str):
        packages = packages.split()
    if isinstance(packages, (list, tuple)):
        files.packages = [str(each) for each in packages]
    modules = words.get("py_modules")
    if modules:
        files.modules = [str(each) for each in ([modules] if isinstance(modules, str) else modules)]
    if isinstance(words.get("package_dir"), dict):
        files.package_dir = {str(key): str(value).strip("/") for key, value in words["package_dir"].items()}
    for key, target in (
        ("package_data", files.package_data),
        ("exclude_package_data", files.exclude_package_data),
    ):
        for package, globs in (words.get(key) or {}).items():
            target["" if package == "*" else str(package)] = [
                str(each) for each in ([globs] if isinstance(globs, str) else globs)
            ]
    if "include_package_data" in words:
        files.include_package_data = bool(words["include_package_data"]) and words[
            "include_package_data"
        ] not in ("False", "false", "0")
    for each in words.get("data_files") or ():
        if isinstance(each, str):
            files.data_files.append(("", [str(each)]))
        else:
            folder, names = each
            files.data_files.append((str(folder), [str(name) for name in names]))
    files.scripts += [str(each) for each in words.get("scripts") or ()]
    files.headers += [str(each) for each in words.get("headers") or ()]
    if words.get("ext_modules"):
        from accord.migrate.extensions import describe_extensions

        describe_extensions(words["ext_modules"], source, into)


def _rest(words: dict[str, Any], source: Source, into: Described) -> None:
    for key, value in words.items():
        if key in _SILENT or (not value and key != "cmdclass"):
            continue
        if key in _LEFT:
            why, todo = _LEFT[key]
            into.leave(source.where(key), f"{key} = {_short(value)}", why, todo)
        elif key in _KEEP:
            into.leave(
                source.where(key),
                key,
                "only setuptools knows it",
                "keep setup.py for it, or move to a backend made for it",
            )
            into.keep_old(f"{key} is a matter of setuptools alone")
        elif key == "options":
            into.leave(
                source.where(key),
                f"options = {_short(value)}",
                "options of commands are no metadata",
                "give them to the build by -C, if they are still needed",
            )
    if "cmdclass" in words:
        from accord.migrate.extensions import judge_commands

        judge_commands(words["cmdclass"], _BUILD_COMMANDS, source, into)
    unknown = sorted(set(words) - _SILENT - set(_LEFT) - _KEEP - _HANDLED)
    for key in unknown:
        into.leave(
            source.where(key),
            f"{key} = {_short(words[key])}",
            "pyproject.toml has no such field",
            "look whether a plugin of setuptools read it",
        )


_HANDLED = frozenset(
    """name version use_scm_version python_requires description long_description long_description_content_type keywords
    classifiers license license_file license_files author author_email maintainer maintainer_email url download_url
    project_urls install_requires extras_require tests_require setup_requires entry_points packages py_modules package_dir
    package_data exclude_package_data include_package_data data_files scripts headers ext_modules cmdclass
    options""".split()  # noqa: SIM905 - read as words
)


def _short(value: Any) -> str:
    text = "…" if isinstance(value, Unknown) else repr(value if not isinstance(value, Text) else str(value))
    return text if len(text) <= 60 else f"{text[:57]}…"
