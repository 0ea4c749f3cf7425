"""What two builds of one source differ in, in words a person can act on."""

from __future__ import annotations

import gzip
import io
import math
import sys
import tarfile
from typing import TYPE_CHECKING

import pytest

from accord.build.reproducible import explain
from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes

if TYPE_CHECKING:
    from pathlib import Path


def told(tmp_path: Path, name: str, one: bytes, other: bytes) -> list[str]:
    paths = []
    for folder, data in (("one", one), ("other", other)):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / name).write_bytes(data)
        paths.append(str(tmp_path / folder / name))
    lines = explain(*paths)
    assert lines[0] == f"{name}:"
    return [line.strip() for line in lines[1:]]


def wheel(files: dict[str, bytes]) -> bytes:
    return zip_bytes(wheel_parts(files))


def packed(mode: int, when: int) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w:gz") as archive:
        entry = tarfile.TarInfo("spam-1.0/x")
        entry.mode, entry.mtime = mode, when
        archive.addfile(entry)
    return file.getvalue()


def test_text_is_told_line_by_line_and_a_missing_file_by_name(tmp_path: Path) -> None:
    one = wheel({"spam/__init__.py": b"x = 1\ny = 2\n", "spam/gone.py": b""})
    other = wheel({"spam/__init__.py": b"x = 1\ny = 3\n"})
    lines = told(tmp_path, "spam-1.0-py3-none-any.whl", one, other)
    assert "spam/gone.py: only in the first" in lines
    assert lines[lines.index("spam/__init__.py: contents") + 1 :][:2] == ["-y = 2", "+y = 3"]


def test_only_the_first_lines_are_shown(tmp_path: Path) -> None:
    one = wheel({"spam/__init__.py": b"".join(b"a%d\n" % n for n in range(50))})
    other = wheel({"spam/__init__.py": b"".join(b"b%d\n" % n for n in range(50))})
    lines = told(tmp_path, "spam-1.0-py3-none-any.whl", one, other)
    assert "…" in lines
    assert len([line for line in lines if line[0] in "+-"]) <= 20


def test_a_shared_object_is_told_by_its_section_and_other_bytes_by_their_place(tmp_path: Path) -> None:
    # Any shared object does: that of a module of this Python.
    path = math.__file__ if getattr(math, "__file__", None) else sys.executable
    with open(path, "rb") as file:
        data = file.read()
    if not data.startswith(b"\x7fELF"):
        pytest.skip("no ELF here")
    changed = bytearray(data)
    changed[len(data) // 2] ^= 1
    one = wheel({"spam/_x.so": data, "spam/table.bin": b"\0\1\2\3"})
    other = wheel({"spam/_x.so": bytes(changed), "spam/table.bin": b"\0\1\7\3"})
    lines = told(tmp_path, "spam-1.0-py3-none-any.whl", one, other)
    assert any(
        line.startswith(f"spam/_x.so: contents ({len(data)} and {len(data)} bytes), first in .")
        for line in lines
    )
    assert "spam/table.bin: contents (4 and 4 bytes), from byte 2" in lines


def test_a_time_in_the_header_of_gzip_is_told(tmp_path: Path) -> None:
    inner = gzip.decompress(sdist_bytes([TarPart("spam-1.0/x", b"x")]))
    one, other = (gzip.compress(inner, mtime=when) for when in (1, 2))
    assert told(tmp_path, "spam-1.0.tar.gz", one, other) == [
        "the gzip header differs: it holds a time or a name"
    ]


def test_another_compression_is_not_taken_for_a_time(tmp_path: Path) -> None:
    inner = gzip.decompress(sdist_bytes([TarPart("spam-1.0/x", b"".join(b"%d\n" % n for n in range(2000)))]))
    one, other = (gzip.compress(inner, level, mtime=1) for level in (1, 9))
    (line,) = told(tmp_path, "spam-1.0.tar.gz", one, other)
    assert line.startswith("the members are the same")


def test_a_line_that_looks_like_the_head_of_a_diff_is_shown(tmp_path: Path) -> None:
    one, other = (wheel({"spam/query.sql": text}) for text in (b"-- of today\n", b"++ of today\n"))
    lines = told(tmp_path, "spam-1.0-py3-none-any.whl", one, other)
    assert lines[lines.index("spam/query.sql: contents") + 1 :][:2] == ["--- of today", "+++ of today"]


def test_mode_and_time_of_a_member_are_told(tmp_path: Path) -> None:
    one, other = (packed(mode, when) for mode, when in ((0o644, 1), (0o755, 2)))
    lines = told(tmp_path, "spam-1.0.tar.gz", one, other)
    assert "x: mode 644 and 755" in lines
    assert "x: time 1970-01-01 00:00:01 and 1970-01-01 00:00:02" in lines
