"""Sdists made from a case's words (source distribution format): right by default, wrong where the case says so.

Keys, all optional: ``name``, ``version``, ``filename``, ``root`` (the one folder at the top), ``files`` (path below the root: content),
``pyproject`` (text; false leaves it out), ``pkg_info`` (text; false leaves it out), ``metadata_version``, ``requires``, ``requires_python``,
``metadata_lines``, ``outside`` (path from the top of the archive: content), ``hardlinks`` (path below the root: target), ``pipes`` (paths below the root), ``format`` (gz, bz2, xz, zip, tar).

By default the sdist builds: its backend is a file of its own (``backend.py``) with no requirements, which writes the wheel that
PKG-INFO describes.
"""

from __future__ import annotations

import io
import re
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from gzip import GzipFile
from typing import Any

from accord_conformance.making.files import Content, content
from accord_conformance.making.wheels import Made
from accord_conformance.reading import DATA, Table

__all__ = ["PYPROJECT", "backend_source", "make_sdist"]

PYPROJECT = '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
_WHEN = 1577836800  # 2020-01-01


def backend_source() -> str:
    """A backend that builds the wheel PKG-INFO describes: any Python 3 runs it."""
    return (DATA / "making" / "plain_backend.py").read_text(encoding="utf-8")


def make_sdist(key: str, values: Mapping[str, Any]) -> Made:
    """The sdist that the table ``values`` describes."""
    table = Table(f"sdist {key}", values)
    name, version = table.take("name", str, key), table.take("version", str, "1.0")
    escaped = re.sub(r"[-_.]+", "_", name).lower()
    kind = table.one_of("format", ("gz", "bz2", "xz", "zip", "tar"), "gz")
    root = table.take("root", str, f"{escaped}-{version}")
    filename = table.take("filename", str, f"{escaped}-{version}{_ENDINGS[kind]}")
    requires_python = table.take("requires_python", str, None)
    lines = [f"Metadata-Version: {table.take('metadata_version', str, '2.2')}"]
    lines += [f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Python: {requires_python}"] if requires_python is not None else []
    lines += [f"Requires-Dist: {each}" for each in table.texts("requires", ())]
    lines += table.texts("metadata_lines", ())
    pkg_info = table.take("pkg_info", (str, bool), "\n".join(lines) + "\n")
    pyproject = table.take("pyproject", (str, bool), PYPROJECT)
    members: dict[str, Content] = {}
    for path, text in (("PKG-INFO", pkg_info), ("pyproject.toml", pyproject)):
        if isinstance(text, str):
            members[f"{root}/{path}"] = Content(text.encode())
    files = {"backend.py": backend_source(), f"{escaped}.py": f"version = {version!r}\n"}
    for path, value in {**files, **table.take("files", dict, {})}.items():
        members[f"{root}/{path}"] = content(f"sdist {key} {path}", value)
    for path, value in table.take("outside", dict, {}).items():
        members[path] = content(f"sdist {key} {path}", value)
    hardlinks = {f"{root}/{path}": to for path, to in table.take("hardlinks", dict, {}).items()}
    pipes = [f"{root}/{path}" for path in table.texts("pipes", ())]
    table.done()
    data = _zip(members) if kind == "zip" else _tar(members, hardlinks, pipes, kind)
    return Made(
        name,
        version,
        filename,
        data,
        pkg_info.encode() if isinstance(pkg_info, str) else b"",
        requires_python,
    )


_ENDINGS = {"gz": ".tar.gz", "bz2": ".tar.bz2", "xz": ".tar.xz", "zip": ".zip", "tar": ".tar"}


def _tar(
    members: Mapping[str, Content], hardlinks: Mapping[str, str], pipes: Sequence[str], kind: str
) -> bytes:
    plain = io.BytesIO()
    mode = {"bz2": "w:bz2", "xz": "w:xz"}.get(kind, "w")
    with tarfile.open(fileobj=plain, mode=mode, format=tarfile.PAX_FORMAT) as archive:  # type: ignore[call-overload]
        for path, each in members.items():
            info = tarfile.TarInfo(path)
            info.mtime, info.mode, info.size = _WHEN, each.mode, len(each.data)
            if each.link is not None:
                info.type, info.linkname, info.size = tarfile.SYMTYPE, each.link, 0
            archive.addfile(info, io.BytesIO(each.data))
        for path, to in hardlinks.items():
            info = tarfile.TarInfo(path)
            info.type, info.linkname, info.mtime = tarfile.LNKTYPE, to, _WHEN
            archive.addfile(info)
        for path in pipes:
            info = tarfile.TarInfo(path)
            info.type, info.mtime = tarfile.FIFOTYPE, _WHEN
            archive.addfile(info)
    if kind != "gz":
        return plain.getvalue()
    packed = io.BytesIO()
    with GzipFile(fileobj=packed, mode="wb", mtime=_WHEN) as stream:
        stream.write(plain.getvalue())
    return packed.getvalue()


def _zip(members: Mapping[str, Content]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, each in members.items():
            info = zipfile.ZipInfo(path, (2020, 1, 1, 0, 0, 0))
            info.external_attr = (0o100000 | each.mode) << 16
            archive.writestr(info, each.data)
    return buffer.getvalue()
