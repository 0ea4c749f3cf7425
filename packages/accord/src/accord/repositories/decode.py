"""Index pages, read fast.

JSON of megabytes is what a cold resolve spends its time on, and of a page's thousands of files it looks at a few.  So a
page is read in two steps (``docs/decisions/0008-reading-json-pages.md``): ``msgspec`` first decodes *briefs*, the few
fields that decide which versions there are and which of them a target can use; a file's other fields are decoded, and
checked by the strict half of ``accord_core.index``, when that file is asked for.

Whatever ``msgspec`` does not accept (one odd value is enough) is read by ``accord_core.index.parse``, which forgives
single entries and knows the words for the rest.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from accord_core.index.entries import files
from accord_core.index.limits import DEFAULT, Limits
from accord_core.index.negotiate import JSON_FORM, form
from accord_core.index.parse import check_size, check_version, page_from_entries, parse_page, status_of

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from accord.repositories.port import RawPage
    from accord_core.index.model import File, Page

__all__ = ["Brief", "Read", "parse", "read"]


class Brief(msgspec.Struct, rename="kebab", gc=False):
    """What of a file decides about versions; ``yanked`` may be the reason."""

    filename: str
    requires_python: str | None = None
    yanked: bool | str = False
    upload_time: str | None = None


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


class _Page(msgspec.Struct, rename="kebab", kw_only=True):
    name: str = ""
    meta: _Meta | None = None
    project_status: _Status | None = None

    @property
    def version(self) -> str | None:
        return None if self.meta is None else self.meta.api_version

    @property
    def said(self) -> tuple[str | None, str | None]:
        """Project status and its reason, as written."""
        status = self.project_status
        return (None, None) if status is None else (status.status, status.reason)


class _Whole(_Page, rename="kebab", kw_only=True):
    files: list[_File]


class _Sketch(_Page, rename="kebab", kw_only=True):
    files: list[Brief]


class _Raw(msgspec.Struct):
    files: list[msgspec.Raw]


_whole = msgspec.json.Decoder(_Whole).decode
_sketch = msgspec.json.Decoder(_Sketch).decode
_raw = msgspec.json.Decoder(_Raw).decode
_file = msgspec.json.Decoder(_File).decode
_tuple = msgspec.structs.astuple
_FAULTS = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)


class Read:
    """A page read as far as a resolve needs it: ``entries`` have the attributes of files, and ``make`` turns those that
    are wanted into strict ones, leaving out what is unusable.  ``status`` is PEP 792's, and its reason."""

    __slots__ = ("_body", "_limits", "_page", "entries", "status")

    def __init__(
        self,
        entries: Sequence[Any],
        status: tuple[str, str | None],
        page: RawPage,
        limits: Limits,
        body: bytes | None = None,
    ) -> None:
        self.entries = entries
        self.status = status
        self._page = page
        self._limits = limits
        self._body = body

    def make(self, entries: Sequence[Any]) -> Sequence[File]:
        if not entries or not isinstance(entries[0], Brief):
            return entries
        raws = _raw(self._page.open() if self._body is None else self._body).files
        wanted_ids = set(map(id, entries))
        places = {one: place for place, one in enumerate(map(id, self.entries)) if one in wanted_ids}
        try:
            whole = [_tuple(_file(raws[places[id(entry)]])) for entry in entries]
        except _FAULTS:
            wanted = {entry.filename for entry in entries}
            page = self._page
            forgiving = parse_page(page.open(), page.content_type, page.url, limits=self._limits)
            return [file for file in forgiving.files if file.filename in wanted]
        return files(whole, self._page.url, self._limits)[0]


def read(page: RawPage, limits: Limits = DEFAULT, *, hold: bool = False) -> Read:
    """The entries of a page.  ``hold`` keeps the opened page for as long as what is returned: for files that are made
    at once.  Raises as :func:`accord_core.index.parse.parse_page`."""
    body = page.open()
    if _typed(body, page.content_type, limits):
        try:
            found = _sketch(body)
        except _FAULTS:
            pass
        else:
            check_version(found.version, page.url)
            check_size(len(found.files), page.url, limits)
            status = status_of(*found.said, limits)
            return Read(found.files, status, page, limits, body if hold else None)
    whole = parse_page(body, page.content_type, page.url, limits=limits)
    return Read(whole.files, (whole.status, whole.status_reason), page, limits)


def parse(body: bytes, content_type: str, url: str, limits: Limits = DEFAULT) -> Page:
    """As :func:`accord_core.index.parse.parse_page`, which see for the errors; the same page, sooner."""
    # "dist-info-metadata" is the word from before PEP 714
    if _typed(body, content_type, limits) and (
        b"dist-info-metadata" not in body or b'"core-metadata"' in body
    ):
        try:
            page = _whole(body)
        except _FAULTS:
            pass
        else:
            status, reason = page.said
            return page_from_entries(
                page.name,
                [_tuple(file) for file in page.files],
                url,
                api_version=page.version,
                status=status,
                status_reason=reason,
                limits=limits,
            )
    return parse_page(body, content_type, url, limits=limits)


def _typed(body: bytes, content_type: str, limits: Limits) -> bool:
    """Whether the typed decoder may try."""
    return len(body) <= limits.body and form(content_type) == JSON_FORM
