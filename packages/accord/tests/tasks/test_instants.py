"""What --exclude-newer and --older-than take, as the tasks get it."""

from __future__ import annotations

import datetime

import pytest

from accord.tasks.instants import read_duration, read_instant

NOW = datetime.datetime(2026, 11, 23, 12, 0, 0, 900, tzinfo=datetime.UTC).timestamp()


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-11-01", "2026-11-02T00:00:00Z"),  # that whole day, in UTC everywhere
        ("2026-11-01T10:20:30Z", "2026-11-01T10:20:30Z"),
        ("2026-11-01T10:20:30+02:00", "2026-11-01T08:20:30Z"),
        ("30 days", "2026-10-24T12:00:00Z"),
        ("P1W", "2026-11-16T12:00:00Z"),
    ],
)
def test_an_instant_is_in_utc(text: str, instant: str) -> None:
    assert read_instant(text, NOW) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "P", "1 month", "2026-13-01", "9999999 weeks"])
def test_what_is_no_instant_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="neither a date"):
        read_instant(text, NOW)


def test_durations_are_seconds() -> None:
    assert read_duration("2 weeks") == 14 * 86400
    with pytest.raises(ValueError, match="not a duration"):
        read_duration("2026-11-01")
