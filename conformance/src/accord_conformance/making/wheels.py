"""Wheels made from a case's words (binary distribution format): right by default, wrong where the case says so.

Keys of a wheel, all optional (``name`` defaults to the key it stands under):

    name version build tag      parts of the file name; ``filename`` overrides it whole; ``tags`` are the Tag lines
    files                       path: content (making.files); ``{dist_info}`` and ``{data}`` in a path stand for the two folders
    requires requires_python extras metadata_version metadata_lines description_size    what METADATA says; ``metadata`` overrides it whole, false leaves it out
    entry_points                text of entry_points.txt
    wheel_version root_is_purelib generator    what WHEEL says; ``wheel`` overrides it whole, false leaves it out
    record                      table: ``omit`` paths, ``hash`` path: text, ``size`` path: text, ``algorithm``, ``add`` rows, ``text`` whole; false leaves it out
    dist_info                   the name of that folder
    compression                 stored, deflated (default), bzip2, lzma
    twice                       paths written a second time, with other content
    cut                         so many bytes are missing at the end
    before                      text before the first byte
    windows                     the archive is of a system that has no modes
"""

from __future__ import annotations

import base64
import csv
import hashlib
import io
import re
import warnings
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from accord_conformance.errors import SuiteError
from accord_conformance.making.files import Content, content
from accord_conformance.reading import Table

__all__ = ["Made", "make_wheel"]

_COMPRESSION = {
    "stored": zipfile.ZIP_STORED,
    "deflated": zipfile.ZIP_DEFLATED,
    "bzip2": zipfile.ZIP_BZIP2,
    "lzma": zipfile.ZIP_LZMA,
}
_WHEN = (2020, 1, 1, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Made:
    """A distribution file: what an index says of it is worked out from here."""

    project: str
    version: str
    filename: str
    data: bytes
    metadata: bytes  # METADATA of a wheel, PKG-INFO of an sdist; empty when left out
    requires_python: str | None

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.data).hexdigest()


def make_wheel(key: str, values: Mapping[str, Any]) -> Made:
    """The wheel that the table ``values`` describes."""
    table = Table(f"wheel {key}", values)
    name, version = table.take("name", str, key), table.take("version", str, "1.0")
    build, tag = table.take("build", str, ""), table.take("tag", str, "py3-none-any")
    escaped = re.sub(r"[-_.]+", "_", name).lower()
    parts = [escaped, version.replace("-", "_"), *([build] if build else []), tag]
    filename = table.take("filename", str, "-".join(parts) + ".whl")
    dist_info = table.take("dist_info", str, f"{escaped}-{version.replace('-', '_')}.dist-info")
    folders = {"dist_info": dist_info, "data": f"{escaped}-{version.replace('-', '_')}.data"}
    written = table.take("files", dict, {f"{escaped}.py": f"version = {version!r}\n"})
    requires_python = table.take("requires_python", str, None)
    metadata = _metadata(table, name, version, requires_python)
    wheel = _wheel(table, tag, build)
    members: dict[str, Content] = {
        _fill(path, folders): content(f"wheel {key} {path}", value) for path, value in written.items()
    }
    points = table.take("entry_points", str, None)
    for path, text in (("METADATA", metadata), ("WHEEL", wheel), ("entry_points.txt", points)):
        if text is not None:
            members[f"{dist_info}/{path}"] = Content(text.encode())
    record = _record(table, members, f"{dist_info}/RECORD", folders)
    if record is not None:
        members[f"{dist_info}/RECORD"] = Content(record.encode())
    twice = [_fill(path, folders) for path in table.texts("twice", ())]
    compression = _COMPRESSION[table.one_of("compression", _COMPRESSION, "deflated")]
    data = _zip(members, twice, compression, windows=table.take("windows", bool, False))
    data = table.take("before", str, "").encode() + data[: len(data) - table.take("cut", int, 0)]
    table.done()
    return Made(name, version, filename, data, (metadata or "").encode(), requires_python)


