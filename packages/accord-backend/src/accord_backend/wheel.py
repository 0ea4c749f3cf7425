"""Making a wheel, or the editable kind that points back at the source (PEP 427, PEP 660).

The archive holds the code sorted by path, then ``.data``, then ``.dist-info``, ``RECORD`` last; it appears under its
name only when it is whole.  An editable wheel holds a ``.pth`` file in place of the code: one line, the folder the
modules lie in, which is the one mechanism that type checkers and editors read (docs/decisions/0015).
"""

from __future__ import annotations

import os

from . import layout, metadata, packing, zips
from .errors import BackendError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Mapping

    from .packing import Members
    from .project import Project

__all__ = ["build", "prepare_metadata"]


def build(
    project: Project, folder: str, *, editable: bool = False, settings: Mapping[str, Any] | None = None
) -> str:
    """Write ``{name}-{version}-{tag}.whl`` into ``folder``; returns the file name."""
    if project.steps:
        from . import steps

        steps.run(project)
    tag = _tag(project, settings)
    members = _editable(project) if editable else _code(project)
    if tag is not None:
        from . import native

        modules = native.build(project, settings, in_place=editable)
        if not editable:
            members += [(path, data, True) for path, data in modules.items()]
            members.sort(key=lambda member: member[0])
    members += _data(project)
    info = f"{project.stem}.dist-info"
    members += [(f"{info}/{name}", data, False) for name, data in _dist_info(project, tag)]
    filename = f"{project.stem}-{tag or 'py3-none-any'}.whl"
    with zips.Appearing(folder, filename) as file:
        archive = zips.ZipWriter(file, zips.source_date(os.environ.get("SOURCE_DATE_EPOCH")))
        rows = archive.add_all(members)
        rows.append(f"{info}/RECORD,,\n")
        archive.add(f"{info}/RECORD", "".join(rows).encode("utf-8", "surrogateescape"))
        archive.close()
    return filename


def prepare_metadata(project: Project, folder: str, *, settings: Mapping[str, Any] | None = None) -> str:
    """Write the ``.dist-info`` folder without ``RECORD`` into ``folder``; returns its name."""
    info = f"{project.stem}.dist-info"
    for name, data in _dist_info(project, _tag(project, settings)):
        path = os.path.join(folder, info, *name.split("/"))
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "wb") as file:
            file.write(data)
    return info


def check_prepared(project: Project, prepared: str | None, settings: Mapping[str, Any] | None = None) -> None:
    """Refuse to build with other metadata than those in ``prepared``, a folder that the hook before made (PEP 517)."""
    if prepared is None:
        return
    info = prepared if os.path.isfile(os.path.join(prepared, "METADATA")) else os.path.join(
        prepared, f"{project.stem}.dist-info"
    )  # fmt: skip
    for name, data in _dist_info(project, _tag(project, settings)):
        path = os.path.join(info, *name.split("/"))
        if not os.path.isfile(path) or packing.read_file(path)[0] != data:
            raise BackendError(
                "metadata-changed",
                f"{name} is not what prepare_metadata_for_build_wheel wrote: the project changed in between",
                hint="begin the build again",
            )


def _tag(project: Project, settings: Mapping[str, Any] | None) -> str | None:
    if not project.extensions:
        return None
    from . import native

    return native.tag(project, settings)


def _code(project: Project) -> Members:
    left_out: set[str] = set()
    if project.extensions:
        from . import native

        left_out = native.kept_out(project)
    return [
        (target, os.path.join(project.root, path), None)
        for path, target in layout.module_sources(project)
        if path not in left_out
    ]


def _data(project: Project) -> Members:
    """What goes elsewhere than among the modules (binary distribution format, "The .data directory")."""
    found: Members = []
    kinds = (("data", project.data), ("headers", project.headers))
    for kind, pairs in kinds:
        for path, target in pairs:
            found.append((f"{project.stem}.data/{kind}/{target}", os.path.join(project.root, path), None))
    for path, target in project.scripts:
        data, _ = packing.read_file(os.path.join(project.root, path))
        found.append((f"{project.stem}.data/scripts/{target}", _for_installer(data), True))
    return sorted(dict.fromkeys(found))


def _for_installer(script: bytes) -> bytes:
    """``#!python`` in place of any Python in the first line: an installer puts the environment's there."""
    first, end, rest = script.partition(b"\n")
    words = first[2:].split() if first.startswith(b"#!") else []
    if words and words[0].endswith(b"/env"):
        words = words[1:]
    program = words[0].rpartition(b"/")[2] if words else b""
    if not program.startswith((b"python", b"pypy")):
        return script
    name = b"#!pythonw" if program.startswith(b"pythonw") else b"#!python"
    return b" ".join([name, *words[1:]]) + end + rest


def _editable(project: Project) -> Members:
    if not layout.find_modules(project).places and not project.extensions:
        return []
    place = os.path.join(project.root, layout.source_root(project)).rstrip(os.sep)
    if "\n" in place or "\r" in place or place != place.rstrip():
        raise BackendError(
            "path-unusable",
            f"{place!r} holds a line break or ends with a blank, which a .pth file cannot say",
            hint="move the project",
        )
    # The bytes of the path as the system has them: that is how a .pth file is read.
    return [(f"_editable_{project.stem.split('-')[0]}.pth", os.fsencode(f"{place}\n"), False)]


def _dist_info(project: Project, tag: str | None) -> list[tuple[str, bytes]]:
    files = [
        ("METADATA", metadata.metadata(project).encode("utf-8", "surrogateescape")),
        ("WHEEL", metadata.wheel_file(tag).encode()),
    ]
    points = metadata.entry_points(project)
    if points:
        files.append(("entry_points.txt", points.encode()))
    files += [(f"licenses/{path}", _bytes(project, path)) for path in project.licence_files]
    files += [(f"sboms/{target}", _bytes(project, path)) for path, target in project.sboms]
    return sorted(dict.fromkeys(files))


def _bytes(project: Project, path: str) -> bytes:
    return packing.read_file(os.path.join(project.root, path))[0]
