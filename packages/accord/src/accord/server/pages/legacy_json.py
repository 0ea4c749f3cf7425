"""The JSON the public index gives at ``/pypi/NAME/json``, which mirrors and many small tools read.

No standard describes it; the keys are those the public index documents.  What nobody counts or keeps here (downloads,
signatures, bug trackers of old) is said in the words the public index says it with.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from packaging.version import Version
from sqlalchemy import select

from accord.server.catalogue import life, stacks
from accord.server.clock import iso
from accord.server.database import tables
from accord_core.index.filenames import split_wheel

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection

    from accord.server.catalogue.reading import FileRow, ProjectRow
    from accord.server.catalogue.stacks import Told

__all__ = ["Address", "newest", "project_json", "release_json"]


@dataclass(frozen=True, slots=True)
class Address:
    """``root`` and ``origin`` are absolute URLs without a slash at the end: of the server, and of the asked index.  ``index``
    is the name of the index the files lie in."""

    root: str
    origin: str
    index: str


def newest(versions: tuple[str, ...], files: tuple[FileRow, ...]) -> str | None:
    """The version a page is about: the newest with a file that is not yanked, finals before pre-releases."""
    whole = {row.version for row in files if not row.yanked}
    for chosen in (
        [version for version in versions if version in whole and not Version(version).is_prerelease],
        [version for version in versions if version in whole],
        list(versions),
    ):
        if chosen:
            return chosen[-1]
    return None


def project_json(
    connection: Connection, told: Told, address: Address, metadata: Callable[[str], str]
) -> bytes:
    """``/pypi/NAME/json``, of the same files as the Simple page.  ``metadata`` gives the long description, by the SHA-256 of
    a core metadata file."""
    files, versions = stacks.files_of(connection, told), stacks.versions_of(connection, told)
    version = newest(versions, files)
    document = _release(connection, told, address, metadata, version, files)
    document["releases"] = {
        each: [_file(row, told.row.name, address) for row in files if row.version == each]
        for each in versions
    }
    return _dump(document)


def release_json(
    connection: Connection,
    told: Told,
    version: str,
    address: Address,
    metadata: Callable[[str], str],
) -> bytes | None:
    """``/pypi/NAME/VERSION/json``; ``None`` where there is no such release."""
    if version not in stacks.versions_of(connection, told):
        return None
    files = stacks.files_of(connection, told)
    return _dump(_release(connection, told, address, metadata, version, files))


def _release(
    connection: Connection,
    told: Told,
    address: Address,
    metadata: Callable[[str], str],
    version: str | None,
    files: tuple[FileRow, ...],
) -> dict[str, Any]:
    project = told.row
    here = [row for row in files if row.version == version]
    digest = next((row.metadata_sha256 for row in here if row.metadata_sha256), None)
    about = _about(connection, here[0]) if here else {}
    description = metadata(digest) if digest else ""
    return {
        "info": _info(project, version, about, here, description, address),
        "last_serial": told.serial,
        "urls": [_file(row, project.name, address) for row in here],
        "vulnerabilities": [],
        # Our own key: whoever misses a file reads here why.
        "withdrawn": [
            grave.as_dict()
            for row in told.rows
            for grave in life.tombstones(connection, row.id)
            if grave.version == version
        ],
    }


def _about(connection: Connection, first: FileRow) -> dict[str, list[str]]:
    """What the index says of the release that has the file.  Of one whose files are all gone nothing is repeated."""
    release, file = tables.release.c, tables.file.c
    found: dict[str, list[str]] = connection.execute(
        select(release.about).join(tables.file, file.release_id == release.id).where(file.id == first.id)
    ).scalar_one()
    return found


def _info(
    project: ProjectRow,
    version: str | None,
    about: dict[str, list[str]],
    files: list[FileRow],
    description: str,
    address: Address,
) -> dict[str, Any]:
    values = {key.lower(): found for key, found in about.items()}

    def one(field: str) -> str | None:
        found = values.get(field)
        return found[0] if found else None

    def every(field: str) -> list[str] | None:
        return values.get(field) or None

    urls = {
        label.strip(): url.strip()
        for label, comma, url in (text.partition(",") for text in values.get("project-url", []))
        if comma
    }
    if one("home-page"):
        urls.setdefault("Homepage", one("home-page") or "")
    page = f"{address.origin}/project/{project.name}/"
    yanked = bool(files) and all(row.yanked for row in files)
    return {
        "author": one("author"),
        "author_email": one("author-email"),
        "bugtrack_url": None,
        "classifiers": values.get("classifier", []),
        "description": description,
        "description_content_type": one("description-content-type"),
        "docs_url": None,
        "download_url": one("download-url"),
        "downloads": {"last_day": -1, "last_month": -1, "last_week": -1},
        "dynamic": every("dynamic"),
        "home_page": one("home-page"),
        "keywords": one("keywords"),
        "license": one("license"),
        "license_expression": one("license-expression"),
        "license_files": every("license-file"),
        "maintainer": one("maintainer"),
        "maintainer_email": one("maintainer-email"),
        "name": project.display,
        "package_url": page,
        "platform": one("platform"),
        "project_url": page,
        "project_urls": urls or None,
        "provides_extra": every("provides-extra"),
        "release_url": f"{page}{quote(version)}/" if version else page,
        "requires_dist": every("requires-dist"),
        "requires_python": one("requires-python"),
        "summary": one("summary"),
        "version": version,
        "yanked": yanked,
        "yanked_reason": next((row.yank_reason for row in files if row.yank_reason), None)
        if yanked
        else None,
    }


def _file(row: FileRow, project: str, address: Address) -> dict[str, Any]:
    wheel = split_wheel(row.filename)
    return {
        "comment_text": None,
        "core-metadata": {"sha256": row.metadata_sha256} if row.metadata_sha256 else row.metadata_announced,
        "digests": {"blake2b_256": row.blake2b_256, "md5": row.md5, "sha256": row.sha256},
        "downloads": -1,
        "filename": row.filename,
        "has_sig": False,
        "md5_digest": row.md5,
        "packagetype": "bdist_wheel" if row.kind == "wheel" else "sdist",
        "python_version": wheel.python if wheel is not None else "source",
        "requires_python": row.requires_python,
        "size": row.size,
        "upload_time": iso(row.uploaded).partition(".")[0],
        "upload_time_iso_8601": iso(row.uploaded),
        "url": f"{address.root}/packages/{address.index}/{project}/{quote(row.filename)}",
        "yanked": row.yanked,
        "yanked_reason": row.yank_reason,
    }


def _dump(document: dict[str, Any]) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
