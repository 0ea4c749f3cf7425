"""What an index asks of a file beyond its being one: set for each index, in its ``settings`` under ``policy``.

An index of a company takes what the public one refuses; so each rule is a word an administrator gives (:class:`Policy`).
:func:`demand_name` needs the file's name only, :func:`demand_file` what was found inside.
"""

from __future__ import annotations

import sys
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any

from packaging.version import Version
from sqlalchemy import bindparam, func, select, update

from accord.server.accounts import audit
from accord.server.archives.declared import direct_urls
from accord.server.catalogue import indexes
from accord.server.database import tables
from accord.server.errors import Refused
from accord_core.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sqlalchemy import Connection

    from accord.server.archives.examine import Examined
    from accord.server.archives.filenames import FileName
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.database import Writing

__all__ = [
    "Policy",
    "change_policy",
    "demand_file",
    "demand_hosted",
    "demand_name",
    "demand_new_project",
    "demand_one_sdist",
    "demand_requirements",
    "demand_room",
    "policy_of",
]

_MISTAKEN = """site-packages dist-packages requirements requirements-txt requirement-txt pyproject-toml setup-py simple none
    null undefined"""
RESERVED = frozenset(normalise(name) for name in sys.stdlib_module_names if name.strip("_")).union(
    _MISTAKEN.split()
)
"""Names of projects that would be taken for something else: modules of the standard library, what people type after
``install`` by mistake, a word of every index's addresses."""

QUARANTINE = ("none", "all", "new-projects")
"""Which new files wait for a scanner or a person: no, every one, those of a project that has none yet."""


_OTHER_SDIST = select(tables.file.c.filename).where(
    tables.file.c.release_id == bindparam("release_id"),
    tables.file.c.kind == "sdist",
    tables.file.c.filename != bindparam("filename"),
    tables.file.c.removed_serial.is_(None),
)
_BYTES_OF = (
    select(func.coalesce(func.sum(tables.file.c.size), 0))
    .join(tables.project, tables.project.c.id == tables.file.c.project_id)
    .where(
        tables.project.c.index_id == bindparam("index_id"),
        tables.project.c.name == bindparam("name"),
        tables.file.c.removed_serial.is_(None),
    )
)


@dataclass(frozen=True, slots=True)
class Policy:
    """``exact_names``: a file is named as PEP 625 and 427 say, to the letter.  ``direct_urls``, ``local_versions``,
    ``linux_wheels`` (a bare ``linux_x86_64``): are they taken?  ``reserved_names``: names that may be used although they
    are reserved.  ``project_bytes``: all files of a project together; 0: what the server's limits say.
    ``quarantine``: one of :data:`QUARANTINE`.
    """

    exact_names: bool = True
    direct_urls: bool = False
    local_versions: bool = True
    linux_wheels: bool = True
    reserved_names: tuple[str, ...] = ()
    project_bytes: int = 0
    quarantine: str = "none"

    def as_dict(self) -> dict[str, Any]:
        return {**asdict(self), "reserved_names": list(self.reserved_names)}


def policy_of(index: IndexRow) -> Policy:
    """An index that is not public takes requirements with URLs of their own unless it says otherwise."""
    said = index.settings.get("policy", {})
    known = {one.name: said[one.name] for one in fields(Policy) if one.name in said}
    if "reserved_names" in known:
        known["reserved_names"] = tuple(known["reserved_names"])
    return Policy(**{"direct_urls": not index.public, **known})


def change_policy(writing: Writing, index: IndexRow, changes: dict[str, Any]) -> Policy:
    """Change the words given.  Raises ``Refused("index-policy")`` (400)."""
    index = indexes.index_named(writing.connection, index.name)  # as it is inside this block
    if changes.get("quarantine", "none") not in QUARANTINE:
        raise Refused(
            400,
            "index-policy",
            f"quarantine is not {changes['quarantine']!r:.60}",
            hint=", ".join(QUARANTINE),
        )
    if changes.get("project_bytes", 0) < 0:
        raise Refused(400, "index-policy", f"a project cannot have {changes['project_bytes']} bytes")
    if "reserved_names" in changes:
        changes = {**changes, "reserved_names": sorted({normalise(one) for one in changes["reserved_names"]})}
    if changes:
        settings = {**index.settings, "policy": {**index.settings.get("policy", {}), **changes}}
        writing.connection.execute(
            update(tables.index).where(tables.index.c.id == index.id).values(settings=settings)
        )
        writing.changed(index.id, "change-index")
        audit.record(writing, "change-policy", index.name, **changes)
    return policy_of(indexes.index_named(writing.connection, index.name))


