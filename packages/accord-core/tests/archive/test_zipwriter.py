"""What is written is read back, by us and by ``zipfile``, and depends on nothing but what it was made of."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord_core.archive.central import Member, Stamp
from accord_core.archive.limits import Limits
from accord_core.archive.zipreader import open_zip
from accord_core.archive.zipwriter import EPOCH, ZipWriter, source_date
from accord_core.errors import ArchiveError, UsageError

GIB = 1 << 30


class Sparse(io.FileIO):
    """A file in which zeros take no room."""

    def write(self, data: bytes, /) -> int:  # type: ignore[override]
        if len(data) > 4096 and data == bytes(len(data)):
            self.seek(len(data), io.SEEK_CUR)
            return len(data)
        return super().write(data)


def written(files: dict[str, tuple[bytes, bool]], when: int = EPOCH) -> bytes:
    buffer = io.BytesIO()
    writer = ZipWriter(buffer, when)
    for name, (data, executable) in files.items():
        writer.add(name, data, executable=executable)
    writer.close()
    return buffer.getvalue()


names = st.text("abcäß/ ", min_size=1, max_size=8).map(lambda text: "d/" + "x".join(text.split("/")))


@given(st.dictionaries(names, st.tuples(st.binary(max_size=300), st.booleans()), max_size=8))
def test_zipfile_reads_what_was_written(files: dict[str, tuple[bytes, bool]]) -> None:
    data = written(files)
    assert data == written(files)
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.testzip() is None
        assert {info.filename: archive.read(info) for info in archive.infolist()} == {
            name: content for name, (content, _) in files.items()
        }
        for info in archive.infolist():
            assert info.external_attr >> 16 == (0o100755 if files[info.filename][1] else 0o100644)
            assert info.date_time == (1980, 1, 1, 0, 0, 0)
            assert info.compress_size <= info.file_size


def test_our_reader_reads_it_with_modes_and_times(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(written({"a": (b"1", True), "ä/b": (b"2" * 999, False)}, 1_700_000_000))
    with open_zip(str(path)) as archive:
        assert [archive.read(member) for member in archive.members] == [b"1", b"2" * 999]
        stamps = archive.stamps()
    assert (stamps["a"].mode, stamps["ä/b"].mode) == (0o755, 0o644)
    assert str(stamps["a"]) == "2023-11-14 22:13:20"


def test_a_stream_gives_the_same_bytes_as_the_whole(tmp_path: Path) -> None:
    data = b"spam" * 1000
    one, other = io.BytesIO(), io.BytesIO()
    for buffer, pieces in ((one, [data]), (other, [data[:7], data[7:]])):
        writer = ZipWriter(buffer)
        writer.add_stream("a", pieces, len(data))
        writer.close()
    assert one.getvalue() == other.getvalue()
    with pytest.raises(ArchiveError) as caught:
        ZipWriter(io.BytesIO()).add_stream("a", [data], len(data) + 1)
    assert caught.value.code == "archive-size-wrong"


@pytest.mark.slow
def test_a_large_member_is_packed_piece_by_piece(tmp_path: Path) -> None:
    size = 65 << 20
    path = tmp_path / "a.zip"

    def pieces() -> Iterator[bytes]:
        for number in range(65):
            yield bytes([number % 251, number]) * (1 << 19)

    with path.open("wb") as file:
        writer = ZipWriter(cast("BinaryIO", file))
        writer.add("small", b"1")
        writer.add_stream("large", pieces(), size)
        writer.add("after", b"2")
        writer.close()
    with open_zip(str(path), Limits(file_ratio=10_000, total_ratio=10_000)) as archive:
        large = archive.members[1]
        assert zlib.crc32(b"".join(archive.stream(large))) == large.crc
        assert [archive.read(archive.members[at]) for at in (0, 2)] == [b"1", b"2"]
    with zipfile.ZipFile(path) as oracle:
        assert oracle.testzip() is None


def test_a_copied_member_keeps_its_packed_bytes_mode_and_time(tmp_path: Path) -> None:
    old, new = tmp_path / "old.zip", tmp_path / "new.zip"
    info = zipfile.ZipInfo("a", (2001, 2, 3, 4, 5, 6))
    info.external_attr = 0o100750 << 16
    info.compress_type = zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(old, "w") as archive:
        archive.writestr(info, b"spam" * 99, compresslevel=1)
    with open_zip(str(old)) as reader, new.open("wb") as file:
        writer = ZipWriter(cast("BinaryIO", file))
        member = reader.members[0]
        writer.copy(member, reader.packed(member), reader.stamps()["a"])
        writer.close()
    with zipfile.ZipFile(new) as archive:
        found = archive.getinfo("a")
        assert archive.read("a") == b"spam" * 99
        assert (found.date_time, found.external_attr, found.compress_size) == (
            info.date_time,
            info.external_attr,
            info.compress_size,
        )


@pytest.mark.slow
@pytest.mark.parametrize("count", [65_534, 65_535, 65_536])
def test_more_members_than_plain_zip_can_count_are_written(tmp_path: Path, count: int) -> None:
    path = tmp_path / "many.zip"
    with path.open("wb") as file:
        writer = ZipWriter(cast("BinaryIO", file))
        for number in range(count):
            writer.add(f"d/{number}", b"")
        writer.close()
    with open_zip(str(path)) as archive:
        assert len(archive.members) == count
    with zipfile.ZipFile(path) as oracle:
        assert len(oracle.namelist()) == count


@pytest.mark.parametrize("size", [4 * GIB - 2, 4 * GIB - 1, 4 * GIB, 5 * GIB])
def test_members_beyond_four_gib_are_written(tmp_path: Path, size: int) -> None:
    path = tmp_path / "large.zip"
    piece = bytes(1 << 20)

    def pieces() -> Iterator[bytes]:
        left = size
        while left:
            yield piece[: min(left, len(piece))]
            left -= min(left, len(piece))

    with Sparse(path, "w+") as file:
        writer = ZipWriter(cast("BinaryIO", file))
        writer.copy(Member("large", 0, 0, size, size, 7, 0, False, 0), pieces(), Stamp(0o644, 33, 0))
        writer.add("after", b"spam")
        writer.close()
    with open_zip(str(path)) as archive:
        assert [member.size for member in archive.members] == [size, 4]
        assert archive.read(archive.members[1]) == b"spam"
    with zipfile.ZipFile(path) as oracle:
        assert oracle.getinfo("large").file_size == size
        assert oracle.read("after") == b"spam"


@pytest.mark.parametrize(
    ("text", "when"),
    [
        (None, EPOCH),
        ("", EPOCH),
        ("0", EPOCH),
        ("-5", EPOCH),
        ("1700000000", 1_700_000_000),
        ("9" * 19, 4354819198),
    ],
)
def test_the_moment_is_kept_within_what_zip_can_name(text: str | None, when: int) -> None:
    assert source_date(text) == when
    written({"a": (b"", False)}, when)


@pytest.mark.parametrize("text", ["now", "1.5", "1_000", "٣", "9" * 20, "--1"])
def test_a_moment_that_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        source_date(text)
    assert caught.value.code == "source-date-invalid"
