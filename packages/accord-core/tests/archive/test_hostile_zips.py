"""Every trick a zip can play is refused with its own code, and the honest archive beside it is accepted.

Each row is one lie: its code, the archive that tells it, and a twin that differs in that point only.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable

import pytest

from accord.testing.archives import Part, zip_bytes
from accord_core.archive.limits import Limits
from accord_core.archive.zipreader import open_zip
from accord_core.errors import ArchiveError

Write = Callable[..., str]
Code = Callable[[Callable[[], object]], str]

HELLO = Part("a.txt", b"hello hello hello hello")
OTHER = Part("b.txt", b"other")
CRC = zlib.crc32(HELLO.data)
SIZE, PACKED = len(HELLO.data), len(HELLO.body())
DESCRIPTOR = struct.pack("<LLL", CRC, PACKED, SIZE)
LATER = {"crc": 0, "packed": 0, "size": 0}
LIMITS = Limits(
    entries=50,
    comment_bytes=64,
    name_bytes=100,
    component_bytes=40,
    depth=6,
    directory_bytes=4000,
    file_bytes=300_000,
    total_bytes=600_000,
    file_ratio=50,
    file_ratio_floor=100_000,
    total_ratio=40,
    total_ratio_floor=150_000,
)


def named(name: str | bytes, **options: object) -> bytes:
    return zip_bytes([Part(name, b"x", **options)])  # type: ignore[arg-type]


def both(*names: str) -> bytes:
    return zip_bytes(
        [Part(name, mode=0o040755) if name.endswith("/") else Part(name, b"x") for name in names]
    )


def extra(kind: int, body: bytes) -> bytes:
    return struct.pack("<HH", kind, len(body)) + body


def noise(size: int) -> bytes:
    """Bytes that deflate cannot shorten much: no ratio is reached by them."""
    state, out = 1, bytearray()
    for _ in range(size):
        state = state * 6364136223846793005 + 1442695040888963407 & 0xFFFFFFFFFFFFFFFF
        out.append(state >> 56)
    return bytes(out)


HIDDEN = Part("hidden.txt", b"not in the directory", hidden=True)
MERGED = [HELLO, Part("b.txt", HELLO.data, central={"offset": 0})]
SPANNING = {"count": 1, "here": 1, "start_disk": 1}

NAMES = [
    ("traversal", "archive-name-traversal", named("../a"), named("..a")),
    ("traversal-inside", "archive-name-traversal", named("a/../../b"), named("a/b..")),
    ("traversal-at-end", "archive-name-traversal", named("a/.."), named("a/...")),
    ("absolute", "archive-name-absolute", named("/etc/passwd"), named("etc/passwd")),
    ("absolute-at-root", "archive-name-absolute", named("/passwd"), named("passwd")),
    ("root-folder", "archive-name-absolute", both("/"), both("a/")),
    ("drive", "archive-name-drive", named("C:/a"), named("C/a")),
    ("drive-relative", "archive-name-drive", named("c:a"), named("ca:")),
    ("backslash", "archive-name-backslash", named("a\\b"), named("a/b")),
    ("backslash-in-folder", "archive-name-backslash", named("..\\a/b"), named("a/b")),
    ("nul", "archive-name-control", named("a.py\0.txt"), named("a.py.txt")),
    ("newline", "archive-name-control", named("a\nb"), named("a b")),
    ("empty-part", "archive-name-empty-part", named("a//b"), named("a/b")),
    ("dot-part", "archive-name-empty-part", named("a/./b"), named("a/.b")),
    ("dot", "archive-name-empty-part", named("."), named(".a")),
    ("empty", "archive-name-empty-part", named(""), named("a")),
    ("too-long", "archive-name-too-long", named("a/" * 4 + "b" * 41), named("a/" * 4 + "b" * 40)),
    ("too-long-whole", "archive-name-too-long",
     named("/".join(["x" * 33, "y" * 33, "z" * 33])), named("/".join(["x" * 33, "y" * 33, "z" * 32]))),
    ("too-long-in-utf8", "archive-name-too-long", named("ü" * 21), named("ü" * 20)),
    ("too-deep", "archive-name-too-deep", named("a/b/c/d/e/f/g"), named("a/b/c/d/e/f")),
    ("not-utf8", "archive-name-encoding",
     named(b"\xff.txt", both={"flags": 0x800}), named("ÿ.txt".encode(), both={"flags": 0x800})),
    ("cp437", "archive-name-encoding", named(b"\x81.txt", both={"flags": 0}), named("ü.txt")),
    ("twice", "archive-name-twice", both("a", "a"), both("a", "b")),
    ("folder-twice", "archive-name-twice", both("a/", "a/"), both("a/", "b/")),
    ("case", "archive-name-collides", both("Read.me", "read.ME"), both("Read.me", "read.you")),
    ("case-folders", "archive-name-collides", both("A/x", "a/x"), both("A/x", "a/y")),
    ("case-unicode", "archive-name-collides", both("STRASSE", "straße"), both("STRASSE", "strase")),
    ("normal-form", "archive-name-collides", both("\u00e9", "e\u0301"), both("\u00e9", "e")),
    ("file-and-folder", "archive-file-and-folder", both("a", "a/b"), both("a.py", "a/b")),
    ("file-and-named-folder", "archive-file-and-folder", both("a", "a/"), both("a", "b/")),
    ("file-and-folder-case", "archive-file-and-folder", both("A", "a/b"), both("A", "b/b")),
]  # fmt: skip

KINDS = [
    ("link", "archive-link", named("a", mode=0o120777), named("a", mode=0o100777)),
    ("device", "archive-special-file", named("a", mode=0o060644), named("a", mode=0)),
    ("fifo", "archive-special-file", named("a", mode=0o010644), named("a", mode=0o644)),
    ("folder-mode", "archive-special-file", named("a", mode=0o040755), named("a", mode=0o100755)),
    ("file-mode", "archive-special-file", zip_bytes([Part("a/", mode=0o100755)]),
     zip_bytes([Part("a/", mode=0o040755)])),
    ("folder-with-data", "archive-special-file", zip_bytes([Part("a/", b"x", mode=0o040755)]), both("a/", "a/x")),
    ("encrypted", "archive-encrypted", named("a", both={"flags": 1}), named("a", both={"flags": 0})),
    ("strongly-encrypted", "archive-encrypted", named("a", both={"flags": 0x41}), named("a", both={"flags": 2})),
    ("patched", "archive-flags-unknown", named("a", both={"flags": 0x20}), named("a", both={"flags": 6})),
    ("bzip2", "archive-method-unknown", named("a", method=12), named("a", method=0)),
    ("disk", "archive-multi-disk", named("a", central={"disk": 1}), named("a", central={"disk": 0})),
]  # fmt: skip

CONFUSION = [
    ("prefix", "archive-directory-misplaced", zip_bytes([HELLO], prefix=b"#!/bin/sh\n"), zip_bytes([HELLO])),
    ("prefix-counted", "archive-gap", zip_bytes([Part("a", b"x", before=b"MZ")]), zip_bytes([Part("a", b"x")])),
    ("hidden-member", "archive-gap", zip_bytes([HELLO, HIDDEN, OTHER]), zip_bytes([HELLO, OTHER])),
    ("hidden-last", "archive-gap", zip_bytes([HELLO, HIDDEN]), zip_bytes([HELLO])),
    ("gap", "archive-gap", zip_bytes([HELLO], gap=b"\0"), zip_bytes([HELLO])),
    ("trailing", "archive-trailing-data", zip_bytes([HELLO], suffix=b"\0"), zip_bytes([HELLO], comment=b"\0")),
    ("second-archive", "archive-directory-misplaced", zip_bytes([HELLO]) + zip_bytes([OTHER]), zip_bytes([OTHER])),
    ("second-end", "archive-ambiguous-end", zip_bytes([HELLO], comment=zip_bytes([]) + b"."), zip_bytes([HELLO], comment=b"PK")),
    ("long-comment", "archive-comment-too-long", zip_bytes([HELLO], comment=b"c" * 65), zip_bytes([HELLO], comment=b"c" * 64)),
    ("overlap", "archive-overlap", zip_bytes(MERGED), zip_bytes([HELLO, OTHER])),
    ("name", "archive-header-disagrees", zip_bytes([Part("a", b"x", local_name=b"b")]), named("a")),
    ("name-length", "archive-header-disagrees", zip_bytes([Part("a", b"x", local_name=b"ab")]), named("a")),
    ("method", "archive-header-disagrees", zip_bytes([Part("a", b"x", local={"method": 0})]), named("a")),
    ("size", "archive-header-disagrees", zip_bytes([Part("a", b"x", local={"size": 2})]), named("a")),
    ("packed-size", "archive-header-disagrees", zip_bytes([Part("a", b"x", local={"packed": 2})]), named("a")),
    ("crc", "archive-header-disagrees", zip_bytes([Part("a", b"x", local={"crc": 2})]), named("a")),
    ("flags", "archive-header-disagrees", zip_bytes([Part("a", b"x", local={"flags": 2})]), named("a", both={"flags": 2})),
    ("no-header", "archive-header-disagrees", zip_bytes([HELLO]).replace(b"PK\x03\x04", b"PK\x03\x05"), zip_bytes([HELLO])),
    ("unicode-path", "archive-extra-invalid",
     named("a", central_extra=extra(0x7075, b"\1" + b"\0" * 4 + b"b")), named("a", central_extra=extra(0x5455, b"\0" * 5))),
    ("unicode-path-local", "archive-extra-invalid",
     named("a", local_extra=extra(0x7075, b"\1" + b"\0" * 4 + b"b")), named("a", local_extra=extra(0x5455, b"\0" * 5))),
    ("extra-cut", "archive-extra-invalid", named("a", central_extra=b"\x55\x54\x09\x00"), named("a", central_extra=extra(0x5455, b"123456789"))),
    ("descriptor-lies", "archive-descriptor-disagrees",
     zip_bytes([Part("a.txt", HELLO.data, both={"flags": 8}, local=LATER, descriptor=b"PK\7\x08" + struct.pack("<LLL", CRC, PACKED, SIZE + 1))]),
     zip_bytes([Part("a.txt", HELLO.data, both={"flags": 8}, local=LATER, descriptor=b"PK\7\x08" + DESCRIPTOR)])),
    ("descriptor-missing", "archive-descriptor-disagrees",
     zip_bytes([Part("a.txt", HELLO.data, both={"flags": 8}, local=LATER)]),
     zip_bytes([Part("a.txt", HELLO.data, both={"flags": 8}, local=LATER, descriptor=DESCRIPTOR)])),
    ("descriptor-hides", "archive-descriptor-disagrees",
     zip_bytes([Part("a.txt", HELLO.data, both={"flags": 8}, local=LATER, descriptor=DESCRIPTOR + b"more")]),
     zip_bytes([Part("a.txt", HELLO.data, both={"flags": 8}, local=LATER,
                     descriptor=struct.pack("<LQQ", CRC, PACKED, SIZE))])),
    ("sizes-later-without-flag", "archive-header-disagrees", zip_bytes([Part("a", b"x", local=LATER)]), named("a")),
    ("empty-with-gap", "archive-gap", zip_bytes([], gap=b"x"), zip_bytes([])),
]  # fmt: skip

ZIP64 = [
    ("sizes-disagree", "archive-zip64-invalid",
     named("a", central_extra=extra(1, struct.pack("<QQ", 1, 99))), named("a", central_extra=extra(1, struct.pack("<QQ", 1, 3)))),
    ("full-without-field", "archive-zip64-invalid",
     named("a", central={"size": 0xFFFFFFFF}),
     named("a", central={"size": 0xFFFFFFFF}, central_extra=extra(1, struct.pack("<Q", 1)))),
    ("field-twice", "archive-zip64-invalid",
     named("a", central={"size": 0xFFFFFFFF}, central_extra=extra(1, struct.pack("<Q", 1)) * 2),
     named("a", central={"size": 0xFFFFFFFF}, central_extra=extra(1, struct.pack("<Q", 1)))),
    ("local-disagrees", "archive-header-disagrees",
     named("a", local={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}, local_extra=extra(1, struct.pack("<QQ", 7, 3))),
     named("a", local={"size": 0xFFFFFFFF, "packed": 0xFFFFFFFF}, local_extra=extra(1, struct.pack("<QQ", 1, 3)))),
    ("records-disagree", "archive-zip64-invalid",
     zip_bytes([HELLO], zip64={}, end={"count": 2, "here": 2}), zip_bytes([HELLO], zip64={}, end={"count": 1, "here": 1})),
    ("locator-elsewhere", "archive-zip64-invalid", zip_bytes([HELLO], zip64={"locator": 0}), zip_bytes([HELLO], zip64={})),
    ("extended", "archive-zip64-invalid", zip_bytes([HELLO], zip64={"length": 60}), zip_bytes([HELLO], zip64={})),
    ("disks", "archive-multi-disk", zip_bytes([HELLO], zip64={"disk": 1}), zip_bytes([HELLO], zip64={})),
]  # fmt: skip

DAMAGE = [
    ("empty-file", "archive-not-zip", b"", zip_bytes([])),
    ("no-zip", "archive-not-zip", b"<html>not found</html>" * 9, zip_bytes([HELLO])),
    ("cut-off", "archive-not-zip", zip_bytes([HELLO])[:-30], zip_bytes([HELLO])),
    ("end-cut-off", "archive-not-zip", zip_bytes([HELLO])[:-1], zip_bytes([HELLO])),
    ("count-high", "archive-directory-invalid", zip_bytes([HELLO], end={"count": 2, "here": 2}), zip_bytes([HELLO])),
    ("count-low", "archive-directory-invalid",
     zip_bytes([HELLO, OTHER], end={"count": 1, "here": 1}), zip_bytes([HELLO, OTHER])),
    ("end-disk", "archive-multi-disk", zip_bytes([HELLO], end=SPANNING), zip_bytes([HELLO])),
    ("stored-sizes", "archive-size-wrong", named("a", method=0, both={"size": 2}), named("a", method=0)),
]  # fmt: skip

SIZES = [
    ("entries", "archive-too-many-entries",
     both(*(f"f{i}" for i in range(51))), both(*(f"f{i}" for i in range(50)))),
    ("directory", "archive-directory-too-large",
     zip_bytes([Part("a", b"x", comment=b"c" * 3954)]), zip_bytes([Part("a", b"x", comment=b"c" * 3953)])),
    ("file", "archive-file-too-large", named("a", both={"size": 300_001}),
     zip_bytes([Part("a", noise(300_000))])),
    ("file-ratio", "archive-file-ratio", zip_bytes([Part("a", b"0" * 100_001)]), zip_bytes([Part("a", b"0" * 100_000)])),
    ("total", "archive-too-large",
     zip_bytes([Part(name, noise(200_001)) for name in "abc"]), zip_bytes([Part(name, noise(200_000)) for name in "abc"])),
    ("total-ratio", "archive-ratio",
     zip_bytes([Part(name, b"0" * 75_001) for name in "ab"]), zip_bytes([Part(name, b"0" * 75_000) for name in "ab"])),
]  # fmt: skip

ROWS = [*NAMES, *KINDS, *CONFUSION, *ZIP64, *DAMAGE, *SIZES]


@pytest.mark.parametrize(
    ("expected", "hostile", "honest"), [pytest.param(*row[1:], id=row[0]) for row in ROWS]
)
def test_the_lie_is_refused_and_the_honest_twin_accepted(
    expected: str, hostile: bytes, honest: bytes, write: Write, code: Code
) -> None:
    path = write(hostile)
    assert code(lambda: open_zip(path, LIMITS).close()) == expected
    path = write(honest)
    with open_zip(path, LIMITS) as archive:
        for member in archive.members:
            if member.size < 1000:
                archive.read(member)


def test_no_two_rows_are_the_same_archive() -> None:
    assert len({row[0] for row in ROWS}) == len(ROWS)
    assert all(row[2] != row[3] for row in ROWS)


def test_the_error_names_the_archive(write: Write) -> None:
    path = write(named("../a"))
    with pytest.raises(ArchiveError) as caught:
        open_zip(path)
    assert caught.value.where is not None and caught.value.where.path == path


LYING_DATA = [
    ("crc", "archive-crc-wrong", Part("a", b"x" * 50, both={"crc": 1})),
    ("stored-crc", "archive-crc-wrong", Part("a", b"x", 0, both={"crc": 1})),
    ("larger-than-declared", "archive-size-wrong", Part("a", b"x" * 50, both={"size": 49})),
    ("smaller-than-declared", "archive-size-wrong", Part("a", b"x" * 50, both={"size": 51})),
    ("declared-empty", "archive-size-wrong", Part("a", b"x" * 50, both={"size": 0})),
    ("not-deflate", "archive-data-broken", Part("a", b"x" * 50, packed=b"\xff" * 20)),
    ("cut-off", "archive-data-broken", Part("a", noise(50), packed=Part("a", noise(50)).body()[:-5])),
    ("bytes-after-the-end", "archive-data-broken", Part("a", b"x" * 50, packed=Part("a", b"x" * 50).body() + b"zz")),
]  # fmt: skip


@pytest.mark.parametrize(("expected", "part"), [pytest.param(*row[1:], id=row[0]) for row in LYING_DATA])
def test_data_that_are_not_what_the_directory_says_are_refused(
    expected: str, part: Part, write: Write, code: Code
) -> None:
    with open_zip(write(zip_bytes([HELLO, part]))) as archive:
        honest, lying = archive.members
        assert archive.read(honest) == b"".join(archive.stream(honest, chunk=7)) == HELLO.data
        assert code(lambda: archive.read(lying)) == expected
        assert code(lambda: list(archive.stream(lying, chunk=7))) == expected


def test_a_bomb_expands_no_further_than_it_declares(write: Write) -> None:
    """A gigabyte behind a declared hundred bytes costs about a hundred bytes (and the engine's first buffer)."""
    import tracemalloc

    worker = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = b"".join(worker.compress(bytes(1 << 20)) for _ in range(256)) + worker.flush()
    with open_zip(write(zip_bytes([Part("a", b"0" * 100, packed=packed)]))) as archive:
        tracemalloc.start()
        with pytest.raises(ArchiveError):
            archive.read(archive.members[0])
        with pytest.raises(ArchiveError):
            list(archive.stream(archive.members[0]))
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert peak < 3 << 20


def test_special_modes_are_not_carried(write: Write) -> None:
    with open_zip(write(zip_bytes([Part("a", mode=0o104755), Part("b", mode=0o102644)]))) as archive:
        assert [member.executable for member in archive.members] == [True, False]


def test_a_missing_file_is_a_coded_error(code: Code, tmp_path: object) -> None:
    assert code(lambda: open_zip(f"{tmp_path}/none.whl")) == "archive-unreadable"


def test_limits_cannot_be_changed_after_the_fact() -> None:
    limits = Limits()
    with pytest.raises(AttributeError):
        limits.entries = 1
    with pytest.raises(AttributeError):
        del limits.entries
