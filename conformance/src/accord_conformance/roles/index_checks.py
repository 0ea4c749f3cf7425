"""What an index is looked at for: status and headers of an answer, the page in it, and what lies behind its links."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import urlsplit

from accord_conformance.errors import SuiteError
from accord_conformance.judging import Finding, Witness, agree, shown
from accord_conformance.making.attestations import attestation
from accord_conformance.names import hex_digest, normal
from accord_conformance.protocol import Answer
from accord_conformance.roles.answers import ANSWER_CHECKS
from accord_conformance.roles.pages import JSON_CHECKS, PAGE_CHECKS, Page, page_of
from accord_conformance.scene import Scene
from accord_conformance.serving import fetch

__all__ = ["INDEX_WITNESSES", "SIGNATURE", "filled"]

_MISSING = object()
# What the suite sends as a signature.
SIGNATURE = b"a signature"


def filled(scene: Scene, value: Any) -> Any:
    """``value`` with names in braces filled in; a text that is a number's name alone becomes that number."""
    if isinstance(value, dict):
        return {filled(scene, key): filled(scene, each) for key, each in value.items()}
    if isinstance(value, list):
        return [filled(scene, each) for each in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    whole = scene.values.get(value[1:-1])
    if isinstance(whole, int):
        return whole
    return re.sub(r"\{([a-z0-9_]+)\}", lambda found: str(scene.values.get(found[1], found[0])), value)


def _status(scene: Scene, answer: Answer, expected: int | list[int]) -> Iterable[Finding]:
    """The HTTP status, or one of several; ``299`` for any of 200 to 299, ``499`` for any of 400 to 499."""
    allowed = expected if isinstance(expected, list) else [expected]
    found = answer.extra.get("status", 0)
    ok = found in allowed or any(each in allowed and each - 99 <= found <= each for each in (299, 499))
    words = " or ".join(map(str, allowed)).replace("299", "2xx").replace("499", "4xx")
    yield Finding("status", words, str(found or answer.outcome), ok)


def _header(scene: Scene, answer: Answer, expected: Mapping[str, str | bool]) -> Iterable[Finding]:
    """Headers, by patterns that they match whole; false for one that is not there."""
    headers = answer.extra.get("headers", {})
    for name, pattern in filled(scene, dict(expected)).items():
        found = headers.get(name.lower())
        if isinstance(pattern, bool):
            yield Finding(
                name,
                "there" if pattern else "not there",
                found or "not there",
                (found is not None) == pattern,
            )
        else:
            yield Finding(name, pattern, found or "not there", re.fullmatch(pattern, found or "") is not None)


def _same_type(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """The content type is the one that was kept, whatever the parameters."""
    found = page_of(answer).type.partition(";")[0].strip()
    yield agree("content type", str(scene.values.get(expected, "")).partition(";")[0].strip(), found)


def _same_header(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """Headers that are URLs, equal to what stands at a place of the body; relative ones are resolved."""
    page = page_of(answer)
    for name, path in expected.items():
        said = answer.extra.get("headers", {}).get(name.lower(), "")
        yield agree(
            name, page.absolute(str(_at(page.json, path))), page.absolute(said) if said else "not there"
        )


def _at(value: Any, path: str) -> Any:
    for key in path.split("/"):
        if isinstance(value, list) and key.isdigit() and int(key) < len(value):
            value = value[int(key)]
        elif isinstance(value, dict) and key in value:
            value = value[key]
        else:
            return _MISSING
    return value


def _json(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """What stands in the body, by paths with slashes; a text that starts with ~ is a pattern."""
    body = page_of(answer).json
    for path, wanted in filled(scene, dict(expected)).items():
        found = _at(body, path)
        text = "not there" if found is _MISSING else shown(found)
        if isinstance(wanted, str) and wanted.startswith("~"):
            yield Finding(
                path, wanted, text, isinstance(found, str) and re.fullmatch(wanted[1:], found) is not None
            )
        else:
            yield Finding(path, shown(wanted), text, found == wanted and type(found) is type(wanted))


def _absent(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Places that the body does not have."""
    body = page_of(answer).json
    for path in filled(scene, list(expected)):
        found = _at(body, path)
        yield Finding(
            f"absent {path}",
            "not there",
            "not there" if found is _MISSING else shown(found),
            found is _MISSING,
        )


def _has(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Places that the body has, whatever stands there."""
    body = page_of(answer).json
    for path in expected:
        found = _at(body, path)
        yield Finding(
            f"has {path}", "there", "not there" if found is _MISSING else shown(found), found is not _MISSING
        )


def _null(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Places that the body has, with null."""
    body = page_of(answer).json
    for path in expected:
        found = _at(body, path)
        text = "not there" if found is _MISSING else shown(found)
        yield Finding(path, "null", text, found is None)


def _together(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Places that the body has all of, or none of."""
    body = page_of(answer).json
    found = [path for path in expected if _at(body, path) is not _MISSING]
    yield Finding(
        "together", "all or none", ", ".join(found) or "none", len(found) in (0, len(list(expected)))
    )


def _there(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """Places that the body has, and the type of what stands there: text, number, object, object-or-null, list, true-or-false."""
    kinds: dict[str, type | tuple[type, ...]] = {
        "text": str,
        "number": int,
        "object": dict,
        "object-or-null": (dict, type(None)),
        "list": list,
        "true-or-false": bool,
    }
    body = page_of(answer).json
    for path, kind in filled(scene, dict(expected)).items():
        found = _at(body, path)
        text = "not there" if found is _MISSING else shown(found)
        yield Finding(f"there {path}", kind, text, isinstance(found, kinds[kind]))


def _keep(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """Keeps what stands at a place of the body for later steps; ``header NAME``, ``link KEY`` (a given file's, whole) and ``HTTP status`` are places too.

    A place with a question mark need not be there: what is kept of it is the empty text then.
    """
    page = page_of(answer)
    for name, path in expected.items():
        optional, path = path.endswith("?"), path.removesuffix("?")
        word, _, rest = path.partition(" ")
        found: Any
        if path == "HTTP status":
            found = answer.extra.get("status")
        elif word == "header":
            found = answer.extra.get("headers", {}).get(rest.lower())
            found = page.absolute(found) if found and rest.lower() == "location" else found
        elif word == "link":
            url = page.entry(scene.made[rest].filename).get("url")
            found = page.absolute(str(url)) if url else None
        else:
            found = _at(page.json, path)
        ok = found is not _MISSING and found is not None
        scene.values[name] = found if ok else ""
        if not ok and not optional:
            yield Finding(f"{path} to go on with", "there", "not there", False)


def _kept(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """What an earlier step has kept, where only this one shows what had to be said then."""
    for name, wanted in filled(scene, dict(expected)).items():
        yield agree(f"kept {name}", wanted, scene.values.get(name, "nothing"))


def _differs(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """Places that have another value than what was kept."""
    body = page_of(answer).json
    for path, kept in filled(scene, dict(expected)).items():
        found = _at(body, path)
        yield Finding(
            f"differs {path}",
            f"not {kept}",
            shown(found) if found is not _MISSING else "not there",
            found != kept,
        )


def _named(scene: Scene, answer: Answer, expected: Mapping[str, Iterable[str]]) -> Iterable[Finding]:
    """Names that the objects of an array have, in any order and each once, among others; the array by its place, "" for the body itself."""
    body = page_of(answer).json
    for path, wanted in expected.items():
        array = body if not path else _at(body, path)
        objects = [each for each in array if isinstance(each, dict)] if isinstance(array, list) else []
        names = [each.get("name") for each in objects]
        for name in wanted:
            yield Finding(f"named {name}", "once", f"{names.count(name)} times", names.count(name) == 1)


def _files(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The given files that a project's page has, and no other."""
    wanted = sorted(scene.made[key].filename for key in expected)
    yield agree("files", wanted, sorted(page_of(answer).filenames()))


def _names(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Given files whose names stand somewhere in the answer."""
    for key in expected:
        name = scene.made[key].filename
        there = name in page_of(answer).text
        yield Finding(f"names {key}", name, name if there else page_of(answer).text[:400], there)


def _tells(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Words of the standard's own that stand somewhere in the answer."""
    text = page_of(answer).text
    for word in expected:
        there = re.search(rf"\b{re.escape(word)}\b", text) is not None
        yield Finding(f"tells {word}", word, word if there else text[:400], there)


def _without(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Given files that the answer does not have, page or error."""
    names = page_of(answer).filenames()
    for key in expected:
        name = scene.made[key].filename
        yield Finding(
            f"without {key}", "not there", name if name in names else "not there", name not in names
        )


def _linked(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """One anchor of the list of projects leads to the URL of a given file's project, whatever its text."""
    page = page_of(answer)
    urls = [page.absolute(attributes.get("href") or "") for attributes, _ in page.html().anchors]
    paths = [urlsplit(url).path.removesuffix("index.html").rstrip("/") for url in urls]
    names = [normal(path.rpartition("/")[2].strip()) for path in paths]
    for key in expected:
        found = names.count(normal(scene.made[key].project))
        yield Finding(f"anchors that lead to {key}", "1", str(found), found == 1)


def _leads(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The anchor of a given file's project leads to a page that has the file."""
    page = page_of(answer)
    for key in expected:
        made = scene.made[key]
        project = normal(made.project)
        urls = [
            said.get("href") or "" for said, text in page.html().anchors if normal(text.strip()) == project
        ]
        body = page.fetched(urls[0]) if urls else None
        found = body is not None and made.filename.encode() in body
        words = {True: "its page", False: "another page or none"}
        yield Finding(f"the anchor of {key} leads to", words[True], words[found], found)


def _lists(scene: Scene, answer: Answer, expected: Mapping[str, bool]) -> Iterable[Finding]:
    """Whether the list of projects has the project of a given file."""
    names = [normal(name.strip()) for name in page_of(answer).projects()]
    for key, wanted in expected.items():
        project = normal(scene.made[key].project)
        found = names.count(project)
        yield Finding(f"lists {project}", "once" if wanted else "not", f"{found} times", found == int(wanted))


def _versions(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The versions of given files are among those of the page; it may have more, for which there is no file."""
    found = page_of(answer).table.get("versions")
    listed = found if isinstance(found, list) else []
    for key in expected:
        version = scene.made[key].version
        yield Finding(f"version of {key}", version, shown(listed), version in listed)


def _entry(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Keys of a given file's entry, in JSON or of its link: KEY: {key: value}; false for one that is missing or false."""
    page = page_of(answer)
    for key, wanted in filled(scene, dict(expected)).items():
        entry = page.entry(scene.made[key].filename)
        for name, value in wanted.items():
            found = entry.get(name, False)
            if isinstance(value, str) and value.startswith("~"):
                ok = isinstance(found, str) and re.fullmatch(value[1:], found) is not None
                yield Finding(f"{key} {name}", value, shown(found), ok)
            else:
                yield agree(f"{key} {name}", value, found)


def _entry_without(scene: Scene, answer: Answer, expected: Mapping[str, Any]) -> Iterable[Finding]:
    """Values that no key of a given file's entry has: KEY: [value]."""
    page = page_of(answer)
    for key, values in filled(scene, dict(expected)).items():
        entry = page.entry(scene.made[key].filename)
        for value in values:
            found = [name for name, said in entry.items() if said == value]
            yield Finding(f"{key} without {value}", "not there", ", ".join(found) or "not there", not found)


def _downloads(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The given files are behind their links, byte for byte."""
    page = page_of(answer)
    for key in expected:
        made = scene.made[key]
        body = page.fetched(str(page.entry(made.filename).get("url", "")))
        found = hashlib.sha256(body).hexdigest() if body is not None else "nothing"
        yield agree(f"download of {key}", made.sha256, found)


def _carries(scene: Scene, answer: Answer, expected: Mapping[str, bool]) -> Iterable[Finding]:
    """Whether the answer is a given file, byte for byte."""
    for key, wanted in expected.items():
        found = page_of(answer).body == scene.made[key].data
        words = {True: "the file", False: "not the file"}
        yield Finding(f"carries {key}", words[wanted], words[found], found == wanted)


def _metadata(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """What lies at .metadata of a given file: ``same`` as in the file, ``none``, or ``same-if-there``: the same where the page announces it, none where
    it says false, either where it says nothing."""
    page = page_of(answer)
    for key, wanted in expected.items():
        made = scene.made[key]
        entry = page.entry(made.filename)
        url = page.absolute(str(entry.get("url", ""))).partition("#")[0]
        body = page.fetched(f"{url}.metadata")
        found = "none" if body is None else "same" if body == made.metadata else "other bytes"
        allowed = _announced(page, entry) if wanted == "same-if-there" else (wanted,)
        yield Finding(f"metadata of {key}", " or ".join(allowed), found, found in allowed)


def _announced(page: Page, entry: Mapping[str, Any]) -> tuple[str, ...]:
    """What may lie at .metadata, by what the page says of it under either name."""
    names = ("core-metadata", "dist-info-metadata")
    if not page.is_json:
        there = any(f"data-{name}" in entry for name in names)
        return ("same",) if there else ("none", "same")
    said = next((entry[name] for name in names if name in entry), None)
    return ("none", "same") if said is None else ("same",) if said else ("none",)


def _signature(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The signature of a given file lies at .asc of it where the page says that there is one."""
    page = page_of(answer)
    for key in expected:
        entry = page.entry(scene.made[key].filename)
        told = entry.get("gpg-sig", entry.get("data-gpg-sig")) in (True, "true")
        url = page.absolute(str(entry.get("url", ""))).partition("#")[0]
        body = page.fetched(f"{url}.asc") if told else None
        found = "not told of" if not told else "there" if body == SIGNATURE else "not there"
        yield Finding(f"signature of {key}", "there, or not told of", found, found != "not there")


def _metadata_hash(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """The hashes that are announced for the metadata of a given file, if any, are true."""
    page = page_of(answer)
    for key in expected:
        made = scene.made[key]
        entry = page.entry(made.filename)
        for name in ("core-metadata", "dist-info-metadata"):
            hashes = _told(page, entry, name)
            said_so = {each: str(text).lower() for each, text in hashes.items()}
            # Of a hash that this Python does not know nothing can be said.
            true = {each: hex_digest(each, made.metadata) or text for each, text in said_so.items()}
            yield Finding(f"hash of the metadata of {key}", shown(true), shown(hashes), true == said_so)


def _told(page: Page, entry: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The hashes that the page tells under one of the names, in either form."""
    if page.is_json:
        said = entry.get(name)
        return said if isinstance(said, dict) else {}
    kind, _, value = str(entry.get(f"data-{name}", "")).partition("=")
    return {kind: value} if value else {}


def _meta_tags(scene: Scene, answer: Answer, expected: Mapping[str, str]) -> Iterable[Finding]:
    """Meta tags of an HTML page."""
    metas = page_of(answer).html().metas
    for name, wanted in expected.items():
        yield agree(name, [wanted], metas.get(name, []))


def _has_meta_tags(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Meta tags that an HTML page has, whatever they say."""
    metas = page_of(answer).html().metas
    for name in expected:
        yield Finding(f"has {name}", "there", shown(metas.get(name, "not there")), name in metas)


def _no_meta_tags(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Meta tags that an HTML page does not have."""
    metas = page_of(answer).html().metas
    for name in expected:
        yield agree(name, [], metas.get(name, []))


def _meta_version(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """The repository version of an HTML page: 1.0 where none is told."""
    found = page_of(answer).html().metas.get("pypi:repository-version", ["1.0"])
    yield agree("repository version", filled(scene, expected), found[0])


def _checks(scene: Scene, answer: Answer, expected: Iterable[str]) -> Iterable[Finding]:
    """Named checks of the page (``roles.pages``), or of an answer of Upload 2.0 (``roles.answers``)."""
    page: Page = page_of(answer)
    known = {**JSON_CHECKS, **PAGE_CHECKS, **ANSWER_CHECKS}
    for name in expected:
        if name not in known:
            raise SuiteError("checks", f"there is no check {name!r}: {', '.join(sorted(known))}")
        wrong = known[name](page)
        yield Finding(name, "as it should be", wrong or "as it should be", not wrong)


def _passed_on(scene: Scene, answer: Answer, expected: Iterable[Any]) -> Iterable[Finding]:
    """Attestations (``making.attestations``) that are in a provenance, as they came."""
    bundles = page_of(answer).table.get("attestation_bundles")
    listed = [each for each in bundles if isinstance(each, dict)] if isinstance(bundles, list) else []
    found = [one for each in listed for one in each.get("attestations") or ()]
    for each in expected:
        there = attestation(each) in found
        yield Finding(
            f"passed_on {shown(each)}", "there", "there" if there else f"{len(found)} others", there
        )


def _redirects(scene: Scene, answer: Answer, expected: str) -> Iterable[Finding]:
    """Where a redirect leads: the end of its URL."""
    said = answer.extra.get("headers", {}).get("location", "")
    wanted = filled(scene, expected)
    yield Finding(
        "redirects", f"to ...{wanted}", said or "no redirect", said.partition("?")[0].endswith(wanted)
    )


def _reached(scene: Scene, answer: Answer, expected: int) -> Iterable[Finding]:
    """The status of what a Location leads to, asked without credentials."""
    page = page_of(answer)
    said = answer.extra.get("headers", {}).get("location", "")
    try:
        found = fetch(page.absolute(said)).status if said else 0
    except OSError:
        found = 0
    yield Finding("reached", str(expected), str(found or "nothing"), found == expected)


INDEX_WITNESSES: dict[str, Witness] = {
    "status": _status,
    "header": _header,
    "same_header": _same_header,
    "same_type": _same_type,
    "json": _json,
    "absent": _absent,
    "together": _together,
    "there": _there,
    "keep": _keep,
    "kept": _kept,
    "named": _named,
    "carries": _carries,
    "differs": _differs,
    "files": _files,
    "names": _names,
    "tells": _tells,
    "without": _without,
    "lists": _lists,
    "linked": _linked,
    "leads": _leads,
    "versions": _versions,
    "entry": _entry,
    "entry_without": _entry_without,
    "downloads": _downloads,
    "metadata": _metadata,
    "metadata_hash": _metadata_hash,
    "signature": _signature,
    "has": _has,
    "has_meta_tags": _has_meta_tags,
    "no_meta_tags": _no_meta_tags,
    "null": _null,
    "meta_tags": _meta_tags,
    "meta_version": _meta_version,
    "checks": _checks,
    "passed_on": _passed_on,
    "redirects": _redirects,
    "reached": _reached,
}
