"""The documents of the Simple API, from rows (PEP 503, 691, 700, 714, 740, 752, 792).

URLs are relative, so that one document serves every address the server is reached under.  The one exception is the URL of
a file's provenance, which has to be absolute and of a secure origin (PEP 740): it is left out where the server is reached
under none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from accord.server.catalogue import grants, life, stacks
from accord.server.clock import iso
from accord.server.pages.shelf import finish
from accord_core.index.model import File, Page
from accord_core.index.negotiate import HTML, JSON, LEGACY_HTML
from accord_core.index.serialise import (
    NAMESPACES_VERSION,
    html_page,
    html_projects,
    json_page,
    json_projects,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sqlalchemy import Connection

    from accord.server.catalogue.life import Tombstone
    from accord.server.catalogue.reading import FileRow, ProjectRow
    from accord.server.catalogue.stacks import Layer, Told
    from accord.server.pages.shelf import Finished

__all__ = ["FORMS", "project_documents", "root_documents", "root_page", "written"]

FORMS = (JSON, HTML, LEGACY_HTML)
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def project_documents(connection: Connection, told: Told, *, origin: str | None = None) -> dict[str, bytes]:
    """The project's page in each of :data:`FORMS`.  ``origin`` is the absolute URL of the index it is for, without a
    slash at its end; it is used where a file has provenance, and nowhere else."""
    return written(
        told.row,
        stacks.files_of(connection, told),
        stacks.versions_of(connection, told),
        serial=told.serial,
        namespaces=grants.grants_of(connection, told.row),
        origin=origin,
        withdrawn=[grave for row in told.rows for grave in life.tombstones(connection, row.id)],
    )


def written(
    project: ProjectRow,
    files: Iterable[FileRow],
    versions: Iterable[str],
    *,
    serial: int,
    namespaces: tuple[tuple[str, bool], ...],
    origin: str | None,
    withdrawn: Sequence[Tombstone] = (),
) -> dict[str, bytes]:
    """A page in each of :data:`FORMS`, of whatever time the values are.  ``withdrawn`` is told in JSON under a key of our own
    (``_withdrawn``): whoever misses a file reads there why."""
    safe = origin if origin is not None and _secure(origin) else None
    page = Page(
        project.name,
        tuple(_file(project.name, row, safe) for row in files),
        status=project.status,
        status_reason=project.status_reason,
        api_version=NAMESPACES_VERSION,
    )
    own = {"_withdrawn": [grave.as_dict() for grave in withdrawn]} if withdrawn else {}
    html = html_page(page)
    return {
        JSON: json_page(page, versions, last_serial=serial, namespaces=namespaces, own=own),
        HTML: html,
        LEGACY_HTML: html,
    }


def root_page(connection: Connection, stack: tuple[Layer, ...], *, max_age: int, packed: bool) -> Finished:
    """The list of the projects a stack shows, finished."""
    serial = max(layer.index.serial for layer in stack)
    return finish(
        root_documents(stacks.names(connection, stack), serial),
        frozenset((layer.index.id, None) for layer in stack),
        serial=serial,
        max_age=max_age,
        packed=packed,
        partial=any(layer.hidden for layer in stack),
    )


def root_documents(found: list[tuple[str, int]], serial: int) -> dict[str, bytes]:
    """A list of projects, each with its serial, in each of :data:`FORMS`."""
    names = [name for name, _ in found]
    html = html_projects(names, normalised=True)
    serials = [each for _, each in found]
    return {
        JSON: json_projects(names, serials=serials, last_serial=serial, version=NAMESPACES_VERSION),
        HTML: html,
        LEGACY_HTML: html,
    }


def _secure(origin: str) -> bool:
    """HTTPS, or this very machine ("potentially trustworthy" in the words of the web)."""
    parts = urlsplit(origin)
    return parts.scheme == "https" or parts.hostname in _LOOPBACK


def _file(project: str, row: FileRow, origin: str | None) -> File:
    name = quote(row.filename)
    provenance = None
    if row.has_provenance and origin is not None:
        provenance = f"{origin}/integrity/{project}/{quote(row.version)}/{name}/provenance"
    return File(
        row.filename,
        f"../../files/{project}/{name}",
        {"sha256": row.sha256},
        row.requires_python,
        row.yanked,
        row.yank_reason,
        row.size if row.size >= 0 else None,  # an upstream may not say
        iso(row.uploaded),
        {"sha256": row.metadata_sha256} if row.metadata_sha256 else row.metadata_announced,
        None,
        provenance,
    )
