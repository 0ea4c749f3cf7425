"""What a client of an index is looked at for: what it asked the suite's server, what it said, what it then had in the environment.

Witnesses for every role that is fed from ``{index}``; knows the server's log and no tool.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterable, Mapping
from email.parser import HeaderParser
from pathlib import Path

from accord_conformance.judging import Finding, Witness
from accord_conformance.names import normal
from accord_conformance.protocol import Answer
from accord_conformance.scene import Scene, purelib
from accord_conformance.site import Request

__all__ = ["CLIENT_WITNESSES"]


def _installed(scene: Scene, answer: Answer, expected: Mapping[str, str | bool]) -> Iterable[Finding]:
    """The version of each named project that is installed; ``false`` for one that may not be, ``true`` for any version."""
    found = _projects(purelib(Path(scene.values["env"])))
    for name, wanted in expected.items():
        version = found.get(normal(name), "")
        ok = bool(version) == wanted if isinstance(wanted, bool) else version == wanted
        words = {True: "any version", False: "not installed"}
        said = words[wanted] if isinstance(wanted, bool) else wanted
        yield Finding(f"installed {name}", said, version or "not installed", ok)


def _projects(folder: Path) -> dict[str, str]:
    found = {}
    for path in folder.glob("*.dist-info/METADATA"):
        metadata = HeaderParser().parsestr(path.read_text(encoding="utf-8", errors="replace"))
        found[normal(metadata.get("Name", ""))] = metadata.get("Version", "")
    return found


def _requests(scene: Scene) -> list[Request]:
    return list(scene.site.requests) if scene.site is not None else []


def _asked(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Paths that must have been asked for; * stands for anything."""
    paths = [request.path for request in _requests(scene)]
    for pattern in expected:
        there = bool(fnmatch.filter(paths, pattern))
        yield Finding("asked", pattern, ", ".join(dict.fromkeys(paths)) or "nothing", there)


def _not_asked(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Paths, query and all, that may not have been asked for."""
    paths = [request.path for request in _requests(scene)]
    for pattern in expected:
        wrong = fnmatch.filter(paths, pattern)
        yield Finding(
            "not_asked", f"nothing like {pattern}", ", ".join(wrong) or "nothing like it", not wrong
        )


def _asked_only(scene: Scene, answer: Answer, expected: Mapping[str, Iterable[str]]) -> Iterable[Finding]:
    """Of the paths like a pattern that were asked for, only these; nobody need ask for any."""
    paths = [request.path for request in _requests(scene)]
    for pattern, allowed in expected.items():
        wrong = set(fnmatch.filter(paths, pattern)).difference(allowed)
        found = ", ".join(sorted(wrong)) or "nothing else"
        yield Finding(f"asked_only {pattern}", ", ".join(allowed), found, not wrong)


def _accepts(scene: Scene, answer: Answer, expected: Mapping[str, Iterable[str]]) -> Iterable[Finding]:
    """Patterns found in the Accept header of every request for a path."""
    for path, patterns in expected.items():
        headers = _accept_headers(scene, path)
        for pattern in patterns:
            ok = bool(headers) and all(re.search(pattern, header) for header in headers)
            yield Finding(f"accepts {path}", pattern, " | ".join(headers) or "it was not asked for", ok)


def _accepts_no(scene: Scene, answer: Answer, expected: Mapping[str, Iterable[str]]) -> Iterable[Finding]:
    """Patterns found in no Accept header of a request for a path."""
    for path, patterns in expected.items():
        headers = _accept_headers(scene, path)
        for pattern in patterns:
            ok = bool(headers) and not any(re.search(pattern, header) for header in headers)
            yield Finding(f"accepts_no {path}", pattern, " | ".join(headers) or "it was not asked for", ok)


def _accept_headers(scene: Scene, path: str) -> list[str]:
    asked = [each for each in _requests(scene) if fnmatch.fnmatchcase(each.path.partition("?")[0], path)]
    return list(dict.fromkeys(each.headers.get("accept", "(none)") for each in asked))


CLIENT_WITNESSES: dict[str, Witness] = {
    "installed": _installed,
    "asked": _asked,
    "not_asked": _not_asked,
    "asked_only": _asked_only,
    "accepts": _accepts,
    "accepts_no": _accepts_no,
}
