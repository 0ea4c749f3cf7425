"""What programs ask that are no package tools: browsers before they read across origins, and search engines."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from accord.server.parts import Parts

__all__ = ["PREFLIGHT", "is_read", "routes"]

# Machine-readable pages and files are of no use in a search engine, and there are many of them.
_ROBOTS = """User-agent: *
Disallow: /*/@
Disallow: /*/files/
Disallow: /*/integrity/
Disallow: /*/simple/
Disallow: /@
Disallow: /api/
Disallow: /changes
Disallow: /files/
Disallow: /integrity/
Disallow: /packages/
Disallow: /pypi/
Disallow: /simple/
"""

_READ = re.compile(
    r"(?:/(?!api/)[^/]+)?(?:/@[^/]+)?/(?:simple|files|integrity|pypi|rss|packages|changes|namespaces?|openapi\.json)(?:/|\Z)"
)

PREFLIGHT = (
    (b"access-control-allow-origin", b"*"),
    (b"access-control-allow-methods", b"GET, HEAD"),
    (b"access-control-allow-headers", b"Accept, If-None-Match, If-Range, Range"),
    (b"access-control-max-age", b"86400"),
)
"""The answer to a browser that asks whether a page of another origin may read here: anybody may, without credentials."""


def is_read(path: str) -> bool:
    """Whether a path is one of those any origin may read."""
    return _READ.match(path) is not None


def routes(_parts: Parts) -> list[BaseRoute]:
    """``/robots.txt``."""

    def robots(_request: Request) -> Response:
        return PlainTextResponse(_ROBOTS, headers={"cache-control": "max-age=86400, public"})

    return [Route("/robots.txt", robots, name="robots")]
