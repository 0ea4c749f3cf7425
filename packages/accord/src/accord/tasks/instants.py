"""The rim of ``--exclude-newer`` and ``--older-than``: text and the clock's seconds in, an instant or seconds out.

What people may write is read by ``accord_core.project.cutoff``, the same for a flag and for ``[tool.accord]``; this
module only turns its values into those the tasks pass on.
"""

from __future__ import annotations

import datetime

from accord_core.project.cutoff import cutoff, parse_cutoff

__all__ = ["read_duration", "read_instant"]


def read_instant(text: str, now: float) -> str:
    """A date, an instant or a duration back from ``now`` (unix seconds) as ``2026-11-02T00:00:00Z``; files uploaded
    at or after it are not seen.  ``ValueError`` says what cannot be read."""
    try:
        return cutoff(text, datetime.datetime.fromtimestamp(int(now), datetime.UTC))
    except (ValueError, OverflowError) as error:
        raise ValueError(f"{text!r} is neither a date, an instant nor a duration") from error


def read_duration(text: str) -> float:
    """``30 days`` or ``P30D`` in seconds; ``ValueError`` for what is no duration."""
    found = parse_cutoff(text)
    if not isinstance(found, datetime.timedelta):
        # A date where a duration is wanted: a wrong text, not a wrong type.
        raise ValueError(f"{text!r} is not a duration; write 30 days or P30D")  # noqa: TRY004
    return found.total_seconds()
