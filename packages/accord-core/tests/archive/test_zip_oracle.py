"""Random honest zips read the same here and with ``zipfile``, the independent oracle; with ISA-L and with zlib."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from accord_core.archive import inflate
from accord_core.archive.zipreader import open_zip
from accord_core.errors import ArchiveError

Write = Callable[..., str]

PART = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Cs"), exclude_characters="/\\:"),
    min_size=1,
    max_size=8,
)
NAMES = st.lists(PART.filter(lambda part: part not in (".", "..")), min_size=1, max_size=4).map("/".join)
FILES = st.dictionaries(
    NAMES, st.tuples(st.binary(max_size=3000), st.sampled_from((0, 8)), st.booleans()), max_size=12
)


class Unseekable(io.RawIOBase):
    """A sink that cannot seek: ``zipfile`` then writes data descriptors, as streaming writers do."""

    def __init__(self) -> None:
        self.data = bytearray()

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        piece = bytes(data)  # type: ignore[call-overload]
        self.data += piece
        return len(piece)


def packed(files: dict[str, tuple[bytes, int, bool]], streamed: bool) -> bytes:
    sink = Unseekable()
    buffer = io.BytesIO()
    with zipfile.ZipFile(sink if streamed else buffer, "w") as archive:
        for name, (data, method, executable) in files.items():
            entry = zipfile.ZipInfo(name)
            entry.compress_type = method
            entry.external_attr = (0o100755 if executable else 0o100644) << 16
            archive.writestr(entry, data)
    return bytes(sink.data) if streamed else buffer.getvalue()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=150)
@given(files=FILES, streamed=st.booleans())
def test_random_zips_read_as_with_zipfile(
    files: dict[str, tuple[bytes, int, bool]], streamed: bool, tmp_path: Path
) -> None:
    data = packed(files, streamed)
    path = tmp_path / "random.zip"
    path.write_bytes(data)
    try:
        archive = open_zip(str(path))
    except ArchiveError as fault:
        # The generator may draw names that collide; nothing else may be refused.
        assert fault.code in ("archive-name-collides", "archive-file-and-folder")
        return
    with archive, zipfile.ZipFile(path) as oracle:
        assert [member.name for member in archive.members] == oracle.namelist()
        for member in archive.members:
            content, _, executable = files[member.name]
            assert archive.read(member) == b"".join(archive.stream(member, chunk=100)) == content
            assert oracle.read(member.name) == content
            assert member.executable == executable


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=300)
@given(
    data=st.binary(max_size=200), place=st.integers(0, 600), value=st.integers(0, 255), streamed=st.booleans()
)
def test_a_changed_byte_is_refused_or_changes_nothing_that_is_read(
    data: bytes, place: int, value: int, streamed: bool, tmp_path: Path
) -> None:
    """Whatever single byte is changed, the answer is a code or the true contents; never a crash, never a lie."""
    truth = {"a.txt": data, "b/c": b"second"}
    whole = bytearray(packed({"a.txt": (data, 8, False), "b/c": (b"second", 0, True)}, streamed))
    whole[place % len(whole)] = value
    path = tmp_path / "changed.zip"
    path.write_bytes(whole)
    try:
        with open_zip(str(path)) as archive:
            assert {member.name: archive.read(member) for member in archive.members} == truth
    except ArchiveError as fault:
        assert fault.code.startswith("archive-")


@pytest.mark.parametrize("count", [65_535, 65_536])
def test_counts_around_the_zip64_border(count: int, write: Write) -> None:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number in range(count):
            archive.writestr(zipfile.ZipInfo(f"{number}"), b"")
    with open_zip(write(buffer.getvalue())) as opened:
        assert len(opened.members) == count


def test_zip64_members_as_zipfile_writes_them(write: Write) -> None:
    buffer = io.BytesIO()
    with (
        zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("big", "w", force_zip64=True) as file,
    ):
        file.write(b"content")
    with open_zip(write(buffer.getvalue())) as opened:
        assert opened.read(opened.members[0]) == b"content"


def test_large_archives_are_read_piece_by_piece(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    """Above a size the file stays open and is read by position; the answers are the same."""
    from accord_core.archive import zipreader

    monkeypatch.setattr(zipreader, "_WHOLE", 10)
    data = bytes(range(256)) * 9000
    path = write(packed({"big": (data, 8, False), "stored": (data, 0, False)}, streamed=False))
    with open_zip(path) as archive:
        for member in archive.members:
            assert archive.read(member) == b"".join(archive.stream(member)) == data
    archive.close()


@given(data=st.binary(max_size=5000), level=st.integers(0, 9))
@settings(deadline=None)
def test_both_engines_inflate_alike(data: bytes, level: int) -> None:
    worker = zlib.compressobj(level, zlib.DEFLATED, -15)
    body = worker.compress(data) + worker.flush()
    for engine in (inflate.engine, zlib):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(inflate, "_decompressor", engine.decompressobj)
            patch.setattr(inflate, "_BROKEN", engine.error)
            assert inflate.inflate(body, 8, len(data), zlib.crc32(data)) == data
            for size in (len(data) - 1, len(data) + 1):
                with pytest.raises(ArchiveError):
                    inflate.inflate(body, 8, max(size, 0) if data or size > 0 else 1, zlib.crc32(data))
