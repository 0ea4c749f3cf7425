"""How long an answer may be used again without asking (RFC 9111), as a private cache sees it.

Computes on header values and a given time; reads no clock and keeps nothing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["IMMUTABLE_SECONDS", "LONGEST_SECONDS", "UNSAID_SECONDS", "expires_at", "says_nothing"]

UNSAID_SECONDS = 60.0
"""The window for an index that sends neither Cache-Control nor Expires: long enough for one command after another,
short enough that a fresh upload is found without ``--refresh``."""

IMMUTABLE_SECONDS = 365 * 24 * 3600.0
LONGEST_SECONDS = IMMUTABLE_SECONDS


def says_nothing(headers: Mapping[str, str]) -> bool:
    """Whether the answer says nothing of its freshness, so that :data:`UNSAID_SECONDS` applies."""
    return "cache-control" not in headers and "expires" not in headers


def expires_at(headers: Mapping[str, str], now: float) -> float:
    """The time (unix seconds) until which an answer received at ``now`` is fresh; 0 means: ask each time.

    ``headers`` has lower-case names.  ``s-maxage`` is for shared caches and is ignored; ``Age`` is subtracted;
    ``no-store`` and ``no-cache`` give 0, as does anything that cannot be read.
    """
    if says_nothing(headers):
        return now + UNSAID_SECONDS
    directives = _directives(headers.get("cache-control", ""))
    if "no-store" in directives or "no-cache" in directives:
        return 0.0
    age = _seconds(headers.get("age", "0")) or 0.0
    if "max-age" in directives:
        lifetime = _seconds(directives["max-age"])
        if lifetime is None:
            return 0.0
    elif "immutable" in directives:  # RFC 8246 gives no lifetime of its own
        lifetime = IMMUTABLE_SECONDS
    elif "expires" in headers:
        lifetime = _until(headers["expires"], headers.get("date"), now)
    else:
        lifetime = UNSAID_SECONDS
    remaining = min(lifetime, LONGEST_SECONDS) - age
    return now + remaining if remaining > 0 else 0.0


def _directives(value: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in value.split(","):
        name, _, argument = part.strip().partition("=")
        if name:
            # Of two equal directives the stricter counts (RFC 9111 section 4.2.1); the first is as good as it gets.
            found.setdefault(name.strip().lower(), argument.strip().strip('"'))
    return found


def _seconds(text: str) -> float | None:
    text = text.strip()
    return float(min(int(text), 2**31)) if text.isascii() and text.isdigit() and len(text) < 20 else None


def _until(expires: str, date: str | None, now: float) -> float:
    from email.utils import parsedate_to_datetime

    try:
        end = parsedate_to_datetime(expires).timestamp()
        start = parsedate_to_datetime(date).timestamp() if date else now
    except (ValueError, TypeError, OverflowError):
        return 0.0  # "Expires: 0" and its like mean: already stale (RFC 9111 section 5.3)
    return end - start
