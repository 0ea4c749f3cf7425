"""When two dependency specifiers say the same, however they are written: white space, quotes, the order of extras, specifiers and terms.

Enough of the grammar to compare what a project states with what a tool writes; no judge of what is valid.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["alike"]

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?P<rest>[^;]*?)\s*(?:;(?P<marker>.*))?",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"""\s*(?P<token>\(|\)|"[^"]*"|'[^']*'|===|==|~=|!=|<=|>=|<|>|not\s+in\b|in\b|and\b|or\b|[A-Za-z_.]+)"""
)


def alike(text: str) -> str:
    """One spelling for all dependency specifiers that say the same; the text itself where it cannot be read."""
    rest = text
    url = re.fullmatch(r"\s*([A-Za-z0-9._-]+)\s*(\[[^\]]*\])?\s*@\s*(\S+)\s*(?:;(.*))?", text, re.DOTALL)
    if url:
        rest = f"{url[1]}{url[2] or ''}" + (f"; {url[4]}" if url[4] else "")
    found = _REQUIREMENT.fullmatch(rest)
    if found is None:
        return text
    name = re.sub(r"[-_.]+", "-", found["name"]).lower()
    extras = sorted(
        re.sub(r"[-_.]+", "-", each.strip()).lower()
        for each in (found["extras"] or "").split(",")
        if each.strip()
    )
    inner = found["rest"].strip().removeprefix("(").removesuffix(")")
    specifier = ",".join(sorted(re.sub(r"\s", "", each) for each in inner.split(",") if each.strip()))
    marker = _marker(found["marker"] or "")
    whole = name + (f"[{','.join(extras)}]" if extras else "") + (f" @ {url[3]}" if url else specifier)
    return whole + (f"; {marker}" if marker else "")


def _marker(text: str) -> str:
    tokens = []
    position = 0
    text = text.strip()
    while position < len(text):
        found = _TOKEN.match(text, position)
        if found is None:
            return text
        tokens.append(re.sub(r"\s+", " ", found["token"]))
        position = found.end()
    if not tokens:
        return ""
    try:
        return _spelled(_Terms(tokens).either())
    except (IndexError, ValueError):
        return text


def _spelled(term: Any) -> str:
    if isinstance(term, str):
        return term
    word, parts = term
    return "(" + f" {word} ".join(sorted(set(map(_spelled, parts)))) + ")"


class _Terms:
    """Reads a marker's tokens: ``or`` of ``and`` of comparisons, joined flat."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]

    def either(self) -> Any:
        return self._joined("or", self._both)

    def _both(self) -> Any:
        return self._joined("and", self._one)

    def _joined(self, word: str, read: Any) -> Any:
        parts = [read()]
        while self._tokens[0] == word:
            self._tokens.pop(0)
            parts.append(read())
        flat: list[Any] = []
        for part in parts:
            flat += part[1] if isinstance(part, tuple) and part[0] == word else [part]
        return flat[0] if len(flat) == 1 else (word, flat)

    def _one(self) -> Any:
        first = self._tokens.pop(0)
        if first == "(":
            inner = self.either()
            if self._tokens.pop(0) != ")":
                raise ValueError(first)
            return inner
        operator, right = self._tokens.pop(0), self._tokens.pop(0)
        left, right = (f'"{each[1:-1]}"' if each[:1] in "\"'" else each for each in (first, right))
        if not operator or not right:
            raise ValueError(first)
        # The name of an extra is compared in its normal form.
        if left == "extra":
            right = re.sub(r"[-_.]+", "-", right).lower()
        return f"{left} {operator} {right}"
