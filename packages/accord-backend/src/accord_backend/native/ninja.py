"""Writing ``build.ninja`` from the configured record: record in, text out.

Ninja runs in the project's root and every name in the file is relative to it, so the folder may move and messages show
the paths a person knows.  Headers are tracked by the compilers' own depfiles.  A module appears under its name only when
the linker has finished, whatever ended it.
"""

from __future__ import annotations

import shlex

from . import precompiled

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

__all__ = ["build_file", "target_of"]

# Cython's own path differs in each isolated environment, so it comes from the environment and not from the command,
# which ninja compares; the version, which matters, is in the command.
_RULES = """\
ninja_required_version = 1.10

rule compile
  command = $compiler -MMD -MF $out.d -c $in -o $out
  depfile = $out.d
  deps = gcc
  description = compile $in

rule cython
  command = CYTHON=$version "$$ACCORD_PYTHON" "$$ACCORD_CYTHONIZE" $arguments -o $out $in
  depfile = $out.dep
  deps = gcc
  description = cython $in

# One that cannot be made or used costs the time it would have saved, and nothing else: an empty word is no such header to
# a compiler, which reads the real one then and says what is wrong with it.
rule precompile
  command = ( $compiler $defines -MD -MF $out.d -MQ $out -x ${language}-header $header -o $out.tmp && mv -f $out.tmp $out $
      && $compiler $defines -Werror=invalid-pch -fsyntax-only -include Python.h -x $language /dev/null ) || echo none > $out
  depfile = $out.d
  deps = gcc
  description = precompile $header

rule link
  command = $linker -o ${out}.tmp $in $libraries && mv -f ${out}.tmp $out
  description = link $out
"""


def target_of(record: Mapping[str, Any], extension: Mapping[str, Any]) -> str:
    """Where the finished module lies, relative to the root."""
    return f"{record['folder']}/modules/{extension['target']}"


def build_file(record: Mapping[str, Any]) -> str:
    """The whole of ``build.ninja``."""
    lines = [
        "# Made by accord-backend from configured.json.",
        f"builddir = {_path(record['folder'])}",
        _RULES,
    ]
    for number, one in enumerate(record["precompiled"]):
        lines += _header(record, one, number)
    links = []
    units = []
    for number, extension in enumerate(record["extensions"]):
        for language, flags in extension["compile"].items():
            command = [*record["compilers"][language]["command"], *flags]
            lines.append(f"{_variable(language)}_{number} = {_words(command)}")
        implicit = "".join(f" {_path(path)}" for path in extension["implicit"])
        units += [
            (_turn(unit), _unit(record, extension, unit, number, implicit)) for unit in extension["units"]
        ]
        compiler = record["compilers"][extension["linker"]]
        objects = " ".join(_path(unit["object"]) for unit in extension["units"])
        links += [
            "",
            f"build {_path(target_of(record, extension))}: link {objects}",
            f"  linker = {_words([*compiler['command'], *extension['link']])}",
            f"  libraries = {_words(extension['libraries'])}",
        ]
    lines.append("")
    for _, text in sorted(units, key=lambda one: one[0]):
        lines += text
    return "\n".join([*lines, *links, ""])


def _turn(unit: Mapping[str, Any]) -> tuple[bool, int]:
    """Ninja takes what is ready in the order of the file: the longest first, so that none is left alone at the end."""
    return "generated" not in unit, -unit["size"]


def _header(record: Mapping[str, Any], one: Mapping[str, Any], number: int) -> list[str]:
    command = [*record["compilers"][one["language"]]["command"], *one["compile"]]
    return [
        f"shared_{number} = {_words(command)}",
        f"build {_path(precompiled.target_of(one))}: precompile",
        f"  compiler = $shared_{number}",
        f"  defines = {_words([f'-D{item}' for item in one['defines']])}",
        f"  language = {one['language']}",
        f"  header = {_words([one['header']])}",
    ]


def _unit(
    record: Mapping[str, Any],
    extension: Mapping[str, Any],
    unit: Mapping[str, Any],
    number: int,
    implicit: str,
) -> list[str]:
    source = unit["source"]
    lines = []
    include = ""
    if "generated" in unit:
        arguments = ["--module-name", unit["module"]]
        arguments += ["--cplus"] if unit["language"] == "c++" else []
        for key, value in sorted(extension["directives"].items()):
            arguments += ["-X", f"{key}={value}"]
        lines += [
            f"build {_path(unit['generated'])}: cython {_path(source)}{_after(implicit)}",
            f"  arguments = {_words(arguments)}",
            f"  version = {record['cython']}",
        ]
        # `cdef extern from "x.h"` means the header beside the .pyx file, and the C file lies elsewhere.
        include = " " + _words([f"-I{source.rpartition('/')[0] or '.'}"])
        source = unit["generated"]
    seed = " " + _words([f"-frandom-seed={unit['source']}"]) if record["seeded"] else ""
    compiler = f"{_variable(unit['language'])}_{number}"
    if "precompiled" in unit:
        shared = unit["precompiled"]
        compiler = f"shared_{shared} -fpch-deps"
        implicit += f" {_path(precompiled.target_of(record['precompiled'][shared]))}"
    return [
        *lines,
        f"build {_path(unit['object'])}: compile {_path(source)}{_after(implicit)}",
        f"  compiler = ${compiler}{include}{seed}",
    ]


def _after(implicit: str) -> str:
    return f" |{implicit}" if implicit else ""


def _variable(language: str) -> str:
    return "cc" if language == "c" else "cxx"


def _path(text: str) -> str:
    return text.replace("$", "$$").replace(" ", "$ ").replace(":", "$:")


def _words(words: list[str]) -> str:
    return " ".join(shlex.quote(word).replace("$", "$$") for word in words)
