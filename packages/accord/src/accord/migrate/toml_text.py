"""Writing TOML for people: the order, the line breaks and the comments that a hand would give them."""

from __future__ import annotations

import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

    from accord.migrate.model import Item

__all__ = ["array_lines", "block_text", "inline", "items_lines", "key", "pair", "quoted"]

_WIDTH = 100
_ESCAPES = {"\\": "\\\\", '"': '\\"', "\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r"}


def quoted(text: str) -> str:
    """A TOML string on one line; a literal one where that spares escapes."""
    if "'" not in text and ('"' in text or "\\" in text) and text.isprintable():
        return f"'{text}'"
    return (
        '"'
        + "".join(_ESCAPES.get(sign) or (sign if sign.isprintable() else _unicode(sign)) for sign in text)
        + '"'
    )


def _unicode(sign: str) -> str:
    number = ord(sign)
    return f"\\u{number:04x}" if number < 0x10000 else f"\\U{number:08x}"


def block_text(text: str) -> str:
    """A TOML string of several lines, with its exact letters."""
    inner = "".join(
        sign
        if sign == "\n" or (sign.isprintable() and sign != "\\")
        else _ESCAPES.get(sign) or _unicode(sign)
        for sign in text
    ).replace('"""', '""\\"')
    return '"""\n' + (inner[:-1] + '\\"' if inner.endswith('"') else inner) + '"""'


def key(name: str) -> str:
    return name if re.fullmatch(r"[A-Za-z0-9_-]+", name) else quoted(name)


def inline(value: Any) -> str:
    """Any value on one line."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (int, float)):
        return repr(value)
    if isinstance(value, str):
        return quoted(str(value))
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key(name)} = {inline(each)}" for name, each in value.items()) + "}"
    return "[" + ", ".join(inline(each) for each in value) + "]"


def pair(name: str, value: Any) -> list[str]:
    """``name = value``; arrays and tables that are too long for a line are broken."""
    line = f"{key(name)} = {inline(value)}"
    if isinstance(value, (list, tuple)) and (len(line) > _WIDTH or len(value) > 3):
        return array_lines(name, [inline(each) for each in value])
    return [line]


def array_lines(name: str, entries: Iterable[str]) -> list[str]:
    return [f"{key(name)} = [", *(f"    {entry}," for entry in entries), "]"]


def items_lines(name: str, items: Iterable[Item]) -> list[str]:
    """An array of requirements, each with the comments it had."""
    values = list(items)
    plain = [inline({"include-group": item.text}) if item.include else quoted(item.text) for item in values]
    line = f"{key(name)} = [{', '.join(plain)}]"
    if not any(item.comment or item.above for item in values) and len(values) < 2 and len(line) <= _WIDTH:
        return [line]
    lines = [f"{key(name)} = ["]
    for item, text in zip(values, plain, strict=True):
        lines += [f"    # {_comment(above)}" for above in item.above]
        lines.append(f"    {text}," + (f"  # {_comment(item.comment)}" if item.comment else ""))
    return [*lines, "]"]


def _comment(text: str) -> str:
    return "".join(sign if sign.isprintable() else " " for sign in text)
