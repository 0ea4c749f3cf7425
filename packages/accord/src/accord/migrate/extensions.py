"""``Extension(...)`` calls and custom commands: what ``[[tool.accord.extension]]`` can say of them, and what not."""

from __future__ import annotations

import ast

from accord.migrate.model import Extension
from accord.migrate.values import Class, ExtensionCall, Unknown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from typing import Any

    from accord.migrate.model import Described
    from accord.migrate.words import Source

__all__ = ["describe_extensions", "judge_commands"]

_OPTIONS = {
    "include_dirs": "include-dirs", "libraries": "libraries", "library_dirs": "library-dirs", "undef_macros": "undefines",
    "extra_compile_args": "compile-args", "extra_link_args": "link-args", "depends": "depends",
}  # fmt: skip


def describe_extensions(values: Any, source: Source, into: Described) -> None:
    """Each ``Extension`` as a described one; what has no place keeps setuptools."""
    if isinstance(values, ExtensionCall):
        values = [values]
    for call in values:
        where = f"{source.path}:{call.line}" if isinstance(call, ExtensionCall) and call.line else source.path
        if not isinstance(call, ExtensionCall) or not isinstance(call.name, str):
            into.leave(
                where,
                "ext_modules",
                "an extension in it is only known when it runs",
                "let accord run it (--run-setup)",
            )
            into.keep_old("an extension module is only known when setup.py runs")
            continue
        options: list[tuple[str, Any]] = []
        when: dict[str, dict[str, list[str]]] = {}
        for key, value in call.options.items():
            if value in (None, [], (), False, ""):
                continue
            if key in _OPTIONS and isinstance(value, (list, tuple)):
                everywhere = [str(each) for each in value if not _marker(each)]
                if everywhere:
                    options.append((_OPTIONS[key], everywhere))
                for each in filter(_marker, value):
                    when.setdefault(_marker(each), {}).setdefault(_OPTIONS[key], []).append(str(each))
            elif key == "define_macros":
                options.append(
                    ("defines", [str(name) if value is None else f"{name}={value}" for name, value in value])
                )
            elif key == "optional":
                options.append(("optional", True))
            elif key == "language" and value in ("c", "c++"):
                options.append(("language", str(value)))
            elif key == "py_limited_api":
                continue
            else:
                into.leave(
                    where,
                    f"{call.name}: {key}",
                    "[[tool.accord.extension]] has no such key",
                    "see whether it is still needed",
                )
                if key not in ("feature_name", "feature_description", "feature_check", "cython_directives"):
                    into.keep_old(f"the extension {call.name} uses {key}")
        if not call.plain:
            into.leave(
                where,
                f"{call.name}: its own class of extension",
                "what the class does is code",
                "look whether the description says all of it",
            )
            into.keep_old(f"the extension {call.name} is of a class of its own")
        if when:
            options.append(("when", [{"marker": marker, **more} for marker, more in when.items()]))
        into.extensions.append(
            Extension(str(call.name), tuple(str(each) for each in call.sources), tuple(options), where)
        )


def judge_commands(given: Any, build: Collection[str], source: Source, into: Described) -> None:
    """Custom commands: those of a build keep setuptools, except one that only lets extensions fail; others are reported."""
    if not isinstance(given, dict):
        into.leave(
            source.where("cmdclass"),
            "cmdclass",
            "only a run can tell which commands it has",
            "look whether they change what is built",
        )
        into.keep_old("its own build commands (cmdclass)")
        return
    for name, made in given.items():
        if name == "build_ext" and isinstance(made, Class) and _only_lets_fail(made.node):
            into.extensions = [
                Extension(each.name, each.sources, (*each.options, ("optional", True)), each.where)
                if ("optional", True) not in each.options else each
                for each in into.extensions
            ]  # fmt: skip
        elif name in build:
            into.leave(
                source.where("cmdclass"),
                f"cmdclass[{str(name)!r}]",
                "it is code that takes part in the build",
                "describe what it makes as a [[tool.accord.step]], or keep setup.py",
            )
            into.keep_old(f"its own {name} command")
        else:
            into.leave(
                source.where("cmdclass"),
                f"cmdclass[{str(name)!r}]",
                "a description has no commands",
                "move it to a script or to your task runner",
            )


def _only_lets_fail(node: ast.ClassDef) -> bool:
    """Whether a ``build_ext`` does nothing but turn a compiler's failure into "build without it"."""
    for each in node.body:
        if isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant):
            continue
        if not isinstance(each, ast.FunctionDef) or each.name not in ("run", "build_extension"):
            return False
        steps = [
            part
            for part in each.body
            if not (isinstance(part, ast.Expr) and isinstance(part.value, ast.Constant))
        ]
        if len(steps) != 1 or not isinstance(steps[0], ast.Try) or len(steps[0].body) != 1:
            return False
        call = steps[0].body[0]
        if not (
            isinstance(call, ast.Expr)
            and isinstance(call.value, ast.Call)
            and isinstance(call.value.func, ast.Attribute)
        ):
            return False
    return any(isinstance(each, ast.FunctionDef) for each in node.body)


def _marker(value: Any) -> str:
    """The condition a word of ``setup.py`` stands under; none: the empty word."""
    return getattr(value, "marker", None) or ""


def _is_known(value: Any) -> bool:
    return not isinstance(value, Unknown)
