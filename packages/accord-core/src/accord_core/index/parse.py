"""Simple API pages, read: bytes and a content type in, a :class:`~accord_core.index.model.Page` out.

JSON (PEP 691, 700, 714, 740, 792) and HTML (PEP 503 and its additions), versions 1.0 to 1.5.  A newer minor version
is read as far as it is understood; another major version is refused (PEP 629 "Clients").  One unusable entry does
not spoil a page; a page that is no page, or is beyond :class:`~accord_core.index.limits.Limits`, is refused.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from accord_core.errors import RepositoryError
from accord_core.index.entries import Entry, files
from accord_core.index.limits import DEFAULT, Limits
from accord_core.index.model import ACTIVE, STATUSES, Page
from accord_core.index.negotiate import HTML_FORM, JSON_FORM, form

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["check_size", "check_version", "page_from_entries", "parse_page", "parse_projects", "status_of"]

_MAJOR = "1"


def parse_page(body: bytes, content_type: str, url: str, *, limits: Limits = DEFAULT) -> Page:
    """The page of one project that was found at ``url``; relative links are resolved against it.

    Raises RepositoryError ``index-page-too-large``, ``index-page-invalid``, ``index-content-type`` or
    ``index-api-version``.
    """
    if _form(body, content_type, url, limits) == HTML_FORM:
        return _html_page(body, content_type, url, limits)
    document = _json(body, url)
    if not isinstance(document.get("files"), list):
        raise RepositoryError("index-page-invalid", f"{url} is no project page: it has no list of files")
    meta = document.get("meta")
    status = document.get("project-status")
    status = status if isinstance(status, dict) else {}
    entries = [entry for each in document["files"] if (entry := _entry(each)) is not None]
    return page_from_entries(
        _string(document.get("name")) or "",
        entries,
        url,
        api_version=_string(meta.get("api-version")) if isinstance(meta, dict) else None,
        status=_string(status.get("status")),
        status_reason=_string(status.get("reason")),
        limits=limits,
        ignored=len(document["files"]) - len(entries),
    )


def parse_projects(body: bytes, content_type: str, url: str, *, limits: Limits = DEFAULT) -> tuple[str, ...]:
    """The names on a repository's root page, as written.  Raises as :func:`parse_page`."""
    if _form(body, content_type, url, limits) == HTML_FORM:
        from accord_core.index import html

        page = html.anchors(_text(body, content_type), url, limits.files)
        check_version(page.meta.get("pypi:repository-version"), url)
        return tuple(html.projects(page))
    document = _json(body, url)
    meta = document.get("meta")
    check_version(_string(meta.get("api-version")) if isinstance(meta, dict) else None, url)
    listed = document.get("projects")
    if not isinstance(listed, list):
        raise RepositoryError("index-page-invalid", f"{url} is no list of projects")
    names = [_string(each.get("name")) for each in listed if isinstance(each, dict)]
    return tuple([name for name in names if name])


def page_from_entries(
    name: str,
    entries: Sequence[Entry],
    base: str,
    *,
    api_version: str | None = None,
    status: str | None = None,
    status_reason: str | None = None,
    limits: Limits = DEFAULT,
    ignored: int = 0,
) -> Page:
    """The strict half of reading a page: for tools that bring a JSON decoder of their own.

    Raises RepositoryError ``index-api-version`` or ``index-page-too-large``.
    """
    check_version(api_version, base)
    check_size(len(entries), base, limits)
    made, unusable = files(entries, base, limits)
    known, reason = status_of(status, status_reason, limits)
    return Page(
        name,
        made,
        status=known,
        status_reason=reason,
        api_version=api_version or "1.0",
        ignored=ignored + unusable,
    )


def check_size(count: int, url: str, limits: Limits) -> None:
    """Raises RepositoryError ``index-page-too-large`` for a page of ``count`` files beyond the limit."""
    if count > limits.files:
        raise RepositoryError(
            "index-page-too-large",
            f"{url} lists {count:,} files; the limit is {limits.files:,}",
            hint="ask the index's operator, or exclude the project",
        )


