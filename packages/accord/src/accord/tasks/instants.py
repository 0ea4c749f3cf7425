"""Dates, instants and durations as people write them for ``--exclude-newer``, turned into one instant in UTC.

A pure function of the text and of "now": the clock is the caller's.  A date means the beginning of that day in
UTC, wherever the machine stands, so that the same command gives the same lock everywhere.  Months and years are
refused because they have no fixed length.
"""

from __future__ import annotations

import datetime
import re

__all__ = ["read_duration", "read_instant"]

SECONDS = {
    "second": 1, "sec": 1, "s": 1,
    "minute": 60, "min": 60, "m": 60,
    "hour": 3600, "hr": 3600, "h": 3600,
    "day": 86400, "d": 86400,
    "week": 604800, "wk": 604800, "w": 604800,
}  # fmt: skip
WORDS = re.compile(r"(?:\s*\d+\s*[a-z]+\s*,?)+(?:\s*ago)?\s*", re.IGNORECASE)
PART = re.compile(r"(\d+)\s*([a-z]+)", re.IGNORECASE)
ISO_DURATION = re.compile(
    r"P(?=\d|T\d)(?:(?P<week>\d+)W)?(?:(?P<day>\d+)D)?"
    r"(?:T(?=\d)(?:(?P<hour>\d+)H)?(?:(?P<minute>\d+)M)?(?:(?P<second>\d+)S)?)?",
    re.IGNORECASE,
)


def read_instant(text: str, now: float) -> str:
    """``2026-11-01``, an RFC 3339 instant, ``30 days`` or ``P30D`` (back from ``now``, unix seconds) as
    ``2026-11-01T00:00:00Z``; ``ValueError`` says what cannot be read."""
    text = text.strip()
    back = _duration(text)
    try:
        if back is not None:
            moment = datetime.datetime.fromtimestamp(now, datetime.UTC) - datetime.timedelta(seconds=back)
        else:
            moment = datetime.datetime.fromisoformat(text)
            if moment.tzinfo is None:
                moment = moment.replace(tzinfo=datetime.UTC)
            moment = moment.astimezone(datetime.UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is neither a date, an instant nor a duration") from error
    return moment.replace(microsecond=0, tzinfo=None).isoformat() + "Z"


def read_duration(text: str) -> int:
    """``30 days`` or ``P30D`` in seconds; ``ValueError`` for what is no duration."""
    found = _duration(text.strip())
    if found is None:
        raise ValueError(f"{text!r} is not a duration; write 30 days or P30D")
    return found


def _duration(text: str) -> int | None:
    iso = ISO_DURATION.fullmatch(text)
    if iso:
        return sum(int(number) * SECONDS[unit] for unit, number in iso.groupdict().items() if number)
    if not WORDS.fullmatch(text):
        return None
    total = 0
    for number, word in PART.findall(text):
        unit = word.lower()
        unit = unit if unit in SECONDS else unit.removesuffix("s")
        if unit not in SECONDS:
            raise ValueError(
                f"{word!r} is no unit of fixed length; use seconds, minutes, hours, days or weeks"
            )
        total += int(number) * SECONDS[unit]
    return total
