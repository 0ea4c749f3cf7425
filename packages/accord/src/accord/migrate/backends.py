"""What each build backend is told beside ``[project]``: its requirement, what is dynamic, and its tables."""

from __future__ import annotations

import re

from accord.migrate.readmes import is_joined
from accord.migrate.remainder import only
from accord.migrate.toml_text import pair

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.model import Described
    from accord.migrate.tree import Tree

__all__ = ["REQUIREMENTS", "Writer", "writer"]

REQUIREMENTS = {
    "accord": ("accord-backend", "accord_backend"),
    "setuptools": ("setuptools>=77", "setuptools.build_meta"),
    "flit": ("flit_core>=3.11", "flit_core.buildapi"),
    "hatchling": ("hatchling>=1.26", "hatchling.build"),
    "poetry": ("poetry-core>=2", "poetry.core.masonry.api"),
    "pdm": ("pdm-backend>=2.4", "pdm.backend"),
}


class Writer:
    """The part of a document that depends on the backend; this one writes no table of its own."""

    name = ""

    def __init__(self, described: Described, tree: Tree, build: dict[str, Any]) -> None:
        self.described = described
        self.tree = tree
        self.build = build

    def requires(self) -> list[str]:
        own = [each for each in self.described.build_requires if not _is_backend(each)]
        return [REQUIREMENTS[self.name][0], *own]

    def build_system(self) -> list[str]:
        return [
            "[build-system]",
            *pair("requires", self.requires()),
            *pair("build-backend", REQUIREMENTS[self.name][1]),
        ]

    def dynamic(self) -> list[str]:
        return []

    def tables(self) -> list[str]:
        return []

    def accord_tables(self) -> list[str]:
        return []


def _is_backend(requirement: str) -> bool:
    name = re.split(r"[^A-Za-z0-9._-]", requirement, maxsplit=1)[0].lower().replace("_", "-")
    return name in ("setuptools", "wheel", "flit", "flit-core", "flit-scm", "poetry", "poetry-core", "pdm-pep517", "pdm-backend", "hatchling", "accord-backend")  # fmt: skip


class _Accord(Writer):
    name = "accord"

    def requires(self) -> list[str]:
        # What only helped setuptools to a version or a command is no requirement of a description.
        gone = ("setuptools-scm", "setuptools_scm", "pytest-runner", "pbr")
        return [each for each in super().requires() if not each.lower().startswith(gone)]

    def dynamic(self) -> list[str]:
        version = self.described.version
        return ["version"] if version is not None and version.dynamic else []

    def accord_tables(self) -> list[str]:
        table = dict(self.build)
        version = self.described.version
        if version is not None and version.module:
            where = {"module": version.module}
            if version.attribute != "__version__":
                where["attribute"] = version.attribute
            table["version"] = where
        elif version is not None and version.file:
            table["version"] = {"file": version.file}
        elif version is not None and version.git:
            table["version"] = {
                "git": True,
                "tag-prefix": version.tag_prefix,
                "fallback": version.text or "0.0",
            }
        lines: list[str] = []
        if table:
            lines = [
                "[tool.accord.build]",
                *(line for name, value in table.items() for line in pair(name, value)),
                "",
            ]
        for each in self.described.extensions:
            lines += [
                "[[tool.accord.extension]]",
                *pair("name", each.name),
                *pair("sources", list(each.sources)),
            ]
            lines += [line for name, value in each.options for line in pair(name, value)]
            lines.append("")
        return lines


