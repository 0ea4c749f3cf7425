"""What an index says about one project: a page, and the files on it (hot).

The words are those of the Simple repository API (PEP 503, 592, 658, 691, 700, 714, 740, 792).  Values are made at
the rim by ``accord_core.index.parse`` and are trusted after that.
"""

from __future__ import annotations

__all__ = ["ACTIVE", "ARCHIVED", "DEPRECATED", "QUARANTINED", "STATUSES", "File", "Page"]

# Project status markers (PEP 792, "Project status markers").
ACTIVE = "active"
ARCHIVED = "archived"
QUARANTINED = "quarantined"
DEPRECATED = "deprecated"
STATUSES = frozenset((ACTIVE, ARCHIVED, QUARANTINED, DEPRECATED))


class File:
    """One file of a project, as its index page announces it.

    ``filename`` is a bare file name, safe to use as one.  ``url`` is absolute.  ``hashes`` maps lower-case
    algorithm names to lower-case hex digests and may be empty.  ``requires_python`` is the specifier as written.
    ``yanked`` is PEP 592; ``yank_reason`` its text.  ``size`` is in bytes, ``upload_time`` ISO 8601 as sent (both
    PEP 700).  ``core_metadata`` (PEP 658, 714) is ``False``: not announced; ``True``: at ``url + ".metadata"``; or
    the hashes of that file.  ``gpg_sig`` is ``None`` where the page does not say.  ``provenance`` (PEP 740) is the
    absolute URL of the attestations.
    """

    __slots__ = (
        "core_metadata",
        "filename",
        "gpg_sig",
        "hashes",
        "provenance",
        "requires_python",
        "size",
        "upload_time",
        "url",
        "yank_reason",
        "yanked",
    )

    # Positional: keywords cost a tenth of a page of five thousand.
    def __init__(
        self,
        filename: str,
        url: str,
        hashes: dict[str, str],
        requires_python: str | None = None,
        yanked: bool = False,
        yank_reason: str | None = None,
        size: int | None = None,
        upload_time: str | None = None,
        core_metadata: dict[str, str] | bool = False,
        gpg_sig: bool | None = None,
        provenance: str | None = None,
    ) -> None:
        self.filename = filename
        self.url = url
        self.hashes = hashes
        self.requires_python = requires_python
        self.yanked = yanked
        self.yank_reason = yank_reason
        self.size = size
        self.upload_time = upload_time
        self.core_metadata = core_metadata
        self.gpg_sig = gpg_sig
        self.provenance = provenance

    @property
    def sha256(self) -> str | None:
        return self.hashes.get("sha256")

    def __repr__(self) -> str:
        return f"File({self.filename!r})"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, File):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in File.__slots__)

    def __hash__(self) -> int:
        return hash((self.filename, self.url))


class Page:
    """What one index knows of one project.

    ``name`` is as the index writes it.  ``status`` is one of :data:`STATUSES`; a page that names none, or one this
    version does not know, is ``active`` (PEP 792 "Semantics").  ``api_version`` is as sent, ``1.0`` where the
    page does not say.  ``ignored`` counts the entries that were no usable files.
    """

    __slots__ = ("api_version", "files", "ignored", "name", "status", "status_reason")

    def __init__(
        self,
        name: str,
        files: tuple[File, ...],
        *,
        status: str = ACTIVE,
        status_reason: str | None = None,
        api_version: str = "1.0",
        ignored: int = 0,
    ) -> None:
        self.name = name
        self.files = files
        self.status = status
        self.status_reason = status_reason
        self.api_version = api_version
        self.ignored = ignored

    def __repr__(self) -> str:
        return f"Page({self.name!r}, {len(self.files)} files)"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Page):
            return NotImplemented
        return all(getattr(self, slot) == getattr(other, slot) for slot in Page.__slots__)

    def __hash__(self) -> int:
        return hash((self.name, self.files))
