"""RECORD is read and written as "Recording installed projects" says, and archives are held against it."""

from __future__ import annotations

import base64
import csv
import hashlib
import io
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accord_core.archive.record import Row, check_listed, digest, format_record, parse_record, verify

Code = Callable[[Callable[[], object]], str]
GOOD = "sha256=" + digest(b"x")


def test_digests_are_spelled_urlsafe_without_padding() -> None:
    """The empty file's digest as the binary distribution format's own examples spell it."""
    assert digest(b"") == "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"
    assert len(digest(b"", "sha512")) == 86


TEXT = st.text(st.characters(codec="utf-8", exclude_categories=("Cs", "Cc")), min_size=1, max_size=20)


@given(st.dictionaries(TEXT, st.integers(0, 10**12) | st.none(), max_size=8))
def test_what_is_written_is_read_back_and_is_csv(sizes: dict[str, int | None]) -> None:
    rows = [Row(path, "sha256", digest(path.encode()), size) for path, size in sizes.items()]
    data = format_record(rows)
    found = parse_record(data)
    assert [(row.path, row.digest, row.size) for row in found.values()] == [
        (r.path, r.digest, r.size) for r in rows
    ]
    assert [line[0] for line in csv.reader(io.StringIO(data.decode(), newline=""))] == list(sizes)


@pytest.mark.parametrize(
    ("expected", "text"),
    [
        ("accepted", b"a,,\nb,,\n"),
        ("accepted", b"a,,\r\n\r\nb,,\r\n"),
        ("accepted", b'"a,b",,\n'),
        ("record-invalid", b"a,b,c,d\n"),
        ("record-invalid", b"a\n"),
        ("record-invalid", b"a,,-1\n"),
        ("record-invalid", b"a,,\xd9\xa3\n"),
        ("record-invalid", b"\xff,,\n"),
        ("record-invalid", b'"a,,\n'),
        ("record-path-twice", b"a,,\na,,\n"),
    ],
)
def test_the_document(expected: str, text: bytes, code: Code) -> None:
    assert code(lambda: parse_record(text)) == expected


@pytest.mark.parametrize(
    ("expected", "rows", "names"),
    [
        ("accepted", f"a,{GOOD},1\nd/RECORD,,\n", ["a", "d/RECORD"]),
        ("accepted", f"a,{GOOD},1\n", ["a", "d/RECORD", "d/RECORD.jws", "d/RECORD.p7s"]),
        ("accepted", "a,sha512=x,1\n", ["a"]),
        ("record-file-unlisted", f"a,{GOOD},1\n", ["a", "b"]),
        ("record-file-unlisted", f"a,{GOOD},1\n", ["a", "other/RECORD"]),
        ("record-file-missing", f"a,{GOOD},1\nb,{GOOD},1\n", ["a"]),
        ("record-digest-missing", "a,,1\n", ["a"]),
        ("record-digest-weak", "a,md5=x,1\n", ["a"]),
        ("record-digest-weak", "a,sha1=x,1\n", ["a"]),
        ("record-digest-unknown", "a,crc32=x,1\n", ["a"]),
    ],
)
def test_an_archive_held_against_it(expected: str, rows: str, names: list[str], code: Code) -> None:
    assert code(lambda: check_listed(parse_record(rows.encode()), names, "d")) == expected


@pytest.mark.parametrize("algorithm", ["sha256", "sha384", "sha512", "blake2b"])
def test_bytes_held_against_a_row(algorithm: str, code: Code) -> None:
    raw = base64.urlsafe_b64encode(hashlib.new(algorithm, b"x").digest()).decode().rstrip("=")
    assert code(lambda: verify(Row("a", algorithm, raw, 1), b"x")) == "accepted"
    assert code(lambda: verify(Row("a", algorithm, raw, None), b"x")) == "accepted"
    assert code(lambda: verify(Row("a", algorithm, raw, 1), b"y")) == "record-digest-wrong"
    assert code(lambda: verify(Row("a", algorithm, raw, 2), b"x")) == "record-size-wrong"