class _Setuptools(Writer):
    name = "setuptools"

    def requires(self) -> list[str]:
        found = super().requires()
        version = self.described.version
        if (
            version is not None
            and version.git
            and not any(each.startswith("setuptools") and "scm" in each for each in found)
        ):
            found.append("setuptools-scm>=8")
        return found

    def dynamic(self) -> list[str]:
        version = self.described.version
        found = ["version"] if version is not None and version.dynamic else []
        return [*found, "readme"] if is_joined(self.described, self.tree) else found

    def tables(self) -> list[str]:
        files, lines = self.described.files, list[str]()
        top: list[str] = []
        if files.packages is not None and files.found is None:
            top += pair("packages", files.packages)
        if files.modules or files.packages is None:
            top += pair("py-modules", files.modules)
        if files.package_dir:
            top += pair("package-dir", files.package_dir)
        if files.tool == "setuptools" and files.include_package_data is not True:
            # In pyproject.toml the default is true, in setup.py and setup.cfg it was false.
            top += pair("include-package-data", False)
        if files.scripts:
            top += pair("script-files", files.scripts)
        if top:
            lines += ["[tool.setuptools]", *top, ""]
        if files.found is not None:
            asked = dict(files.found)
            asked["where"] = [asked.get("where", ".")]
            lines += [
                "[tool.setuptools.packages.find]",
                *(line for name, value in asked.items() for line in pair(name, value)),
                "",
            ]
        for table, data in (
            ("package-data", files.package_data),
            ("exclude-package-data", files.exclude_package_data),
            ("data-files", dict(files.data_files)),
        ):
            if data:
                lines += [f"[tool.setuptools.{table}]"]
                lines += [
                    line
                    for name, value in data.items()
                    for line in pair(name or ("*" if table != "data-files" else "."), value)
                ] + [""]
        return [*lines, *self._dynamic_table(), *self._extensions()]

    def _dynamic_table(self) -> list[str]:
        found: list[str] = []
        version, readme = self.described.version, self.described.readme
        if version is not None and version.module:
            found += pair("version", {"attr": f"{version.module}.{version.attribute}"})
        elif version is not None and version.file:
            found += pair("version", {"file": version.file})
        if "readme" in self.dynamic() and readme is not None:
            value: dict[str, Any] = {"file": list(readme.files)}
            value["content-type"] = readme.content_type or "text/x-rst"
            found += pair("readme", value)
        lines = ["[tool.setuptools.dynamic]", *found, ""] if found else []
        return [*lines, "[tool.setuptools_scm]", ""] if version is not None and version.git else lines

    def _extensions(self) -> list[str]:
        """Extensions as setuptools' own tables (since 74.1), unless ``setup.py`` stays for them."""
        if self.described.needs_old_backend:
            return []
        conditional = [each for each in self.described.extensions if "when" in dict(each.options)]
        if conditional:
            self.described.leave(
                conditional[0].where,
                "ext_modules",
                "setuptools' tables have no conditions, which accord's have",
                "keep setup.py for them, or take accord's backend",
            )
            self.described.keep_old("its extensions depend on the platform")
            return []
        keys = {
            "include-dirs": "include-dirs",
            "defines": "define-macros",
            "undefines": "undef-macros",
            "compile-args": "extra-compile-args",
            "link-args": "extra-link-args",
        }
        lines: list[str] = []
        for each in self.described.extensions:
            lines += [
                "[[tool.setuptools.ext-modules]]",
                *pair("name", each.name),
                *pair("sources", list(each.sources)),
            ]
            for name, value in each.options:
                if name == "defines":
                    value = [define.partition("=")[::2] for define in value]
                lines += pair(keys.get(name, name), value)
            lines.append("")
        return lines


class _Flit(Writer):
    name = "flit"

    def dynamic(self) -> list[str]:
        version = self.described.version
        own = self._module()
        return (
            ["version"]
            if version is not None and version.module == own and version.attribute == "__version__"
            else []
        )

    def _module(self) -> str:
        from accord.migrate.layout import old_files

        tops = sorted(
            {place.split("/")[0].removesuffix(".py") for place in old_files(self.described, self.tree)}
        )
        own = (self.described.name or "").replace("-", "_")
        return own if own in tops or not tops else tops[0]

    def tables(self) -> list[str]:
        own, files = self._module(), self.described.files
        lines: list[str] = []
        if own != (self.described.name or "").replace("-", "_"):
            lines += ["[tool.flit.module]", *pair("name", own), ""]
        sdist = [
            line
            for name, value in (("include", files.sdist_include), ("exclude", files.sdist_exclude))
            if value
            for line in pair(name, value)
        ]
        return [*lines, *(["[tool.flit.sdist]", *sdist, ""] if sdist else [])]


