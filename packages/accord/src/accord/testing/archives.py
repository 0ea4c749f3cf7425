"""Forging archives, honest and hostile, byte by byte.

``zipfile`` and ``tarfile`` write only what is right; these write exactly what they are told, so that a test can
say one lie at a time.  :func:`zip_bytes` lays out a zip from :class:`Part` values, :func:`wheel_parts` gives the
parts of an honest wheel to change, :func:`sdist_bytes` packs tar entries.  Returns bytes, writes nothing.
"""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import struct
import tarfile
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

__all__ = ["Part", "TarPart", "record_bytes", "sdist_bytes", "wheel_parts", "zip_bytes"]

_LOCAL = ("version", "flags", "method", "time", "date", "crc", "packed", "size", "name_size", "extra_size")
_CENTRAL = ("made_by", *_LOCAL, "comment_size", "disk", "internal", "attributes", "offset")
_END = ("disk", "start_disk", "here", "count", "directory_size", "directory_offset", "comment_size")


@dataclass(frozen=True)
class Part:
    """One member.  ``local`` and ``central`` replace fields of either header, ``both`` of the two.

    ``packed`` replaces the packed bytes, ``before`` stands in front of the local header, ``descriptor`` behind
    the data; ``local_name`` is the name in the local header where it is to differ; ``hidden`` leaves the member
    out of the directory.
    """

    name: str | bytes
    data: bytes = b""
    method: int = 8
    mode: int = 0o100644
    both: Mapping[str, int] = field(default_factory=dict)
    local: Mapping[str, int] = field(default_factory=dict)
    central: Mapping[str, int] = field(default_factory=dict)
    local_extra: bytes = b""
    central_extra: bytes = b""
    local_name: bytes | None = None
    packed: bytes | None = None
    before: bytes = b""
    descriptor: bytes = b""
    comment: bytes = b""
    hidden: bool = False

    def raw_name(self) -> bytes:
        return self.name.encode() if isinstance(self.name, str) else self.name

    def body(self) -> bytes:
        """The packed bytes."""
        if self.packed is not None:
            return self.packed
        if self.method != 8:
            return self.data
        worker = zlib.compressobj(6, zlib.DEFLATED, -15)
        return worker.compress(self.data) + worker.flush()

    def fields(self, extra: bytes, name: bytes) -> dict[str, int]:
        """The fields both headers have."""
        return {
            "version": 20,
            "flags": 0 if self.raw_name().isascii() else 0x800,
            "method": self.method,
            "time": 0,
            "date": 33,
            "crc": zlib.crc32(self.data),
            "packed": len(self.body()),
            "size": len(self.data),
            "name_size": len(name),
            "extra_size": len(extra),
            **self.both,
        }


def zip_bytes(
    parts: Iterable[Part],
    *,
    prefix: bytes = b"",
    gap: bytes = b"",
    suffix: bytes = b"",
    comment: bytes = b"",
    end: Mapping[str, int] | None = None,
    zip64: Mapping[str, int] | None = None,
) -> bytes:
    """A zip of the parts in order.

    ``prefix`` stands before everything with offsets as if it did not (as in a self-extracting file), ``gap``
    between the last member and the directory, ``suffix`` after the end.  ``end`` replaces fields of the end
    record; ``zip64`` adds the zip64 end records with the plain ones full, and replaces fields of the long one
    (``locator`` is the offset in the locator).
    """
    out = bytearray()
    directory = bytearray()
    count = 0
    for part in parts:
        out += part.before
        name = part.raw_name()
        local_name = name if part.local_name is None else part.local_name
        local = {**part.fields(part.local_extra, local_name), **part.local}
        central = {
            "made_by": 0x0314,
            **part.fields(part.central_extra, name),
            "comment_size": len(part.comment),
            "disk": 0,
            "internal": 0,
            "attributes": part.mode << 16,
            "offset": len(out),
            **part.central,
        }
        out += b"PK\x03\x04" + struct.pack("<HHHHHLLLHH", *(local[key] for key in _LOCAL))
        out += local_name + part.local_extra + part.body() + part.descriptor
        if not part.hidden:
            directory += b"PK\x01\x02" + struct.pack("<HHHHHHLLLHHHHHLL", *(central[key] for key in _CENTRAL))
            directory += name + part.central_extra + part.comment
            count += 1
    out += gap
    start = len(out)
    out += directory
    plain = {"disk": 0, "start_disk": 0, "here": count, "count": count}
    plain |= {"directory_size": len(directory), "directory_offset": start, "comment_size": len(comment)}
    if zip64 is not None:
        long = {**plain, "length": 44, "locator": len(out), **zip64}
        out += b"PK\x06\x06" + struct.pack("<QHHLL", long["length"], 45, 45, long["disk"], long["start_disk"])
        out += struct.pack(
            "<QQQQ", long["here"], long["count"], long["directory_size"], long["directory_offset"]
        )
        out += b"PK\x06\x07" + struct.pack("<LQL", 0, long["locator"], 1)
        plain |= {
            "here": 0xFFFF,
            "count": 0xFFFF,
            "directory_size": 0xFFFFFFFF,
            "directory_offset": 0xFFFFFFFF,
        }
    plain |= end or {}
    out += b"PK\x05\x06" + struct.pack("<HHHHLLH", *(plain[key] for key in _END)) + comment
    return prefix + bytes(out) + suffix


