"""The numbers an index may not exceed.

A page is outside data: each number in it that decides how much work or memory it costs has a limit here.  The
largest page known to us is about 20 MB (nightly builds with thousands of platform wheels).
"""

from __future__ import annotations

from typing import NamedTuple  # dataclasses would load inspect, for every cold resolve

__all__ = ["DEFAULT", "Limits"]


class Limits(NamedTuple):
    """``body`` in bytes, decoded; strings in characters.  Beyond ``body`` and ``files`` the page is refused; an
    entry with a string beyond its limit is left out of the page."""

    body: int = 128 * 1024 * 1024
    files: int = 250_000
    filename: int = 512
    url: int = 8_192
    requires_python: int = 2_048
    reason: int = 16_384
    hashes: int = 16
    upload_time: int = 64


DEFAULT = Limits()
