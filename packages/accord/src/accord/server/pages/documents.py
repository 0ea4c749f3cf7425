"""The documents of the Simple API, from rows (PEP 503, 691, 700, 714, 740, 792).

URLs are relative, so that one document serves every address the server is reached under.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import quote

from packaging.version import Version

from accord.server.catalogue import reading
from accord.server.clock import iso
from accord_core.index.model import File, Page
from accord_core.index.negotiate import HTML, JSON, LEGACY_HTML
from accord_core.index.serialise import html_page, html_projects, json_page, json_projects

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.reading import FileRow, ProjectRow

__all__ = ["FORMS", "project_documents", "root_documents"]

FORMS = (JSON, HTML, LEGACY_HTML)


def project_documents(connection: Connection, project: ProjectRow) -> dict[str, bytes]:
    """The project's page in each of :data:`FORMS`."""
    rows = reading.files_of(connection, project)
    page = Page(
        project.name,
        tuple(_file(project.name, row) for row in rows),
        status=project.status,
        status_reason=project.status_reason,
        api_version="1.4",
    )
    versions = sorted({row.version for row in rows}, key=Version)
    html = html_page(page)
    return {JSON: json_page(page, versions, last_serial=project.serial), HTML: html, LEGACY_HTML: html}


def root_documents(
    connection: Connection, index: IndexRow, hidden: frozenset[str] | None = None
) -> dict[str, bytes]:
    """The list of all projects but the ``hidden`` ones in each of :data:`FORMS`."""
    found = list(reading.project_names(connection, index, hidden))
    names = [name for name, _ in found]
    html = html_projects(names)
    return {
        JSON: json_projects(names, serials=[serial for _, serial in found], last_serial=index.serial),
        HTML: html,
        LEGACY_HTML: html,
    }


def _file(project: str, row: FileRow) -> File:
    url = f"../../files/{project}/{quote(row.filename)}"
    return File(
        row.filename,
        url,
        {"sha256": row.sha256},
        row.requires_python,
        row.yanked,
        row.yank_reason,
        row.size,
        iso(row.uploaded),
        {"sha256": row.metadata_sha256} if row.metadata_sha256 else False,
        None,
        f"../../integrity/{project}/{row.version}/{quote(row.filename)}/provenance"
        if row.provenance_sha256
        else None,
    )
