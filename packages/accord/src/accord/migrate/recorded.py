"""What an old lock recorded of its files, and whether what an index offers now is still that.

Locks of Poetry, PDM, Pipenv and pip-tools hold digests without URLs: too little for a standard lock, enough to tell that
somebody replaced a file.  Poetry, PDM and uv name each file; Pipenv and requirements files give digests alone, so that
a digest nobody offers any more beside a file nobody knew may be a replacement, and is taken for one.  Knows values only;
whoever asks an index is elsewhere.
"""

from __future__ import annotations

from dataclasses import dataclass

from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from typing import Any

__all__ = ["Held", "Recorded", "RecordedFile", "digest_of", "hold", "recorded_in_toml", "vouched_for"]

_GUARANTEED = ("sha256", "sha384", "sha512", "sha224", "sha1", "md5", "blake2b", "blake2s")


@dataclass(frozen=True, slots=True)
class RecordedFile:
    """A file of an old lock: its digest as ``algorithm:hex``, and its name where the lock says it."""

    digest: str
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Recorded:
    """A release as the lock ``where`` recorded it; ``name`` normalised."""

    where: str
    name: str
    version: str
    files: tuple[RecordedFile, ...]

    @property
    def named(self) -> bool:
        """Whether the lock says which digest is whose."""
        return any(each.name is not None for each in self.files)


@dataclass(frozen=True, slots=True)
class Held:
    """A release held against what an index offers.

    ``same`` are the names of files that are what they were, ``replaced`` those that are not, each with what tells it;
    ``gone`` names (or digests) nobody offers now, ``new`` files the lock did not know, ``unsure`` those whose digests are
    of another kind than the recorded ones.
    """

    same: tuple[str, ...] = ()
    replaced: tuple[tuple[str, str], ...] = ()
    gone: tuple[str, ...] = ()
    new: tuple[str, ...] = ()
    unsure: tuple[str, ...] = ()


def hold(recorded: Recorded, offered: Mapping[str, Mapping[str, str]]) -> Held:
    """Hold ``recorded`` against ``offered``: digests (algorithm to hex) of each file of that release by its name."""
    if not recorded.named:
        return _by_digest({each.digest for each in recorded.files}, offered)
    named: dict[str, set[str]] = {}
    for each in recorded.files:
        if each.name is not None:
            named.setdefault(each.name, set()).add(each.digest)
    return _by_name(named, offered)


def _by_name(named: dict[str, set[str]], offered: Mapping[str, Mapping[str, str]]) -> Held:
    same, replaced, unsure = [], [], []
    for name in sorted(named.keys() & offered.keys()):
        told = _compared(named[name], offered[name])
        if told is None:
            unsure.append(name)
        elif told:
            same.append(name)
        else:
            replaced.append((name, f"the lock has {_least(named[name])}, the index {_shown(offered[name])}"))
    return Held(
        tuple(same), tuple(replaced), tuple(sorted(named.keys() - offered.keys())),
        tuple(sorted(offered.keys() - named.keys())), tuple(unsure),
    )  # fmt: skip


def _by_digest(digests: set[str], offered: Mapping[str, Mapping[str, str]]) -> Held:
    same, new, unsure = list[str](), list[str](), list[str]()
    found, kinds = set[str](), set[str]()
    for name, hashes in sorted(offered.items()):
        kinds |= hashes.keys()
        found |= {digest for digest in map(_digest, hashes.items()) if digest in digests}
        told = _compared(digests, hashes)
        (unsure if told is None else same if told else new).append(name)
    gone = sorted(each for each in digests - found if not offered or each.partition(":")[0] in kinds)
    replaced: tuple[tuple[str, str], ...] = ()
    if gone and new:
        told_by = f"the index has {_shown(offered[new[0]])}, and nothing with {gone[0]}"
        replaced = ((", ".join(new), told_by),)
    return Held(tuple(same), replaced, tuple(gone), tuple(new), tuple(unsure))