def status_of(status: str | None, reason: str | None, limits: Limits) -> tuple[str, str | None]:
    """Project status and reason (PEP 792 "Semantics"): one that is not known counts as active."""
    return status if status in STATUSES else ACTIVE, reason[: limits.reason] if reason else None


def _html_page(body: bytes, content_type: str, url: str, limits: Limits) -> Page:
    from accord_core.index import html  # tables that a page in JSON needs none of

    page = html.anchors(_text(body, content_type), url, limits.files)
    name = url.partition("#")[0].partition("?")[0].rstrip("/").removesuffix("/index.html").rpartition("/")[2]
    return page_from_entries(
        name,
        html.links(page),
        page.base,
        api_version=page.meta.get("pypi:repository-version"),
        status=page.meta.get("pypi:project-status"),
        status_reason=page.meta.get("pypi:project-status-reason"),
        limits=limits,
    )


def _form(body: bytes, content_type: str, url: str, limits: Limits) -> str:
    if len(body) > limits.body:
        raise RepositoryError(
            "index-page-too-large",
            f"{url} is larger than the limit of {limits.body:,} bytes for an index page",
            hint="ask the index's operator: no project page is that large",
        )
    found = form(content_type)
    if found not in {HTML_FORM, JSON_FORM}:
        raise RepositoryError(
            "index-content-type",
            f"{url} answered with the content type {content_type!r}, which is no form of the Simple API",
            hint="check the index URL: it usually ends in /simple/",
        )
    return found


def check_version(version: str | None, url: str) -> None:
    """Raises RepositoryError ``index-api-version`` for another major version than 1 (PEP 629 "Clients")."""
    if version is not None and version.partition(".")[0].strip() != _MAJOR:
        raise RepositoryError(
            "index-api-version",
            f"{url} speaks version {version[:32]} of the Simple API; this Accord understands {_MAJOR}.x",
            hint="upgrade Accord, or ask the index for an older form",
        )


def _json(body: bytes, url: str) -> dict[str, Any]:
    try:
        document = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise RepositoryError(
            "index-page-invalid",
            f"{url} is not valid JSON: {error}",
            hint="the answer may have been cut short or made by a proxy; try again",
        ) from error
    if not isinstance(document, dict):
        raise RepositoryError("index-page-invalid", f"{url} is no page of the Simple API: not a JSON object")
    return document


def _entry(raw: object) -> Entry | None:
    """One element of ``files``, typed; what has another type than the standard says counts as absent."""
    if not isinstance(raw, dict):
        return None
    filename, url = raw.get("filename"), raw.get("url")
    if not isinstance(filename, str) or not isinstance(url, str):
        return None
    yanked, size, gpg_sig = raw.get("yanked", False), raw.get("size"), raw.get("gpg-sig")
    metadata = raw.get("core-metadata")
    if metadata is None:  # PEP 714: the new key wins; "data-dist-info-metadata" is what one index once sent
        metadata = raw.get("dist-info-metadata", raw.get("data-dist-info-metadata"))
    return (
        filename,
        url,
        _string_table(raw.get("hashes")),
        _string(raw.get("requires-python")),
        yanked if isinstance(yanked, bool | str) else bool(yanked),
        size if isinstance(size, int) and not isinstance(size, bool) else None,
        _string(raw.get("upload-time")),
        _string_table(metadata) or True if isinstance(metadata, dict) else metadata is True,
        gpg_sig if isinstance(gpg_sig, bool) else None,
        _string(raw.get("provenance")),
    )


def _string(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _string_table(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        return {}
    return {key: each for key, each in value.items() if isinstance(each, str)}


def _text(body: bytes, content_type: str) -> str:
    """The page's characters: the charset the header names, else UTF-8; bytes that do not fit are replaced."""
    _, _, parameters = content_type.partition(";")
    charset = "utf-8"
    for part in parameters.split(";"):
        key, _, value = part.partition("=")
        if key.strip().lower() == "charset" and value.strip():
            charset = value.strip().strip('"')
    try:
        return body.decode(charset, "replace")
    except LookupError:
        return body.decode("utf-8", "replace")
