"""What an upstream index takes of its upstream: rules as values, and their verdict on a file.

May know names, versions and instants; must not know the database or the network.  Rules stand in the settings of the
index under ``filter``::

    {"names": ["numpy", "zope-*"], "versions": {"numpy": ">=2"}, "platforms": ["any", "manylinux*_x86_64"],
     "newest": 3, "cooldown_days": 7, "files": {"numpy": {"numpy-2.0.tar.gz": "<sha256>"}},
     "requirements": ["flask>=3"], "closure": {"flask": [">=3"], "werkzeug": [">=3.1"]},
     "blocked": [{"name": "evil", "version": "==1.0", "filename": "evil-1.0*", "reason": "malware"}], "sdists": false}

What is not there does not restrict.  ``closure`` is what ``requirements`` were found to need: a version is taken if any of
its specifiers has it.  A verdict is a reason, in words an operator reads.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import Version

from accord.server.errors import Refused
from accord_core.index.filenames import split_wheel
from accord_core.names import normalise

__all__ = ["Block", "Candidate", "Rules", "read_rules"]

_LEFT_OUT = "the rules leave the project out"
_DAY = 86_400_000_000
_KEYS = frozenset(
    [
        "names",
        "versions",
        "platforms",
        "newest",
        "cooldown_days",
        "files",
        "blocked",
        "sdists",
        "requirements",
        "closure",
    ]
)


@dataclass(frozen=True, slots=True)
class Block:
    """One line of a block list: everything it names is not served.  An empty part names everything."""

    name: str
    version: SpecifierSet | None
    filename: str
    reason: str

    def hits(self, project: str, file: Candidate) -> bool:
        if not fnmatchcase(project, self.name):
            return False
        if self.filename and not fnmatchcase(file.filename, self.filename):
            return False
        return self.version is None or self.version.contains(file.version, prereleases=True)


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file upstream has; ``uploaded`` in microseconds, or when it was first seen here."""

    filename: str
    version: Version
    sha256: str
    uploaded: int


@dataclass(frozen=True, slots=True)
class Rules:
    """See the module.  ``files`` gives the hash of each file of a project, by name."""

    names: tuple[str, ...] | None = None
    versions: Mapping[str, SpecifierSet] | None = None
    platforms: tuple[str, ...] | None = None
    newest: int | None = None
    cooldown: int = 0
    files: Mapping[str, Mapping[str, str]] | None = None
    blocked: tuple[Block, ...] = ()
    sdists: bool = True
    closure: Mapping[str, tuple[SpecifierSet, ...]] | None = None

    @property
    def empty(self) -> bool:
        return self == Rules()

    def takes_name(self, project: str) -> bool:
        """Whether upstream is asked for a project at all."""
        if any(
            not block.filename and block.version is None and fnmatchcase(project, block.name)
            for block in self.blocked
        ):
            return False
        lists = [each for each in (self.files, self.closure) if each is not None]
        if self.names is None and not lists:
            return True
        named = self.names is not None and any(fnmatchcase(project, pattern) for pattern in self.names)
        return named or any(project in each for each in lists)

    def verdicts(
        self, project: str, files: Iterable[Candidate], now: int
    ) -> tuple[dict[str, str], int | None]:
        """``(reason by the name of each file that is not served, the instant something of it becomes old enough)``."""
        every = tuple(files)
        reasons = {file.filename: reason for file in every if (reason := self._fixed(project, file))}
        if not self.takes_name(project):
            return {file.filename: reasons.get(file.filename, _LEFT_OUT) for file in every}, None
        ripe: int | None = None
        for file in every:
            if self.cooldown and file.filename not in reasons and file.uploaded + self.cooldown > now:
                at = file.uploaded + self.cooldown
                ripe = at if ripe is None else min(ripe, at)
                reasons[file.filename] = f"younger than {self.cooldown // _DAY} days"
        if self.newest is not None:
            # Of those that are left: what is blocked or too young takes nobody's place.
            left = {file.version for file in every if file.filename not in reasons}
            # A pre-release takes no final release's place: few would install it.
            finals = {version for version in left if not version.is_prerelease} or left
            kept = frozenset(sorted(finals, reverse=True)[: self.newest])
            for file in every:
                if file.version not in kept:
                    reasons.setdefault(file.filename, f"not among the {self.newest} newest versions")
        return reasons, ripe

    def block(self, project: str, file: Candidate) -> str | None:
        """The reason for which a file is on the block list."""
        return next((block.reason for block in self.blocked if block.hits(project, file)), None)

    def _fixed(self, project: str, file: Candidate) -> str | None:
        """Why a file is never taken, however old."""
        blocked = self.block(project, file)
        if blocked is not None:
            return blocked
        pinned = (self.files or {}).get(project)
        if pinned is not None:
            wanted = pinned.get(file.filename)
            if wanted is None:
                return "no lock file names it"
            return None if wanted in ("", file.sha256) else "the lock file has another hash for it"
        needed = (self.closure or {}).get(project)
        if needed is not None and not any(each.contains(file.version, prereleases=True) for each in needed):
            return "nothing that is mirrored needs this version"
        allowed = (self.versions or {}).get(project)
        if allowed is not None and not allowed.contains(file.version, prereleases=True):
            return f"not among the versions {allowed}"
        wheel = split_wheel(file.filename)
        if wheel is None:
            return None if self.sdists else "an sdist"
        if self.platforms is not None and not any(
            fnmatchcase(tag, pattern) for tag in wheel.platform.split(".") for pattern in self.platforms
        ):
            return "for another platform"
        return None


