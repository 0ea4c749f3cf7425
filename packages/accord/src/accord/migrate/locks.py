"""Other tools' locks as ``pylock.toml`` (PEP 751): the versions, files and hashes as they are, nothing resolved again.

A lock is translated where it says for each package when it is installed, or where that follows from its dependencies;
otherwise nothing is written, and the reason is given.  The index URLs are those the old lock names.
"""

from __future__ import annotations

import re
import tomllib

from accord.migrate.recorded import recorded_in_toml
from accord_core.errors import DocumentError, Where
from accord_core.lock.model import Directory, File, Lock, Package, Vcs
from accord_core.lock.write import dumps
from accord_core.names import normalise

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from accord.migrate.model import Described
    from accord.migrate.tree import Tree

__all__ = ["TooTangled", "joined", "lock_file", "pin_packages", "pins_of", "write_lock"]

_MOST_TERMS = 64  # alternatives in one marker; an honest project has a handful


class TooTangled(Exception):
    """The lock cannot be translated without resolving again; the text says why."""


def pins_of(tree: Tree, path: str, into: Described) -> bool:
    """The versions of ``poetry.lock`` or ``pdm.lock`` as pins for a new lock; whether there was such a file.

    Those locks have hashes of files without their URLs, which a standard lock needs, so nothing can be translated
    without asking an index.  A name with several versions is left to the resolver.
    """
    text = tree.read(path, tree.limits.lock_bytes)
    if text is None:
        return False
    into.read.append(path)
    try:
        lock = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise DocumentError(
            "migrate-lock-invalid", f"{path} is no TOML: {error}", where=Where(path), hint="run accord lock"
        ) from error
    packages = [
        each
        for each in lock.get("package", ())
        if isinstance(each, dict) and "name" in each and "version" in each
    ]
    into.recorded += recorded_in_toml({"package": packages, "metadata": lock.get("metadata", {})}, path)
    pin_packages(packages, path, into)
    return True


def pin_packages(packages: Sequence[dict[str, Any]], path: str, into: Described) -> None:
    """The versions of an index's packages as pins; what has several, or comes from elsewhere, is told."""
    versions: dict[str, set[str]] = {}
    for each in packages:
        name, source = normalise(str(each["name"])), each.get("source", {})
        commit = source.get("resolved_reference") or each.get("revision")
        if source.get("type") == "git" or commit:
            into.leave(
                path,
                f"{name} at commit {str(commit)[:12]}",
                "a new lock asks the repository again",
                "write the commit as rev in [tool.accord.sources] if it must be this one",
            )
        elif source.get("type") not in ("directory", "file", "url") and not each.get("path"):
            versions.setdefault(name, set()).add(str(each["version"]))
    into.pins += sorted(f"{name}=={next(iter(found))}" for name, found in versions.items() if len(found) == 1)
    for name, found in sorted(versions.items()):
        if len(found) > 1:
            into.leave(
                path,
                f"{name} {', '.join(sorted(found))}",
                "which of them is meant depends on the machine",
                "nothing: the resolver chooses",
            )


def lock_file(
    url: str | None,
    hashes: dict[str, str],
    *,
    name: str | None = None,
    size: int | None = None,
    upload_time: str | None = None,
) -> File:
    """A wheel or sdist; the name is the last part of its URL where it is not given."""
    return File(
        name=name if url is None else None, url=url, hashes=hashes, size=size, upload_time=upload_time
    )


def joined(*markers: str | None) -> str | None:
    """All of them: ``and``, with brackets around alternatives."""
    found = [marker for marker in dict.fromkeys(markers) if marker]
    if not found:
        return None
    if len(found) == 1:
        return found[0]
    return " and ".join(f"({marker})" if " or " in marker else marker for marker in found)


def either(terms: set[frozenset[str]]) -> str | None:
    """Alternatives of conditions that hold together; None where one of them always holds."""
    if frozenset() in terms or not terms:
        return None
    least = [term for term in terms if not any(other < term for other in terms)]
    if len(least) > _MOST_TERMS:
        raise TooTangled("a package is wanted under too many conditions")
    texts = sorted(
        " and ".join(sorted(f"({part})" if " or " in part else part for part in term)) for term in least
    )
    return (
        texts[0]
        if len(texts) == 1
        else " or ".join(f"({text})" if " and " in text else text for text in texts)
    )


def write_lock(
    packages: list[Package],
    *,
    requires_python: str | None,
    groups: Iterable[str] = (),
    extras: Iterable[str] = (),
    default_groups: Iterable[str] = (),
) -> str:
    """The document.  Raises DocumentError ``migrate-lock-invalid`` where what was read makes no valid lock."""
    from accord_core.lock.read import loads

    text = dumps(
        Lock(
            packages=tuple(packages), requires_python=requires_python, extras=tuple(sorted(extras)),
            dependency_groups=tuple(sorted(groups)), default_groups=tuple(sorted(default_groups)),
        )
    )  # fmt: skip
    try:
        loads(text, "pylock.toml")
    except DocumentError as error:
        raise DocumentError(
            "migrate-lock-invalid",
            "the old lock cannot be a pylock.toml",
            where=Where("pylock.toml"),
            context=tuple(fault.message for fault in error.faults[:5]) or (error.message,),
            hint="run accord lock",
        ) from error
    return text


def git_source(url: str) -> Vcs | None:
    """``git+https://host/x?rev=main#0123…`` and the like, as uv and Poetry write them."""
    match = re.fullmatch(r"(?:git\+)?(?P<url>[^?#]+)(?:\?(?P<query>[^#]*))?#(?P<commit>[0-9a-f]{40})", url)
    if match is None:
        return None
    query = dict(part.partition("=")[::2] for part in (match["query"] or "").split("&") if part)
    return Vcs(
        type="git",
        url=match["url"],
        commit_id=match["commit"],
        requested_revision=query.get("rev") or query.get("branch") or query.get("tag"),
        subdirectory=query.get("subdirectory"),
    )


def directory_source(path: str, *, editable: bool) -> Directory:
    return Directory(path=path, editable=editable or None)


def hash_of(text: str) -> dict[str, str]:
    """``sha256:…`` as a table."""
    algorithm, _, digest = text.partition(":")
    return {algorithm: digest} if digest else {}


def checked_version(lock: dict[str, Any], key: str, known: tuple[str, ...], tool: str) -> None:
    """Refuse a format that may mean something else.  TooTangled."""
    found = str(lock.get(key, "")).partition(".")[0]
    if found not in known:
        raise TooTangled(f"{tool} wrote it in form {lock.get(key)!r}, which is not known here")
