"""Pages of the Simple repository API made from a case's words: right by default, wrong where the case says so.

An index is a table: ``projects`` (name as in its URL: project), ``api_version`` ("" for none), ``formats`` (of json, html), ``root`` (path), ``routes`` (site),
``serial`` (a number: it has the public index's own JSON too, see ``project_json``, as of that serial; files then are below /packages/, as there).
A project is a table: ``files`` (list), ``versions``, ``status``, ``meta`` and ``extra`` (more keys of the page's ``meta`` and of the page), ``api_version``,
``path`` (another place for the page), ``called`` (its name in the list and in the public index's own JSON, where it is not the one in its URL), ``types`` (json, html: another content type), ``headers`` (instead of Cache-Control: no-cache), ``head`` and ``before`` (more of the HTML head, and before the links),
``json``/``html`` (the page whole, or the JSON page's keys).
A file is a table: ``wheel`` or ``sdist`` (the key of a given one) with, all optional, ``url``, ``filename``, ``path`` (where it is served), ``hashes`` (false for none),
``requires_python`` (false for none), ``yanked``, ``size`` (false for none), ``upload_time``, ``core_metadata`` (true: with its hash; "bare": without; false, or hashes),
``legacy_metadata`` (as core_metadata, under the older name), ``metadata_body`` (what is served at .metadata), ``metadata_served`` (false: nothing is),
``body`` (``{text=}``, or ``{cut=N}`` for what is served instead), ``extra`` (more keys), ``text`` and ``attributes`` (of the HTML link).
In what is written whole, ``{sha256:KEY}`` (or another of hashlib) and ``{size:KEY}`` stand for what is true of a given file.
"""

from __future__ import annotations

import hashlib
import html
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.making.project_json import SERIAL, project_json
from accord_conformance.making.wheels import Made
from accord_conformance.reading import Table
from accord_conformance.site import HTML, JSON, Reply, Routes, reply

__all__ = ["make_index"]

# How long a page may be kept without asking is no sentence of these standards.
_NO_CACHE = {"Cache-Control": "no-cache"}
# Those of hashlib that need no length; the standard allows them all.
_HASHES = sorted(name for name in hashlib.algorithms_guaranteed if not name.startswith("shake"))


@dataclass(slots=True)
class _File:
    """One file as a page shows it."""

    version: str
    filename: str
    url: str
    hashes: dict[str, str]
    requires_python: str | None
    yanked: str | bool
    core_metadata: dict[str, str] | bool | None
    legacy_metadata: dict[str, str] | bool | None = None
    extra: dict[str, Any] = field(default_factory=dict)
    text: str = ""
    attributes: str = ""


def make_index(values: Mapping[str, Any], made: Mapping[str, Made]) -> tuple[Routes, str]:
    """The routes of the index, and the path of its root page."""
    table = Table("index", values)
    root = table.take("root", str, "/simple/")
    version = table.take("api_version", str, "1.4")
    formats = table.texts("formats", ("json", "html"))
    projects = table.take("projects", dict, {})
    serial = table.take("serial", int, 0)
    told = {"_last-serial": serial} if serial else {}
    routes: Routes = {}
    names = []
    for name, project in projects.items():
        routes.update(_project(root, name, project, made, version, formats, serial))
        names.append((name, project.get("called", name)))
    listing = {
        "meta": {**_meta(version), **told},
        "projects": [{"name": called, **told} for _, called in names],
    }
    links = "".join(f'<a href="{root}{name}/">{html.escape(called)}</a><br>\n' for name, called in names)
    headers = {**_NO_CACHE, SERIAL: str(serial)} if serial else _NO_CACHE
    routes[root] = _page(listing, _document(version, "Simple index", links), formats, headers=headers)
    if serial:
        routes[root.rstrip("/")] = Reply(301, "text/plain", b"", {"Location": root})
    for path, answer in table.take("routes", dict, {}).items():
        routes[path] = reply(f"route {path}", answer)
    table.done()
    return {path: _true(answer, made) for path, answer in routes.items()}, root


def _true(answer: Reply, made: Mapping[str, Made]) -> Reply:
    """The reply with what it says of given files filled in."""
    body = answer.body
    for key, item in made.items():
        mark = b":%s}" % key.encode()
        for name in _HASHES if mark in body else ():
            body = body.replace(
                b"{" + name.encode() + mark, hashlib.new(name, item.data).hexdigest().encode()
            )
        body = body.replace(b"{size" + mark, str(len(item.data)).encode())
    return replace(
        answer,
        body=body,
        then=answer.then and _true(answer.then, made),
        other=answer.other and _true(answer.other, made),
    )


def _meta(version: str) -> dict[str, Any]:
    return {"api-version": version} if version else {}


def _project(
    root: str,
    name: str,
    values: object,
    made: Mapping[str, Made],
    version: str,
    formats: tuple[str, ...],
    serial: int,
) -> Routes:
    table = Table(f"project {name}", values)
    routes: Routes = {}
    place = "/packages" if serial else "/files"
    files = [
        _file(Table(f"file of {name}", each), made, routes, place) for each in table.take("files", list, [])
    ]
    default = sorted({file.version for file in files})
    version = table.take("api_version", str, version)
    page: dict[str, Any] = {
        "meta": {**_meta(version), **table.take("meta", dict, {})},
        "name": name,
        "versions": list(table.texts("versions", default)),
        "files": [_as_json(file) for file in files],
        **table.take("extra", dict, {}),
    }
    status = table.take("status", dict, None)
    if status is not None:
        page["project-status"] = status
    links = table.take("before", str, "") + "".join(_as_link(file) for file in files)
    body = _document(version, f"Links for {name}", links, status, table.take("head", str, ""))
    page_json = table.take("json", (dict, str), page)
    page_html = table.take("html", str, body)
    types, headers = table.take("types", dict, {}), table.take("headers", dict, _NO_CACHE)
    path = table.take("path", str, f"{root}{name}/")
    called = table.take("called", str, name)
    table.done()
    routes[path] = _page(page_json, page_html, formats, types, headers)
    if serial:
        entries = [(file.version, _as_json(file)) for file in files]
        routes.update(project_json(name, called, serial, page["versions"], entries))
    return routes


