"""A page of the Simple API as it came, in either form, and what can be said of it whole: a check gives what is wrong, or "" when nothing is.

Checks speak of the page alone; that the right files are on it is for a case to say.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from accord_conformance.names import hex_digest
from accord_conformance.protocol import Answer
from accord_conformance.serving import fetch

__all__ = ["JSON_CHECKS", "PAGE_CHECKS", "Page", "page_of"]

_MARKERS = {"active", "archived", "quarantined", "deprecated"}
# What the name of a distribution's file ends with.  Other anchors are other elements, of which there may be any.
_DISTRIBUTION = re.compile(r"(?i).+\.(whl|egg|exe|zip|t[gbx]z|tar(\.\w+)?)")
_LEGACY = r"""(?i)doctype\s+html(\s+system\s+["']about:legacy-compat["'])?\s*"""


class _Html(HTMLParser):
    """Anchors with attributes and text, meta tags, the doctype."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.anchors: list[tuple[dict[str, str | None], str]] = []
        self.metas: dict[str, list[str]] = {}
        self.doctype = ""
        self._open = False
        self._begun = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._begun = True
        if tag == "a":
            self.anchors.append((dict(attrs), ""))
            self._open = True
        elif tag == "meta":
            said = dict(attrs)
            self.metas.setdefault(said.get("name") or "", []).append(said.get("content") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag == "a":
            self._open = False

    def handle_data(self, data: str) -> None:
        self._begun = self._begun or bool(data.strip("\ufeff \t\r\n\f"))
        if self._open:
            attributes, text = self.anchors[-1]
            self.anchors[-1] = (attributes, text + data)

    def handle_decl(self, decl: str) -> None:
        # In the middle of a document it is none.
        self.doctype = self.doctype if self._begun else decl


@dataclass(frozen=True, slots=True)
class Page:
    """One answer."""

    url: str
    status: int
    type: str
    body: bytes
    authorization: str

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")

    @property
    def is_json(self) -> bool:
        return "json" in self.type

    @property
    def json(self) -> Any:
        try:
            return json.loads(self.body)
        except ValueError:
            return None

    @property
    def table(self) -> dict[str, Any]:
        found = self.json
        return found if isinstance(found, dict) else {}

    def html(self) -> _Html:
        parser = _Html()
        parser.feed(self.text)
        parser.close()
        return parser

    def absolute(self, url: str) -> str:
        return urljoin(self.url, url)

    def entries(self) -> list[dict[str, Any]]:
        """The files: JSON's own, or a link's attributes with ``url``, ``filename`` and ``text``."""
        if self.is_json:
            found = self.table.get("files")
            return [each for each in found if isinstance(each, dict)] if isinstance(found, list) else []
        links = []
        for attributes, text in self.html().anchors:
            href = attributes.get("href") or ""
            name = unquote(urlsplit(href).path.rpartition("/")[2])
            if not _DISTRIBUTION.fullmatch(name):
                continue
            # An attribute without a value is there all the same.
            said = {key: value if value is not None else "" for key, value in attributes.items()}
            links.append({**said, "url": href, "filename": name, "text": text.strip()})
        return links

    def entry(self, filename: str) -> dict[str, Any]:
        return next((each for each in self.entries() if each.get("filename") == filename), {})

    def filenames(self) -> list[str]:
        return [str(each.get("filename")) for each in self.entries()]

    def projects(self) -> list[str]:
        if self.is_json:
            found = self.table.get("projects")
            return (
                [str(each.get("name")) for each in found if isinstance(each, dict)]
                if isinstance(found, list)
                else []
            )
        return [text.strip() for _, text in self.html().anchors]

    def fetched(self, url: str) -> bytes | None:
        """What lies at ``url``; None when nothing does.  Credentials go to the page's own host."""
        whole = self.absolute(url).partition("#")[0]
        headers = {}
        if self.authorization and urlsplit(whole).netloc == urlsplit(self.url).netloc:
            headers["Authorization"] = self.authorization
        for _ in range(4):
            try:
                got = fetch(whole, headers=headers)
            except (OSError, ValueError):
                return None
            if got.status not in (301, 302, 303, 307, 308):
                return got.body if got.status == 200 else None
            whole = urljoin(whole, got.headers.get("location", ""))
        return None


def page_of(answer: Answer) -> Page:
    """The page in an answer."""
    extra = answer.extra
    return Page(
        extra.get("url", ""),
        extra.get("status", 0),
        extra.get("headers", {}).get("content-type", ""),
        extra.get("body", b""),
        extra.get("authorization", ""),
    )


def _all(page: Page, wrong: Callable[[dict[str, Any]], str]) -> str:
    """Something is wrong with some file, or there is no file to look at."""
    entries = page.entries()
    found = [f"{each.get('filename')}: {why}" for each in entries if (why := wrong(each))]
    return "; ".join(found) if entries else "the page has no files"


def _api_version(page: Page) -> str:
    meta = page.table.get("meta")
    said = meta.get("api-version") if isinstance(meta, dict) else None
    return "" if isinstance(said, str) and re.fullmatch(r"1\.[0-9]+", said) else f"api-version is {said!r}"


def _minor(page: Page) -> int:
    said = (
        page.table.get("meta", {}).get("api-version", "1.0")
        if page.is_json
        else page.html().metas.get("pypi:repository-version", ["1.0"])[0]
    )
    found = re.fullmatch(r"1\.([0-9]+)", str(said))
    return int(found[1]) if found else 0


def _new_keys(page: Page) -> str:
    """Keys of API 1.1 and later, on a page that says it is older."""
    needs = [("versions" in page.table, 1, "versions"), ("project-status" in page.table, 4, "project-status")]
    for each in page.entries():
        needs += [
            ("size" in each, 1, "size"),
            ("upload-time" in each, 1, "upload-time"),
            ("provenance" in each, 3, "provenance"),
        ]
    return ", ".join(
        sorted(
            {f"{name} in 1.{_minor(page)}" for there, minor, name in needs if there and _minor(page) < minor}
        )
    )


def _hashes(entry: dict[str, Any]) -> str:
    found = entry.get("hashes")
    if not isinstance(found, dict):
        return "hashes is no object"
    wrong = [
        name
        for name, text in found.items()
        if not isinstance(text, str) or not re.fullmatch(r"[0-9a-fA-F]+", text)
    ]
    return f"not in hex: {', '.join(wrong)}" if wrong else ""


def _hash_names(entry: dict[str, Any]) -> str:
    wrong = [
        name
        for name in entry.get("hashes", {})
        if name.lower() not in hashlib.algorithms_available or name.lower().startswith("shake")
    ]
    return f"not hashlib's: {', '.join(wrong)}" if wrong else ""


def _lower_hash_names(entry: dict[str, Any]) -> str:
    return ", ".join(name for name in entry.get("hashes", {}) if name != name.lower())


def _secure(entry: dict[str, Any]) -> str:
    good = {name.lower() for name in hashlib.algorithms_guaranteed} - {"md5", "sha1"}
    return "" if good & {name.lower() for name in entry.get("hashes", {})} else "none that is secure"


def _size(entry: dict[str, Any]) -> str:
    return "" if type(entry.get("size")) is int else f"size is {entry.get('size')!r}"


def _upload_time(entry: dict[str, Any]) -> str:
    if "upload-time" not in entry:
        return ""
    said = entry["upload-time"]
    if not isinstance(said, str) or not re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,6})?Z", said):
        return repr(said)
    try:
        datetime.fromisoformat(said[:19])
    except ValueError:
        return f"{said} is no time"
    return ""


