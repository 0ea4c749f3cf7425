"""Reading what was built: a wheel, an sdist, or a folder of metadata, as plain values.

Believes nothing and judges nothing: what is missing or twice there is seen as that.  ``fields`` and ``description`` read core metadata as the specification says
it is read (the standard library's email parser, policy compat32).
"""

from __future__ import annotations

import email.message
import email.parser
import email.policy
import gzip
import lzma
import re
import tarfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterable, Mapping
from configparser import ConfigParser, Error
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

__all__ = ["Built", "read_built"]


@dataclass(frozen=True, slots=True)
class Built:
    """One thing that was built; ``members`` are its files, ``home`` is where its metadata lies."""

    kind: str  # wheel, sdist, metadata
    path: Path
    members: Mapping[str, bytes]
    homes: tuple[str, ...]  # .dist-info folders of a wheel, top folders of an sdist
    faults: tuple[str, ...] = ()  # what a reader of the archive stumbles over
    magics: frozenset[bytes] = field(default_factory=frozenset)  # of a tar's headers

    @property
    def home(self) -> str:
        """The one folder of its metadata; empty where there is not exactly one."""
        return self.homes[0] if len(self.homes) == 1 else ""

    def inside(self, path: str) -> str:
        """A path with ``{dist_info}``, ``{data}`` and ``{root}`` filled in."""
        data = self.home.removesuffix(".dist-info") + ".data"
        for name, folder in (("{dist_info}", self.home), ("{root}", self.home), ("{data}", data)):
            path = path.replace(name, folder)
        return path

    def lasting(self) -> dict[str, bytes]:
        """The members, but bills of materials as empty: each has a time and a number of its own whenever it is made."""
        made_anew = self.inside("{dist_info}/sboms/")
        return {name: b"" if name.startswith(made_anew) else data for name, data in self.members.items()}

    @property
    def metadata(self) -> bytes:
        """METADATA or PKG-INFO; empty where it is missing."""
        name = "PKG-INFO" if self.kind == "sdist" else "METADATA"
        return self.members.get(f"{self.home}/{name}", b"")

    @property
    def text(self) -> str:
        """The same as text."""
        return self.metadata.decode("utf-8", "replace")

    def message(self) -> email.message.Message:
        """The metadata, parsed."""
        text = self.metadata.decode("utf-8", "surrogateescape")
        return email.parser.Parser(policy=email.policy.compat32).parsestr(text)

    def fields(self, name: str) -> list[str]:
        """Every value of a field."""
        return [str(value) for value in self.message().get_all(name, [])]

    def description(self) -> str:
        """The description, from the body or from its header."""
        message = self.message()
        # Seven spaces in the words of the standard, eight in its example.
        header = message.get("Description")
        if header is not None:
            return re.sub(r"\r?\n {7,8}\|", "\n", str(header))
        body = message.get_payload()
        return body if isinstance(body, str) else ""

    def entry_points(self) -> dict[str, dict[str, str]]:
        """Groups of entry points; none where there is no file."""

        class Parser(ConfigParser):
            optionxform = staticmethod(str)  # type: ignore[assignment]

        parser = Parser(delimiters=("=",), interpolation=None)
        try:
            parser.read_string(self.members.get(f"{self.home}/entry_points.txt", b"").decode())
        except (Error, UnicodeDecodeError) as error:
            return {"(no entry points)": {"(error)": str(error)}}
        return {name: dict(parser[name]) for name in parser.sections() if len(parser[name])}


@dataclass(frozen=True, slots=True)
class Limits:
    """What is read of one archive."""

    unpacked_bytes: int = 200_000_000


LIMITS = Limits()
# What the standard library raises for archives that are none, or of a kind it does not know (a method of compression, a password).
_UNREADABLE = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    OSError,
    EOFError,
    NotImplementedError,
    RuntimeError,
)


def _all_of(stream: IO[bytes], room: int) -> bytes:
    """A member, whole; OSError when that is more than there is ``room`` for."""
    data = stream.read(room + 1)
    if len(data) > room:
        raise OSError(f"unpacked it is larger than {LIMITS.unpacked_bytes} bytes")
    return data


def read_built(kind: str, folder: Path) -> Built | None:
    """What lies in ``folder``; None unless there is exactly one thing of that kind."""
    pattern = {"wheel": "*.whl", "sdist": "*.tar.gz", "metadata": "*.dist-info"}[kind]
    found = sorted(folder.glob(pattern))
    if len(found) != 1:
        return None
    path = found[0]
    if kind == "wheel":
        return _wheel(path)
    if kind == "sdist":
        return _sdist(path)
    members = {
        f"{path.name}/{each.relative_to(path).as_posix()}": each.read_bytes()
        for each in path.rglob("*")
        if each.is_file()
    }
    return Built(kind, path, members, (path.name,))


def _wheel(path: Path) -> Built:
    members: dict[str, bytes] = {}
    faults = []
    try:
        with zipfile.ZipFile(path) as archive:
            names = [info.filename for info in archive.infolist()]
            faults += [f"{name} stands twice" for name, times in sorted(Counter(names).items()) if times > 1]
            room = LIMITS.unpacked_bytes
            for name in names:
                if not name.endswith("/"):
                    with archive.open(name) as stream:
                        members[name] = _all_of(stream, room)
                    room -= len(members[name])
    except _UNREADABLE as error:
        faults.append(str(error) or type(error).__name__)
    return Built("wheel", path, members, _tops(members, ".dist-info"), tuple(faults))


def _sdist(path: Path) -> Built:
    members: dict[str, bytes] = {}
    faults = []
    tops: set[str] = set()
    room = LIMITS.unpacked_bytes
    try:
        with tarfile.open(path, "r:gz") as archive:
            for info in archive:
                tops.add(info.name.split("/")[0])
                stream = archive.extractfile(info) if info.isreg() else None
                if stream is not None:
                    members[info.name] = _all_of(stream, room)
                    room -= len(members[info.name])
    except _UNREADABLE as error:
        faults.append(str(error) or type(error).__name__)
    return Built("sdist", path, members, tuple(sorted(tops)), tuple(faults), _magics(path))


def _magics(path: Path) -> frozenset[bytes]:
    """The magic of every header of a gzipped tar: POSIX has ``ustar\\0``, GNU ``ustar`` and blanks."""
    found = set()
    try:
        with gzip.open(path) as stream:
            while len(header := stream.read(512)) == 512 and header.strip(b"\0"):
                found.add(header[257:263])
                size = int(header[124:136].rstrip(b"\0 ") or b"0", 8)
                stream.seek((size + 511) // 512 * 512, 1)
    except (*_UNREADABLE, ValueError):
        found.add(b"?")
    return frozenset(found)


def _tops(members: Iterable[str], ending: str) -> tuple[str, ...]:
    return tuple(sorted({top for top in (name.split("/")[0] for name in members) if top.endswith(ending)}))