def demand_hosted(index: IndexRow) -> None:
    """Raises ``Refused("index-takes-no-files")`` (403) of an index that has what its upstream has."""
    if index.kind == "upstream":
        raise Refused(
            403,
            "index-takes-no-files",
            f"{index.name} has what its upstream has; nothing is uploaded to it",
            hint="upload to an index that builds on it",
        )


def demand_name(index: IndexRow, named: FileName) -> None:
    """Before the file is opened.  Raises ``Refused`` (400): ``upload-filename-inexact``, ``upload-local-version``,
    ``upload-platform-unknown``; (403) ``index-takes-no-files``."""
    demand_hosted(index)
    policy = policy_of(index)
    if policy.exact_names and named.filename != named.exact:
        raise Refused(
            400,
            "upload-filename-inexact",
            f"the file is named {named.filename}, its name must be {named.exact}",
            context=(named.filename, named.exact),
            hint="build it with a backend of today; the operator can let an index take such names (exact_names)",
        )
    if not policy.local_versions and Version(named.version).local is not None:
        raise Refused(
            400,
            "upload-local-version",
            f"{named.version} is a local version (PEP 440), which {index.name} does not take",
        )
    bare = [one for one in named.platforms if one.startswith("linux_")]
    if bare and not policy.linux_wheels:
        raise Refused(
            400,
            "upload-platform-unknown",
            f"{bare[0]} does not say which Linux; {index.name} takes manylinux and musllinux",
            hint="auditwheel repair makes such a wheel",
        )


def demand_file(index: IndexRow, examined: Examined) -> None:
    """Raises ``Refused("upload-direct-url")`` (400)."""
    demand_requirements(index, examined.filename, examined.fields.all("Requires-Dist"))


def demand_requirements(index: IndexRow, filename: str, requirements: Iterable[str]) -> None:
    """Raises ``Refused("upload-direct-url")`` (400)."""
    if policy_of(index).direct_urls:
        return
    found = direct_urls(requirements)
    if found:
        raise Refused(
            400,
            "upload-direct-url",
            f"{filename} requires {found[0]!r:.300}, by a URL, which {index.name} does not take",
            context=found[:20],
            hint="name the project and a version; leave URLs to dependency groups",
        )


def demand_new_project(index: IndexRow, name: str) -> None:
    """Raises ``Refused("project-name-not-usable")`` (403): a reserved one, which nobody has in this index."""
    if name in RESERVED and name not in policy_of(index).reserved_names:
        raise Refused(
            403,
            "project-name-not-usable",
            f"{name} is the name of a module of Python, or of something people mean by mistake",
            hint="take another; the operator can free a name for an index (reserved_names)",
        )


def demand_one_sdist(writing: Writing, release_id: int, filename: str) -> None:
    """Before an sdist is entered: a release has one (PEP 625).  Raises ``Refused("sdist-exists")`` (409)."""
    other = writing.connection.execute(
        _OTHER_SDIST, {"release_id": release_id, "filename": filename}
    ).scalar()
    if other is not None:
        raise Refused(
            409,
            "sdist-exists",
            f"the release has its sdist already: {other}, so {filename} is refused",
        )


def demand_room(connection: Connection, index: IndexRow, project: str, size: int, most: int) -> None:
    """All files of a project together stay below its limit.  Raises ``Refused("project-too-large")`` (413)."""
    there = connection.execute(_BYTES_OF, {"index_id": index.id, "name": project}).scalar_one()
    most = policy_of(index).project_bytes or most
    if there + size > most:
        raise Refused(
            413,
            "project-too-large",
            f"{project} has {there} bytes in {index.name}; {size} more would pass its limit of {most}",
            hint="the operator can raise it: accord index policy --project-bytes",
        )
