"""The functions and methods a ``setup.py`` may call while it is read: those that make text, lists and paths.

Each works on values inside the project's folder; what is not here is not called.
"""

from __future__ import annotations

import ast
import posixpath
import re

from accord.migrate.constants import constants, constants_of
from accord.migrate.methods import lines, opened, relative
from accord.migrate.packages import find_packages
from accord.migrate.patterns import expression
from accord.migrate.values import (
    Bound,
    Condition,
    ExtensionCall,
    FoundPackages,
    Module,
    OpenFile,
    PathText,
    Platform,
    Text,
    Unknown,
    VersionInfo,
    origins,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.expressions import Expressions
    from accord.migrate.tree import Tree

__all__ = ["call", "variable"]

_VARIABLES: dict[str, Any] = {
    "sys.version_info": VersionInfo(),
    "sys.platform": Platform("sys_platform"),
    "os.name": Platform("os_name"),
    "sys.argv": ("setup.py",),
    "os.sep": "/",
    "os.path.sep": "/",
    "os.linesep": "\n",
    "os.environ": {},
    "os.curdir": ".",
    "builtins.True": True,
    "builtins.False": False,
    "builtins.None": None,
    "re.M": re.M, "re.MULTILINE": re.M, "re.S": re.S, "re.DOTALL": re.S, "re.I": re.I, "re.IGNORECASE": re.I,
    "re.X": re.X, "re.VERBOSE": re.X, "re.U": 0, "re.UNICODE": 0,
    "sys.version": Unknown("it depends on the Python"),
    "builtins.Exception": Unknown("an exception"), "setuptools.__version__": "80.0",
}  # fmt: skip
_EXTENSION = (
    "name", "sources", "include_dirs", "define_macros", "undef_macros", "library_dirs", "libraries",
    "runtime_library_dirs", "extra_objects", "extra_compile_args", "extra_link_args", "export_symbols",
)  # fmt: skip


def variable(name: str) -> Any:
    """The value of a dotted name of a module: known, or the name itself to be called."""
    return _VARIABLES.get(name, Module(name))


def call(run: Expressions, name: str, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    """The result of a function by its dotted name; ``Unknown`` for one that is not known."""
    last = name.rpartition(".")[2]
    if last in ("find_packages", "find_namespace_packages", "find"):
        return _find(run.tree, last, name, arguments, keywords, line)
    if last == "Extension" or name.endswith(".Pybind11Extension"):
        made = ExtensionCall(None, None, line=line, plain=last == "Extension")
        for key, value in [*zip(_EXTENSION, arguments, strict=False), *keywords.items()]:
            made.put(key, value)
        return made
    if name in ("builtins.exec", "builtins.eval"):
        return _execute(arguments, line)
    if any(isinstance(each, Unknown) for each in arguments):
        return next(each for each in arguments if isinstance(each, Unknown))
    if name in ("builtins.open", "io.open", "codecs.open"):
        return opened(run.tree, arguments, keywords, line)
    if name in ("pathlib.Path", "pathlib.PurePath"):
        return PathText(posixpath.normpath("/".join(str(each) for each in arguments) or "."))
    if name == "platform.python_version_tuple":
        return ("3", Unknown("it depends on the Python", line), Unknown("it depends on the Python", line))
    if name == "runpy.run_path":
        return constants_of(run.tree, relative(arguments[0]))
    if name.startswith("os.path.") or name in (
        "os.listdir",
        "os.walk",
        "os.getcwd",
        "glob.glob",
        "os.getenv",
        "os.fspath",
    ):
        return _paths(run.tree, name, arguments, keywords, line)
    if name.startswith("re."):
        return expression(run.tree, last, arguments, keywords, line)
    if name == "platform.python_implementation":
        return Platform("platform_python_implementation")
    if name in ("platform.system", "os.uname"):
        return Platform("platform_system")
    if name == "platform.machine":
        return Platform("platform_machine")
    if name == "ast.literal_eval":
        return _traced_all(ast.literal_eval(arguments[0]), origins(arguments[0]))
    if name == "textwrap.dedent":
        import textwrap

        return Text(textwrap.dedent(arguments[0]), origins(arguments[0]))
    if name.startswith("builtins."):
        return _builtin(run, last, arguments, keywords, line)
    if name.startswith(
        ("warnings.", "sys.path.", "os.chdir", "sys.stderr.", "sys.stdout.", "os.environ.", "logging.")
    ):
        return None
    return Unknown(f"only a run can tell what {name}() returns", line)


def _traced_all(value: Any, files: tuple[str, ...]) -> Any:
    return Text(value, files) if isinstance(value, str) else value


def _execute(arguments: list[Any], line: int) -> Any:
    """``exec(text, names)``: the literals of the text."""
    if arguments and isinstance(arguments[0], Bound) and arguments[0].name == "compiled":
        arguments = [arguments[0].holder, *arguments[1:]]
    if len(arguments) >= 2 and isinstance(arguments[0], str) and isinstance(arguments[-1], dict):
        files = origins(arguments[0])
        arguments[-1].update(constants(arguments[0], files[0] if files else ""))
        return None
    return Unknown("only a run can tell what it executes", line)


def _find(tree: Tree, last: str, name: str, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    if last == "find" and "find_packages" not in name and "PackageFinder" not in name:
        return Unknown(f"only a run can tell what {name}() returns", line)
    asked = dict(zip(("where", "exclude", "include"), arguments, strict=False)) | keywords
    if any(isinstance(value, Unknown) for value in asked.values()):
        return next(value for value in asked.values() if isinstance(value, Unknown))
    plain = {
        key: [str(each) for each in value] if isinstance(value, (list, tuple)) else str(value)
        for key, value in asked.items()
    }
    where = relative(plain.pop("where", "."))
    namespaces = last == "find_namespace_packages" or "PEP420" in name
    for key in ("include", "exclude"):
        if isinstance(plain.get(key), str):
            plain[key] = [str(plain[key])]
    found = find_packages(
        tree,
        where,
        include=list(plain.get("include", ["*"])),
        exclude=list(plain.get("exclude", [])),
        namespaces=namespaces,
    )
    return FoundPackages(found, {"where": where, "namespaces": namespaces, **plain})


def _paths(tree: Tree, name: str, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    if name == "os.getcwd":
        return Text(".")
    if name == "os.getenv":
        return arguments[1] if len(arguments) > 1 else keywords.get("default")
    first = arguments[0] if arguments else "."
    last = name.rpartition(".")[2]
    if name == "os.walk":
        return _walk(tree, relative(first))
    if name == "os.listdir":
        return [Text(each) for each in tree.listing(relative(first))]
    if name == "glob.glob":
        from accord.migrate.globs import matching

        return [Text(each) for each in matching(tree.files(), relative(first))]
    if last in ("exists", "isfile", "isdir", "lexists"):
        path = relative(first)
        return (last != "isdir" and tree.is_file(path)) or (last != "isfile" and tree.is_folder(path))
    if last in ("abspath", "realpath", "normpath", "fspath", "normcase", "expanduser"):
        return Text(relative(first), origins(first))
    if last in ("join", "dirname", "basename", "split", "splitext", "relpath"):
        plain = getattr(posixpath, last)(*[str(each) for each in arguments])
        if last == "dirname" and plain == "":
            plain = "."
        return tuple(map(Text, plain)) if isinstance(plain, tuple) else Text(plain)
    return Unknown(f"only a run can tell what {name}() returns", line)


def _walk(tree: Tree, folder: str) -> list[Any]:
    below: dict[str, list[str]] = {}
    for path in tree.below(folder):
        below.setdefault(posixpath.dirname(path) or ".", []).append(posixpath.basename(path))
    return [(Text(place), [], [Text(each) for each in names]) for place, names in sorted(below.items())]


def _builtin(run: Expressions, last: str, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    first = arguments[0] if arguments else None
    if last == "dict":
        return {**(first if isinstance(first, dict) else dict(first or ())), **keywords}
    if last in ("list", "set", "tuple", "sorted", "reversed", "frozenset"):
        if isinstance(first, (Module, Platform, VersionInfo, Condition)):
            return Unknown("its parts are not known", line)
        run.room(len(first) if isinstance(first, (str, list, tuple, dict)) else 0, "list")
        values = [] if first is None else lines(first) if isinstance(first, OpenFile) else list(first)
        if last in ("set", "frozenset"):
            values = list(dict.fromkeys(values))
        values = sorted(values) if last == "sorted" else values[::-1] if last == "reversed" else values
        return tuple(values) if last == "tuple" else values
    if last == "str" and isinstance(first, Platform):
        return first
    if last == "str" and isinstance(first, (str, int)):
        return Text(str(first), origins(first))
    if last == "repr" and isinstance(first, str):
        return Text(repr(str(first)))
    if last == "len":
        return len(first) if first is not None else Unknown("it has no length", line)
    if last in ("int", "bool", "any", "all", "min", "max", "sum") and isinstance(
        first, (str, int, list, tuple)
    ):
        return {"int": int, "bool": bool, "any": any, "all": all, "min": min, "max": max, "sum": sum}[last](
            first
        )  # type: ignore[operator]
    if last == "map" and isinstance(arguments[1], (list, tuple)):
        return [run.call(first, [each], {}, line) for each in arguments[1]]
    if last == "filter" and isinstance(arguments[1], (list, tuple)):
        return [
            each for each in arguments[1] if (each if first is None else run.call(first, [each], {}, line))
        ]
    if last == "zip" and all(isinstance(each, (list, tuple)) for each in arguments):
        return list(zip(*arguments, strict=False))
    if last == "enumerate" and isinstance(first, (list, tuple)):
        return list(enumerate(first))
    if last == "compile":
        return Bound(first, "compiled")
    if last == "hasattr":
        return (
            False
            if str(arguments[1]).startswith(("pypy_", "JYTHON", "real_prefix"))
            else Unknown("it depends on the environment", line)
        )
    if last in ("globals", "locals", "vars") and not arguments:
        return run.names
    if last in ("print",):
        return None
    return Unknown(f"only a run can tell what {last}() returns", line)
