"""What changed between two locks, as a record; words are made of it by whoever shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from accord_core.lock.model import Lock, Package

__all__ = ["Change", "compare"]


@dataclass(frozen=True, slots=True)
class Change:
    """One project whose entries differ.

    ``before`` and ``after`` are the versions in order (several where markers split a project; ``""`` for a source
    tree without version).  ``kind`` is ``files`` where the versions are the same and something else is not: files,
    hashes, sources, markers; ``tool`` tables and dependency lists do not count, for they change no installation.
    """

    name: str
    kind: Literal["added", "removed", "changed", "files"]
    before: tuple[str, ...]
    after: tuple[str, ...]


def compare(old: Lock | None, new: Lock) -> tuple[Change, ...]:
    """Every project added, removed or changed from ``old`` (None: there was no lock) to ``new``, by name."""
    before, after = _by_name(old), _by_name(new)
    changes = []
    for name in sorted(before.keys() | after.keys()):
        left, right = before.get(name, []), after.get(name, [])
        if sorted(map(_installs, left)) == sorted(map(_installs, right)):
            continue
        versions = _versions(left), _versions(right)
        if not left:
            kind: Literal["added", "removed", "changed", "files"] = "added"
        elif not right:
            kind = "removed"
        else:
            kind = "files" if versions[0] == versions[1] else "changed"
        changes.append(Change(name, kind, *versions))
    return tuple(changes)


def _by_name(lock: Lock | None) -> dict[str, list[Package]]:
    found: dict[str, list[Package]] = {}
    for package in () if lock is None else lock.packages:
        found.setdefault(package.name, []).append(package)
    return found


def _versions(packages: list[Package]) -> tuple[str, ...]:
    return tuple([package.version or "" for package in packages])


def _installs(package: Package) -> str:
    """What of a package decides what is installed, comparable whatever is absent."""
    wheels = tuple(sorted(package.wheels, key=repr))
    return repr(package.replace(wheels=wheels, dependencies=(), attestation_identities=(), tool=None))