def _yanked(entry: dict[str, Any]) -> str:
    said = entry.get("yanked", False)
    return "" if isinstance(said, bool) or (isinstance(said, str) and said) else repr(said)


def _yanked_truly(entry: dict[str, Any]) -> str:
    """Of a file that is yanked: what is told of it, if anything, says so."""
    said = entry.get("yanked", True)
    return "" if said is True or (isinstance(said, str) and said) else repr(said)


def _core(entry: dict[str, Any]) -> str:
    """Under either name."""
    said = [entry[name] for name in ("core-metadata", "dist-info-metadata") if name in entry]
    return "; ".join(_hashes({"hashes": each}) for each in said if not isinstance(each, bool))


def _gpg(entry: dict[str, Any]) -> str:
    return "" if isinstance(entry.get("gpg-sig", False), bool) else repr(entry["gpg-sig"])


def _provenance(entry: dict[str, Any]) -> str:
    return "" if isinstance(entry.get("provenance"), str | None) else repr(entry["provenance"])


def _provenance_urls(page: Page) -> list[str]:
    """Those that are told, in either form of page."""
    said = [each.get("provenance", each.get("data-provenance")) for each in page.entries()]
    return [str(url) for url in said if url is not None]


def _provenance_full(page: Page) -> str:
    wrong = [url for url in _provenance_urls(page) if not all(urlsplit(url)[:2])]
    return ", ".join(wrong)


