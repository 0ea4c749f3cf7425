"""A wheel under other tags: the same members, byte for byte as they are packed, with WHEEL and RECORD rewritten.

Tags say what a wheel runs on; changing them changes no code, so this room copies members instead of packing them again.
The old wheel is verified file by file while it is copied: a damaged one gets no new name.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from accord.io import files, scratch
from accord.wheels import wheelfile
from accord.wheels.contents import kind_of
from accord.wheels.limits import DEFAULT
from accord.wheels.packing import check_build
from accord_core.archive import record
from accord_core.archive.wheel import Wheel
from accord_core.archive.zipreader import open_zip
from accord_core.archive.zipwriter import ZipWriter
from accord_core.errors import ArchiveError, UsageError, Where
from accord_core.index.filenames import WHEEL, few_tags, split_wheel

if TYPE_CHECKING:
    from accord.wheels.limits import Limits
    from accord_core.archive.zipreader import Zip
    from accord_core.index.filenames import WheelName

__all__ = ["Retagged", "Retagging", "retag"]

_SIGNS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_.")


@dataclass(frozen=True, slots=True)
class Retagging:
    """What becomes of each tag: a dotted set in its place, ``+`` in front to add, ``-`` to take away, ``None`` to
    keep; ``build`` is the build number, ``""`` for none."""

    python: str | None = None
    abi: str | None = None
    platform: str | None = None
    build: str | None = None


@dataclass(frozen=True, slots=True)
class Retagged:
    """``path`` is the wheel with the new tags; ``changed`` is false where they were the old ones and nothing was
    written."""

    path: str
    changed: bool
    removed: bool


def retag(path: str, wanted: Retagging, *, remove: bool = False, limits: Limits = DEFAULT) -> Retagged:
    """Write the wheel at ``path`` under other tags beside it; with ``remove`` it then goes away.

    Raises ``UsageError`` ``not-a-wheel``, ``tag-invalid``, ``build-number-invalid``, ``wheel-exists``;
    ``ArchiveError``, also ``wheel-tags-disagree`` where its name and WHEEL differ to begin with.
    """
    check_build(wanted.build)
    filename = os.path.basename(path)
    name = split_wheel(filename) if kind_of(path) == WHEEL else None
    if name is None:
        raise UsageError("not-a-wheel", f"{filename} is not a wheel's file name", hint="give a wheel (.whl)")
    columns = (
        _column(name.python, wanted.python, "python"),
        _column(name.abi, wanted.abi, "ABI"),
        _column(name.platform, wanted.platform, "platform"),
    )
    build = name.build if wanted.build is None else wanted.build
    sets = "-".join(".".join(column) for column in columns)
    if not few_tags(sets):
        raise UsageError(
            "tag-invalid", f"{sets[:80]}… stands for more tags than anybody could mean", hint="give fewer"
        )
    target = "-".join(filter(None, (name.name, name.version, build, sets))) + ".whl"
    if target == filename:
        return Retagged(path, False, False)
    place = os.path.join(os.path.dirname(path), target)
    if os.path.lexists(place):
        raise UsageError("wheel-exists", f"{place} is there already", hint="remove it first")
    with open_zip(path, limits.archive) as archive:
        try:
            wheel = Wheel(archive, filename)
            _check_agree(wheel, name)
            _rewrite(archive, wheel, place, wheelfile.expanded(columns), build)
        except ArchiveError as fault:
            fault.where = fault.where or Where(path)
            raise
        except OSError as error:
            raise files.refused(error, f"writing {place}") from error
    if remove:
        os.unlink(path)
    return Retagged(place, True, remove)


def _column(before: str, change: str | None, what: str) -> list[str]:
    """The sorted tags of one column after the change."""
    old = set(before.split("."))
    if change is None:
        return sorted(old)
    sign, text = (change[0], change[1:]) if change[:1] in ("+", "-") else ("", change)
    given = set(text.split("."))
    if not all(given) or set(text.lower()) - _SIGNS:
        raise UsageError(
            "tag-invalid",
            f"{change!r} is no set of {what} tags",
            hint="tags are letters, digits and '_', divided by dots: py3, +py2.py3, -any",
        )
    new = old | given if sign == "+" else old - given if sign == "-" else given
    if not new:
        raise UsageError(
            "tag-invalid", f"without {text} no {what} tag is left", hint="give the new one as well"
        )
    return sorted(new)


def _check_agree(wheel: Wheel, name: WheelName) -> None:
    said = wheelfile.compressed(wheel.wheel_file.tags)
    inside = set(wheel.wheel_file.tags)
    if (said is None or inside != set(name.tags)) and not _is_set(wheel, name):
        raise ArchiveError(
            "wheel-tags-disagree",
            f"the file's name and WHEEL give other tags: {', '.join(sorted(inside)[:5])}",
        )
    if wheel.wheel_file.build != name.build:
        raise ArchiveError(
            "wheel-build-disagrees",
            f"the file's name says build {name.build!r}, WHEEL {wheel.wheel_file.build!r}",
        )


def _is_set(wheel: Wheel, name: WheelName) -> bool:
    """Whether WHEEL has the compressed set itself, as some old makers wrote it."""
    return wheel.wheel_file.tags == (f"{name.python}-{name.abi}-{name.platform}",)


def _rewrite(archive: Zip, wheel: Wheel, place: str, tags: tuple[str, ...], build: str) -> None:
    own, signatures = (
        f"{wheel.dist_info}/RECORD",
        {f"{wheel.dist_info}/RECORD.{kind}" for kind in ("jws", "p7s")},
    )
    rows = {path: row for path, row in wheel.rows.items() if path not in signatures}
    new = wheelfile.rewrite(wheel.info("WHEEL"), tags=tags, build=build)
    path = f"{wheel.dist_info}/WHEEL"
    rows[path] = record.Row(path, "sha256", record.digest(new), len(new))
    replaced = {path: new, own: record.format_record(rows.values())}
    stamps = archive.stamps()
    with scratch.scratch_folder(".accord-tags-", os.path.dirname(place) or ".") as aside:
        unfinished = os.path.join(aside, os.path.basename(place))
        with open(unfinished, "xb") as file:
            writer = ZipWriter(file)
            for member in archive.members:
                if member.name in replaced:
                    writer.add_stamped(member.name, replaced[member.name], stamps[member.name])
                elif member.name not in signatures:
                    for _ in wheel.stream(member):
                        pass
                    writer.copy(member, archive.packed(member), stamps[member.name])
            writer.close()
        os.rename(unfinished, place)
