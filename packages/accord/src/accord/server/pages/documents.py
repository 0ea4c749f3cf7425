"""The documents of the Simple API, from rows (PEP 503, 691, 700, 714, 740, 752, 792).

URLs are relative, so that one document serves every address the server is reached under.  The one exception is the URL of
a file's provenance, which has to be absolute and of a secure origin (PEP 740): it is left out where the server is reached
under none.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from accord.server.catalogue import grants, reading
from accord.server.clock import iso
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
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.reading import FileRow, ProjectRow

__all__ = ["FORMS", "project_documents", "root_documents"]

FORMS = (JSON, HTML, LEGACY_HTML)
_LOOPBACK = frozenset(("localhost", "127.0.0.1", "::1"))


def project_documents(
    connection: Connection, project: ProjectRow, *, origin: str | None = None
) -> dict[str, bytes]:
    """The project's page in each of :data:`FORMS`.  ``origin`` is the absolute URL of the index it is for, without a
    slash at its end; it is used where a file has provenance, and nowhere else."""
    rows = reading.files_of(connection, project)
    safe = origin if origin is not None and _secure(origin) else None
    page = Page(
        project.name,
        tuple(_file(project.name, row, safe) for row in rows),
        status=project.status,
        status_reason=project.status_reason,
        api_version=NAMESPACES_VERSION,
    )
    html = html_page(page)
    return {
        JSON: json_page(
            page,
            reading.versions_of(connection, project),
            last_serial=project.serial,
            namespaces=grants.grants_of(connection, project),
        ),
        HTML: html,
        LEGACY_HTML: html,
    }


def root_documents(
    connection: Connection, index: IndexRow, hidden: frozenset[str] | None = None
) -> dict[str, bytes]:
    """The list of all projects but the ``hidden`` ones in each of :data:`FORMS`."""
    found = list(reading.project_names(connection, index, hidden))
    names = [name for name, _ in found]
    html = html_projects(names, normalised=True)
    serials = [serial for _, serial in found]
    return {
        JSON: json_projects(names, serials=serials, last_serial=index.serial, version=NAMESPACES_VERSION),
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
    if row.provenance_sha256 is not None and origin is not None:
        provenance = f"{origin}/integrity/{project}/{quote(row.version)}/{name}/provenance"
    return File(
        row.filename,
        f"../../files/{project}/{name}",
        {"sha256": row.sha256},
        row.requires_python,
        row.yanked,
        row.yank_reason,
        row.size,
        iso(row.uploaded),
        {"sha256": row.metadata_sha256} if row.metadata_sha256 else False,
        None,
        provenance,
    )
