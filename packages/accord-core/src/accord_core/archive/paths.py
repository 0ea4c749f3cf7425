"""Which names may stand in an archive, and which may stand beside each other.

A name is safe when every file system takes it to be the same one place inside the target folder.  Names that
differ only in case or in Unicode normalisation are one file on some systems and two on others, so an archive may
hold only one of them.  This room compares strings; it never asks a file system.
"""

from __future__ import annotations

from ..errors import ArchiveError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .limits import Limits

__all__ = ["Paths", "fold"]


def fold(name: str) -> str:
    """The key under which names are one: canonical caseless match (Unicode standard, section 3.13, D145)."""
    if name.isascii():
        return name.lower()
    from unicodedata import normalize

    return normalize("NFD", normalize("NFD", name).casefold())


class Paths:
    """Takes the names of an archive one by one, in any order, then :meth:`finish`.

    Raises ``ArchiveError`` with the code of the first rule broken.  ``folders`` holds every folder named or
    implied, without a closing slash.
    """

    __slots__ = ("_files", "_folded_folders", "_limits", "_named_folders", "folders")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._files: dict[str, str] = {}
        self._folded_folders: dict[str, str] = {}
        self._named_folders: set[str] = set()
        self.folders: dict[str, None] = {"": None}

    def add_file(self, name: str) -> None:
        """A file's name, parts divided by ``/``."""
        parent, _, base = name.rpartition("/")
        if parent not in self.folders:
            self._add_parents(parent, name)
        # One pass over the common case; the rule that is broken is looked up only when one is.
        if (
            not base.isascii()
            or not base.isprintable()
            or len(base) > self._limits.component_bytes
            or len(name) > self._limits.name_bytes
            or "\\" in base
            or base[1:2] == ":"
            or base in ("", ".", "..")
            or (not parent and name[0] == "/")
        ):
            self._check(name)
        key = fold(name)
        if key in self._files:
            self._twice(name, self._files[key])
        self._files[key] = name

    def add_folder(self, name: str, *, repeatable: bool = False) -> None:
        """A folder's name without its closing slash; tar archives may name one twice (``repeatable``)."""
        if not name:
            raise ArchiveError("archive-name-absolute", "the root folder is in the archive")
        if name in self._named_folders and not repeatable:
            self._twice(name, name)
        self._named_folders.add(name)
        self._add_parents(name, name)

    def finish(self) -> None:
        """After the last name: no path may be both a file and a folder."""
        both = self._files.keys() & self._folded_folders.keys()
        if both:
            name = self._files[min(both)]
            raise ArchiveError("archive-file-and-folder", f"{name!r} is both a file and a folder")

    def _twice(self, name: str, other: str) -> None:
        if name == other:
            raise ArchiveError("archive-name-twice", f"{name!r} is in the archive twice")
        raise ArchiveError(
            "archive-name-collides",
            f"{name!r} and {other!r} are one file where case or Unicode form do not count",
        )

    def _add_parents(self, folder: str, name: str) -> None:
        if folder in self.folders:
            return
        self._check(folder)
        if folder.count("/") + 2 > self._limits.depth:
            raise ArchiveError(
                "archive-name-too-deep", f"{name[:80]!r}… lies deeper than {self._limits.depth} levels"
            )
        while folder not in self.folders:
            self.folders[folder] = None
            self._folded_folders[fold(folder)] = folder
            folder = folder.rpartition("/")[0]

    def _check(self, name: str) -> None:
        limits = self._limits
        if len(name.encode("utf-8", "surrogatepass")) > limits.name_bytes:
            raise ArchiveError(
                "archive-name-too-long", f"{name[:80]!r}… is longer than {limits.name_bytes} bytes"
            )
        if "\\" in name:
            raise ArchiveError("archive-name-backslash", f"{name!r} holds a backslash")
        if name[1:2] == ":" and name[0].isalpha():
            raise ArchiveError("archive-name-drive", f"{name!r} names a drive")
        if name.startswith("/"):
            raise ArchiveError("archive-name-absolute", f"{name!r} is an absolute path")
        if any(sign < " " or "\x7f" <= sign < "\xa0" or "\ud800" <= sign < "\ue000" for sign in name):
            raise ArchiveError("archive-name-control", f"{name!r} holds a control character")
        for part in name.split("/"):
            if part == "..":
                raise ArchiveError("archive-name-traversal", f"{name!r} leads out of its folder")
            if part in ("", "."):
                raise ArchiveError("archive-name-empty-part", f"{name!r} has an empty or '.' part")
            if len(part.encode()) > limits.component_bytes:
                raise ArchiveError(
                    "archive-name-too-long", f"{part[:80]!r}… is longer than {limits.component_bytes} bytes"
                )
