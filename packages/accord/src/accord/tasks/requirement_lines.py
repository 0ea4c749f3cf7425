"""Requirement files as a command that edits or uninstalls needs them: the requirements in them, or just their names.

Files are opened here, at the rim; the format is read by ``accord_core.project.requirements_file``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accord.tasks.inputs import read_text
from accord_core.errors import UsageError
from accord_core.project.requirements_file import read_requirements

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from accord_core.project.requirements_file import Entry

__all__ = ["names_in_files", "open_text", "requirements_in_files"]


def open_text(path: str) -> str:
    """The text of a local file or of ``-``, standard input.  A URL is refused: what is edited by it should lie here."""
    if "://" in path:
        raise UsageError(
            "requirements-remote", f"{path} is not on this machine", hint="download it and look at it first"
        )
    return read_text(path)


def requirements_in_files(
    files: Sequence[str], environ: Mapping[str, str]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The requirements of the files in order, and the source trees that are to be editable; constraints are left out.

    A requirement is in PEP 508 form, or the path of a source tree or file on this machine.  ``DocumentError``
    ``invalid-requirements``; ``UsageError`` ``requirements-unnamed`` for a URL that names no project.
    """
    plain: list[str] = []
    editable: list[str] = []
    for entry in _entries(files, environ):
        if entry.requirement is not None and not entry.editable:
            plain.append(str(entry.requirement))
        elif entry.location is None or "://" in entry.location:
            raise _unnamed(entry)
        else:
            text = entry.location + (f"[{','.join(entry.extras)}]" if entry.extras else "")
            (editable if entry.editable else plain).append(text)
    return tuple(plain), tuple(editable)


def names_in_files(files: Sequence[str], environ: Mapping[str, str]) -> tuple[str, ...]:
    """The normal names of everything the files ask for, each once; raises as :func:`requirements_in_files`."""
    names = []
    for entry in _entries(files, environ):
        if entry.requirement is None:
            raise _unnamed(entry)
        names.append(entry.requirement.name)
    return tuple(dict.fromkeys(names))


def _entries(files: Sequence[str], environ: Mapping[str, str]) -> list[Entry]:
    return [entry for path in files for entry in read_requirements(path, open_text, environ).requirements]


def _unnamed(entry: Entry) -> UsageError:
    return UsageError(
        "requirements-unnamed",
        f"{entry.origin}: {entry.text} does not say which project it is",
        where=entry.where,
        hint="write NAME @ URL",
    )
