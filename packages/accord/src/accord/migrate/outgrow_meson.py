"""``meson.build`` and the tables of meson-python, from a read description."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from accord.migrate.outgrow_model import REMOVED, Extension, Outgrown, Project, matching

__all__ = ["write"]

_SYSTEMS = {"win32": "windows", "Windows": "windows", "linux": "linux", "Linux": "linux", "darwin": "darwin", "Darwin": "darwin",
            "cygwin": "cygwin", "nt": "windows"}  # fmt: skip


def write(project: Project, notes: list[str]) -> Outgrown:
    """The files and tables for meson-python."""
    languages = sorted(set().union({"c"}, *(one.languages() for one in project.extensions)))
    version = project.version or "0"
    if project.version is None:
        notes.append("the version is not written in pyproject.toml; meson.build says '0'")
    lines = [
        f"project({', '.join(map(_text, [project.name, *languages]))}, version: {_text(version)}, meson_version: '>=1.3')",
        "py = import('python').find_installation(pure: false)",
    ]
    lines += _modules(project)
    for number, step in enumerate(project.steps):
        lines += ["", *_step(step, number, project, notes)]
    for extension in project.extensions:
        lines += ["", *_extension(extension, project, notes)]
    requires = ["meson-python>=0.18"] + (["cython>=3"] if "cython" in languages else [])
    tool: dict[str, Any] = {}
    limited = [one.limited for one in project.extensions]
    if limited and all(limited):
        tool["meson-python"] = {"limited-api": True}
        notes.append(
            "meson-python tags an abi3 wheel by the Python that builds it: build with the oldest you serve"
        )
    elif any(limited):
        notes.append("only some modules have limited-api; meson-python tags a wheel abi3 only where all have")
    requires += sorted({name for step in project.steps for name in step.get("requires", ())})
    return Outgrown(
        {"meson.build": "\n".join(lines) + "\n"},
        {"requires": requires, "build-backend": "mesonpy"},
        tool, REMOVED, (*notes, "meson-python makes sdists of what git knows: commit meson.build before building one"),
    )  # fmt: skip


def _text(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"


def _texts(values: Sequence[str]) -> str:
    return "[" + ", ".join(map(_text, values)) + "]"


def _modules(project: Project) -> list[str]:
    folders: dict[str, list[str]] = {}
    for path in project.modules:
        folders.setdefault(_below(path.rpartition("/")[0], project.base), []).append(path)
    lines = []
    for folder, paths in sorted(folders.items()):
        lines.append("py.install_sources([")
        lines += [f"  {_text(path)}," for path in paths]
        lines.append(f"], subdir: {_text(folder)})" if folder else "])")
    return lines


def _below(folder: str, base: str) -> str:
    return folder[len(base) :].lstrip("/") if base else folder


def _extension(one: Extension, project: Project, notes: list[str]) -> list[str]:
    variable = re.sub(r"\W", "_", one.name)
    made = {
        path: f"step_{n}[{i}]"
        for n, step in enumerate(project.steps)
        for i, path in enumerate(step["outputs"])
    }
    lines = [f"{variable}_{part} = []" for part in ("sources", "args", "includes", "dependencies", "links")]
    for addition in one.additions:
        inner = _addition(variable, addition.lists, made, one, notes)
        condition = [text for item in addition.condition for text in [_condition(*item)] if text]
        if len(condition) < len(addition.condition):
            notes.append(f"{one.name}: {addition.condition} cannot be asked of Meson")
        elif condition:
            lines += [f"if {' and '.join(condition)}", *(f"  {line}" for line in inner), "endif"]
        else:
            lines += inner
    args = "cpp_args" if "cpp" in one.languages() else "c_args"
    lines += [
        f"py.extension_module({_text(one.target)}, {variable}_sources,",
        f"  {args}: {variable}_args, include_directories: {variable}_includes,",
        f"  dependencies: {variable}_dependencies, link_args: {variable}_links,",
    ]
    if args == "cpp_args" and not one.cplus:
        lines.append(f"  c_args: {variable}_args,")
    if one.cython:
        directives = [
            word for key, value in sorted(one.directives.items()) for word in ("-X", f"{key}={value}")
        ]
        lines.append(f"  cython_args: {_texts(directives)},")
        lines += ["  override_options: ['cython_language=cpp'],"] if one.cplus else []
    lines += [f"  limited_api: {_text(one.limited)},"] if one.limited else []
    return [*lines, f"  subdir: {_text(one.package)}, install: true)"]


def _addition(
    variable: str,
    lists: Mapping[str, tuple[str, ...]],
    made: Mapping[str, str],
    one: Extension,
    notes: list[str],
) -> list[str]:
    lines = []
    if lists["sources"]:
        sources = [made.get(path) or f"files({_text(path)})" for path in lists["sources"]]
        lines.append(f"{variable}_sources += [{', '.join(sources)}]")
    arguments = [
        *(f"-D{item}" for item in lists["defines"]),
        *(f"-U{item}" for item in lists["undefines"]),
        *lists["compile-args"],
    ]
    if arguments:
        lines.append(f"{variable}_args += {_texts(arguments)}")
    # Beside a .pyx file lie the headers it names, and its C file will lie elsewhere.
    beside = {path.rpartition("/")[0] or "." for path in lists["sources"] if path.endswith(".pyx")}
    includes = [*lists["include-dirs"], *sorted(beside)]
    if includes:
        lines.append(f"{variable}_includes += include_directories({', '.join(map(_text, includes))})")
    for item in lists["pkg-config"]:
        name, operator, version = re.fullmatch(r"([\w.+-]+)\s*(?:([<>=!]+)\s*(.+))?", item).groups()  # type: ignore[union-attr]
        wanted = f", version: {_text(operator + version)}" if operator else ""
        lines.append(f"{variable}_dependencies += dependency({_text(name)}{wanted})")
    for name in lists["include-from"]:
        lines.append(f"{variable}_dependencies += dependency({_text(name)})")
        notes.append(
            f"{one.name}: include-from {name} became a dependency() of that name; it needs {name}'s .pc file"
        )
    for name in lists["libraries"]:
        folders = ", ".join(f"meson.project_source_root() / {_text(path)}" for path in lists["library-dirs"])
        lines.append(
            f"{variable}_dependencies += meson.get_compiler('c').find_library({_text(name)}"
            + (f", dirs: [{folders}])" if folders else ")")
        )
    if lists["link-args"]:
        lines.append(f"{variable}_links += {_texts(lists['link-args'])}")
    return lines


def _condition(name: str, operator: str, value: str) -> str | None:
    if name == "platform_machine":
        known = {
            "x86_64": "x86_64",
            "AMD64": "x86_64",
            "aarch64": "aarch64",
            "arm64": "aarch64",
            "i686": "x86",
        }
        return f"host_machine.cpu_family() {operator} {_text(known.get(value, value))}"
    if name == "os_name" and value == "posix":
        return f"host_machine.system() {'!=' if operator == '==' else '=='} 'windows'"
    system = _SYSTEMS.get(value)
    return f"host_machine.system() {operator} {_text(system)}" if system else None


def _step(step: Mapping[str, Any], number: int, project: Project, notes: list[str]) -> list[str]:
    outputs = step["outputs"]
    folders = {path.rpartition("/")[0] for path in outputs}
    if "template" in step:
        values = {"name": project.name, "version": project.version or "", **step.get("values", {})}
        pairs = ", ".join(f"{_text(key)}: {_text(value)}" for key, value in sorted(values.items()))
        return [
            f"step_{number} = [configure_file(input: {_text(step['template'])}, output: {_text(outputs[0].rpartition('/')[2])},",
            f"  configuration: {{{pairs}}}{_installed(outputs, project)})]",
        ]
    if len(folders) > 1:
        notes.append(
            f"step {step['name']}: its outputs lie in several folders, which one custom_target cannot say"
        )
    words = []
    for word in step["command"]:
        if word in ("{inputs}", "{outputs}", "{output}"):
            words.append(
                {"{inputs}": "'@INPUT@'", "{outputs}": "'@OUTPUT@'", "{output}": "'@OUTPUT0@'"}[word]
            )
        elif word == "{python}":
            words.append("py")
        elif re.search(r"\.\w+$", word) and "/" in word and "{" not in word:
            words.append(f"files({_text(word)})")
        else:
            words.append(_text(word.replace("{output}", "@OUTPUT0@")))
    inputs = [path for item in step.get("inputs", ()) for path in (matching(item, project.files) or [item])]
    return [
        f"step_{number} = custom_target({_text('step-' + step['name'])},",
        f"  command: [{', '.join(words)}],",
        *([f"  input: {_texts(inputs)},"] if inputs else []),
        f"  output: {_texts([path.rpartition('/')[2] for path in outputs])}{_installed(outputs, project)})",
    ]


def _installed(outputs: Sequence[str], project: Project) -> str:
    """Arguments that install what a step makes where it lies in a package."""
    if outputs[0] not in project.made:
        return ""
    folder = _below(outputs[0].rpartition("/")[0], project.base)
    return f", install: true, install_dir: py.get_install_dir() / {_text(folder)}"
