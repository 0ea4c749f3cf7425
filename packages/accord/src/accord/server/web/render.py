"""Templates to bytes.  Everything a template shows is escaped, but for what :mod:`web.readme` has cleaned.

The style sheet and the script are served under names with their digest in them, so that browsers keep them for ever.
"""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from jinja2 import Environment, PackageLoader, StrictUndefined

if TYPE_CHECKING:
    from jinja2 import Template

__all__ = ["POLICY", "SECURITY", "asset_name", "assets", "page"]

POLICY = (
    "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' https: data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
"""Content-Security-Policy: nothing inline, nothing from elsewhere but pictures of readmes, nobody frames us."""

SECURITY = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), interest-cohort=()",
}

_TYPES = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}
_STEPS = ("bytes", "kB", "MB", "GB", "TB")


@cache
def assets() -> dict[str, tuple[str, bytes]]:
    """``{name with digest: (content type, bytes)}`` of everything below ``static``."""
    found = {}
    for file in (resources.files("accord.server.web") / "static").iterdir():
        stem, dot, ending = file.name.rpartition(".")
        if dot and ending in _TYPES:
            data = file.read_bytes()
            digest = hashlib.sha256(data).hexdigest()[:12]
            found[f"{stem}.{digest}.{ending}"] = (_TYPES[ending], data)
    return found


@cache
def asset_name(name: str) -> str:
    """``accord.css`` as it is served."""
    stem, _, ending = name.rpartition(".")
    return next(one for one in assets() if one.startswith(f"{stem}.") and one.endswith(f".{ending}"))


def page(name: str, **values: Any) -> bytes:
    """A template with its values."""
    return _template(name).render(**values).encode()


@cache
def _template(name: str) -> Template:
    return _environment().get_template(name)


@cache
def _environment() -> Environment:
    made = Environment(
        loader=PackageLoader("accord.server.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(date=_date, moment=_moment, size=_size, segment=_segment)
    made.globals["asset"] = asset_name
    return made


def _segment(text: str) -> str:
    """Text as one segment of a path."""
    return quote(text, safe="")


def _date(at: int | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%d")


def _moment(at: int | None) -> str:
    return "" if at is None else datetime.fromtimestamp(at / 1_000_000, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _size(count: int) -> str:
    number, step = float(count), 0
    while number >= 1000 and step < len(_STEPS) - 1:
        number, step = number / 1000, step + 1
    return f"{count} {_STEPS[0]}" if step == 0 else f"{number:.1f} {_STEPS[step]}"
