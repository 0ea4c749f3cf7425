"""The same count in Python: slower, shorter, and what the tests believe."""

__all__ = ["count"]


def count(data: bytes) -> tuple[int, int, int, int]:
    """``(lines, words, characters, bytes)`` of UTF-8 text."""
    characters = sum(byte & 0xC0 != 0x80 for byte in data)
    return data.count(b"\n"), len(data.split()), characters, len(data)
