"""Run by a strange interpreter: what a ``setup.py`` passes to ``setup()``, written as JSON; no command of it runs.

Usage: ``python _record_setup.py setup.py OUTPUT``.  Works on CPython 3.8 and later with any setuptools; imports nothing
of Accord.
"""

from __future__ import annotations

import importlib
import json
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any


def plain(value: Any, depth: int = 0) -> Any:
    """JSON of a value; what is none is told by its kind."""
    if value is None or isinstance(value, (str, bool, int, float)):
        return value
    if depth > 20:
        return {"$unknown": "it is nested too deep"}
    if isinstance(value, os.PathLike):
        return os.fspath(value)
    if isinstance(value, dict):
        return {"$dict": [[plain(key, depth + 1), plain(each, depth + 1)] for key, each in value.items()]}
    if isinstance(value, (list, tuple, set, frozenset, map, filter)) or type(value).__name__ in (
        "generator",
        "dict_keys",
        "dict_values",
    ):
        return [plain(each, depth + 1) for each in value]
    if hasattr(value, "sources") and hasattr(value, "name"):
        options = {
            key: plain(each, depth + 1) for key, each in vars(value).items() if not key.startswith("_")
        }
        return {"$extension": options, "$class": type(value).__name__}
    if isinstance(value, type):
        return {"$class": value.__name__}
    return {"$unknown": f"it is an object of {type(value).__name__}"}


class Called(BaseException):
    """``setup()`` was called: the run has told what it was for."""


def main() -> None:
    script, output = sys.argv[1:3]
    sys.argv = [script, "--version"]
    sys.path[0] = os.path.dirname(os.path.abspath(script))

    def setup(*arguments: Any, **words: Any) -> None:
        with open(output, "w") as file:
            json.dump(plain(words), file)
        raise Called

    # First setuptools: it brings distutils where Python has it no more.  Both are the strange interpreter's own.
    for name in ("setuptools", "distutils.core"):
        try:
            vars(importlib.import_module(name))["setup"] = setup
        except ImportError:
            if name == "setuptools":
                raise
    names = {"__file__": script, "__name__": "__main__", "__builtins__": __builtins__}
    with open(script, "rb") as file:
        code = compile(file.read(), script, "exec")
    try:
        exec(code, names)  # noqa: S102 - it is what this program is for; the caller asked first
    except Called:
        pass


main()