class _Hatchling(Writer):
    name = "hatchling"

    def dynamic(self) -> list[str]:
        version = self.described.version
        return ["version"] if version is not None and (version.module or version.file) else []

    def tables(self) -> list[str]:
        from accord.migrate.layout import accord_build, old_files

        build, _ = accord_build(self.described, self.tree)
        version, lines = self.described.version, list[str]()
        if version is not None and version.module:
            base = "src" if self.tree.is_folder("src") else ""
            path = self.tree.module_file(version.module, base) or self.tree.module_file(version.module)
            table = {
                "path": path or "",
                **(
                    {"pattern": f"{version.attribute} = ['\"](?P<version>[^'\"]+)"}
                    if version.attribute != "__version__"
                    else {}
                ),
            }
            lines += [
                "[tool.hatch.version]",
                *(line for name, value in table.items() for line in pair(name, value)),
                "",
            ]
        elif version is not None and version.file:
            lines += [
                "[tool.hatch.version]",
                *pair("path", version.file),
                *pair("pattern", "(?P<version>.+)"),
                "",
            ]
        wanted = old_files(self.described, self.tree)
        tops = sorted(
            {
                path[: len(path) - len(place)] + place.split("/")[0]
                for place, path in wanted.items()
                if path.endswith(place)
            }
        )
        table2: dict[str, Any] = {"only-include": tops}
        if any(top.startswith("src/") for top in tops):
            table2["sources"] = ["src"]
        if build.get("wheel-exclude"):
            table2["exclude"] = build["wheel-exclude"]
        return [
            *lines,
            "[tool.hatch.build.targets.wheel]",
            *(line for name, value in table2.items() for line in pair(name, value)),
            "",
        ]


class _Poetry(Writer):
    name = "poetry"

    def tables(self) -> list[str]:
        """poetry-core finds a package of the project's name; anything else it must be told."""
        files = self.described.files
        table: dict[str, Any] = {}
        raw = files.found or {}
        for name in ("packages", "include", "exclude", "build"):
            if raw.get(name):
                table[name] = raw[name]
        return (
            ["[tool.poetry]", *(line for name, value in table.items() for line in pair(name, value)), ""]
            if table
            else []
        )


class _AsIs(Writer):
    """The ``[build-system]`` table of the old file, letter by letter."""

    name = "as-is"

    def build_system(self) -> list[str]:
        text = only(self.tree.read("pyproject.toml") or "", ("build-system",))
        return text.split("\n") if text else []

    def dynamic(self) -> list[str]:
        return [str(each) for each in self.described.dynamic]


class _Pdm(_AsIs):
    """PDM's backend goes on with its own tables, letter by letter; what pdm-pep517 had at the top of ``[tool.pdm]`` too."""

    name = "pdm"

    def tables(self) -> list[str]:
        text = self.tree.read("pyproject.toml") or ""
        top = [
            line for name, value in (self.described.files.found or {}).items() for line in pair(name, value)
        ]
        inner = only(text, ("tool.pdm.version", "tool.pdm.build"))
        return [*(["[tool.pdm]", *top, ""] if top else []), *([inner, ""] if inner else [])]


class _Unbuilt(Writer):
    """A project that is run where it lies and never built."""

    name = "none"

    def build_system(self) -> list[str]:
        return []


_WRITERS: dict[str, type[Writer]] = {
    each.name: each for each in (_Accord, _Setuptools, _Flit, _Hatchling, _Poetry, _AsIs, _Pdm, _Unbuilt)
}


def writer(name: str, described: Described, tree: Tree, build: dict[str, Any]) -> Writer:
    return _WRITERS[name](described, tree, build)
