"""What the public index gives beside the Simple API: ``/pypi/NAME/json`` and the feeds below ``/rss/``.

Their URLs are absolute.  Where the settings say how the server is reached the pages lie on the shelf as others do; where
they do not, each is made for who asks and kept by nobody.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_version
from starlette.responses import RedirectResponse
from starlette.routing import Route

from accord.server.api.answers import Made, demand_reading, serve
from accord.server.api.openapi import (
    FLAG,
    INSTANT,
    NUMBER,
    TEXT,
    array,
    json_answer,
    operation,
    or_null,
    parameter,
    record,
)
from accord.server.api.places import everywhere, origin_of
from accord.server.api.simple import find_readable
from accord.server.catalogue import life
from accord.server.errors import Refused
from accord.server.pages import feeds, legacy_json
from accord.wheels.fields import read_fields
from accord_core.names import normalise

if TYPE_CHECKING:
    from collections.abc import Callable

    from sqlalchemy import Connection
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.routing import BaseRoute

    from accord.server.catalogue.indexes import IndexRow
    from accord.server.pages.feeds import Item
    from accord.server.parts import Parts

__all__ = ["openapi", "routes"]

_JSON_AGE = 600
_FEED_AGE = 300
_RSS = "application/rss+xml"


def routes(parts: Parts) -> list[BaseRoute]:
    """``/pypi/NAME/json``, ``/pypi/NAME/VERSION/json`` and ``/rss/…`` of each index."""
    settings = parts.settings

    def description(sha256: str) -> str:
        return read_fields(parts.storage.read(sha256)).first("Description")

    def document(request: Request) -> Response:
        asked, version = request.path_params["project"], request.path_params.get("version")
        name = normalise(asked)
        if name != asked:
            up = "../" if version is None else "../../"
            return RedirectResponse(f"{up}{name}/" + ("" if version is None else f"{version}/") + "json", 301)

        def make(connection: Connection, index: IndexRow) -> Made:
            told, public = find_readable(parts, connection, request, index, name)
            address = _address(parts, request, index)

            def write() -> dict[str, bytes]:
                body: bytes | None
                if version is None:
                    body = legacy_json.project_json(connection, told, address, description)
                else:
                    wanted = canonicalize_version(version, strip_trailing_zero=False)
                    body = legacy_json.release_json(connection, told, wanted, address, description)
                if body is None:
                    raise Refused(404, "no-such-release", f"{name} has no release {version}")
                return {"application/json": body}

            kept = settings.public_url is not None
            seen = (told.rows, address)
            return Made(write, told.of, told.serial, _JSON_AGE, public, kept, seen=seen)

        return serve(parts, request, make)

    def news(
        title: str, listed: Callable[[Connection, IndexRow], list[Item]]
    ) -> Callable[[Request], Response]:
        def endpoint(request: Request) -> Response:
            def make(connection: Connection, index: IndexRow) -> Made:
                demand_reading(parts, connection, request, index, None)
                origin = origin_of(settings, request)
                body = feeds.feed(
                    f"{index.title or index.name}: {title}", title, origin, listed(connection, index)
                )
                of = frozenset(((index.id, None),))
                return Made(
                    lambda: {_RSS: body},
                    of,
                    index.serial,
                    _FEED_AGE,
                    index.public,
                    settings.public_url is not None,
                )

            return serve(parts, request, make)

        return endpoint

    def project_news(request: Request) -> Response:
        asked = request.path_params["project"]
        name = normalise(asked)
        if name != asked:
            return RedirectResponse(f"../{name}/releases.xml", 301)

        def make(connection: Connection, index: IndexRow) -> Made:
            told, public = find_readable(parts, connection, request, index, name)
            title = f"releases of {told.row.display}"
            body = feeds.feed(title, title, origin_of(settings, request), feeds.releases_of(connection, told))
            return Made(
                lambda: {_RSS: body}, told.of, told.serial, _FEED_AGE, public, settings.public_url is not None
            )

        return serve(parts, request, make)

    return everywhere(
        [
            Route("/pypi/{project}/json", document, name="pypi-project"),
            Route("/pypi/{project}/{version}/json", document, name="pypi-release"),
            Route("/rss/packages.xml", news("new projects", feeds.new_projects), name="rss-projects"),
            Route("/rss/updates.xml", news("new releases", feeds.new_releases), name="rss-releases"),
            Route("/rss/project/{project}/releases.xml", project_news, name="rss-project"),
        ]
    )


def _address(parts: Parts, request: Request, index: IndexRow) -> legacy_json.Address:
    """Files are named below the *asked* index: who may read it may follow the link."""
    origin = origin_of(parts.settings, request)
    asked = request.path_params.get("index")
    root = origin.removesuffix(f"/{asked}") if asked else origin
    return legacy_json.Address(root, origin, index.name)


def openapi(paths: dict[str, Any]) -> None:
    """Both documents; the index's name may stand in front of each path."""
    release, project = _schemas()
    name, version = (
        parameter("project", "a project, by its normalised name"),
        parameter("version", "a version"),
    )
    redirect = {"301": {"description": "the name is not normalised"}}
    paths["/pypi/{project}/json"] = {
        "get": operation(
            "a project and all its releases",
            [name],
            {"200": json_answer("the project", project), **redirect},
            problems=(401, 403, 404),
        )
    }
    paths["/pypi/{project}/{version}/json"] = {
        "get": operation(
            "one release",
            [name, version],
            {"200": json_answer("the release", release), **redirect},
            problems=(401, 403, 404),
        )
    }


