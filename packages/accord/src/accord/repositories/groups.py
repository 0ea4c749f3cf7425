"""The files of a page under their versions, and that page kept for another run (hot).

Grouping looks at names only, because a cold resolve groups a hundred thousand files to choose a few hundred: an entry
becomes a strict :class:`~accord_core.index.model.File` when somebody asks for the files of its version.  A page that came
over HTTP is kept as the bytes it came in; any other as its files' fields.
"""

from __future__ import annotations

import marshal

from accord_core.index.filenames import split_sdist, split_wheel
from accord_core.index.model import File, Page
from accord_core.names import normalise
from accord_core.project.versions import keyed

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
    Status = tuple[str, str | None]

__all__ = ["Groups", "fields_of", "group", "kept_page", "older", "opened_page", "read_page"]

_FORM = "page-2"
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
    """Rows by version (normal form, ascending), with the versions' sort ``keys``; ``make`` turns entries of this page
    into files."""

    __slots__ = ("_make", "_rows", "keys")

    def __init__(
        self,
        rows: dict[str, list[Row]],
        keys: Sequence[bytes] = (),
        make: Callable[[Sequence[Any]], Sequence[File]] = lambda entries: entries,
    ) -> None:
        self._rows = rows
        self.keys = keys
        self._make = make

    def versions(self) -> tuple[str, ...]:
        return tuple(self._rows)

    def rows(self, version: str) -> Sequence[Row]:
        return self._rows.get(version, ())

    def files(self, version: str) -> list[File]:
        """The usable files of a version, in the order of the page."""
        return list(self._make([row[0] for row in self.rows(version)]))

    def tagged(self, version: str) -> list[tuple[File, str | None]]:
        """The usable files of a version, each with its compressed tag set; None for an sdist."""
        tags = {row[0].filename: row[1] for row in self.rows(version)}
        return [(file, tags[file.filename]) for file in self.files(version)]

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
    begins = f"{project}-"  # as the last sdist's name did
    # How the last wheel's name began, up to its tags; most of its neighbours' names begin so too.
    release, released = "\n", ""
    of_release: list[Row] = []
    for entry in entries:
        filename = entry.filename
        tags: str | None
        if filename.startswith(release) and filename.endswith(".whl"):
            tags = filename[len(release) : -4]
            if tags.count("-") == 2:
                of_release.append((entry, tags, released))
                continue
        # The commonest form of each kind is split here, every other by the functions that know them all.
        if filename.endswith(".whl") and filename.count("-") == 4:
            name, raw, tags = filename[:-4].split("-", 2)
        elif filename.endswith(".tar.gz") and filename.startswith(begins):
            name, raw, tags = project, filename[len(begins) : -7], None
        elif (wheel := split_wheel(filename)) is not None:
            name, raw, tags = wheel.name, wheel.version, f"{wheel.python}-{wheel.abi}-{wheel.platform}"
        elif (sdist := split_sdist(filename, project)) is not None:
            name, raw, tags = project, sdist[1], None
            begins = f"{sdist[0]}-"
        else:
            continue
        ours = wheels.get(name)
        if ours is None:
            ours = wheels[name] = normalise(name) == project
        if not ours:
            continue
        by_raw.setdefault(raw, []).append((entry, tags, raw))
        if tags is not None:
            release, released, of_release = f"{name}-{raw}-", raw, by_raw[raw]
    found = _sorted(by_raw)
    return Groups({version: rows for _, (version, rows) in found}, [key for key, _ in found], make)


def _sorted(by_raw: dict[str, list[Row]]) -> list[tuple[bytes, tuple[str, list[Row]]]]:
    """Keys with normal versions and their rows, ascending; what is no version is left out.

    "1.0" and "1.0.0" are one version (PEP 440 "Version ordering"), called as the page does first.
    """
    found: dict[bytes, tuple[str, list[Row]]] = {}
    for raw, rows in by_raw.items():
        try:
            key, version = keyed(raw)
        except ValueError:
            continue
        known = found.setdefault(key, (version, rows))[1]
        if known is not rows:
            known += rows
    return sorted(found.items())


def older(row: Row, cutoff: str) -> bool:
    """Whether a row's file was uploaded before ``cutoff``; seconds are what both sides always have."""
    uploaded = row[0].upload_time
    return uploaded is not None and uploaded[:19] < cutoff[:19]


def fields_of(file: File) -> tuple[object, ...]:
    """The fields of a file, for ``marshal``."""
    return tuple([getattr(file, name) for name in FILE_FIELDS])


def kept_page(page: RawPage | Page) -> bytes:
    """A page as bytes for :func:`opened_page`."""
    if isinstance(page, Page):
        said = page.status, page.status_reason
        return marshal.dumps((_FORM, None, said, [fields_of(file) for file in page.files]))
    return marshal.dumps((_FORM, page.content_type, page.url, (page.body, page.packed)))


def opened_page(project: str, blob: bytes, most: int = 0, *, hold: bool = False) -> tuple[Groups, Status]:
    """The groups of a kept page, and the project's status.  ``most`` is as in
    :class:`~accord.repositories.port.RawPage`, ``hold`` as in :func:`accord.repositories.decode.read`.  Raises ValueError, EOFError or TypeError for bytes that are none, and as
    :func:`read_page`."""
    form, content_type, about, held = marshal.loads(blob)  # noqa: S302 - our own cache, not input
    if form != _FORM:
        raise ValueError("another form")
    if content_type is None:
        return group(project, [File(*fields) for fields in held]), about
    from accord.repositories.port import RawPage

    body, packed = held
    return read_page(project, RawPage(body, content_type, about, packed=packed, most=most), hold=hold)


def read_page(project: str, page: RawPage | Page, *, hold: bool = False) -> tuple[Groups, Status]:
    """The groups of a page, and the project's status and its reason (PEP 792).  Raises as
    :func:`accord.repositories.decode.read`."""
    if isinstance(page, Page):
        return group(project, page.files), (page.status, page.status_reason)
    from accord.repositories.decode import read

    found = read(page, hold=hold)
    return group(project, found.entries, found.make), found.status