def _metadata(table: Table, name: str, version: str, requires_python: str | None) -> str | None:
    lines = [f"Metadata-Version: {table.take('metadata_version', str, '2.1')}"]
    lines += [f"Name: {name}", f"Version: {version}"]
    if requires_python is not None:
        lines.append(f"Requires-Python: {requires_python}")
    lines += [f"Requires-Dist: {each}" for each in table.texts("requires", ())]
    lines += [f"Provides-Extra: {each}" for each in table.texts("extras", ())]
    lines += table.texts("metadata_lines", ())
    size = table.take("description_size", int, 0)
    described = "\n" + ("words " * (size // 6 + 1))[:size] + "\n" if size else ""
    whole = table.take("metadata", (str, bool), "\n".join(lines) + "\n" + described)
    return whole if isinstance(whole, str) else None


def _wheel(table: Table, tag: str, build: str) -> str | None:
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    tags = table.texts("tags", [f"{p}-{a}-{f}" for p in pythons for a in abis for f in platforms])
    lines = [f"Wheel-Version: {table.take('wheel_version', str, '1.0')}"]
    lines.append(f"Generator: {table.take('generator', str, 'accord-conformance')}")
    lines.append(f"Root-Is-Purelib: {table.take('root_is_purelib', str, 'true')}")
    lines += [f"Tag: {each}" for each in tags] + ([f"Build: {build}"] if build else [])
    whole = table.take("wheel", (str, bool), "\n".join(lines) + "\n")
    return whole if isinstance(whole, str) else None


def _record(table: Table, members: Mapping[str, Content], own: str, folders: Mapping[str, str]) -> str | None:
    wanted = table.take("record", (dict, bool), {})
    if isinstance(wanted, bool):
        return None
    said = Table(f"{table.where} record", wanted)
    omitted = {_fill(path, folders) for path in said.texts("omit", ())}
    hashes = {_fill(path, folders): text for path, text in said.take("hash", dict, {}).items()}
    sizes = {_fill(path, folders): text for path, text in said.take("size", dict, {}).items()}
    strange = ({*omitted, *hashes, *sizes}) - {*members, own}
    if strange:
        raise SuiteError(said.where, f"the wheel has no {', '.join(sorted(strange))}")
    algorithm = said.take("algorithm", str, "sha256")
    rows = [
        [path, hashes.get(path, _digest(algorithm, each.data)), sizes.get(path, str(len(each.data)))]
        for path, each in members.items()
        if path not in omitted
    ]
    if own not in omitted:
        rows.append([own, hashes.get(own, ""), sizes.get(own, "")])
    rows += [[_fill(cell, folders) for cell in row] for row in said.take("add", list, [])]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(rows)
    whole = said.take("text", str, text.getvalue())
    said.done()
    return str(whole)


def _digest(algorithm: str, data: bytes) -> str:
    coded = base64.urlsafe_b64encode(hashlib.new(algorithm, data).digest())
    return f"{algorithm}={coded.rstrip(b'=').decode()}"


def _zip(members: Mapping[str, Content], twice: Iterable[str], compression: int, *, windows: bool) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # zipfile warns of names that stand twice: that is the point
        for path, each in members.items():
            member = _member(path, each, compression)
            if windows:
                member.create_system, member.external_attr = 0, 0x20
            archive.writestr(member, (each.link or "").encode() or each.data)
        for path in twice:
            archive.writestr(_member(path, members[path], compression), b"the second\n")
    return buffer.getvalue()


def _member(path: str, each: Content, compression: int) -> zipfile.ZipInfo:
    info = zipfile.ZipInfo(path, _WHEN)
    info.compress_type = compression
    info.external_attr = ((0o120777 if each.link is not None else 0o100000 | each.mode) & 0xFFFF) << 16
    return info


def _fill(path: str, folders: Mapping[str, str]) -> str:
    return path.replace("{dist_info}", folders["dist_info"]).replace("{data}", folders["data"])
