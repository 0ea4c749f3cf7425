"""Regular expressions of a stranger's ``setup.py``: their length, repeats and the text they search have limits."""

from __future__ import annotations

import re

from accord.migrate.values import Bound, OpenFile, Text, Unknown, origins

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from accord.migrate.tree import Tree

__all__ = ["expression", "matched"]

_MATCHERS = frozenset(("search", "match", "fullmatch", "findall", "sub", "split"))
# "(.*\\n){7}", a number of lines: what is repeated ends at a line's end, so there is one way to match it.
_LINE_TIMES = re.compile(r"\.[*+](?:x|\n)\)\{\d\}")


def expression(tree: Tree, last: str, arguments: list[Any], keywords: dict[str, Any], line: int) -> Any:
    if last in ("compile", "escape"):
        return Bound(tuple(arguments), "pattern") if last == "compile" else Text(re.escape(str(arguments[0])))
    if last not in _MATCHERS:
        return Unknown(f"only a run can tell what re.{last}() returns", line)
    subject = 2 if last == "sub" else 1
    flags = arguments[subject + 1] if len(arguments) > subject + 1 else keywords.get("flags", 0)
    return matched(tree, last, arguments[0], arguments[1 : subject + 1], flags, line)


def matched(tree: Tree, last: str, pattern: Any, rest: list[Any], flags: Any, line: int) -> Any:
    text = rest[-1]
    if isinstance(text, OpenFile):
        text = Text(text.text, (text.path,))
    if not isinstance(pattern, str) or not isinstance(text, str) or not isinstance(flags, int):
        return Unknown("it is matched in a way only a run can follow", line)
    if not _is_tame(pattern, tree) or len(text) > tree.limits.searched_bytes:
        return Unknown("its regular expression might not end", line)
    found = getattr(re.compile(pattern, flags), last)(*[str(each) for each in rest[:-1]], str(text))
    if last in ("findall", "split"):
        return [Text(each, origins(text)) if isinstance(each, str) else each for each in found]
    if last == "sub":
        return Text(found, origins(text))
    return None if found is None else Bound((found, origins(text)), "match")


def _is_tame(pattern: str, tree: Tree) -> bool:
    """Whether a pattern cannot take time without end: few repeats, and none inside another."""
    if len(pattern) > tree.limits.pattern_length:
        return False
    depth: list[bool] = [False]
    repeats = 0
    plain = re.sub(r"\\.", "x", pattern)
    plain = re.sub(r"\[\^?\]?[^]]*\]", "x", plain)
    for number, sign in enumerate(plain):
        if sign == "(":
            depth.append(False)
        elif sign == ")" and len(depth) > 1:
            inner = depth.pop()
            if (
                inner
                and plain[number + 1 : number + 2] in ("*", "+", "{")
                and not _LINE_TIMES.search(plain[number - 3 : number + 4])
            ):
                return False
            depth[-1] = depth[-1] or inner
        elif sign in "*+{":
            repeats += 1
            depth[-1] = True
    return repeats <= tree.limits.pattern_repeats
