"""Which form of a page is asked for, and which form an answer is in (PEP 691 "Content Negotiation").

The client's side (:data:`ACCEPT`, :func:`form`) and the server's side (:func:`choose`) of one rule.
"""

from __future__ import annotations

__all__ = ["ACCEPT", "HTML", "HTML_FORM", "JSON", "JSON_FORM", "LEGACY_HTML", "choose", "form"]

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "application/vnd.pypi.simple.v1+html"
LEGACY_HTML = "text/html"

ACCEPT = f"{JSON}, {HTML};q=0.2, {LEGACY_HTML};q=0.01"
"""JSON if it can be had: it carries sizes and upload times, and is cheaper to read."""

JSON_FORM = "json"
HTML_FORM = "html"

_LATEST = {
    "application/vnd.pypi.simple.latest+json": JSON,
    "application/vnd.pypi.simple.latest+html": HTML,
}


def form(content_type: str) -> str | None:
    """:data:`JSON_FORM`, :data:`HTML_FORM` or ``None`` for the ``Content-Type`` of an answer.

    An answer without one is HTML (PEP 691 "Version + Format Selection").  A server that knows nothing of PEP 691 may call JSON plain
    ``application/json``; other major versions are forms too, so that their refusal can name the version.
    """
    media = content_type.partition(";")[0].strip().lower()
    if media in {"", LEGACY_HTML, "application/xhtml+xml"}:
        return HTML_FORM
    if media == "application/json":
        return JSON_FORM
    if media.startswith("application/vnd.pypi.simple."):
        if media.endswith("+json"):
            return JSON_FORM
        if media.endswith("+html"):
            return HTML_FORM
    return None


def choose(accept: str | None, offered: tuple[str, ...] = (JSON, HTML, LEGACY_HTML)) -> str | None:
    """The content type to answer an ``Accept`` header with, or ``None`` for 406.

    The highest quality wins, then the order of ``offered``; of several ranges that match, the most specific counts
    (RFC 9110 section 12.5.1).  No header means legacy HTML, which is what the oldest clients expect.
    """
    if accept is None or not accept.strip():
        return LEGACY_HTML if LEGACY_HTML in offered else offered[0]
    ranges = _ranges(accept)
    best: tuple[float, str] | None = None
    for media in offered:
        quality = _quality(media, ranges)
        if quality > 0 and (best is None or quality > best[0]):
            best = (quality, media)
    return best[1] if best else None


def _ranges(accept: str) -> dict[str, float]:
    found: dict[str, float] = {}
    for part in accept.split(","):
        media, *parameters = (piece.strip() for piece in part.split(";"))
        quality = 1.0
        for parameter in parameters:
            key, _, value = parameter.partition("=")
            if key.strip().lower() == "q":
                try:
                    quality = min(1.0, max(0.0, float(value)))
                except ValueError:
                    quality = 0.0
        if media:
            media = media.lower()
            found[_LATEST.get(media, media)] = quality
    return found


def _quality(media: str, ranges: dict[str, float]) -> float:
    for candidate in (media, media.partition("/")[0] + "/*", "*/*"):
        if candidate in ranges:
            return ranges[candidate]
    return 0.0
