"""When two dependency specifiers say the same, however they are written: white space, quotes, the order of extras, specifiers and terms.

Enough of the grammar to compare what a project states with what a tool writes; no judge of what is valid.
"""

from __future__ import annotations

import re

from accord_conformance.names import normal

__all__ = ["alike"]

_REQUIREMENT = re.compile(
    r"\s*(?P<name>[A-Za-z0-9._-]+)\s*(?:\[(?P<extras>[^\]]*)\])?\s*(?P<rest>(?:[(<>=!~][^;]*?)?)\s*(?:;(?P<marker>.*))?",
    re.DOTALL,
)
_TOKEN = re.compile(
    r"""\s*(?P<token>\(|\)|"[^"]*"|'[^']*'|===|==|~=|!=|<=|>=|<|>|not\s+in\b|in\b|and\b|or\b|[A-Za-z_.]+)"""
)


def alike(text: str) -> str:
    """One spelling for all dependency specifiers that say the same; the text itself where it cannot be read."""
    rest = text
    # What ends a URL is white space (url_req): a semicolon that follows at once is its own.
    url = re.fullmatch(r"\s*([A-Za-z0-9._-]+)\s*(\[[^\]]*\])?\s*@\s*(\S+)(?:\s+;(.*))?\s*", text, re.DOTALL)
    if url:
        rest = f"{url[1]}{url[2] or ''}" + (f"; {url[4]}" if url[4] else "")
    found = _REQUIREMENT.fullmatch(rest)
    if found is None:
        return text
    name = normal(found["name"])
    extras = sorted(normal(each.strip()) for each in (found["extras"] or "").split(",") if each.strip())
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
        ways = _Terms(tokens).either()
    except (IndexError, ValueError):
        return text
    return " or ".join(sorted(" and ".join(sorted(map(" ".join, way))) for way in _fullest(ways)))


_Comparison = tuple[str, str, str]  # left, operator, right
_Ways = frozenset[frozenset[_Comparison]]  # any of these sets of comparisons, all of one set
# Not < and >=: of a version, a pre-release may be neither.
_OPPOSITES = {"==": "!=", "in": "not in"}
_OPPOSITES |= {against: operator for operator, against in _OPPOSITES.items()}


def _against(comparison: _Comparison) -> _Comparison:
    left, operator, right = comparison
    return left, _OPPOSITES.get(operator, f"no {operator}"), right


def _fullest(ways: _Ways) -> _Ways:
    """Every set of comparisons that is enough and has none too many (Blake's canonical form): one for all markers that say the same."""
    found = frozenset(way for way in ways if not any(_against(each) in way for each in way))
    while True:
        more = set(found)
        for one in found:
            for other in found:
                opposed = [each for each in one if _against(each) in other]
                if len(opposed) == 1:
                    more.add((one - {opposed[0]}) | (other - {_against(opposed[0])}))
        least = frozenset(way for way in more if not any(other < way for other in more))
        if least == found:
            return found
        found = least


class _Terms:
    """Reads a marker's tokens: ``or`` of ``and`` of comparisons, multiplied out."""

    def __init__(self, tokens: list[str]) -> None:
        self._tokens = [*tokens, ""]

    def either(self) -> _Ways:
        ways = self._both()
        while self._tokens[0] == "or":
            self._tokens.pop(0)
            ways |= self._both()
        return ways

    def _both(self) -> _Ways:
        ways = self._one()
        while self._tokens[0] == "and":
            self._tokens.pop(0)
            more = self._one()
            ways = frozenset(way | other for way in ways for other in more)
        return ways

    def _one(self) -> _Ways:
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
            right = normal(right)
        return frozenset({frozenset({(left, operator, right)})})
