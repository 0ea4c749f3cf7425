"""Every number of this room that a stranger's file could make large; those of archives are ``archive``'s."""

from __future__ import annotations

from dataclasses import dataclass, field

from accord_core.archive import limits as archive_limits

__all__ = ["DEFAULT", "Limits"]


@dataclass(frozen=True, slots=True)
class Limits:
    """``archive`` holds for whatever is opened.

    ``text_bytes``   a member, unpacked, that is compared as text; larger ones are only said to differ
    ``text_source_lines``   its lines; comparing takes more than their number squared where somebody means ill
    ``text_lines``   lines of such a comparison, of one member
    ``text_members`` members whose text is compared
    ``page_files``   files an HTML page lists; of more it shows the folders
    ``page_values``  values of one list or table on an HTML page
    ``shown_bytes``  of one value of metadata on an HTML page
    ``pack_files``   files of a folder that is made a wheel
    """

    archive: archive_limits.Limits = field(default_factory=archive_limits.Limits)
    text_bytes: int = 1 << 20
    text_source_lines: int = 5_000
    text_lines: int = 500
    text_members: int = 200
    page_files: int = 5_000
    page_values: int = 2_000
    shown_bytes: int = 64 << 10
    pack_files: int = 250_000


DEFAULT = Limits()