def _provenance_secure(page: Page) -> str:
    """Of a secure origin: https, or this very machine (Secure Contexts, "potentially trustworthy")."""
    here = re.compile(r"localhost|127\.\d+\.\d+\.\d+|::1")
    wrong = [
        url
        for url in _provenance_urls(page)
        if urlsplit(url).scheme != "https" and not here.fullmatch(urlsplit(url).hostname or "")
    ]
    return ", ".join(wrong)


def _json_projects(page: Page) -> str:
    found = page.table.get("projects")
    if not isinstance(found, list):
        return "projects is no list"
    wrong = [each for each in found if not isinstance(each, dict) or not isinstance(each.get("name"), str)]
    return f"{wrong[:2]}" if wrong else ""


def _valid_names(page: Page) -> str:
    wrong = [
        name for name in page.projects() if not re.fullmatch(r"(?i)[a-z0-9]([a-z0-9._-]*[a-z0-9])?", name)
    ]
    return ", ".join(wrong)


def _bare(entry: dict[str, Any]) -> str:
    said = entry.get("core-metadata", entry.get("data-core-metadata"))
    return "no hash" if said is True or said == "true" else ""


def _versions(page: Page) -> str:
    found = page.table.get("versions")
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        return f"versions is {found!r}"
    return "a version stands there twice" if len(set(found)) != len(found) else ""


def _status(page: Page) -> str:
    said = page.table.get("project-status", {})
    if not isinstance(said, dict) or str(said.get("status", "active")) not in _MARKERS:
        return repr(said)
    return "" if isinstance(said.get("reason", ""), str) else repr(said)


def _urls(page: Page) -> str:
    return _all(
        page, lambda entry: "" if page.fetched(str(entry.get("url", ""))) is not None else "nothing is there"
    )


def _true_hashes(page: Page) -> str:
    """Each hash, in hashes or in the link's fragment, is that of what can be downloaded."""

    def wrong(entry: dict[str, Any]) -> str:
        said = dict(entry.get("hashes", {}))
        name, _, value = urlsplit(str(entry.get("url", ""))).fragment.partition("=")
        if name and not page.is_json:
            said[name] = value
        data = page.fetched(str(entry.get("url", ""))) or b""
        return ", ".join(
            each for each, text in said.items() if hex_digest(each, data) not in ("", str(text).lower())
        )

    return _all(page, wrong)


def _true_sizes(page: Page) -> str:
    return _all(
        page,
        lambda entry: (
            "" if len(page.fetched(str(entry.get("url"))) or b"") == entry.get("size") else "another size"
        ),
    )


def _fragment(entry: dict[str, Any]) -> str:
    said = urlsplit(str(entry.get("url", ""))).fragment
    return "" if re.fullmatch(r"[a-z0-9_]+=[0-9a-fA-F]+", said) else said or "no hash"


def _fragment_form(entry: dict[str, Any]) -> str:
    return "" if not urlsplit(str(entry.get("url", ""))).fragment else _fragment(entry)


def _fragment_secure(entry: dict[str, Any]) -> str:
    name = urlsplit(str(entry.get("url", ""))).fragment.partition("=")[0]
    return "" if not name or name in hashlib.algorithms_guaranteed else name


def _fragment_sha256(entry: dict[str, Any]) -> str:
    name = urlsplit(str(entry.get("url", ""))).fragment.partition("=")[0]
    return "" if name == "sha256" else name or "no hash"


def _escaped(page: Page) -> str:
    """As it is written, whatever the quotes; a value that is nowhere quoted ends at its first ">"."""
    written = re.findall(r"""(?i)data-requires-python\s*=\s*("[^"]*"|'[^']*'|[^\s"'][^\s>]*)""", page.text)
    return "; ".join(each for each in written if re.search("[<>]", each))


def _anchor_text(entry: dict[str, Any]) -> str:
    return "" if entry.get("text") == entry.get("filename") else str(entry.get("text"))


def _attribute(name: str, pattern: str) -> Callable[[Page], str]:
    def wrong(entry: dict[str, Any]) -> str:
        said = entry.get(name)
        return "" if said is None or re.fullmatch(pattern, str(said)) else str(said)

    return lambda page: _all(page, wrong)


def _meta_version(page: Page) -> str:
    found = page.html().metas.get("pypi:repository-version", [])
    return (
        ""
        if found and all(re.fullmatch(r"[0-9]+\.[0-9]+", each) for each in found)
        else f"pypi:repository-version is {found or 'not there'}"
    )


def _html_version_form(page: Page) -> str:
    found = page.html().metas.get("pypi:repository-version", [])
    return _meta_version(page) if found else ""