def record_bytes(files: Mapping[str, bytes], own: str) -> bytes:
    """RECORD for ``files``, with its own line last."""
    rows = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip("=")
        cell = '"' + name.replace('"', '""') + '"' if "," in name or '"' in name else name
        rows.append(f"{cell},sha256={digest},{len(data)}\n")
    return "".join([*rows, f"{own},,\n"]).encode()


def wheel_parts(
    files: Mapping[str, bytes] | None = None,
    *,
    name: str = "spam",
    version: str = "1.0",
    wheel: str = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    metadata: str | None = None,
    entry_points: str | None = None,
    record: bytes | None = None,
) -> list[Part]:
    """The parts of an honest wheel ``{name}-{version}-py3-none-any.whl``; RECORD last, right unless given."""
    info = f"{name}-{version}.dist-info"
    everything = dict({"spam/__init__.py": b"value = 1\n"} if files is None else files)
    text = metadata or f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    everything[f"{info}/METADATA"] = text.encode()
    everything[f"{info}/WHEEL"] = wheel.encode()
    if entry_points is not None:
        everything[f"{info}/entry_points.txt"] = entry_points.encode()
    own = f"{info}/RECORD"
    parts = [Part(path, data) for path, data in everything.items()]
    return [*parts, Part(own, record_bytes(everything, own) if record is None else record)]


@dataclass(frozen=True)
class TarPart:
    """One tar entry; ``kind`` is a type flag of :mod:`tarfile`, ``link`` the target of a link."""

    name: str
    data: bytes = b""
    kind: bytes = tarfile.REGTYPE
    link: str = ""
    mode: int = 0o644
    pax: Mapping[str, str] = field(default_factory=dict)


def sdist_bytes(
    parts: Sequence[TarPart] | None = None, *, name: str = "spam-1.0", trailing: bytes = b"", level: int = 6
) -> bytes:
    """A ``.tar.gz`` of the parts, by default an honest sdist; ``trailing`` follows the tar inside the gzip."""
    if parts is None:
        parts = [
            TarPart(name, kind=tarfile.DIRTYPE, mode=0o755),
            TarPart(f"{name}/PKG-INFO", b"Metadata-Version: 2.2\nName: spam\nVersion: 1.0\n"),
            TarPart(f"{name}/pyproject.toml", b"[project]\nname = 'spam'\nversion = '1.0'\n"),
            TarPart(f"{name}/src/spam/__init__.py", b""),
        ]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for part in parts:
            entry = tarfile.TarInfo(part.name)
            entry.type = part.kind
            entry.mode = part.mode
            entry.linkname = part.link
            entry.size = len(part.data)
            entry.pax_headers = dict(part.pax)
            archive.addfile(entry, io.BytesIO(part.data))
    return gzip.compress(buffer.getvalue() + trailing, level, mtime=0)
