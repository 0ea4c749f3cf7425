"""Making a pure wheel, or the editable kind that points back at the source (PEP 427, PEP 660).

The archive holds the code sorted by path, then ``.dist-info``, ``RECORD`` last; it appears under its name only
when it is whole.
"""

from __future__ import annotations

import base64
import hashlib
import os

from . import layout, metadata, zips
from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .project import Project

__all__ = ["build", "prepare_metadata"]


def build(project: Project, folder: str, *, editable: bool = False) -> str:
    """Write ``{name}-{version}-py3-none-any.whl`` into ``folder``; returns the file name."""
    members = _editable(project) if editable else _code(project)
    info = f"{project.stem}.dist-info"
    members += [(f"{info}/{name}", data, False) for name, data in _dist_info(project)]
    filename = f"{project.stem}-py3-none-any.whl"
    target = os.path.join(folder, filename)
    unfinished = f"{target}.{os.getpid()}.tmp"
    try:
        with open(unfinished, "wb") as file:
            archive = zips.ZipWriter(file, zips.source_date(os.environ.get("SOURCE_DATE_EPOCH")))
            for name, data, executable in members:
                archive.add(name, data, executable=executable)
            archive.add(f"{info}/RECORD", _record(members, f"{info}/RECORD"))
            archive.close()
        os.replace(unfinished, target)
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
    return filename


def prepare_metadata(project: Project, folder: str) -> str:
    """Write the ``.dist-info`` folder without ``RECORD`` into ``folder``; returns its name."""
    info = f"{project.stem}.dist-info"
    for name, data in _dist_info(project):
        path = os.path.join(folder, info, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    return info


def _code(project: Project) -> list[tuple[str, bytes, bool]]:
    base = layout.source_root(project)
    cut = len(base) + 1 if base else 0
    members = []
    for path in layout.module_files(project):
        place = os.path.join(project.root, path)
        members.append((path[cut:], _bytes(place), layout.is_executable(place)))
    return members


def _editable(project: Project) -> list[tuple[str, bytes, bool]]:
    place = os.path.join(project.root, layout.source_root(project)).rstrip(os.sep)
    if "\n" in place or "\r" in place:
        raise BackendError(
            "path-unusable",
            f"{place!r} holds a line break, which a .pth file cannot name",
            hint="move the project",
        )
    return [(f"_editable_{project.stem.split('-')[0]}.pth", f"{place}\n".encode(), False)]


def _dist_info(project: Project) -> list[tuple[str, bytes]]:
    files = [("METADATA", metadata.metadata(project).encode()), ("WHEEL", metadata.wheel_file().encode())]
    points = metadata.entry_points(project)
    if points:
        files.append(("entry_points.txt", points.encode()))
    files += [
        (f"licenses/{path}", _bytes(os.path.join(project.root, path))) for path in project.licence_files
    ]
    return sorted(files)


def _bytes(path: str) -> bytes:
    with open(path, "rb") as file:
        return file.read()


def _record(members: list[tuple[str, bytes, bool]], own: str) -> bytes:
    rows = []
    for name, data, _ in members:
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        cell = '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
        rows.append(f"{cell},sha256={digest},{len(data)}\n")
    rows.append(f"{own},,\n")
    return "".join(rows).encode()
