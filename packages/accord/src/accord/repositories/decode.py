"""Index pages, read fast.

JSON of megabytes is what a cold resolve spends its time on.  ``msgspec`` decodes straight into typed rows, in less
than half the time of ``json`` (``docs/decisions/0008-reading-json-pages.md``); what it makes goes through the same strict half as every
page.  Whatever it does not accept (one odd value is enough) is read again by ``accord_core.index.parse``, which
forgives single entries and knows the words for the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from accord_core.index.limits import DEFAULT, Limits
from accord_core.index.negotiate import JSON_FORM, form
from accord_core.index.parse import page_from_entries, parse_page

if TYPE_CHECKING:
    from accord_core.index.model import Page

__all__ = ["parse"]


class _File(msgspec.Struct, rename="kebab", gc=False):
    """The fields of an entry, in the order of :data:`accord_core.index.entries.Entry`."""

    filename: str
    url: str
    hashes: dict[str, str] = {}
    requires_python: str | None = None
    yanked: bool | str = False
    size: int | None = None
    upload_time: str | None = None
    core_metadata: bool | dict[str, str] | None = None
    gpg_sig: bool | None = None
    provenance: str | None = None


class _Meta(msgspec.Struct, rename="kebab"):
    api_version: str | None = None


class _Status(msgspec.Struct):
    status: str | None = None
    reason: str | None = None


class _Page(msgspec.Struct, rename="kebab"):
    files: list[_File]
    name: str = ""
    meta: _Meta | None = None
    project_status: _Status | None = None


_decode = msgspec.json.Decoder(_Page).decode
_tuple = msgspec.structs.astuple


def parse(body: bytes, content_type: str, url: str, limits: Limits = DEFAULT) -> Page:
    """As :func:`accord_core.index.parse.parse_page`, which see for the errors; the same page, sooner."""
    if len(body) > limits.body or form(content_type) != JSON_FORM:
        return parse_page(body, content_type, url, limits=limits)
    if b"dist-info-metadata" in body and b'"core-metadata"' not in body:
        return parse_page(body, content_type, url, limits=limits)  # the words from before PEP 714
    try:
        page = _decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return parse_page(body, content_type, url, limits=limits)
    status = page.project_status
    return page_from_entries(
        page.name,
        [_tuple(file) for file in page.files],
        url,
        api_version=None if page.meta is None else page.meta.api_version,
        status=None if status is None else status.status,
        status_reason=None if status is None else status.reason,
        limits=limits,
    )
