"""The files of a page under their versions, and that page kept for another run (hot).

Grouping looks at names only, because a cold resolve meets a hundred thousand files to choose a few hundred: an entry
becomes a strict :class:`~accord_core.index.model.File` when somebody asks for the files of its version.  A page that came
over HTTP is kept as the bytes it came in; any other as its files' fields.
"""

from __future__ import annotations

import marshal

from accord_core.index.filenames import few_tags, split_sdist, split_wheel
from accord_core.index.model import File, Page
from accord_core.names import normalise
from accord_core.project.versions import sort_key

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

__all__ = ["Groups", "fields_of", "kept_page", "older", "opened_page", "read_page", "split"]

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
    """The files of one project's page; ``make`` turns entries of the page into files.

    Grouped under their versions when somebody asks about more than a version or two: of most pages nobody does.
    """

    __slots__ = ("_grouped", "_make", "entries", "project")

    def __init__(
        self,
        project: str,
        entries: Sequence[Any],
        make: Callable[[Sequence[Any]], Sequence[File]] = lambda entries: entries,
    ) -> None:
        self.project = project
        self.entries = entries
        self._make = make
        self._grouped: dict[bytes, list[Row]] | None = None

    def rows(self, version: str) -> Sequence[Row]:
        """What there is of a version (in any spelling), in the order of the page."""
        if self._grouped is None:
            self._grouped = _grouped(self.project, self.entries)
        return self._grouped.get(sort_key(version), ())

    def files(self, version: str) -> list[File]:
        """The usable files of a version, in the order of the page."""
        return list(self._make([row[0] for row in self.rows(version)]))

    def tagged(self, version: str, spellings: Sequence[str] = ()) -> list[tuple[File, str | None]]:
        """The usable files of a version, each with its compressed tag set; None for an sdist.

        ``spellings``: every one the page has of the version, where that is known; then nothing else is grouped.
        """
        if spellings and self._grouped is None:
            first, others = spellings[0], spellings[1:]
            some = [
                entry
                for entry in self.entries
                if first in entry.filename or (others and any(each in entry.filename for each in others))
            ]
            rows = _grouped(self.project, some).get(sort_key(version), [])
        else:
            rows = list(self.rows(version))
        tags = {row[0].filename: row[1] for row in rows}
        return [(file, tags[file.filename]) for file in self._make([row[0] for row in rows])]

    def with_files(self, files: Sequence[File]) -> Groups:
        """These files and more; a name that is there already counts once, as the page has it."""
        names = {entry.filename for entry in self.entries}
        mine = self._make(self.entries)
        return Groups(self.project, [*mine, *(file for file in files if file.filename not in names)])


def split(filename: str, project: str) -> tuple[str, str | None] | None:
    """The version of a file as its name writes it, and its compressed tag set (None: an sdist); None for a name that is
    no wheel or sdist of ``project``."""
    # The commonest form of each kind is split here, every other by the functions that know them all.
    if filename.endswith(".whl") and filename.count("-") == 4:
        name, version, tags = filename[:-4].split("-", 2)
        if not few_tags(tags):
            return None
    elif filename.endswith(".tar.gz") and filename.startswith(f"{project}-"):
        return filename[len(project) + 1 : -7], None
    else:
        wheel = split_wheel(filename)
        if wheel is None:
            sdist = split_sdist(filename, project)
            return None if sdist is None else (sdist[1], None)
        name, version, tags = wheel.name, wheel.version, f"{wheel.python}-{wheel.abi}-{wheel.platform}"
    ours = name == project or name.replace("_", "-") == project or normalise(name) == project
    return (version, tags) if ours else None


def _grouped(project: str, entries: Iterable[Any]) -> dict[bytes, list[Row]]:
    """Rows by the sort key of their version: "1.0" and "1.0.0" are one (PEP 440 "Version ordering")."""
    found: dict[bytes, list[Row]] = {}
    for entry in entries:
        parts = split(entry.filename, project)
        if parts is not None:
            try:
                found.setdefault(sort_key(parts[0]), []).append((entry, parts[1], parts[0]))
            except ValueError:
                continue  # no version, so nothing anybody could ask for
    return found


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
        return Groups(project, [File(*fields) for fields in held]), about
    from accord.repositories.port import RawPage

    body, packed = held
    return read_page(project, RawPage(body, content_type, about, packed=packed, most=most), hold=hold)


def read_page(project: str, page: RawPage | Page, *, hold: bool = False) -> tuple[Groups, Status]:
    """The groups of a page, and the project's status and its reason (PEP 792).  Raises as
    :func:`accord.repositories.decode.read`."""
    if isinstance(page, Page):
        return Groups(project, page.files), (page.status, page.status_reason)
    from accord.repositories.decode import read

    found = read(page, hold=hold)
    return Groups(project, found.entries, found.make), found.status
