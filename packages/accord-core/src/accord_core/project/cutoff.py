"""``exclude-newer``: a moment, or how long ago, written as people write it; the clock is the caller's."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

__all__ = ["cutoff", "parse_cutoff"]

_UNITS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400, "week": 604_800}
_LETTERS = {"w": "week", "d": "day", "h": "hour", "m": "minute", "s": "second"}
_SPELLINGS = (
    {unit: unit for unit in _UNITS}
    | {f"{unit}s": unit for unit in _UNITS}
    | {"min": "minute", "mins": "minute"}
    | _LETTERS
)
_MOST = timedelta(days=36_500)  # a century: more is a slip, and less than datetime can subtract


def parse_cutoff(text: str) -> datetime | timedelta:
    """A moment in UTC or a duration before now.

    Moments are ISO 8601 (``2026-11-01``, ``2026-11-01T12:00:00Z``); a date alone includes that whole day in UTC, so
    that it means the same everywhere.  Durations are ``7 days``, ``1 week``, ``36h`` or ISO 8601 without months and
    years, which have no length (``P7D``, ``PT36H``).  Raises ``ValueError``.
    """
    text = text.strip()
    if len(text) == 10 and text.count("-") == 2:
        day = date.fromisoformat(text)
        return datetime(day.year, day.month, day.day, tzinfo=UTC) + timedelta(days=1)
    if text[:4].isdigit() and text[4:5] == "-":
        moment = datetime.fromisoformat(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return _iso_duration(text[1:].upper()) if text[:1] in ("P", "p") else _plain_duration(text.lower())


def cutoff(text: str, now: datetime) -> str:
    """The moment itself, ISO 8601 in UTC with ``Z``: files uploaded at it or later are left out."""
    found = parse_cutoff(text)
    moment = now.astimezone(UTC) - found if isinstance(found, timedelta) else found
    return moment.isoformat().replace("+00:00", "Z")


def _plain_duration(text: str) -> timedelta:
    seconds, found, at = 0, False, 0
    while at < len(text):
        start = at
        while at < len(text) and text[at] in "0123456789":
            at += 1
        number = text[start:at]
        while at < len(text) and text[at] in " \t":
            at += 1
        start = at
        while at < len(text) and text[at].isalpha():
            at += 1
        unit = _SPELLINGS.get(text[start:at])
        if not number or unit is None or len(number) > 12:
            raise ValueError(f"not a date or a duration: {text!r}")
        seconds += int(number) * _UNITS[unit]
        found = True
        while at < len(text) and text[at] in " \t,":
            at += 1
    if not found:
        raise ValueError(f"not a date or a duration: {text!r}")
    return _length(seconds, text)


def _iso_duration(text: str) -> timedelta:
    days, t, time = text.partition("T")
    if not text or (t and not time):
        raise ValueError(f"not a duration: 'P{text}'")
    seconds = 0
    for part, letters in ((days, "WD"), (time, "HMS")):
        number = ""
        for character in part:
            if character in "0123456789" and len(number) < 12:
                number += character
            elif character in letters and number:
                seconds += int(number) * _UNITS[_LETTERS[character.lower()]]
                number, letters = "", letters[letters.index(character) + 1 :]
            else:
                raise ValueError(f"not a duration of weeks, days, hours, minutes and seconds: 'P{text}'")
        if number:
            raise ValueError(f"not a duration: 'P{text}'")
    return _length(seconds, text)


def _length(seconds: int, text: str) -> timedelta:
    if seconds > _MOST.total_seconds():
        raise ValueError(f"longer than a century: {text!r}")
    return timedelta(seconds=seconds)