def read_rules(document: Mapping[str, Any]) -> Rules:
    """Rules from the settings of an index.  Raises ``Refused("mirror-rules")`` (400)."""
    for key in document:
        if key not in _KEYS:
            raise _wrong(f"there is no rule {key!r}", hint=f"there are {', '.join(sorted(_KEYS))}")
    newest, days = document.get("newest"), document.get("cooldown_days", 0)
    if newest is not None and (type(newest) is not int or newest < 1):
        raise _wrong(f"newest is a number of versions, not {newest!r}")
    if type(days) not in (int, float) or not 0 <= days <= 3650:
        raise _wrong(f"cooldown_days is a number of days, not {days!r}")
    names, platforms = _words(document, "names"), _words(document, "platforms")
    versions = document.get("versions")
    return Rules(
        names=None if names is None else tuple(map(_pattern, names)),
        versions=None
        if versions is None
        else {normalise(name): _specifiers(text) for name, text in versions.items()},
        platforms=platforms,
        newest=newest,
        cooldown=int(days * _DAY),
        files=document.get("files"),
        blocked=tuple(map(_block, document.get("blocked", ()))),
        sdists=bool(document.get("sdists", True)),
        closure=None
        if document.get("closure") is None
        else {name: tuple(map(_specifiers, texts)) for name, texts in document["closure"].items()},
    )


def _words(document: Mapping[str, Any], key: str) -> tuple[str, ...] | None:
    found = document.get(key)
    if found is None:
        return None
    if not isinstance(found, list) or not all(isinstance(word, str) for word in found):
        raise _wrong(f"{key} is a list of words")
    return tuple(found)


def _block(entry: Mapping[str, str]) -> Block:
    if not isinstance(entry, dict) or not entry.get("name"):
        raise _wrong("an entry of the block list names a project: {'name': ..., 'reason': ...}")
    version = entry.get("version")
    return Block(
        _pattern(entry["name"]),
        None if not version else _specifiers(version),
        entry.get("filename", ""),
        f"blocked: {entry.get('reason') or 'by the operator'}",
    )


def _pattern(text: str) -> str:
    """A name, or the beginning of names and ``*``."""
    stem, star, _ = text.partition("*")
    if not star:
        return normalise(text)
    return normalise(stem).rstrip("-") + ("-*" if stem.endswith(("-", "_", ".")) else "*")


def _specifiers(text: str) -> SpecifierSet:
    try:
        return SpecifierSet(text)
    except InvalidSpecifier as fault:
        raise _wrong(f"{text!r} is no version specifier", hint="as in '>=2,<3'") from fault


def _wrong(message: str, *, hint: str | None = None) -> Refused:
    return Refused(400, "mirror-rules", message, hint=hint)