def vouched_for(recorded: Recorded, name: str, hashes: Mapping[str, str]) -> bool:
    """Whether the old lock knew exactly this file."""
    digests = {each.digest for each in recorded.files if each.name in (None, name)}
    return _compared(digests, hashes) is True


def _compared(digests: set[str], hashes: Mapping[str, str]) -> bool | None:
    """Whether a file is one of ``digests``; None where the two have no algorithm in common."""
    kinds = {each.partition(":")[0] for each in digests}
    common = [pair for pair in hashes.items() if pair[0] in kinds]
    return all(_digest(pair) in digests for pair in common) if common else None


def _digest(pair: tuple[str, str]) -> str:
    return f"{pair[0]}:{pair[1].lower()}"


def _shown(hashes: Mapping[str, str]) -> str:
    return _least(set(map(_digest, hashes.items())))


def _least(digests: set[str]) -> str:
    return min(digests, default="no digest")


# ---------------------------------------------------------------- reading


def recorded_in_toml(lock: Mapping[str, Any], where: str) -> list[Recorded]:
    """The releases of ``poetry.lock`` (all its forms since 0.12), ``pdm.lock`` (since 2.0) or ``uv.lock``."""
    aside = lock.get("metadata", {})
    by_name, bare = _by_project(aside.get("files")), _by_project(aside.get("hashes"))
    found: dict[tuple[str, str], list[RecordedFile]] = {}
    for package in lock.get("package", ()):
        name, version = normalise(str(package.get("name", ""))), str(package.get("version", ""))
        files = [*_entries(package.get("files", ())), *_entries(package.get("wheels", ()))]
        files += _entries([package["sdist"]] if isinstance(package.get("sdist"), dict) else ())
        if not files:
            files = _entries(by_name.get((name, version), ()))
        if not files:
            files = _of_version(name, version, _entries(by_name.get((name, ""), ())))
        if not files:
            files = _entries([{"hash": each} for each in bare.get((name, ""), ())])
        if name and version and files:
            found.setdefault((name, version), []).extend(files)
    return [Recorded(where, *release, tuple(dict.fromkeys(files))) for release, files in found.items()]


def _by_project(table: Any) -> dict[tuple[str, str], Sequence[Any]]:
    """Lists beside the packages, by name (``spam``) or by name and version (``spam 1.0``)."""
    if not isinstance(table, dict):
        return {}
    pairs = ((str(key).partition(" "), value) for key, value in table.items() if isinstance(value, list))
    return {(normalise(name), version): value for (name, _, version), value in pairs}


def _of_version(name: str, version: str, files: Sequence[RecordedFile]) -> list[RecordedFile]:
    """Those of ``version``, where one list is for all versions of a project."""
    return [each for each in files if _version_of(each.name or "", name) in (None, version)]


def _version_of(filename: str, project: str) -> str | None:
    wheel = split_wheel(filename)
    if wheel is not None:
        return wheel.version
    sdist = split_sdist(filename, normalise(project))
    return None if sdist is None else sdist[1]


def _entries(entries: Iterable[Any]) -> list[RecordedFile]:
    """``{file, hash}`` and ``{url, hash}``; what is no table, or has no digest of a known kind, says nothing."""
    from urllib.parse import unquote

    found: list[RecordedFile] = []
    for entry in entries:
        if not isinstance(entry, dict):
            continue
        digest = digest_of(str(entry.get("hash", "")))
        name = entry.get("file") or unquote(
            str(entry.get("url", "")).partition("#")[0].partition("?")[0].rpartition("/")[2]
        )
        if digest is not None:
            found.append(RecordedFile(digest, str(name) or None))
    return found


def digest_of(text: str) -> str | None:
    """``algorithm:hex``, lower case; Poetry before 1.0 wrote the hex of sha256 alone."""
    kind, colon, digest = text.strip().lower().rpartition(":")
    kind = kind if colon else "sha256"
    if kind not in _GUARANTEED or not digest or digest.strip("0123456789abcdef"):
        return None
    return f"{kind}:{digest}"
