"""A project for people: what it is, how to install it, its releases and files, what it needs and who needs it.

Of one project: ``/project/N/`` (the release that is meant when none is named), ``/project/N/V/`` (one release), both with
the tabs ``files`` and ``dependencies``; ``releases``, ``used-by`` of all of them.  No version is called like a tab.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import wraps
from typing import TYPE_CHECKING, Any

from packaging.utils import canonicalize_version
from packaging.version import InvalidVersion, Version
from starlette.responses import RedirectResponse, Response

from accord.server.accounts import principals
from accord.server.accounts.principals import ANYBODY
from accord.server.api import places
from accord.server.api.places import everywhere
from accord.server.catalogue import browsing, indexes, life, reading, stacks
from accord.server.errors import Refused, no_such_project
from accord.server.waiting import Waiting
from accord.server.web import contents, install, readme
from accord.server.web.visits import Visit
from accord.server.web.visits import reading as page
from accord_core.archive.sdist import pkg_info
from accord_core.errors import AccordError
from accord_core.names import normalise

if TYPE_CHECKING:
    from sqlalchemy import Connection
    from starlette.routing import BaseRoute

    from accord.server.catalogue.browsing import ReleaseRow
    from accord.server.catalogue.indexes import IndexRow
    from accord.server.catalogue.life import Tombstone
    from accord.server.catalogue.reading import FileRow, ProjectRow
    from accord.server.parts import Parts
    from accord.server.storage import BlobStore
    from accord.server.web.visits import Handler

__all__ = ["Looked", "look", "routes"]

_STORAGE = Waiting()
_USERS = 500
_LINK_WORDS = {
    "homepage": "Homepage",
    "source": "Source",
    "download": "Download",
    "changelog": "Changelog",
    "releasenotes": "Release notes",
    "documentation": "Documentation",
    "issues": "Issues",
    "funding": "Funding",
}
"""Well-known labels of project URLs, as the core metadata specification lists them."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A project somebody looks at.  ``asked`` is the index of the path, ``source`` the one of the stack that has it;
    ``order`` all that were asked for the name, whose changes change the page."""

    asked: IndexRow
    source: IndexRow
    order: tuple[IndexRow, ...]
    project: ProjectRow
    releases: tuple[ReleaseRow, ...]
    withdrawn: tuple[Tombstone, ...]
    public: bool
    manages: bool

    @property
    def of(self) -> frozenset[tuple[int, str | None]]:
        return frozenset((index.id, self.project.name) for index in self.order)

    def release(self, version: str) -> ReleaseRow:
        """Raises ``Refused("no-such-release")`` (404)."""
        for one in self.releases:
            if one.version == version:
                return one
        raise Refused(
            404,
            "no-such-release",
            f"{self.asked.name} has no release {version} of {self.project.name}",
            hint="the project's page lists those there are",
        )


def _normal(handler: Handler) -> Handler:
    """At addresses as they are written normally; others lead there."""

    @wraps(handler)
    def answer(visit: Visit) -> Response:
        return _moved(visit) or handler(visit)

    return answer


def _moved(visit: Visit) -> Response | None:
    """Names and versions have one way to be written; other ways lead there (PEP 503, 440)."""
    asked, name = visit.path("project"), normalise(visit.path("project"))
    version = visit.request.path_params.get("version")
    normal = version
    if version is not None:
        try:
            Version(version)
        except InvalidVersion:
            return None
        normal = canonicalize_version(version, strip_trailing_zero=False)
    if (name, normal) == (asked, version) or not name:
        return None
    path = visit.request.url.path
    tail = path.split("/project/", 1)[1].split("/", 2 if version else 1)[-1]
    way = f"{visit.base}project/{name}/" + (f"{normal}/" if normal else "")
    return RedirectResponse(way + tail.lstrip("/") if tail else way, 301)


def routes(parts: Parts) -> list[BaseRoute]:
    return everywhere(
        [
            page(parts, "/project/{project}/", _normal(overview)),
            page(parts, "/project/{project}/releases/", _normal(releases)),
            page(parts, "/project/{project}/used-by/", _normal(used_by)),
            page(parts, "/project/{project}/{version}/", _normal(overview)),
            page(parts, "/project/{project}/{version}/files/", _normal(files)),
            page(parts, "/project/{project}/{version}/files/{filename}", inside),
            page(parts, "/project/{project}/{version}/dependencies/", _normal(dependencies)),
            page(parts, "/project/{project}", slash),
            page(parts, "/project/{project}/{version}", slash),
        ]
    )


def slash(visit: Visit) -> Response:
    return places.slash(visit.request)


def look(visit: Visit, connection: Connection) -> Looked:
    """Raises ``Refused``: 401, 403, 404."""
    name = normalise(visit.path("project"))
    asked = visit.index(connection, name)
    told = stacks.tell(connection, visit.who, asked, name, visit.at)
    if told is None:
        raise no_such_project(asked.name, name)
    order = indexes.reading_order(connection, asked)
    source = next(one for one in order if one.id == told.row.index_id)
    return Looked(
        asked,
        source,
        order,
        told.row,
        browsing.releases_of(connection, told.row),
        life.tombstones(connection, told.row.id),
        all(principals.may(connection, ANYBODY, "read", index, name, visit.at) for index in (asked, source)),
        principals.may(connection, visit.who, "yank", source, name, visit.at),
    )


def overview(visit: Visit) -> Response:
    """The description, the installation, what the metadata say."""
    serial = visit.parts.shelf.catch_up()
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
        release, named = _release(visit, looked)
        found = _files(connection, looked, release)
        about = browsing.about(connection, release.id) if release and found else {}
        needs = browsing.requirements(connection, release.id) if release and found else ()
    description = _description(visit.parts, found)
    return visit.keep(
        "project.html",
        looked.of,
        serial,
        public=looked.public,
        **_head(visit, looked, release, named=named, tab="overview"),
        about=about,
        links=_links(about),
        description=description,
        files=found,
        needs=needs,
    )


def releases(visit: Visit) -> Response:
    serial = visit.parts.shelf.catch_up()
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
    head = _head(visit, looked, browsing.preferred(looked.releases), named=False, tab="releases")
    return visit.keep("releases.html", looked.of, serial, public=looked.public, **head)


def files(visit: Visit) -> Response:
    serial = visit.parts.shelf.catch_up()
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
        release, _ = _release(visit, looked)
        found = _files(connection, looked, release)
    head = _head(visit, looked, release, named=True, tab="files")
    return visit.keep("files.html", looked.of, serial, public=looked.public, **head, files=found)


def inside(visit: Visit) -> Response:
    """The tree of one file."""
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
        release, _ = _release(visit, looked)
        found = _files(connection, looked, release)
    file = next((one for one in found if one.filename == visit.path("filename")), None)
    if file is None:
        raise Refused(
            404, "no-such-file", f"release {visit.path('version')} has no file {visit.path('filename')}"
        )
    tree = contents.inside(visit.parts, file)
    head = _head(visit, looked, release, named=True, tab="files")
    return visit.show("inside.html", **head, file=file, inside=tree)


def dependencies(visit: Visit) -> Response:
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
        release, _ = _release(visit, looked)
        needs = browsing.requirements(connection, release.id) if release and release.files else ()
        here = stacks.present(connection, visit.who, looked.asked, {name for name, _ in needs}, visit.at)
    groups: dict[str, list[tuple[str, str]]] = {}
    for name, requirement in needs:
        groups.setdefault(_extra(requirement), []).append((name, requirement))
    head = _head(visit, looked, release, named=True, tab="dependencies")
    return visit.show("dependencies.html", **head, groups=groups, here=here)


def used_by(visit: Visit) -> Response:
    with visit.parts.database.read() as connection:
        looked = look(visit, connection)
        by_id = {index.id: index for index in looked.order}
        rows = browsing.users_of(connection, list(by_id), looked.project.name, _USERS)
        shown = {
            name: display
            for index_id, name, display, private in rows
            if principals.may(
                connection, visit.who, "read", by_id[index_id], name if private else None, visit.at
            )
        }
    head = _head(visit, looked, browsing.preferred(looked.releases), named=False, tab="used-by")
    return visit.show("used_by.html", **head, users=shown, most=_USERS)


def _release(visit: Visit, looked: Looked) -> tuple[ReleaseRow | None, bool]:
    """The release of the path, or the one that is meant where none is named; whether one was."""
    version = visit.request.path_params.get("version")
    if version is None:
        return browsing.preferred(looked.releases), False
    return looked.release(version), True


def _files(connection: Connection, looked: Looked, release: ReleaseRow | None) -> tuple[FileRow, ...]:
    """The files of a release: the sdist first, then the wheels by name."""
    if release is None:
        return ()
    found = [one for one in reading.files_of(connection, looked.project) if one.version == release.version]
    return tuple(sorted(found, key=lambda one: (one.kind, one.filename)))


def _head(
    visit: Visit, looked: Looked, release: ReleaseRow | None, *, named: bool, tab: str
) -> dict[str, Any]:
    """What every page of a project shows.  ``named``: the address names the version."""
    newest = browsing.preferred(looked.releases)
    prefix = "" if visit.request.path_params.get("index") is None else f"/{looked.asked.name}"
    exact = None if release is None or (newest is not None and release.id == newest.id) else release.version
    return {
        "looked": looked,
        "project": looked.project,
        "release": release,
        "newest": newest,
        "named": named,
        "tab": tab,
        "home": f"{visit.base}project/{looked.project.name}/",
        "ways": install.install_lines(
            f"{visit.address}{prefix}/simple/", looked.asked.name, looked.project.name, exact
        ),
    }


def _description(parts: Parts, found: tuple[FileRow, ...]) -> object:
    """The rendered description of a release: that of its first file that has metadata.

    Raises ``Refused("server-storage-unavailable")`` (503): such a page would be kept without it.
    """
    for file in sorted(found, key=lambda one: (one.kind != "wheel", one.id)):
        try:
            metadata = _STORAGE.run(
                _metadata, parts.storage, file, seconds=parts.settings.limits.page_storage_seconds
            )
            if metadata is not None:
                return readme.rendered(parts, metadata)
        except AccordError as fault:
            if fault.code == "server-storage-unavailable":
                raise
            continue  # a blob is missing or damaged; the page shows the rest
    return ""


def _metadata(storage: BlobStore, file: FileRow) -> bytes | None:
    if file.metadata_sha256 is not None:
        return storage.read(file.metadata_sha256)
    path = storage.path(file.sha256)
    return pkg_info(path) if file.kind == "sdist" and path is not None else None


def _links(about: dict[str, list[str]]) -> list[tuple[str, str]]:
    """``(label, URL)`` of the project's own links: http and https only."""
    found: list[tuple[str, str]] = []
    for field, label in (("Home-page", "Homepage"), ("Download-URL", "Download")):
        found += [(label, url) for url in about.get(field, ())]
    for line in about.get("Project-URL", ()):
        label, _, url = line.partition(",")
        plain = "".join(letter for letter in label.lower() if letter.isalnum())
        found.append((_LINK_WORDS.get(plain, label.strip()), url.strip()))
    seen: dict[str, tuple[str, str]] = {}
    for label, url in found:
        if url.lower().startswith(("https://", "http://")):
            seen.setdefault(url.rstrip("/"), (label or url, url))
    return list(seen.values())


def _extra(requirement: str) -> str:
    """The extra a requirement is for, ``""`` where it is always needed."""
    marker = requirement.partition(";")[2]
    for mark in ("extra == '", 'extra == "'):
        if mark in marker:
            return marker.partition(mark)[2].partition(mark[-1])[0]
    return ""
