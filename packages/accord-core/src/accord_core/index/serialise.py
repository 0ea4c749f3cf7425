"""Simple API pages, written: a :class:`~accord_core.index.model.Page` in, JSON or HTML bytes out.

The same page always gives the same bytes.  HTML is frozen at version 1.4 (PEP 833).  JSON is of version 1.5 where the
index knows namespaces and 1.4 where it does not, because a client tells by the version whether it does (PEP 752).
Used by the test server, by benchmarks and by the index server.
"""

from __future__ import annotations

import json
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, unquote

from accord_core.index.model import ACTIVE
from accord_core.names import normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from accord_core.index.model import File, Page

__all__ = [
    "API_VERSION",
    "NAMESPACES_VERSION",
    "html_page",
    "html_projects",
    "json_namespace",
    "json_namespaces",
    "json_page",
    "json_projects",
]

API_VERSION = "1.4"
NAMESPACES_VERSION = "1.5"


def json_page(
    page: Page,
    versions: Iterable[str] = (),
    *,
    last_serial: int | None = None,
    namespaces: Sequence[tuple[str, bool]] | None = None,
    own: Mapping[str, object] | None = None,
) -> bytes:
    """The page as JSON (PEP 691 "Project Detail", PEP 700, 740, 752, 792); ``versions`` are listed as given.

    ``last_serial`` is the private key of the public index that mirrors go by (``_last-serial``).  ``namespaces`` are
    the grants that cover the project, each with whether the project's owner is theirs; empty where there is none,
    ``None`` where the index knows no namespaces at all.  ``own`` are keys of the server's own, which begin with an
    underscore ("JSON Serialization").
    """
    document: dict[str, Any] = {
        "meta": _meta(last_serial, API_VERSION if namespaces is None else NAMESPACES_VERSION),
        "name": page.name,
        "versions": list(versions),
        "files": [_json_file(file) for file in page.files],
    }
    if page.status != ACTIVE or page.status_reason:
        document["project-status"] = {"status": page.status}
        if page.status_reason:
            document["project-status"]["reason"] = page.status_reason
    if namespaces is not None:
        document["namespaces"] = [{"name": name, "owned": owned} for name, owned in namespaces] or None
    document.update(own or {})
    return _dump(document)


def json_projects(
    names: Iterable[str],
    *,
    serials: Iterable[int] | None = None,
    last_serial: int | None = None,
    version: str = API_VERSION,
) -> bytes:
    """The root page as JSON (PEP 691 "Project List"); with ``serials``, one for each name, as mirrors want it."""
    projects: list[dict[str, Any]] = [{"name": name} for name in names]
    if serials is not None:
        for project, serial in zip(projects, serials, strict=True):
            project["_last-serial"] = serial
    return _dump({"meta": _meta(last_serial, version), "projects": projects})


def json_namespaces(names: Iterable[str]) -> bytes:
    """Every reserved namespace (PEP 752 "Namespace List"): an array, the one answer of the API that is no object."""
    return _dump([{"name": name} for name in names])


def json_namespace(name: str, *, parent: str | None, children: Iterable[str], owner: str | None) -> bytes:
    """One reserved namespace (PEP 752 "Namespace Detail")."""
    document: dict[str, Any] = {
        "meta": _meta(None, NAMESPACES_VERSION),
        "name": name,
        "parent": parent,
        "children": list(children),
    }
    if owner is not None:
        document["owner"] = owner
    return _dump(document)


def html_page(page: Page) -> bytes:
    """The page as HTML (PEP 503; 592, 658, 714, 740, 792 as attributes and meta elements).

    The one thing HTML cannot say is a file name that is not the end of its URL's path: such a file is written with
    the URL as it is.
    """
    meta = [f'<meta name="pypi:repository-version" content="{API_VERSION}">']
    if page.status != ACTIVE or page.status_reason:
        meta.append(f'<meta name="pypi:project-status" content="{escape(page.status)}">')
        if page.status_reason:
            meta.append(f'<meta name="pypi:project-status-reason" content="{escape(page.status_reason)}">')
    title = f"Links for {escape(page.name)}"
    return _html(title, meta, [_anchor(file) for file in page.files])


def html_projects(names: Iterable[str], *, normalised: bool = False) -> bytes:
    """The root page as HTML (PEP 503); ``normalised``: links lead to where the pages are, whatever the names' spelling."""
    meta = [f'<meta name="pypi:repository-version" content="{API_VERSION}">']
    return _html(
        "Simple index",
        meta,
        [f'<a href="{quote(normalise(name) if normalised else name)}/">{escape(name)}</a>' for name in names],
    )


def _meta(last_serial: int | None, version: str) -> dict[str, Any]:
    meta: dict[str, Any] = {"api-version": version}
    if last_serial is not None:
        meta["_last-serial"] = last_serial
    return meta


def _json_file(file: File) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "filename": file.filename,
        "url": file.url,
        "hashes": dict(sorted(file.hashes.items())),
    }
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    if file.size is not None:
        entry["size"] = file.size
    if file.upload_time is not None:
        entry["upload-time"] = file.upload_time
    entry["yanked"] = (file.yank_reason or True) if file.yanked else False
    if file.core_metadata is not False:
        entry["core-metadata"] = file.core_metadata
    if file.gpg_sig is not None:
        entry["gpg-sig"] = file.gpg_sig
    if file.provenance is not None:
        entry["provenance"] = file.provenance
    return entry


def _anchor(file: File) -> str:
    url = file.url
    if unquote(url.rpartition("/")[2]) != file.filename and "/" not in url:
        url = quote(file.filename)
    digest = next(
        ((name, file.hashes[name]) for name in ("sha256", *sorted(file.hashes)) if name in file.hashes), None
    )
    attributes = [f'href="{escape(url + (f"#{digest[0]}={digest[1]}" if digest else ""))}"']
    if file.requires_python is not None:
        attributes.append(f'data-requires-python="{escape(file.requires_python)}"')
    if file.yanked:
        attributes.append(f'data-yanked="{escape(file.yank_reason or "")}"')
    if file.core_metadata is not False:
        value = "true"
        if isinstance(file.core_metadata, dict) and file.core_metadata:
            algorithm = "sha256" if "sha256" in file.core_metadata else min(file.core_metadata)
            value = f"{algorithm}={file.core_metadata[algorithm]}"
        # Both names: clients from before PEP 714 read only the old one.
        attributes.append(f'data-core-metadata="{value}" data-dist-info-metadata="{value}"')
    if file.gpg_sig is not None:
        attributes.append(f'data-gpg-sig="{"true" if file.gpg_sig else "false"}"')
    if file.provenance is not None:
        attributes.append(f'data-provenance="{escape(file.provenance)}"')
    return f"<a {' '.join(attributes)}>{escape(file.filename)}</a>"


def _html(title: str, meta: list[str], anchors: list[str]) -> bytes:
    head = "".join(f"    {line}\n" for line in [*meta, f"<title>{title}</title>"])
    body = "".join(f"    {anchor}<br>\n" for anchor in anchors)
    return (
        f"<!DOCTYPE html>\n<html>\n  <head>\n{head}  </head>\n  <body>\n"
        f"    <h1>{title}</h1>\n{body}  </body>\n</html>\n"
    ).encode()


def _dump(document: object) -> bytes:
    return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
