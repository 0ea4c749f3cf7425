"""Making a source distribution: ``{name}-{version}.tar.gz`` with one folder inside (PEP 517, PEP 625, PEP 643).

It holds what a wheel is built from (``pyproject.toml``, readme, licences, modules), what ``sdist-include`` adds,
and ``PKG-INFO``.  Links are followed, so a licence linked from elsewhere in a repository arrives as a file.
"""

from __future__ import annotations

import gzip
import io
import os
import tarfile

from . import layout, metadata, zips

TYPE_CHECKING = False
if TYPE_CHECKING:
    from .project import Project

__all__ = ["build"]


def build(project: Project, folder: str) -> str:
    """Write the sdist into ``folder``; returns its file name."""
    when = zips.source_date(os.environ.get("SOURCE_DATE_EPOCH"))
    filename = f"{project.stem}.tar.gz"
    target = os.path.join(folder, filename)
    unfinished = f"{target}.{os.getpid()}.tmp"
    try:
        with open(unfinished, "wb") as file, gzip.GzipFile(
            filename="", mode="wb", fileobj=file, mtime=when
        ) as packed, tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:  # fmt: skip
            _add(archive, f"{project.stem}/PKG-INFO", metadata.metadata(project).encode(), when, 0o644)
            for path in _files(project):
                place = os.path.join(project.root, path)
                with open(place, "rb") as source:
                    data = source.read()
                mode = 0o755 if layout.is_executable(place) else 0o644
                _add(archive, f"{project.stem}/{path}", data, when, mode)
        os.replace(unfinished, target)
    finally:
        if os.path.exists(unfinished):
            os.unlink(unfinished)
    return filename


def _files(project: Project) -> list[str]:
    found = {"pyproject.toml", *project.licence_files, *layout.module_files(project)}
    if project.readme_file is not None:
        found.add(project.readme_file)
    for pattern in project.sdist_include:
        found.update(layout.matching(project.root, pattern))
    return sorted(found - {"PKG-INFO"})


def _add(archive: tarfile.TarFile, name: str, data: bytes, when: int, mode: int) -> None:
    entry = tarfile.TarInfo(name)
    entry.size = len(data)
    entry.mtime = when
    entry.mode = mode
    archive.addfile(entry, io.BytesIO(data))
