"""HTML pages of the Simple API (PEP 503, 592, 629, 658, 714, 792) and any page of links.

Only anchors matter, so the page is scanned for tags with one linear expression instead of being parsed as a
document: a page of five thousand links costs milliseconds.  Comments, scripts and styles are stepped over.
``html.parser`` is the independent oracle in the tests.
"""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING
from urllib.parse import unquote, urljoin

if TYPE_CHECKING:
    from accord_core.index.entries import Entry

__all__ = ["Links", "anchors", "links", "projects"]

# Possessive repeats keep the scan linear: what is never closed takes the rest of the page with it, instead of being
# tried again from the next tag.  (An unclosed quote is looked for to the end once: after it there is no other.)
_TAG = re.compile(
    r"<(?:"
    r"!--(?:.*?-->|.*+)"
    r"|(?P<raw>script|style|textarea|title|template)\b(?:.*?</(?P=raw)\s*+>|.*+)"
    r"|(?P<name>a|base|meta)(?=[\s/>])"
    r"(?P<attributes>(?:=\s*+(?:\"[^\"]*+\"|'[^']*+')|[^>=]++|=)*+)(?:(?P<end>>)|.*+)"
    r")",
    re.IGNORECASE | re.DOTALL,
)
_ATTRIBUTE = re.compile(r"""([^\s=>"'/]++)(?:\s*+=\s*+(?:"([^"]*+)"|'([^']*+)'|([^\s"'>]++)))?+""", re.DOTALL)


class Links:
    """What a page of links says: ``base`` its links are relative to, ``meta`` values by name, ``anchors``."""

    __slots__ = ("anchors", "base", "meta")

    def __init__(self, base: str, meta: dict[str, str], anchors: list[dict[str, str | None]]) -> None:
        self.base = base
        self.meta = meta
        self.anchors = anchors


def anchors(text: str, url: str, most: int) -> Links:
    """The anchors with an ``href`` of a page found at ``url``, at most ``most`` and one more.

    ``base`` honours the first ``<base href>`` (HTML standard, "The base element").
    """
    base: str | None = None
    meta: dict[str, str] = {}
    found: list[dict[str, str | None]] = []
    for tag in _TAG.finditer(text):
        name = tag["name"]
        if name is None or tag["end"] is None:
            continue
        attributes = _attributes(tag["attributes"])
        if name in {"a", "A"}:
            if attributes.get("href"):
                found.append(attributes)
                if len(found) > most:
                    break
        elif name.lower() == "base":
            if base is None and attributes.get("href"):
                base = _join(url, attributes["href"] or "")
        else:
            key, value = attributes.get("name"), attributes.get("content")
            if key is not None and value is not None:
                meta.setdefault(key.lower(), value)
    return Links(base or url, meta, found)


def links(page: Links) -> list[Entry]:
    """The page's anchors as entries; the file's name is the last component of its URL's path."""
    return [_entry(each) for each in page.anchors]


def projects(page: Links) -> list[str]:
    """The project names of a repository's root page: the last component of each relative link."""
    return [
        name
        for each in page.anchors
        if (name := unquote((each["href"] or "").split("#")[0].split("?")[0].rstrip("/").rsplit("/", 1)[-1]))
    ]


def _attributes(text: str) -> dict[str, str | None]:
    found: dict[str, str | None] = {}
    for name, double, single, bare in _ATTRIBUTE.findall(text):
        key = name.lower()
        if key not in found:  # the first of two equal names counts (HTML standard, "duplicate-attribute")
            value = double or single or bare
            found[key] = unescape(value) if "&" in value else value
    return found


def _entry(attributes: dict[str, str | None]) -> Entry:
    href = (attributes["href"] or "").strip()
    path = href.partition("#")[0].partition("?")[0]
    metadata = attributes.get("data-core-metadata")
    if metadata is None:
        metadata = attributes.get("data-dist-info-metadata")
    gpg_sig = attributes.get("data-gpg-sig")
    reason = attributes.get("data-yanked")
    return (
        unquote(path.rpartition("/")[2]),
        href,
        {},
        attributes.get("data-requires-python"),
        reason or True if reason is not None else False,
        None,
        None,
        _announced(metadata),
        None if gpg_sig is None else gpg_sig.lower() == "true",
        attributes.get("data-provenance"),
    )


def _announced(value: str | None) -> dict[str, str] | bool:
    """PEP 658 and 714: ``true``, or ``<hashname>=<hashvalue>``."""
    if not value:
        return False
    algorithm, equals, digest = value.partition("=")
    if equals:
        return {algorithm: digest}
    return value.lower() == "true"


def _join(base: str, url: str) -> str | None:
    try:
        return urljoin(base, url.strip())
    except ValueError:
        return None
