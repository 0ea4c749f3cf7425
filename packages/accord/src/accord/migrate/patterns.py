"""Regular expressions of a stranger's ``setup.py``: searched here where they must end soon, else in a process with a clock.

A pattern with at most two unbounded repeats, none inside a group that repeats, takes at most the square of the text's
length; whatever may take more is searched by ``_search`` in a process that is ended when its time is over.
"""

from __future__ import annotations

import json
import os
import re
import sys

from accord.migrate._search import search
from accord.migrate.values import Bound, OpenFile, Text, Unknown, origins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["expression", "matched"]

_MATCHERS = frozenset(("search", "match", "fullmatch", "findall", "sub", "split"))
_SQUARE = 2000  # letters of a text of which the square is still soon


def expression(tree: Tree, last: str, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    """A function of ``re`` by its last name."""
    if last == "compile":
        return Bound(tuple(arguments), "pattern")
    if last == "escape":
        return Text(re.escape(str(arguments[0])))
    if last not in _MATCHERS:
        return Unknown(f"only a run can tell what re.{last}() returns", line)
    subject = 2 if last == "sub" else 1
    flags = arguments[subject + 1] if len(arguments) > subject + 1 else keywords.get("flags", 0)
    return matched(tree, last, arguments[0], arguments[1 : subject + 1], flags, line)


def matched(tree: Tree, last: str, pattern: Any, rest: list[Any], flags: Any, line: int) -> Any:
    """What a pattern finds; ``Unknown`` where it is too long or does not come to an end."""
    text = rest[-1] if rest else None
    if isinstance(text, OpenFile):
        text = Text(text.text, (text.path,))
    if not isinstance(pattern, str) or not isinstance(text, str) or not isinstance(flags, int):
        return Unknown("it is matched in a way only a run can follow", line)
    limits = tree.limits
    longest = max((len(str(each)) for each in rest[:-1]), default=0)
    if max(len(pattern), longest) > limits.pattern_length or len(text) > limits.searched_bytes:
        return Unknown("its regular expression or the text it searches is too long", line)
    arguments = [*(str(each) for each in rest[:-1]), str(text)]
    if _ends_soon(str(pattern), len(text)):
        found = search(last, str(pattern), flags, arguments)
    else:
        try:
            found = _aside(last, str(pattern), flags, arguments, limits.search_seconds)
        except TimeoutError:
            return Unknown("its regular expression does not come to an end", line)
    files = origins(text)
    if isinstance(found, dict):
        return Bound((found, files), "match")
    return _traced(found, files)


def _traced(found: Any, files: tuple[str, ...]) -> Any:
    if isinstance(found, str):
        return Text(found, files)
    return [_traced(each, files) for each in found] if isinstance(found, (list, tuple)) else found


def _ends_soon(pattern: str, length: int) -> bool:
    plain = re.sub(r"\[\^?\]?[^]]*\]", "x", re.sub(r"\\.", "x", pattern, flags=re.DOTALL))
    repeats = len(re.findall(r"[*+]|\{\d*,\}", plain))
    grouped = re.search(r"\)[*+{]", plain)
    return grouped is None and (repeats < 2 or (repeats == 2 and length <= _SQUARE))


def _aside(function: str, pattern: str, flags: int, arguments: list[str], seconds: float) -> Any:
    """The same in a process that has ``seconds``.  TimeoutError; ValueError where the pattern is none."""
    from accord.io import processes
    from accord.io.scratch import scratch_folder

    program = os.path.join(os.path.dirname(__file__), "_search.py")
    with scratch_folder("search-") as folder:
        job, result = os.path.join(folder, "job.json"), os.path.join(folder, "result.json")
        with open(job, "w", encoding="utf-8") as file:
            json.dump([function, pattern, flags, arguments], file)
        command = [sys.executable, "-I", "-S", program, job, result]
        ended = processes.run(command, cwd=folder, env={}, log=os.path.join(folder, "log"), timeout=seconds)
        if ended.timed_out:
            raise TimeoutError
        if ended.status:
            raise ValueError("the pattern is no regular expression")
        with open(result, encoding="utf-8") as file:
            return json.load(file)
