"""How a recorded index page is served again.

The snapshot keeps the bytes an index sent; this module turns them once into the finished forms the server hands
out: JSON (PEP 691) and HTML (PEP 503), compressed, each with its entity tag.  File URLs become relative to the page
(``../../files/<origin>/<path>``), and every wheel announces its ``.metadata`` file (PEP 714) as the public index does,
with the digest where the snapshot holds the file, because some mirrors leave the announcement out although they have
the files, and the tools compared here would then be measured on their slow path.  Knows documents only: no network,
no clock, and no files but the two tables it is given.
"""

from __future__ import annotations

import gzip
import hashlib
import html
import json
from dataclasses import dataclass
from urllib.parse import quote, unquote, urljoin, urlsplit

__all__ = ["Form", "Forms", "Origins", "build", "file_path"]

JSON = "application/vnd.pypi.simple.v1+json"
HTML = "text/html; charset=utf-8"


class Origins:
    """The hosts that files come from, numbered in the order they were met: the number is the folder of their files."""

    def __init__(self, known: list[str]) -> None:
        self.known = known

    def number(self, origin: str) -> int:
        if origin not in self.known:
            self.known.append(origin)
        return self.known.index(origin)


@dataclass(frozen=True, slots=True)
class Form:
    """One representation of a page: gzip bytes, media type, and a strong entity tag with its quotes."""

    body_gz: bytes
    content_type: str
    etag: str


@dataclass(frozen=True, slots=True)
class Forms:
    json: Form
    html: Form


def file_path(url: str, origins: Origins) -> str:
    """``https://host/a/b.whl`` as ``<origin number>/a/b.whl``, unquoted: the file's place below ``files/``."""
    parts = urlsplit(url)
    return f"{origins.number(f'{parts.scheme}://{parts.netloc}')}{unquote(parts.path)}"


def build(raw: bytes, page_url: str, origins: Origins, metadata: dict[str, str]) -> Forms:
    """The served forms of the JSON page ``raw`` that was read from ``page_url``.

    ``metadata`` maps places below ``files/`` (of ``X.whl.metadata`` files the snapshot holds) to their sha256.
    Raises ``ValueError`` (``json``'s) where the page is no JSON document.
    """
    page = json.loads(raw)
    for file in page["files"]:
        path = file_path(urljoin(page_url, file["url"]), origins)
        file["url"] = "../../files/" + quote(path)
        if file["filename"].endswith(".whl"):
            digest = metadata.get(path + ".metadata")
            file["core-metadata"] = {"sha256": digest} if digest else True
    return Forms(
        _form(json.dumps(page, separators=(",", ":")).encode(), JSON),
        _form(_html(page).encode(), HTML),
    )


def _form(body: bytes, content_type: str) -> Form:
    # Level 6 and no time stamp: what a CDN sends, and the same bytes each time.
    return Form(gzip.compress(body, 6, mtime=0), content_type, f'"{hashlib.sha256(body).hexdigest()[:32]}"')


def _html(page: dict[str, object]) -> str:
    title = html.escape(f"Links for {page['name']}")
    lines = [
        f'<!DOCTYPE html>\n<html><head><meta name="pypi:repository-version" content="1.0"><title>{title}</title></head>',
        f"<body><h1>{title}</h1>",
    ]
    files = page["files"]
    assert isinstance(files, list)
    lines += [_anchor(file) for file in files]
    lines.append("</body></html>")
    return "\n".join(lines)


def _anchor(file: dict[str, object]) -> str:
    hashes = file["hashes"]
    assert isinstance(hashes, dict)
    attributes = {"href": f"{file['url']}#sha256={hashes.get('sha256', '')}"}
    if file.get("requires-python"):
        attributes["data-requires-python"] = str(file["requires-python"])
    if file.get("yanked"):
        attributes["data-yanked"] = "" if file["yanked"] is True else str(file["yanked"])
    announced = file.get("core-metadata")
    if announced:
        digest = f"sha256={announced['sha256']}" if isinstance(announced, dict) else "true"
        attributes["data-core-metadata"] = digest
    inside = " ".join(f'{key}="{html.escape(value)}"' for key, value in attributes.items())
    return f"<a {inside}>{html.escape(str(file['filename']))}</a><br>"
