"""A wheel into a folder ``NAME-VERSION``, verified against RECORD; whole or not at all.

The folder is made beside its place and gets its name when every file is in it.  Files keep whether they may be executed
and nothing else of their modes, as everywhere in Accord; what a wheel may not hold is refused by the archive rooms
before the first byte is written.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from accord.io import files, scratch
from accord.wheels.contents import kind_of
from accord.wheels.limits import DEFAULT
from accord_core.archive.wheel import Wheel
from accord_core.archive.zipreader import open_zip
from accord_core.errors import ArchiveError, UsageError, Where
from accord_core.index.filenames import WHEEL

TYPE_CHECKING = False
if TYPE_CHECKING:
    from accord.wheels.limits import Limits

__all__ = ["Unpacked", "unpack"]

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Unpacked:
    """``folder`` now holds ``files`` files of ``size`` bytes together."""

    folder: str
    files: int
    size: int


def unpack(path: str, into: str = ".", limits: Limits = DEFAULT) -> Unpacked:
    """Unpack the wheel at ``path`` below the folder ``into``, which is made if it is not there.

    Raises ``UsageError`` (``not-a-wheel``, ``folder-exists``, and of ``kind_of``), ``ArchiveError``, ``InstallError``
    for what the system refuses.  After a failure there is nothing new but, perhaps, ``into``.
    """
    if kind_of(path) != WHEEL:
        raise UsageError(
            "not-a-wheel", f"{path} is an sdist", hint="tar -xf unpacks it; this unpacks wheels (.whl)"
        )
    with open_zip(path, limits.archive) as archive:
        try:
            wheel = Wheel(archive, os.path.basename(path))
            wheel.metadata()
        except ArchiveError as fault:
            fault.where = fault.where or Where(path)
            raise
        target = os.path.normpath(os.path.join(into, wheel.dist_info.removesuffix(".dist-info")))
        if os.path.lexists(target):
            raise UsageError(
                "folder-exists",
                f"{target} is there already",
                hint="remove it, or choose another folder with -d",
            )
        try:
            os.makedirs(into, exist_ok=True)
            with scratch.scratch_folder(".accord-unpack-", into) as aside:
                _write(wheel, archive.folders, aside)
                # What mkdtemp made is for its maker alone.
                os.chmod(aside, 0o777 & ~_umask())
                _settle(aside, target)
        except OSError as error:
            raise files.refused(error, f"unpacking into {into}") from error
        return Unpacked(target, len(wheel.members), sum(member.size for member in wheel.members))


def _write(wheel: Wheel, folders: tuple[str, ...], root: str) -> None:
    made = {""}
    for folder in (*folders, *(member.name for member in wheel.members)):
        parent = folder.rpartition("/")[0]
        if parent not in made:
            os.makedirs(os.path.join(root, *parent.split("/")), exist_ok=True)
            made.add(parent)
    for member in wheel.members:
        place = os.path.join(root, *member.name.split("/"))
        handle = os.open(place, _NEW, 0o777 if member.executable else 0o666)
        try:
            for piece in wheel.stream(member):
                files.write_all(handle, piece)
        finally:
            os.close(handle)


def _settle(aside: str, target: str) -> None:
    """Give the folder its name; never over something that appeared meanwhile (an empty folder could be replaced)."""
    if os.path.lexists(target):
        raise UsageError("folder-exists", f"{target} appeared meanwhile", hint="remove it and run again")
    os.rename(aside, target)


def _umask() -> int:
    """This process's umask, which can only be read by setting it."""
    mask = os.umask(0o022)
    os.umask(mask)
    return mask
