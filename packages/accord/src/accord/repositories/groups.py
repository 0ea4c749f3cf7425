"""The files of a page under their versions, and that page kept for another run (hot).

Grouping looks at names only, because a cold resolve groups a hundred thousand files to choose a few hundred: an entry
becomes a strict :class:`~accord_core.index.model.File` when somebody asks for the files of its version.  A page that came
over HTTP is kept as the bytes it came in; any other as its files' fields.
"""

from __future__ import annotations

import marshal

from accord_core.index.filenames import kind, split_sdist, split_wheel
from accord_core.index.model import File
from accord_core.names import normalise
from accord_core.project.versions import normal, sort_key

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence
    from typing import Any, Protocol

    from accord.repositories.port import RawPage

    class Entry(Protocol):
        """What grouping and compiling read of a file; ``yanked`` may be the reason."""

        @property
        def filename(self) -> str: ...
        @property
        def requires_python(self) -> str | None: ...
        @property
        def yanked(self) -> bool | str: ...
        @property
        def upload_time(self) -> str | None: ...

    # an entry, its compressed tag set "python-abi-platform" (None: an sdist), its version as written
    Row = tuple[Entry, str | None, str]

__all__ = ["FILE_FIELDS", "Groups", "group", "kept_page", "older", "opened_page"]

_FORM = "page-1"
FILE_FIELDS = (
    "filename",
    "url",
    "hashes",
    "requires_python",
    "yanked",
    "yank_reason",
    "size",
    "upload_time",
    "core_metadata",
    "gpg_sig",
    "provenance",
)


class Groups:
    """Rows by version (normal form, ascending); ``make`` turns entries of this page into files."""

    __slots__ = ("_make", "_rows")

    def __init__(
        self,
        rows: dict[str, list[Row]],
        make: Callable[[Sequence[Any]], Sequence[File]] = lambda entries: entries,
    ) -> None:
        self._rows = rows
        self._make = make

    def versions(self) -> tuple[str, ...]:
        return tuple(self._rows)

    def rows(self, version: str) -> Sequence[Row]:
        return self._rows.get(version, ())

    def files(self, version: str) -> list[File]:
        """The usable files of a version, in the order of the page."""
        return list(self._make([row[0] for row in self.rows(version)]))

    def with_files(self, project: str, files: Sequence[File]) -> Groups:
        """These groups and more files; a name that is there already counts once, as the page has it."""
        names = {row[0].filename for rows in self._rows.values() for row in rows}
        mine = [file for version in self._rows for file in self.files(version)]
        return group(project, [*mine, *(file for file in files if file.filename not in names)])


def group(
    project: str,
    entries: Iterable[Any],
    make: Callable[[Sequence[Any]], Sequence[File]] = lambda entries: entries,
) -> Groups:
    """Entries under their versions; names that are no wheel or sdist of ``project`` are left out, never an error."""
    by_raw: dict[str, list[Row]] = {}
    wheels: dict[str, bool] = {}
    for entry in entries:
        filename = entry.filename
        parts = filename.split("-")
        if len(parts) == 5 and filename.endswith(".whl"):
            name, raw = parts[0], parts[1]
            tags: str | None = filename[len(name) + len(raw) + 2 : -4]
        elif kind(filename) == "wheel":
            wheel = split_wheel(filename)
            if wheel is None:
                continue
            name, raw, tags = wheel.name, wheel.version, f"{wheel.python}-{wheel.abi}-{wheel.platform}"
        else:
            sdist = split_sdist(filename, project)
            if sdist is None:
                continue
            name, raw, tags = project, sdist[1], None
        ours = wheels.get(name)
        if ours is None:
            ours = wheels[name] = normalise(name) == project
        if not ours:
            continue
        rows = by_raw.get(raw)
        if rows is None:
            by_raw[raw] = [(entry, tags, raw)]
        else:
            rows.append((entry, tags, raw))
    return Groups(_sorted(by_raw), make)


def _sorted(by_raw: dict[str, list[Row]]) -> dict[str, list[Row]]:
    """By normal version, ascending; what is no version is left out.

    "1.0" and "1.0.0" are one version (PEP 440 "Version ordering"), called as the page does first.
    """
    found: dict[bytes, tuple[str, list[Row]]] = {}
    for raw, rows in by_raw.items():
        try:
            version = normal(raw)
            key = sort_key(version)
        except ValueError:
            continue
        known = found.setdefault(key, (version, rows))[1]
        if known is not rows:
            known += rows
    return {version: rows for _, (version, rows) in sorted(found.items())}


def older(row: Row, cutoff: str) -> bool:
    """Whether a row's file was uploaded before ``cutoff``; seconds are what both sides always have."""
    uploaded = row[0].upload_time
    return uploaded is not None and uploaded[:19] < cutoff[:19]


def kept_page(raw: RawPage | None, groups: Groups) -> bytes:
    """A page as bytes for :func:`opened_page`."""
    if raw is None:
        fields = [
            tuple([getattr(file, name) for name in FILE_FIELDS])
            for version in groups.versions()
            for file in groups.files(version)
        ]
        return marshal.dumps((_FORM, None, None, fields))
    return marshal.dumps((_FORM, raw.content_type, raw.url, (raw.body, raw.packed)))


def opened_page(project: str, blob: bytes) -> Groups:
    """The groups of a kept page.  Raises ValueError, EOFError or TypeError for bytes that are none."""
    form, content_type, url, held = marshal.loads(blob)  # noqa: S302 - our own cache, not input
    if form != _FORM:
        raise ValueError("another form")
    if content_type is None:
        return group(project, [File(*fields) for fields in held])
    from accord.repositories.decode import read
    from accord.repositories.port import RawPage

    body, packed = held
    page = read(RawPage(body, content_type, url, packed=packed))
    return group(project, page.entries, page.make)