def _file(table: Table, made: Mapping[str, Made], routes: Routes, place: str) -> _File:
    key = table.take("wheel", str, None) or table.take("sdist", str)
    if key not in made:
        raise SuiteError(table.where, f"no wheel or sdist {key!r} is given")
    item = made[key]
    filename = table.take("filename", str, item.filename)
    path = f"{place}/{key}/{filename}"
    url = table.take("url", str, path)
    path = table.take("path", str, path)
    said = table.take("hashes", (dict, bool), {"sha256": item.sha256})
    python = table.take("requires_python", (str, bool), item.requires_python)
    metadata = table.take("metadata_body", str, item.metadata.decode()).encode()
    core, legacy = (_metadata_key(table, key, metadata) for key in ("core_metadata", "legacy_metadata"))
    if table.take("metadata_served", bool, bool(core or legacy)):
        routes[f"{path}.metadata"] = Reply(200, "application/octet-stream", metadata)
    body = Table(f"{table.where} body", table.take("body", dict, {}))
    data = body.take("text", str, "").encode() or item.data
    # Cut: fewer bytes than Content-Length promises.
    routes[path] = Reply(200, "application/octet-stream", data, cut=body.take("cut", int, 0))
    body.done()
    extra: dict[str, Any] = {}
    size = table.take("size", (int, str, bool), len(item.data))
    if size is not False:
        extra["size"] = size
    uploaded = table.take("upload_time", str, None)
    if uploaded is not None:
        extra["upload-time"] = uploaded
    extra.update(table.take("extra", dict, {}))
    file = _File(
        item.version,
        filename,
        url,
        said if isinstance(said, dict) else {},
        python if isinstance(python, str) else None,
        table.take("yanked", (str, bool), False),
        core,
        legacy,
        extra,
        table.take("text", str, filename),
        table.take("attributes", str, ""),
    )
    table.done()
    return file


def _metadata_key(table: Table, key: str, metadata: bytes) -> dict[str, str] | bool | None:
    said = table.take(key, (dict, bool, str), None)
    if said is True:
        return {"sha256": hashlib.sha256(metadata).hexdigest()}
    if isinstance(said, str):
        if said != "bare":
            raise SuiteError(table.where, f'{key} is true, "bare", false or hashes, not {said!r}')
        return True
    return said if isinstance(said, dict | bool) else None


def _as_json(file: _File) -> dict[str, Any]:
    entry: dict[str, Any] = {"filename": file.filename, "url": file.url, "hashes": file.hashes}
    if file.requires_python is not None:
        entry["requires-python"] = file.requires_python
    if file.yanked is not False:
        entry["yanked"] = file.yanked
    if file.core_metadata is not None:
        entry["core-metadata"] = file.core_metadata
    if file.legacy_metadata is not None:
        entry["dist-info-metadata"] = file.legacy_metadata
    # What API 1.1 made compulsory; a case overrides it through "size" and "extra".
    return {**entry, **file.extra}


def _as_link(file: _File) -> str:
    hashed = next((f"#{name}={value}" for name, value in file.hashes.items()), "")
    more = ""
    if file.requires_python is not None:
        more += f' data-requires-python="{html.escape(file.requires_python)}"'
    if file.yanked is not False:
        more += f' data-yanked="{html.escape(file.yanked if isinstance(file.yanked, str) else "")}"'
    for attribute, said in (("core", file.core_metadata), ("dist-info", file.legacy_metadata)):
        if said:
            hashes = said if isinstance(said, dict) else {}
            first = next((f"{name}={value}" for name, value in hashes.items()), "true")
            more += f' data-{attribute}-metadata="{first}"'
    more += file.attributes and f" {file.attributes}"
    return f'<a href="{html.escape(file.url + hashed)}"{more}>{html.escape(file.text)}</a><br>\n'


def _document(
    version: str, title: str, links: str, status: Mapping[str, Any] | None = None, head: str = ""
) -> str:
    metas = f'<meta name="pypi:repository-version" content="{version}">' if version else ""
    for key, value in (status or {}).items():
        suffix = "" if key == "status" else f"-{key}"
        metas += f'<meta name="pypi:project-status{suffix}" content="{html.escape(str(value))}">'
    return f"<!DOCTYPE html>\n<html><head>{metas}{head}<title>{html.escape(title)}</title></head>\n<body>\n{links}</body></html>\n"


def _page(
    page: Mapping[str, Any] | str,
    body: str,
    formats: tuple[str, ...],
    types: Mapping[str, str] = MappingProxyType({}),
    headers: Mapping[str, str] = _NO_CACHE,
) -> Reply:
    text = page if isinstance(page, str) else json.dumps(page)
    json_page = Reply(200, types.get("json", JSON), text.encode(), headers)
    html_page = Reply(200, types.get("html", HTML), body.encode(), headers)
    if "json" not in formats:
        # A type that is written down is not negotiated: that is how a server sends what nobody asked for.
        return html_page if "html" in types else html_page.negotiated(None)
    return html_page.negotiated(json_page) if "html" in formats else json_page