_DIGESTS = ("blake2b_256", "md5", "sha256")
_LISTS = ("dynamic", "license_files", "provides_extra", "requires_dist")
_NOTHING = {"type": "null"}
_PERHAPS = or_null(TEXT)
_GRAVE = record(
    {
        **dict.fromkeys(("filename", "version", "reason"), TEXT),
        "cause": {"enum": [*life.CAUSES, "upstream"]},
        "withdrawn": or_null(INSTANT),
    }
)
_UNCOUNTED = {"const": -1, "description": "downloads are not counted"}


def _schemas() -> tuple[dict[str, Any], dict[str, Any]]:
    """Of a release, and of a project: as the public index has them, and ``withdrawn`` besides."""
    texts = """author author_email description_content_type download_url home_page keywords license license_expression
        maintainer maintainer_email platform requires_python summary version yanked_reason"""
    info = record(
        {
            **dict.fromkeys(texts.split(), _PERHAPS),
            **dict.fromkeys(_LISTS, or_null(array(TEXT))),
            **dict.fromkeys(("name", "description", "package_url", "project_url", "release_url"), TEXT),
            "bugtrack_url": _NOTHING,
            "classifiers": array(TEXT),
            "docs_url": _NOTHING,
            "downloads": record(dict.fromkeys(("last_day", "last_month", "last_week"), _UNCOUNTED)),
            "project_urls": or_null({"type": "object", "additionalProperties": TEXT}),
            "yanked": FLAG,
        }
    )
    file = record(
        {
            **dict.fromkeys(("filename", "md5_digest", "python_version", "upload_time", "url"), TEXT),
            **dict.fromkeys(("requires_python", "yanked_reason"), _PERHAPS),
            "comment_text": _NOTHING,
            "core-metadata": {"anyOf": [{"const": False}, record({"sha256": TEXT})]},
            "digests": record(dict.fromkeys(_DIGESTS, TEXT)),
            "downloads": _UNCOUNTED,
            "has_sig": {"const": False},
            "packagetype": {"enum": ["bdist_wheel", "sdist"]},
            "size": NUMBER,
            "upload_time_iso_8601": INSTANT,
            "yanked": FLAG,
        }
    )
    release = {
        "info": info,
        "last_serial": NUMBER,
        "urls": array(file),
        "vulnerabilities": {**array({"type": "object"}), "description": "none are known here"},
        "withdrawn": {**array(_GRAVE), "description": "whose files are gone, and why"},
    }
    return record(release), record(
        {**release, "releases": {"type": "object", "additionalProperties": array(file)}}
    )
