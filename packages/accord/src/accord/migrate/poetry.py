"""``[tool.poetry]``: everything Poetry says of a project, in the tables of the standards."""

from __future__ import annotations

import re

from accord.migrate.comments import Comments, of_lines
from accord.migrate.globs import matching
from accord.migrate.model import Described, Files, Item, Person, Readme, Version
from accord.migrate.poetry_versions import marker_of, specifier_of
from accord.migrate.requirement_text import join_marker, requirement_item
from accord.migrate.words import put_entry_point

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["read_poetry"]

# What poetry-core names in classifiers by itself, from the constraint on the Python.
_PYTHONS = ("2.7", *(f"3.{minor}" for minor in range(4, 16)))
_KNOWN = frozenset(
    """name version description license authors maintainers readme homepage repository documentation keywords classifiers
    packages include exclude dependencies dev-dependencies group extras scripts plugins urls source build
    package-mode requires-poetry requires-plugins""".split()  # noqa: SIM905 - read as words
)


def read_poetry(tree: Tree, document: dict[str, Any]) -> Described:
    """The project of ``[tool.poetry]`` (and of ``[project]``, where Poetry 2 has one)."""
    table = document.get("tool", {}).get("poetry", {})
    described = Described(old_backend="poetry", files=Files(tool="poetry"))
    described.read.append("pyproject.toml")
    reader = _Reader(tree, table, described, of_lines(tree.read("pyproject.toml") or "", "#"))
    reader.is_old = _before_2(document.get("build-system", {}).get("requires", ()))
    reader.identity()
    reader.people()
    reader.dependencies()
    reader.beside_project(document.get("project"))
    reader.entry_points()
    reader.files()
    reader.sources()
    reader.rest()
    return described


