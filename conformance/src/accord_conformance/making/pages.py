"""Pages of the Simple repository API made from a case's words: right by default, wrong where the case says so.

An index is a table: ``projects`` (name as in its URL: project), ``api_version``, ``formats`` (of json, html), ``root`` (path), ``routes`` (site).
A project is a table: ``files`` (list), ``versions``, ``status``, ``meta`` (more keys of the page), ``json``/``html`` (the page whole).
A file is a table: ``wheel`` or ``sdist`` (the key of a given one) with, all optional, ``url``, ``filename``, ``hashes`` (false for none),
``requires_python`` (false for none), ``yanked``, ``size``, ``upload_time``, ``core_metadata`` (true, false, or hashes), ``metadata_body`` (what is served at .metadata),
``body`` (``{text=}``, or ``{cut=N}`` for what is served instead), ``extra`` (more keys).
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.making.wheels import Made
from accord_conformance.reading import Table
from accord_conformance.site import HTML, JSON, Reply, Routes, reply

__all__ = ["make_index"]


@dataclass(slots=True)
class _File:
    """One file as a page shows it."""

    filename: str
    url: str
    hashes: dict[str, str]
    requires_python: str | None
    yanked: str | bool
    core_metadata: dict[str, str] | bool | None
    extra: dict[str, Any] = field(default_factory=dict)


def make_index(values: Mapping[str, Any], made: Mapping[str, Made]) -> tuple[Routes, str]:
    """The routes of the index, and the path of its root page."""
    table = Table("index", values)
    root = table.take("root", str, "/simple/")
    version = table.take("api_version", str, "1.4")
    formats = table.texts("formats", ("json", "html"))
    projects = table.take("projects", dict, {})
    routes: Routes = {}
    names = []
    for name, project in projects.items():
        names.append(name)
        for path, answer in _project(root, name, project, made, version, formats).items():
            routes[path] = answer
    listing = {"meta": {"api-version": version}, "projects": [{"name": name} for name in names]}
    links = "".join(f'<a href="{root}{name}/">{html.escape(name)}</a><br>\n' for name in names)
    routes[root] = _page(listing, _document(version, "Simple index", links), formats)
    for path, answer in table.take("routes", dict, {}).items():
        routes[path] = reply(f"route {path}", answer)
    table.done()
    return routes, root


def _project(
    root: str,
    name: str,
    values: object,
    made: Mapping[str, Made],
    version: str,
    formats: tuple[str, ...],
) -> Routes:
    table = Table(f"project {name}", values)
    routes: Routes = {}
    files = []
    for each in table.take("files", list, []):
        file = _file(name, Table(f"file of {name}", each), made, routes)
        files.append(file)
    default = sorted({item.version for item in made.values() if item.project == name})
    page: dict[str, Any] = {
        "meta": {"api-version": version, **table.take("meta", dict, {})},
        "name": name,
        "versions": list(table.texts("versions", default)),
        "files": [_as_json(file) for file in files],
    }
    status = table.take("status", dict, None)
    if status is not None:
        page["project-status"] = status
    body = _document(version, f"Links for {name}", "".join(_as_link(file) for file in files), status)
    page_json = table.take("json", (dict, str), page)
    page_html = table.take("html", str, body)
    table.done()
    routes[f"{root}{name}/"] = _page(page_json, page_html, formats)
    return routes


def _file(project: str, table: Table, made: Mapping[str, Made], routes: Routes) -> _File:
    key = table.take("wheel", str, None) or table.take("sdist", str)
    if key not in made:
        raise SuiteError(table.where, f"no wheel or sdist {key!r} is given")
    item = made[key]
    filename = table.take("filename", str, item.filename)
    path = f"/files/{key}/{filename}"
    url = table.take("url", str, path)
    said = table.take("hashes", (dict, bool), {"sha256": item.sha256})
    python = table.take("requires_python", (str, bool), item.requires_python)
    core = table.take("core_metadata", (dict, bool), None)
    metadata = table.take("metadata_body", str, item.metadata.decode()).encode()
    if core is True:
        core = {"sha256": hashlib.sha256(metadata).hexdigest()}
    if core:
        routes[f"{path}.metadata"] = Reply(200, "application/octet-stream", metadata)
    body = Table(f"{table.where} body", table.take("body", dict, {}))
    data = body.take("text", str, "").encode() or item.data
    # Cut: fewer bytes than Content-Length promises.
    routes[path] = Reply(200, "application/octet-stream", data, cut=body.take("cut", int, 0))
    body.done()
    extra: dict[str, Any] = {}
    for key_, name in (("size", "size"), ("upload_time", "upload-time")):
        value = table.take(key_, (int, str), None)
        if value is not None:
            extra[name] = value
    extra.update(table.take("extra", dict, {}))
    file = _File(
        filename,
        url,
        said if isinstance(said, dict) else {},
        python if isinstance(python, str) else None,
        table.take("yanked", (str, bool), False),
        core,
        extra,
    )
    table.done()
    return file


def _as_json(file: _File) -> dict[str, Any]:
    entry: dict[str, Any] = {"filename": file.filename, "url": file.url, "hashes": file.hashes}
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    if file.yanked is not False:
        entry["yanked"] = file.yanked
    if file.core_metadata is not None:
        entry["core-metadata"] = file.core_metadata
    # What API 1.1 made compulsory; a case overrides it through "size" and "extra".
    return {**entry, **file.extra}


def _as_link(file: _File) -> str:
    hashed = next((f"#{name}={value}" for name, value in file.hashes.items()), "")
    more = ""
    if file.requires_python is not None:
        more += f' data-requires-python="{html.escape(file.requires_python)}"'
    if file.yanked is not False:
        more += f' data-yanked="{html.escape(file.yanked if isinstance(file.yanked, str) else "")}"'
    if isinstance(file.core_metadata, dict):
        first = next((f"{name}={value}" for name, value in file.core_metadata.items()), "true")
        more += f' data-core-metadata="{first}"'
    return f'<a href="{html.escape(file.url + hashed)}"{more}>{html.escape(file.filename)}</a><br>\n'


def _document(version: str, title: str, links: str, status: Mapping[str, Any] | None = None) -> str:
    metas = f'<meta name="pypi:repository-version" content="{version}">'
    for key, value in (status or {}).items():
        suffix = "" if key == "status" else f"-{key}"
        metas += f'<meta name="pypi:project-status{suffix}" content="{html.escape(str(value))}">'
    return f"<!DOCTYPE html>\n<html><head>{metas}<title>{html.escape(title)}</title></head>\n<body>\n{links}</body></html>\n"


def _page(page: Mapping[str, Any] | str, body: str, formats: tuple[str, ...]) -> Reply:
    text = page if isinstance(page, str) else json.dumps(page)
    json_page = Reply(200, JSON, text.encode())
    html_page = Reply(200, HTML, body.encode())
    if "json" not in formats:
        return html_page.negotiated(None)
    return html_page.negotiated(json_page) if "html" in formats else json_page
