"""Versions out of tags: what a tag names, and what the commits after it are called.

The version between two tags: after ``1.2`` come ``1.3.dev1+g0123abc``, ``1.3.dev2+g…``: the number of commits since
the tag, as a development release of what comes next, so that it sorts between the two.  A tree with changes that are
not committed says so: ``1.3.dev2+g0123abc.dirty``, and ``1.3.dev0+g….dirty`` on the tagged commit itself.

Text in, text out; nothing here asks git.
"""

from __future__ import annotations

import re

from . import rules

__all__ = ["DESCRIBED", "after_tag", "tag_version"]

# What "git describe --long" says.
DESCRIBED = re.compile(r"(?P<tag>.+)-(?P<distance>[0-9]{1,9})-g(?P<commit>[0-9a-f]{4,64})")
_PARTS = re.compile(
    r"(?P<release>(?:[0-9]+!)?[0-9.]+)(?P<pre>(?:a|b|rc)[0-9]+)?(?P<post>\.post[0-9]+)?(?P<dev>\.dev[0-9]+)?"
)


def tag_version(tag: str, prefix: str | None) -> str | None:
    """The version a tag names: after ``prefix``, or after an optional ``v``; ``None`` for another kind of tag."""
    if prefix:
        return rules.normal_version(tag[len(prefix) :]) if tag.startswith(prefix) else None
    return rules.normal_version(tag) if tag[:1] in "v0123456789" else None


def after_tag(version: str, distance: int, commit: str, *, dirty: bool) -> str:
    """The version ``distance`` commits after the tag of ``version`` (a normal form, its local part dropped)."""
    if not distance and not dirty:
        return version
    match = _PARTS.fullmatch(version.partition("+")[0])
    assert match is not None
    local = f"+g{commit[:7]}{'.dirty' if dirty else ''}"
    if match["dev"]:
        return f"{version.partition('.dev')[0]}.dev{int(match['dev'][4:]) + distance}{local}"
    if match["post"]:
        base = f"{match['release']}{match['pre'] or ''}.post{int(match['post'][5:]) + 1}"
    elif match["pre"]:
        letters = match["pre"].rstrip("0123456789")
        base = f"{match['release']}{letters}{int(match['pre'][len(letters) :]) + 1}"
    else:
        first, dot, last = match["release"].rpartition(".")
        epoch, mark, number = last.rpartition("!")
        base = f"{first}{dot}{epoch}{mark}{int(number) + 1}"
    return f"{base}.dev{distance}{local}"
