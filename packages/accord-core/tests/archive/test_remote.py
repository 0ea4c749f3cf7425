"""METADATA from byte ranges: few calls, bounded bytes, and the same refusals as for the whole file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from accord.testing.archives import Part, wheel_parts, zip_bytes
from accord_core.archive.limits import Limits
from accord_core.archive.remote import metadata_from_tail

Code = Callable[[Callable[[], object]], str]
NAME = "spam-1.0-py3-none-any.whl"
METADATA = b"Metadata-Version: 2.1\nName: spam\nVersion: 1.0\n"
SMALL = Limits(tail_bytes=300, comment_bytes=0)


class Ranges:
    """A file that is read by ranges, and remembers them."""

    def __init__(self, data: bytes) -> None:
        self.data = data
        self.asked: list[tuple[int, int]] = []

    def __call__(self, offset: int, length: int) -> bytes:
        assert offset >= 0 and length > 0 and offset + length <= len(self.data)
        self.asked.append((offset, length))
        return self.data[offset : offset + length]


def far_apart() -> bytes:
    """A wheel whose METADATA stand first, a long way from the end, and whose directory is long."""
    parts = wheel_parts({f"spam/{number:0100}": bytes(50) for number in range(30)})
    return zip_bytes(sorted(parts, key=lambda part: not str(part.name).endswith("METADATA")))


def test_one_range_is_enough_where_the_metadata_are_near_the_end() -> None:
    ranges = Ranges(zip_bytes([Part("big", bytes(range(256)) * 500, 0), *wheel_parts()]))
    assert metadata_from_tail(ranges, len(ranges.data), NAME) == METADATA
    assert len(ranges.asked) == 1 and ranges.asked[0][1] == 65536 < len(ranges.data)


def test_three_ranges_are_enough_anywhere() -> None:
    ranges = Ranges(far_apart())
    assert metadata_from_tail(ranges, len(ranges.data), NAME, SMALL) == METADATA
    assert len(ranges.asked) == 3
    assert sum(length for _, length in ranges.asked) < len(ranges.data)


def test_a_tail_that_is_here_is_not_asked_for_again() -> None:
    ranges = Ranges(far_apart())
    tail = ranges.data[-300:]
    assert metadata_from_tail(ranges, len(ranges.data), NAME, SMALL, tail=tail) == METADATA
    assert len(ranges.asked) == 2
    ranges.asked.clear()
    assert metadata_from_tail(ranges, len(ranges.data), NAME, SMALL, tail=ranges.data) == METADATA
    assert not ranges.asked
    assert metadata_from_tail(ranges, len(ranges.data), NAME, SMALL, tail=b"short") == METADATA
    assert len(ranges.asked) == 3


def test_a_server_that_sends_something_else(code: Code) -> None:
    data = far_apart()
    assert code(lambda: metadata_from_tail(lambda _, __: b"", len(data), NAME)) == "archive-range-short"
    assert (
        code(lambda: metadata_from_tail(lambda _, length: data[:length], len(data), NAME, SMALL))
        == "archive-not-zip"
    )


def altered(**options: object) -> bytes:
    return zip_bytes(
        [replace(p, **options) if str(p.name).endswith("METADATA") else p for p in wheel_parts()]  # type: ignore[arg-type]
    )


@pytest.mark.parametrize(
    ("expected", "data"),
    [
        ("accepted", altered(local={})),
        ("archive-header-disagrees", altered(local={"size": 1})),
        ("archive-header-disagrees", altered(local_name=b"spam-1.0.dist-info/METADATB")),
        ("archive-overlap", altered(method=0, data=b"\x55\x54\x14\x00" + METADATA, local={"extra_size": 24})),
        ("accepted", altered(local_extra=b"\x55\x54\xfb\xff" + bytes(0xFFFB))),
        ("archive-crc-wrong", altered(both={"crc": 1})),
        ("archive-overlap", altered(both={"packed": 5000})),
        ("wheel-file-missing", altered(name="spam-1.0.dist-info/METADATA.txt")),
        ("wheel-dist-info-disagrees", zip_bytes(wheel_parts(name="ham"))),
        ("archive-name-traversal", zip_bytes([Part("../x"), *wheel_parts()])),
        ("archive-trailing-data", zip_bytes(wheel_parts(), suffix=b"x")),
    ],
)
def test_one_lie_each(expected: str, data: bytes, code: Code) -> None:
    assert code(lambda: metadata_from_tail(Ranges(data), len(data), NAME)) == expected


@pytest.mark.parametrize(("spare", "expected"), [(0, "accepted"), (-1, "wheel-file-too-large")])
def test_the_limit_of_metadata(spare: int, expected: str, code: Code) -> None:
    data = zip_bytes(wheel_parts())
    limits = Limits(metadata_bytes=len(METADATA) + spare)
    assert code(lambda: metadata_from_tail(Ranges(data), len(data), NAME, limits)) == expected
