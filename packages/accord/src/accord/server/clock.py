"""The time: one small port, so that tests hold it still.  Instants are whole microseconds since 1970, UTC."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime

__all__ = ["Clock", "iso", "now"]

Clock = Callable[[], int]


def now() -> int:
    """This instant."""
    return time.time_ns() // 1000


def iso(instant: int) -> str:
    """As PEP 700 has ``upload-time``: ``2026-11-26T17:08:43.123456Z``."""
    return (
        datetime.fromtimestamp(instant // 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S")
        + f".{instant % 1_000_000:06d}Z"
    )
