"""The order of versions and what specifiers admit, enough to judge what tools chose (version specifiers specification).

For the suite's own oracles only: no tool is asked through here, and nothing here decides what a version library should say.
"""

from __future__ import annotations

import re
from typing import Any

__all__ = ["SPECIFIER", "admits", "is_version", "version_key"]

_VERSION = re.compile(
    r"""\s*v?(?:(?P<epoch>\d+)!)?(?P<release>\d+(?:\.\d+)*)
    (?:[-_.]?(?P<pre>alpha|beta|preview|pre|a|b|c|rc)[-_.]?(?P<pre_number>\d*))?
    (?:-(?P<post_bare>\d+)|[-_.]?(?P<post>post|rev|r)[-_.]?(?P<post_number>\d*))?
    (?:[-_.]?(?P<dev>dev)[-_.]?(?P<dev_number>\d*))?
    (?:\+(?P<local>[a-z0-9]+(?:[-_.][a-z0-9]+)*))?\s*""",
    re.VERBOSE | re.IGNORECASE,
)
SPECIFIER = re.compile(r"\s*(?P<operator>===|==|~=|!=|<=|>=|<|>)\s*(?P<version>[^\s,;)]+)\s*")
_PRE = {"alpha": "a", "beta": "b", "c": "rc", "preview": "rc", "pre": "rc"}
_FIRST: tuple[int, Any] = (-1, "")  # before every letter and number
_LAST: tuple[int, Any] = (1, "")


def is_version(text: str) -> bool:
    """Whether the text is a version."""
    return _VERSION.fullmatch(text) is not None


def version_key(text: str) -> tuple[Any, ...]:
    """What versions are sorted by; ValueError for what is no version."""
    found = _found(text)
    pre, post, dev = _pre(found), _post(found), _number(found, "dev", "dev_number")
    if pre is None and post is None and dev is not None:
        pre_key: tuple[int, Any] = _FIRST
    else:
        pre_key = (0, pre) if pre is not None else _LAST
    local = tuple(
        (1, int(part)) if part.isdigit() else (0, part.lower())
        for part in re.split(r"[-_.]", found["local"] or "")
        if part
    )
    return (
        int(found["epoch"] or 0),
        _release(found),
        pre_key,
        -1 if post is None else post,
        float("inf") if dev is None else dev,
        local,
    )


def admits(specifier: str, version: str) -> bool:
    """Whether every clause admits the version, pre-releases judged like others; ValueError for what cannot be read."""
    clauses = [each for each in specifier.split(",") if each.strip()]
    return all(_admits(*_clause(clause), version) for clause in clauses)


def _clause(text: str) -> tuple[str, str]:
    found = SPECIFIER.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return found["operator"], found["version"]


def _admits(operator: str, wanted: str, version: str) -> bool:
    if operator == "===":
        return wanted.lower() == version.lower()
    if operator in ("==", "!=") and wanted.endswith(".*"):
        return _begins(wanted[:-2], version) is (operator == "==")
    if operator == "~=":
        parts = ".".join(_found(wanted)["release"].split(".")[:-1])
        epoch = _found(wanted)["epoch"]
        return _begins(f"{epoch}!{parts}" if epoch else parts, version) and _admits(">=", wanted, version)
    mine = version_key(version)
    other = version_key(wanted)
    if operator in ("==", "!="):
        if not other[5]:
            mine = (*mine[:5], ())
        return (mine == other) is (operator == "==")
    # Ordered comparisons look at the public version alone.
    mine = (*mine[:5], ())
    if operator in ("<=", ">="):
        return mine <= other if operator == "<=" else mine >= other
    return _exclusive(operator, mine, other, _found(version), _found(wanted))


def _exclusive(
    operator: str,
    mine: tuple[Any, ...],
    other: tuple[Any, ...],
    found: re.Match[str],
    wanted: re.Match[str],
) -> bool:
    same_release = mine[:2] == other[:2]
    if operator == "<":
        before_wanted = found["pre"] or found["dev"]
        asked = wanted["pre"] or wanted["dev"]
        return mine < other and not (before_wanted and not asked and same_release)
    after = _post(found) is not None
    return mine > other and not (after and _post(wanted) is None and same_release)


def _begins(prefix: str, version: str) -> bool:
    wanted, found = _found(prefix), _found(version)
    if int(wanted["epoch"] or 0) != int(found["epoch"] or 0):
        return False
    if wanted["pre"] or wanted["post"] or wanted["post_bare"]:
        key, mine = version_key(prefix), version_key(version)
        return key[:3] == mine[:3] and (_post(wanted) is None or key[3] == mine[3])
    parts = [int(each) for each in wanted["release"].split(".")]
    release = [int(each) for each in found["release"].split(".")]
    release += [0] * (len(parts) - len(release))
    return release[: len(parts)] == parts


def _found(text: str) -> re.Match[str]:
    found = _VERSION.fullmatch(text)
    if found is None:
        raise ValueError(text)
    return found


def _release(found: re.Match[str]) -> tuple[int, ...]:
    parts = [int(each) for each in found["release"].split(".")]
    while len(parts) > 1 and parts[-1] == 0:
        parts.pop()
    return tuple(parts)


def _pre(found: re.Match[str]) -> tuple[str, int] | None:
    if found["pre"] is None:
        return None
    letters = found["pre"].lower()
    return _PRE.get(letters, letters), int(found["pre_number"] or 0)


def _post(found: re.Match[str]) -> int | None:
    if found["post_bare"] is not None:
        return int(found["post_bare"])
    return _number(found, "post", "post_number")


def _number(found: re.Match[str], word: str, number: str) -> int | None:
    return None if found[word] is None else int(found[number] or 0)
