"""``exclude-newer`` as people write it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from accord_core.project.cutoff import cutoff, parse_cutoff

NOW = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-11-01", "2026-11-02T00:00:00Z"),  # that whole day counts
        ("2026-11-01T10:00:00Z", "2026-11-01T10:00:00Z"),
        ("2026-11-01T10:00:00+02:00", "2026-11-01T08:00:00Z"),
        ("2026-11-01 10:00", "2026-11-01T10:00:00Z"),
        ("7 days", "2026-11-16T12:00:00Z"),
        ("1 week, 2h", "2026-11-16T10:00:00Z"),
        ("36h", "2026-11-22T00:00:00Z"),
        ("P1W", "2026-11-16T12:00:00Z"),
        ("p1dt12h", "2026-11-22T00:00:00Z"),
        ("0 days", "2026-11-23T12:00:00Z"),
    ],
)
def test_moments(text: str, moment: str) -> None:
    assert cutoff(text, NOW) == moment


def test_a_century_is_the_edge() -> None:
    assert parse_cutoff("36500 days") == timedelta(days=36_500)
    for text in ("36501 days", "P36501D", "999999999999 weeks"):
        with pytest.raises(ValueError, match="century"):
            parse_cutoff(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "P",
        "PT",
        "P1",
        "P1DT",
        "P1Y",
        "P1H",
        "PT1M1H",
        "5 dyas",
        "days",
        "5",
        "2026-13-01",
        "-5 days",
        "9" * 13 + "s",
    ],
)
def test_what_is_neither(text: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        parse_cutoff(text)
