"""``CMakeLists.txt`` and the tables of scikit-build-core, from a read description."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from accord.migrate.outgrow_model import REMOVED, Extension, Outgrown, Project, matching

__all__ = ["write"]

_SYSTEMS = {"win32": "Windows", "Windows": "Windows", "nt": "Windows", "linux": "Linux", "Linux": "Linux",
            "darwin": "Darwin", "Darwin": "Darwin"}  # fmt: skip


def write(project: Project, notes: list[str]) -> Outgrown:
    """The files and tables for scikit-build-core."""
    cython = any(one.cython for one in project.extensions)
    cplus = any("cpp" in one.languages() for one in project.extensions)
    limited = [one.limited for one in project.extensions]
    stable = limited and all(limited)
    component = " ${SKBUILD_SABI_COMPONENT}" if any(limited) else ""
    lines = [
        "cmake_minimum_required(VERSION 3.26...4.0)",
        f"project(${{SKBUILD_PROJECT_NAME}} LANGUAGES C{' CXX' if cplus else ''})",
        f"find_package(Python REQUIRED COMPONENTS Interpreter Development.Module{component})",
    ]
    if any(more.lists["pkg-config"] for one in project.extensions for more in one.additions):
        lines.append("find_package(PkgConfig REQUIRED)")
    for step in project.steps:
        lines += ["", *_step(step, project)]
    for extension in project.extensions:
        lines += ["", *_extension(extension, project, notes)]
    requires = ["scikit-build-core>=0.11"] + (["cython>=3"] if cython else [])
    requires += sorted(
        {name for one in project.extensions for more in one.additions for name in more.lists["include-from"]}
    )
    requires += sorted({name for step in project.steps for name in step.get("requires", ())})
    return Outgrown(
        {"CMakeLists.txt": "\n".join(lines) + "\n"},
        {"requires": requires, "build-backend": "scikit_build_core.build"},
        {
            "scikit-build": _tool(
                project, max(map(_minor, filter(None, limited)), default=None) if stable else None
            )
        },
        REMOVED,
        tuple(notes),
    )


def _minor(text: str) -> int:
    return int(text.partition(".")[2])


def _tool(project: Project, limited: int | None) -> dict[str, Any]:
    prefix = f"{project.base}/" if project.base else ""
    tops = sorted({path[len(prefix) :].partition("/")[0] for path in project.modules})
    ours = {
        path
        for one in project.extensions
        for more in one.additions
        for key in ("sources", "depends")
        for path in more.lists[key]
    }
    inside = sorted(
        path[len(prefix) :] for path in ours if path.startswith(prefix) and not path.endswith(".pxd")
    )
    tool: dict[str, Any] = {
        "minimum-version": "build-system.requires",
        "build-dir": "build/{wheel_tag}",
        "wheel": {"packages": [prefix + top for top in tops], "exclude": inside},
    }
    if limited is not None:
        tool["wheel"]["py-api"] = f"cp3{limited}"
    return tool


def _text(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$").replace(";", "\\;") + '"'


def _path(path: str) -> str:
    return path if re.fullmatch(r"[\w./+-]+", path) else _text(path)


def _extension(one: Extension, project: Project, notes: list[str]) -> list[str]:
    made = {path for step in project.steps for path in step["outputs"]}
    target = one.name.replace(".", "_")
    stable = f" USE_SABI {one.limited}" if one.limited else ""
    lines = [
        f"python_add_library({target} MODULE WITH_SOABI{stable})",
        f"set_target_properties({target} PROPERTIES OUTPUT_NAME {one.target})",
    ]
    for addition in one.additions:
        inner = _addition(target, addition.lists, one, made)
        condition = [text for item in addition.condition for text in [_condition(*item)] if text]
        if len(condition) < len(addition.condition):
            notes.append(f"{one.name}: {addition.condition} cannot be asked of CMake")
        elif condition:
            lines += [f"if({' AND '.join(condition)})", *(f"  {line}" for line in inner), "endif()"]
        else:
            lines += inner
    return [*lines, f"install(TARGETS {target} DESTINATION {_path(one.package or '.')})"]


def _addition(target: str, lists: Mapping[str, tuple[str, ...]], one: Extension, made: set[str]) -> list[str]:
    lines = []
    sources = []
    for path in lists["sources"]:
        if path.endswith(".pyx"):
            generated, command = _cython(path, one)
            lines += command
            folder = path.rpartition("/")[0]
            lines.append(f"target_include_directories({target} PRIVATE {_path(folder or '.')})")
            sources.append(generated)
        else:
            sources.append(f"${{CMAKE_CURRENT_BINARY_DIR}}/{path}" if path in made else _path(path))
    if sources:
        lines.append(f"target_sources({target} PRIVATE {' '.join(sources)})")
    for key, verb, form in (
        ("include-dirs", "target_include_directories", _path), ("defines", "target_compile_definitions", _text),
        ("library-dirs", "target_link_directories", _path), ("libraries", "target_link_libraries", _path),
    ):  # fmt: skip
        if lists[key]:
            lines.append(f"{verb}({target} PRIVATE {' '.join(map(form, lists[key]))})")
    options = [*(f"-U{item}" for item in lists["undefines"]), *lists["compile-args"]]
    if options:
        lines.append(f"target_compile_options({target} PRIVATE {' '.join(map(_text, options))})")
    if lists["link-args"]:
        lines.append(f"target_link_options({target} PRIVATE {' '.join(map(_text, lists['link-args']))})")
    for item in lists["pkg-config"]:
        name = re.sub(r"\W", "_", re.split(r"[<>=!\s]", item)[0])
        lines.append(f"pkg_check_modules({name} REQUIRED IMPORTED_TARGET {_text(item.replace(' ', ''))})")
        lines.append(f"target_link_libraries({target} PRIVATE PkgConfig::{name})")
    for name in lists["include-from"]:
        lines.append(
            f'execute_process(COMMAND ${{Python_EXECUTABLE}} -c "import {name}; print({name}.get_include())"'
            f" OUTPUT_VARIABLE {name}_include OUTPUT_STRIP_TRAILING_WHITESPACE COMMAND_ERROR_IS_FATAL ANY)"
        )
        lines.append(f"target_include_directories({target} PRIVATE ${{{name}_include}})")
    return lines


def _cython(path: str, one: Extension) -> tuple[str, list[str]]:
    stem = path.rpartition("/")[2][: -len(".pyx")]
    generated = f"${{CMAKE_CURRENT_BINARY_DIR}}/{one.target}/{stem}.{'cpp' if one.cplus else 'c'}"
    module = one.name if stem == one.target else stem
    words = ["--cplus"] if one.cplus else []
    words += [word for key, value in sorted(one.directives.items()) for word in ("-X", f"{key}={value}")]
    return generated, [
        f"add_custom_command(OUTPUT {generated} DEPENDS {_path(path)} WORKING_DIRECTORY ${{CMAKE_CURRENT_SOURCE_DIR}}",
        f"  COMMAND ${{CMAKE_COMMAND}} -E make_directory ${{CMAKE_CURRENT_BINARY_DIR}}/{one.target}",
        f"  COMMAND Python::Interpreter -m cython -M --module-name {module} {' '.join(words)} -o {generated} {_path(path)}",
        f"  DEPFILE {generated}.dep VERBATIM)",
    ]


def _condition(name: str, operator: str, value: str) -> str | None:
    if name == "platform_machine":
        text = f'CMAKE_SYSTEM_PROCESSOR STREQUAL "{value}"'
    elif name == "os_name" and value == "posix":
        text = "UNIX"
    elif value in _SYSTEMS:
        text = f'CMAKE_SYSTEM_NAME STREQUAL "{_SYSTEMS[value]}"'
    else:
        return None
    return text if operator == "==" else f"NOT {text}"


def _step(step: Mapping[str, Any], project: Project) -> list[str]:
    outputs = [f"${{CMAKE_CURRENT_BINARY_DIR}}/{path}" for path in step["outputs"]]
    if "template" in step:
        values = {"name": project.name, "version": project.version or "", **step.get("values", {})}
        lines = [f"set({key} {_text(value)})" for key, value in sorted(values.items())]
        lines.append(f"configure_file({_path(step['template'])} {outputs[0]} @ONLY)")
    else:
        lines = _custom(step, outputs, project)
    for path, output in zip(step["outputs"], outputs, strict=True):
        if path in project.made:
            folder = path.rpartition("/")[0]
            folder = folder[len(project.base) :].lstrip("/") if project.base else folder
            lines.append(f"install(FILES {output} DESTINATION {_path(folder or '.')})")
    return lines


def _custom(step: Mapping[str, Any], outputs: Sequence[str], project: Project) -> list[str]:
    inputs = [path for item in step.get("inputs", ()) for path in (matching(item, project.files) or [item])]
    programs = [word for word in step["command"] if word in project.files]
    several = {
        "{python}": ["Python::Interpreter"],
        "{inputs}": list(map(_path, inputs)),
        "{outputs}": list(outputs),
        "{output}": [outputs[0]],
    }
    words = [
        word
        for text in step["command"]
        for word in several.get(text) or [_text(text.replace("{output}", outputs[0]))]
    ]
    name = re.sub(r"\W", "-", step["name"])
    folders = sorted({path.rpartition("/")[0] for path in outputs})
    return [
        f"add_custom_command(OUTPUT {' '.join(outputs)} DEPENDS {' '.join(map(_path, [*inputs, *programs]))}",
        f"  COMMAND ${{CMAKE_COMMAND}} -E make_directory {' '.join(folders)}",
        f"  COMMAND {' '.join(words)} WORKING_DIRECTORY ${{CMAKE_CURRENT_SOURCE_DIR}} VERBATIM)",
        f"add_custom_target(step-{name} ALL DEPENDS {' '.join(outputs)})",
    ]