def _doctype(page: Page) -> str:
    said = page.html().doctype
    return "" if re.fullmatch(_LEGACY, said) else f"doctype is {said or 'not at the beginning'}"


def _project_links(page: Page) -> str:
    wrong = [
        text
        for attributes, text in page.html().anchors
        if not re.fullmatch(r".*/[a-z0-9]([a-z0-9-]*[a-z0-9])?/", page.absolute(attributes.get("href") or ""))
    ]
    return ", ".join(wrong)


def _followed(page: Page) -> str:
    anchors = page.html().anchors
    wrong = [text for attributes, text in anchors if page.fetched(attributes.get("href") or "") is None]
    return ", ".join(wrong) if anchors else "no anchors"


def _html_type(page: Page) -> str:
    kind = page.type.partition(";")[0].strip()
    return "" if kind in ("text/html", "application/vnd.pypi.simple.v1+html") else kind or "none"


def _html_status(page: Page) -> str:
    found = page.html().metas.get("pypi:project-status", ["active"])
    return "" if set(found) <= _MARKERS and len(found) == 1 else ", ".join(found)


def _true_type(page: Page) -> str:
    """A page is sent as what it is; an answer that is no page (300, 406) may be anything."""
    kind = page.type.partition(";")[0].strip()
    if page.status != 200:
        return ""
    if kind == "application/vnd.pypi.simple.v1+json":
        return _api_version(page)
    html = page.html()
    return _html_type(page) or ("" if html.doctype or html.anchors else f"no HTML, sent as {kind}")


def _typed(page: Page) -> str:
    return "" if page.type else "no Content-Type"


JSON_CHECKS: dict[str, Callable[[Page], str]] = {
    "object": lambda page: "" if isinstance(page.json, dict) else "no object",
    "meta": lambda page: "" if isinstance(page.table.get("meta"), dict) else "no meta",
    "api-version": _api_version,
    "new-keys": _new_keys,
    "projects": _json_projects,
    "files-list": lambda page: "" if isinstance(page.table.get("files"), list) else "files is no list",
    "filename": lambda page: _all(
        page, lambda each: "" if isinstance(each.get("filename"), str) else "no filename"
    ),
    "url": lambda page: _all(page, lambda each: "" if isinstance(each.get("url"), str) else "no url"),
    "hashes": lambda page: _all(page, _hashes),
    "hash-names": lambda page: _all(page, _hash_names),
    "lower-hash-names": lambda page: _all(page, _lower_hash_names),
    "secure-hash": lambda page: _all(page, _secure),
    "size": lambda page: _all(page, _size),
    "true-sizes": _true_sizes,
    "upload-time": lambda page: _all(page, _upload_time),
    "yanked": lambda page: _all(page, _yanked),
    "yanked-truly": lambda page: _all(page, _yanked_truly),
    "core-metadata": lambda page: _all(page, _core),
    "gpg-sig": lambda page: _all(page, _gpg),
    "provenance": lambda page: _all(page, _provenance),
    "versions": _versions,
    "status": _status,
}
PAGE_CHECKS: dict[str, Callable[[Page], str]] = {
    "typed": _typed,
    "links-lead": _urls,
    "true-hashes": _true_hashes,
    "html-type": _html_type,
    "true-type": _true_type,
    "doctype": _doctype,
    "repository-version": _meta_version,
    "repository-version-form": _html_version_form,
    "anchor-text": lambda page: _all(page, _anchor_text),
    "fragment": lambda page: _all(page, _fragment),
    "fragment-form": lambda page: _all(page, _fragment_form),
    "fragment-guaranteed": lambda page: _all(page, _fragment_secure),
    "fragment-sha256": lambda page: _all(page, _fragment_sha256),
    "escaped": _escaped,
    "gpg-attribute": _attribute("data-gpg-sig", "true|false"),
    "metadata-attribute": lambda page: "; ".join(
        wrong
        for name in ("data-core-metadata", "data-dist-info-metadata")
        if (wrong := _attribute(name, r"true|[a-z0-9_]+=[0-9a-fA-F]+")(page))
    ),
    "gpg-on-all": lambda page: (
        "" if len({"data-gpg-sig" in each for each in page.entries()}) < 2 else "on some"
    ),
    "provenance-full": _provenance_full,
    "provenance-secure": _provenance_secure,
    "valid-names": _valid_names,
    "metadata-hashed": lambda page: _all(page, _bare),
    "project-links": _project_links,
    "followed": _followed,
    "html-status": _html_status,
}