class _Reader:
    def __init__(self, tree: Tree, table: dict[str, Any], into: Described, comments: Comments) -> None:
        self.tree = tree
        self.table = table
        self.into = into
        self.comments = comments
        self.lines = _lines(tree.read("pyproject.toml") or "")
        self.is_old = False  # built by poetry-core 1, which puts what is included into wheels too

    def leave(self, key: str, what: str, why: str, todo: str) -> None:
        self.into.leave(
            f"pyproject.toml [tool.poetry.{key}]" if key else "pyproject.toml [tool.poetry]", what, why, todo
        )

    def identity(self) -> None:
        table, into = self.table, self.into
        into.name = table.get("name")
        into.version = Version(str(table["version"])) if "version" in table else None
        into.description = " ".join(str(table.get("description", "")).split()) or None
        into.licence_text = table.get("license")
        into.keywords = [str(each) for each in table.get("keywords", ())]
        into.classifiers = [Item(str(each)) for each in table.get("classifiers", ())]
        readme = table.get("readme")
        files = [readme] if isinstance(readme, str) else list(readme or ())
        if len(files) == 1:
            into.readme = Readme((files[0],))
        elif files:
            into.readme = Readme(tuple(files), None, "\n".join(self.tree.read(each) or "" for each in files))
        for key, label in (
            ("homepage", "Homepage"),
            ("repository", "Repository"),
            ("documentation", "Documentation"),
        ):
            if table.get(key):
                into.urls[label] = str(table[key])
        into.urls.update({str(label): str(url) for label, url in table.get("urls", {}).items()})

    def people(self) -> None:
        for key, people in (("authors", self.into.authors), ("maintainers", self.into.maintainers)):
            for text in self.table.get(key, ()):
                match = re.fullmatch(r"\s*(.*?)\s*(?:<([^<>]+)>)?\s*", str(text))
                if match is not None:
                    people.append(Person(match[1] or None, match[2]))

    # ------------------------------------------------------------ dependencies

    def dependencies(self) -> None:
        into = self.into
        optional: dict[str, list[Item]] = {}
        for name, spec in self.table.get("dependencies", {}).items():
            if name.lower() == "python":
                self.python(str(spec))
                continue
            for number, each in enumerate(spec if isinstance(spec, list) else [spec]):
                item = self.item("dependencies", name, each, number)
                if item is None:
                    continue
                if isinstance(each, dict) and each.get("optional"):
                    optional.setdefault(_normal(name), []).append(item)
                else:
                    into.dependencies.append(item)
        self.extras(optional)
        self.groups()

    def beside_project(self, project: dict[str, Any] | None) -> None:
        """Where ``[project]`` says what a wheel needs, Poetry's own table is about locking alone: sources count, the rest
        is told (Poetry 2, "dependencies and requires-python in [project]")."""
        if project is None:
            return
        into = self.into
        into.name = into.name or project.get("name")
        dynamic = project.get("dynamic", ())
        if "dependencies" not in project or "dependencies" in dynamic:
            return
        for item in into.dependencies:
            self.leave(
                "dependencies",
                item.text,
                "[project] says what is needed, and Poetry's table only limited its lock",
                "write it in [tool.accord] constraints if it is to go on doing so",
            )
        into.dependencies.clear()

    def extras(self, optional: dict[str, list[Item]]) -> None:
        used: set[str] = set()
        for extra, names in self.table.get("extras", {}).items():
            items = self.into.optional.setdefault(str(extra), [])
            for name in names:
                bare = _normal(re.split(r"[^A-Za-z0-9._-]", str(name), maxsplit=1)[0])
                used.add(bare)
                found = optional.get(bare)
                if found is None:
                    self.leave(
                        "extras",
                        f"{extra}: {name}",
                        "no optional dependency has this name",
                        "add it, or delete it from the extra",
                    )
                items += found or []
        for name in sorted(optional.keys() - used):
            self.leave(
                "dependencies",
                name,
                "it is optional and in no extra, so nobody could ask for it",
                "put it into an extra",
            )

    def groups(self) -> None:
        tables = {"dev": self.table.get("dev-dependencies", {})} if self.table.get("dev-dependencies") else {}
        optional: list[str] = []
        for group, inner in self.table.get("group", {}).items():
            tables[str(group)] = {**tables.get(str(group), {}), **inner.get("dependencies", {})}
            if inner.get("optional"):
                optional.append(str(group))
            self.into.groups[str(group)] = [
                Item(str(name), include=True) for name in inner.get("include-groups", ())
            ]
        for group, entries in tables.items():
            where = (
                "dev-dependencies"
                if group == "dev" and "dev-dependencies" in self.table
                else f"group.{group}.dependencies"
            )
            items = self.into.groups.setdefault(group, [])
            for name, spec in entries.items():
                for number, each in enumerate(spec if isinstance(spec, list) else [spec]):
                    item = self.item(where, name, each, number)
                    if item is not None:
                        items.append(item)
        if tables:
            self.into.default_groups = [group for group in tables if group not in optional]

    def python(self, text: str) -> None:
        try:
            specifier = specifier_of(text)
        except ValueError as error:
            self.leave("dependencies", f"python = {text!r}", str(error), "write requires-python")
            return
        self.into.requires_python = specifier or None
        self.python_classifiers(specifier)

    def python_classifiers(self, specifier: str) -> None:
        """The classifiers poetry-core adds by itself: they are part of the old metadata."""
        from packaging.specifiers import SpecifierSet

        there = {item.text for item in self.into.classifiers}
        allowed = SpecifierSet(specifier)
        minors = [
            minor for minor in _PYTHONS if any(allowed.contains(f"{minor}.{patch}") for patch in (0, 99))
        ]
        added = [
            f"Programming Language :: Python :: {each}"
            for each in (*sorted({minor[0] for minor in minors}), *minors)
        ]
        self.into.classifiers += [Item(each) for each in sorted(added) if each not in there]

    def item(self, where: str, name: str, spec: Any, number: int) -> Item | None:
        """One dependency in the words of PEP 508; a source that is no index goes to ``[tool.accord.sources]``."""
        table = {"version": spec} if isinstance(spec, str) else dict(spec)
        line = self.lines.get((where, name), 0)
        comment, above = self.comments.at(line), self.comments.above(line) if number == 0 else ()
        extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
        try:
            specifier = specifier_of(str(table.get("version", "*")))
            text = f"{name}{extras}{specifier}"
            markers = [
                marker_of(str(table["python"])) if table.get("python") else "",
                str(table.get("markers", "")),
                _platform(table.get("platform")),
            ]
            for marker in markers:
                if marker:
                    text = join_marker(text, marker)
        except ValueError as error:
            self.leave(where, f"{name} = {spec!r}", str(error), "write it as a requirement (PEP 508)")
            return None
        self.source(where, name, table)
        if table.get("allow-prereleases"):
            self.leave(
                where,
                f"{name}: allow-prereleases",
                "a requirement allows pre-releases by naming one",
                f"write a pre-release into the bound, such as >={table.get('version', '0').lstrip('^~>=')}a0",
            )
        return requirement_item(text, comment, above)

    def source(self, where: str, name: str, table: dict[str, Any]) -> None:
        found: dict[str, Any] = {}
        if "git" in table:
            found = {"git": table["git"]}
            for key, own in (
                ("branch", "branch"),
                ("tag", "tag"),
                ("rev", "rev"),
                ("subdirectory", "subdirectory"),
            ):
                if key in table:
                    found[own] = table[key]
        elif "path" in table:
            found = {"path": table["path"], **({"editable": True} if table.get("develop") else {})}
        elif "url" in table:
            found = {"url": table["url"]}
        elif "source" in table:
            found = {"index": table["source"]}
        if found:
            self.into.sources.setdefault(_normal(name), []).append(found)
            if where == "dependencies" and "index" not in found:
                self.leave(
                    where,
                    f"{name} = {found!r}",
                    "a release's metadata name no place on your disk or in your repository",
                    "it is in [tool.accord.sources] now; who installs your release gets it from their index",
                )

    # ------------------------------------------------------------ the rest

    def entry_points(self) -> None:
        for name, target in self.table.get("scripts", {}).items():
            if isinstance(target, dict):
                if target.get("type") == "file":
                    self.into.files.scripts.append(str(target.get("reference", "")))
                    continue
                extras = f" [{','.join(target['extras'])}]" if target.get("extras") else ""
                target = f"{target.get('reference') or target.get('callable', '')}{extras}"
            put_entry_point(self.into, "console_scripts", str(name), str(target))
        for group, points in self.table.get("plugins", {}).items():
            for name, target in points.items():
                put_entry_point(self.into, str(group), str(name), str(target))

    def files(self) -> None:
        files, tree = self.into.files, self.tree
        packages: list[tuple[str, str]] = []
        for each in self.table.get("packages", ()):
            formats = (
                [each["format"]]
                if isinstance(each.get("format"), str)
                else each.get("format", ["sdist", "wheel"])
            )
            base = str(each.get("from", "")).strip("/")
            path = "/".join(filter(None, (base, str(each["include"]).strip("/"))))
            if "wheel" in formats:
                packages.append((path, base))
                if each.get("to"):
                    self.into.keep_old(f"packages are put to {each['to']!r}")
            else:
                files.sdist_include.append(f"{path}/**" if tree.is_folder(path) else path)
        if not self.table.get("packages"):
            packages = _found_package(tree, self.into.name or "")
        files.packages = [path for path, _ in packages]
        files.package_dir = dict(packages)
        for key, wheel, sdist in (
            ("include", files.include, files.sdist_include),
            ("exclude", files.exclude, files.sdist_exclude),
        ):
            for each in self.table.get(key, ()):
                table = {"path": each} if isinstance(each, str) else each
                default = ["sdist"] if key == "include" and not self.is_old else ["sdist", "wheel"]
                formats = table.get("format", default)
                glob = str(table["path"]).strip("/")
                glob = f"{glob}/**" if tree.is_folder(glob) else glob
                if "wheel" in formats:
                    wheel.append(glob)
                if "sdist" in formats:
                    sdist.append(glob)
        loose = sorted(
            {
                path
                for glob in files.include
                for path in matching(tree.files(), glob)
                if "/" not in path and path not in files.packages
            }
        )
        if loose:
            self.leave(
                "include",
                f"files at the root: {', '.join(loose)}",
                "a wheel puts them beside the packages of every other project",
                "move into the package what its code reads",
            )
        files.found = {
            key: self.table[key] for key in ("packages", "include", "exclude", "build") if self.table.get(key)
        }
        build = self.table.get("build")
        script = build if isinstance(build, str) else (build or {}).get("script")
        if script:
            self.leave(
                "build",
                f"script = {script!r}",
                "it is code that takes part in the build",
                "describe what it makes: [[tool.accord.extension]] or [[tool.accord.step]]",
            )
            self.into.keep_old(f"its build script {script}")

    def sources(self) -> None:
        for source in self.table.get("source", ()):
            index: dict[str, Any] = {"name": source.get("name", ""), "url": source.get("url", "")}
            priority = source.get(
                "priority",
                "primary"
                if source.get("default")
                else "supplemental"
                if source.get("secondary")
                else "primary",
            )
            if not index["url"]:
                self.leave(
                    "source",
                    f"{index['name']} without a URL",
                    "it stands for the public index",
                    "nothing: the default index is it",
                )
                continue
            if priority in ("default",):
                index["default"] = True
            if priority == "explicit":
                index["explicit"] = True
            if priority in ("supplemental", "secondary"):
                self.leave(
                    "source",
                    f"{index['name']}: priority = {priority!r}",
                    "indexes are asked in the order they are written; a name belongs to the first that has it",
                    "see that the order is the one you mean",
                )
            self.into.indexes.append(index)

    def rest(self) -> None:
        for key in sorted(set(self.table) - _KNOWN):
            self.leave("", key, "accord knows no such key", "look whether a plugin of Poetry read it")
        for key, why in (
            ("requires-plugins", "plugins of Poetry are Poetry's"),
            ("requires-poetry", "it is about Poetry"),
        ):
            if self.table.get(key):
                self.leave(
                    key, f"{key} = {self.table[key]!r}", why, "nothing, unless a plugin changed the build"
                )
        if self.table.get("package-mode") is False:
            self.into.build_requires.clear()
            self.into.files.packages = []
            self.leave(
                "",
                "package-mode = false",
                "a project that is never built needs no [build-system]",
                "delete [build-system] from pyproject.toml",
            )


