"""Descriptions of strangers as HTML that is safe to show, and kept once rendered.

``readme-renderer`` renders Markdown, reStructuredText and plain text; what it made is cleaned here once more by our own,
shorter list, with every ``id`` under a prefix of its own, and headings sink by one, for the page has its own first.  The
rendered text lies in the cache by the digest of the metadata it comes from and the versions of those who rendered it,
so that a mended cleaner renders anew.  Rendering is limited in size and in time (``apart``): what cannot be rendered within it
is shown as it is, from then on without another try.
"""

from __future__ import annotations

import hashlib
import html
import io
import os
import re
from email.message import Message
from importlib.metadata import version
from typing import TYPE_CHECKING

import nh3
from markupsafe import Markup

from accord.io.files import write_atomic
from accord.server.turns import Turns
from accord.server.web.apart import Renderer
from accord.wheels.fields import read_fields

if TYPE_CHECKING:
    from accord.server.parts import Parts

__all__ = ["render_description", "rendered"]

_RENDERER = Renderer()
_TURNS = Turns(1, 8, 5.0)
_OURS = "3"  # of the rules below

_TAGS = frozenset(
    [
        "a",
        "abbr",
        "b",
        "blockquote",
        "br",
        "caption",
        "cite",
        "code",
        "col",
        "colgroup",
        "dd",
        "del",
        "details",
        "div",
        "dl",
        "dt",
        "em",
        "figcaption",
        "figure",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "hr",
        "i",
        "img",
        "input",
        "kbd",
        "li",
        "ol",
        "p",
        "picture",
        "pre",
        "s",
        "section",
        "span",
        "strong",
        "sub",
        "summary",
        "sup",
        "table",
        "tbody",
        "td",
        "th",
        "thead",
        "tr",
        "tt",
        "ul",
        "var",
    ]
)
_ATTRIBUTES = {
    "*": {"id"},
    "a": {"href", "title"},
    "abbr": {"title"},
    "code": {"class"},
    "details": {"open"},
    "div": {"align", "class"},
    "img": {"src", "alt", "title", "width", "height", "align"},
    "input": {"type", "checked", "disabled"},
    "ol": {"start"},
    "p": {"align", "class"},
    "pre": {"class"},
    "span": {"class"},
    "td": {"align", "colspan", "rowspan"},
    "th": {"align", "colspan", "rowspan"},
}
_HEADING = re.compile(r"<(/?)h([1-6])(?=[\s>])")
# A link with nothing in it, as headings get it, is a stop for the keyboard that leads nowhere: its place is enough.
_EMPTY = re.compile(r'<a((?: [a-z-]+="[^"]*")*)></a>')
_ID = re.compile(r' id="([^"]*)"')
_CLASS = re.compile(r"[a-z][a-z0-9-]{0,11}\Z")


def rendered(parts: Parts, metadata: bytes) -> Markup:
    """The description in core metadata, as HTML."""
    key = hashlib.sha256(metadata + _maker().encode()).hexdigest()
    path = os.path.join(parts.settings.cache, "readme", key[:2], f"{key}.html")
    try:
        with open(path, encoding="utf-8") as file:
            return Markup(file.read())  # noqa: S704 - written below, cleaned
    except FileNotFoundError:
        pass
    fields = read_fields(metadata)
    limits = parts.settings.limits
    plain = fields.first("Description")
    if not plain.strip():
        return Markup("")
    with _TURNS.take() as mine:
        if not mine:  # too many want something rendered: this once it is shown as it is
            return Markup(_plain(plain[: limits.readme_bytes]))  # noqa: S704 - escaped
        content_type = fields.first("Description-Content-Type")
        made = _RENDERER.render(plain, content_type, limits.readme_bytes, limits.readme_seconds)
    text = _plain(plain[: limits.readme_bytes]) if made is None else made
    os.makedirs(os.path.dirname(path), exist_ok=True)
    write_atomic(path, text.encode(), sync=False)
    return Markup(text)  # noqa: S704 - cleaned


def render_description(text: str, content_type: str, most: int) -> str:
    """Cleaned HTML; ``""`` for nothing to show.  More than ``most`` bytes are shown as they are, up to there."""
    if not text.strip() or text.strip() == "UNKNOWN":
        return ""
    encoded = text.encode()
    if len(encoded) > most:
        return (
            _plain(encoded[:most].decode(errors="ignore"))
            + "<p>(The description is longer than is shown.)</p>"
        )
    parsed = Message()
    parsed["content-type"] = content_type or "text/x-rst"
    kind = parsed.get_content_type()
    made = _made(text, kind, str(parsed.get_param("variant") or "GFM"))
    if made is None:
        return _plain(text)
    return _cleaned(made)


def _made(text: str, kind: str, variant: str) -> str | None:
    """``None`` where it cannot be rendered and is better shown as it is."""
    from readme_renderer import markdown, rst

    try:
        if kind == "text/markdown":
            return markdown.render(text, variant=variant if variant in ("GFM", "CommonMark") else "GFM")
        if kind == "text/x-rst":
            return rst.render(text, stream=io.StringIO())
    except Exception:
        return None
    return None


def _cleaned(made: str) -> str:
    clean = nh3.clean(
        made,
        tags=set(_TAGS),
        clean_content_tags={"script", "style", "iframe", "noscript", "template", "svg", "math"},
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_attribute,
        link_rel="nofollow noopener noreferrer",
        url_schemes={"http", "https", "mailto"},
        id_prefix="readme-",
        set_tag_attribute_values={
            "img": {"loading": "lazy"},
            "input": {"disabled": "", "type": "checkbox", "aria-label": "task"},
        },
    )
    clean = _EMPTY.sub(_place, clean)
    clean = clean.replace('href="#', 'href="#readme-')
    return _HEADING.sub(lambda found: f"<{found[1]}h{min(int(found[2]) + 1, 6)}", clean)


def _place(found: re.Match[str]) -> str:
    """What is left of an empty link: the place others lead to."""
    identity = _ID.search(found[1])
    return f'<span id="{identity[1]}"></span>' if identity else ""


def _attribute(tag: str, name: str, value: str) -> str | None:
    if name == "class":  # the short names of highlighted code, and nothing of our own style sheet
        kept = [one for one in value.split() if tag in ("span", "code", "pre") and _CLASS.match(one)]
        return " ".join(f"hl-{one}" for one in kept) or None
    if name == "src" and not value.lower().startswith(("https:", "http:", "data:image/")):
        return None  # a path of the repository it was written in
    return value


def _plain(text: str) -> str:
    return f"<pre>{html.escape(text)}</pre>"


def _maker() -> str:
    return f"{version('readme-renderer')} {version('nh3')} {_OURS}"
