"""The public index's own JSON, older than the Simple API: what is known of a project at ``/pypi/NAME/json``, and serials.

No standard has it; the public index describes it in its own documentation.  A mirror that reads it reads no page of the Simple API but the list of projects, whose
``_last-serial`` says what is new.  The serial of an index is a number that grows whenever something changes there.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from accord_conformance.site import Reply, Routes

__all__ = ["SERIAL", "project_json"]

SERIAL = "X-PyPI-Last-Serial"
# Of a file that says nothing of it; this JSON always has it.
_UPLOADED = "2026-01-01T00:00:00.000000Z"


def project_json(
    name: str,
    called: str,
    serial: int,
    versions: Iterable[str],
    files: Iterable[tuple[str, Mapping[str, Any]]],
) -> Routes:
    """The routes for a project of an index at ``serial``, ``called`` as it was registered: ``files`` are versions and entries as on the JSON page of the Simple API."""
    releases: dict[str, list[dict[str, Any]]] = {version: [] for version in versions}
    for version, entry in files:
        releases.setdefault(version, []).append(_file(entry))
    latest = max(releases, default="")
    whole = {
        "info": {"name": called, "version": latest, "yanked": False, "yanked_reason": None},
        "last_serial": serial,
        "releases": releases,
        "urls": releases.get(latest, []),
        "vulnerabilities": [],
    }
    return {
        f"/pypi/{name}/json": Reply(
            200, "application/json", json.dumps(whole).encode(), {SERIAL: str(serial)}
        )
    }


def _file(entry: Mapping[str, Any]) -> dict[str, Any]:
    filename, yanked = str(entry["filename"]), entry.get("yanked", False)
    wheel = filename.endswith(".whl")
    url = str(entry["url"])
    uploaded = entry.get("upload-time", _UPLOADED)
    return {
        "filename": filename,
        "url": url if url.startswith(("{", "http")) else "{site}" + url,
        "digests": entry["hashes"],
        "packagetype": "bdist_wheel" if wheel else "sdist",
        "python_version": filename.removesuffix(".whl").split("-")[-3] if wheel else "source",
        "requires_python": entry.get("requires-python"),
        "size": entry.get("size"),
        "core-metadata": entry.get("core-metadata", False),
        "upload_time": uploaded.partition(".")[0].removesuffix("Z"),
        "upload_time_iso_8601": uploaded,
        "yanked": yanked is not False,
        "yanked_reason": yanked if isinstance(yanked, str) else None,
    }