def _before_2(requires: Any) -> bool:
    """Whether the project is only ever built by poetry-core 1."""
    from packaging.requirements import InvalidRequirement, Requirement

    for text in requires:
        try:
            each = Requirement(str(text))
        except InvalidRequirement:
            continue
        if _normal(each.name) in ("poetry", "poetry-core") and str(each.specifier):
            return not any(each.specifier.contains(version) for version in ("2.0.0", "2.1.0", "2.99"))
    return False


def _normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def _platform(value: Any) -> str:
    if not value:
        return ""
    sign, name = ("!=", str(value)[1:].lstrip("= ")) if str(value).startswith("!") else ("==", str(value))
    return f'sys_platform {sign} "{name}"'


def _found_package(tree: Tree, name: str) -> list[tuple[str, str]]:
    """The package poetry-core finds by the project's name."""
    own = re.sub(r"[-.]+", "_", name)
    for candidate in dict.fromkeys((own, own.lower())):
        for base in ("", "src"):
            path = "/".join(filter(None, (base, candidate)))
            if tree.is_folder(path):
                return [(path, base)]
            if tree.is_file(f"{path}.py"):
                return [(f"{path}.py", base)]
    return []


def _lines(text: str) -> dict[tuple[str, str], int]:
    """The line of each key of a dependency table, by the table's name below ``tool.poetry``."""
    found: dict[tuple[str, str], int] = {}
    section = ""
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[tool\.poetry\.?([^\]]*)\]", line)
        if head:
            section = head[1]
        elif line.startswith("["):
            section = "-"
        elif match := re.match(r"\s*[\"']?([A-Za-z0-9._-]+)[\"']?\s*=", line):
            found.setdefault((section, match[1]), number)
    return found
