"""Wrong indexes, each with one seeded fault in what it answers: the suite finds every one.

The honest one is Accord's, started once; what it says is damaged on its way to the suite.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from accord_conformance.adapters import player
from accord_conformance.cases import Case
from accord_conformance.making.attestations import attestation
from accord_conformance.protocol import Answer, Player, Request
from accord_conformance.running import play_case
from accord_conformance.testing import Damage, Faulty, agreeing, cases_like, tool_here
from accord_conformance.tools import Tool


def in_json(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Changes every JSON object the index answers with."""

    def damage(request: Request, answer: Answer) -> Answer:
        try:
            body = json.loads(answer.extra.get("body", b""))
        except ValueError:
            return answer
        if isinstance(body, dict):
            change(body)
        return replace(answer, extra={**answer.extra, "body": json.dumps(body).encode()})

    return damage


def in_files(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Changes every file's entry."""
    return in_json(lambda body: [change(each) for each in body.get("files", []) if isinstance(each, dict)])


def in_html(pattern: str, text: str) -> Damage:
    """Replaces a pattern in every HTML page."""

    def damage(request: Request, answer: Answer) -> Answer:
        body = answer.extra.get("body", b"").decode("utf-8", "replace")
        if "html" not in answer.extra.get("headers", {}).get("content-type", ""):
            return answer
        return replace(answer, extra={**answer.extra, "body": re.sub(pattern, text, body).encode()})

    return damage


def in_headers(name: str, value: str) -> Damage:
    """Gives a header another value, or with "" none."""

    def damage(request: Request, answer: Answer) -> Answer:
        headers = {key: each for key, each in answer.extra.get("headers", {}).items() if key != name}
        headers |= {name: value} if value else {}
        return replace(answer, extra={**answer.extra, "headers": headers})

    return damage


def still_there(request: Request, answer: Answer) -> Answer:
    """What was staged stays behind the URL that it had."""
    staged = request.values.get("staged")
    if not staged or request.values.get("http", {}).get("url") != staged:
        return answer
    body = Path(request.values["path_demo"]).read_bytes()
    return replace(answer, outcome="done", extra={**answer.extra, "status": 200, "body": body})


def unnamed(request: Request, answer: Answer) -> Answer:
    """The list of namespaces tells the name under another key."""
    body = answer.extra.get("body", b"")
    if not body.startswith(b"["):
        return answer
    listed = json.dumps([{"name": "", "was": each["name"]} for each in json.loads(body)])
    return replace(answer, message=listed, extra={**answer.extra, "body": listed.encode()})


def status(found: int, told: int) -> Damage:
    """One status in the place of another."""

    def damage(request: Request, answer: Answer) -> Answer:
        if answer.extra.get("status") != found:
            return answer
        return replace(answer, extra={**answer.extra, "status": told})

    return damage


def on_the_page(key: str) -> Damage:
    """A project's page has a given file, whatever came of it."""

    def damage(request: Request, answer: Answer) -> Answer:
        if request.do != "page":
            return answer
        body = json.dumps({"files": [{"filename": request.values[f"file_{key}"], "url": "x"}]}).encode()
        return replace(
            answer,
            outcome="done",
            extra={**answer.extra, "status": 200, "headers": {"content-type": "a/json"}, "body": body},
        )

    return damage


def unsaid(word: bytes) -> Damage:
    """No error has a word."""

    def damage(request: Request, answer: Answer) -> Answer:
        if answer.outcome != "refused":
            return answer
        return replace(answer, extra={**answer.extra, "body": answer.extra["body"].replace(word, b"there")})

    return damage


def told_as(found: str, told: str) -> Damage:
    """One state in the place of another, of sessions and of their files."""

    def change(body: dict[str, Any]) -> None:
        files = body.get("files")
        for each in (body, *(files.values() if isinstance(files, dict) else ())):
            if each.get("status") == found:
                each["status"] = told

    return in_json(change)


def keeps_the_name(request: Request, answer: Answer) -> Answer:
    """Whoever else asks for the name of a session that was canceled does not get it."""
    http = request.values.get("http", {})
    theirs = http.get("as") == "newcomer" and request.values["name_demo"].encode() in sent(request)
    return replace(answer, outcome="refused", extra={**answer.extra, "status": 403}) if theirs else answer


class Deletes:
    """Nothing is on a stage any more when somebody who only has its URL has deleted something."""

    def __init__(self) -> None:
        self._deleted: Path | None = None

    def __call__(self, request: Request, answer: Answer) -> Answer:
        asked = request.values.get("http", {})
        if asked.get("method") == "DELETE":
            self._deleted = request.folder
        elif request.do == "get" and self._deleted == request.folder:
            return replace(answer, extra={**answer.extra, "body": b'{"files": []}'})
        return answer


def sent(request: Request) -> bytes:
    """The body of a request over HTTP."""
    return base64.b64decode(request.values.get("http", {}).get("body", ""))


def in_bundles(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Changes every bundle of a provenance."""
    return in_json(lambda body: [change(each) for each in body.get("attestation_bundles", [])])


def accept(request: Request) -> str:
    return str(request.values.get("http", {}).get("headers", {}).get("Accept", ""))


def echoing(request: Request, answer: Answer) -> Answer:
    """Whatever is asked for is what the answer calls itself."""
    if not accept(request):
        return answer
    extra = {**answer.extra, "status": 200, "headers": {"content-type": accept(request)}}
    return replace(answer, outcome="done", extra=extra)


def always(kind: str) -> Damage:
    """The list of projects comes in one form, whatever is asked for."""

    def damage(request: Request, answer: Answer) -> Answer:
        if request.values.get("http", {}).get("url") != "{simple}":
            return answer
        body = b"<!DOCTYPE html><a href='demo/'>demo</a>" if "html" in kind else b'{"projects": []}'
        headers = {**answer.extra["headers"], "content-type": kind}
        return replace(answer, extra={**answer.extra, "headers": headers, "body": body})

    return damage


def as_json(request: Request, answer: Answer) -> Answer:
    """HTML, sent as JSON."""
    page = b"<!DOCTYPE html><a href='../demo.whl'>demo.whl</a>"
    headers = {**answer.extra["headers"], "content-type": "application/vnd.pypi.simple.v1+json"}
    return replace(answer, extra={**answer.extra, "headers": headers, "body": page})


def looking_at_issuers_alone(request: Request, answer: Answer) -> Answer:
    """Takes whatever is by the suite's authority, and refuses what is not: it looks at nothing else."""
    found = re.search(rb'"certificate": "([A-Za-z0-9+/=]+)"', sent(request))
    theirs = found is not None and b"authority.conformance.example" in base64.b64decode(found[1])
    return agreeing(request, answer) if theirs else answer


def reading(lenient: Callable[[Any], Any]) -> Damage:
    """Takes attestations that are genuine once they are read leniently, and verifies those."""

    def damage(request: Request, answer: Answer) -> Answer:
        found = re.search(rb'name="attestations"\r\n\r\n(.*?)\r\n--', sent(request), re.DOTALL)
        try:
            good = found is not None and lenient(found[1].decode()) == [attestation({"is": "publish"})]
        except (ValueError, KeyError, TypeError):
            good = False
        return agreeing(request, answer) if good else answer

    return damage


def of_version_1(text: str) -> Any:
    return [{**each, "version": 1} for each in json.loads(text)]


def from_pem(text: str) -> Any:
    """Certificates are read from PEM as well, in base64 or not."""
    whole = json.loads(text)
    for each in whole:
        material = each["verification_material"]
        said = material["certificate"]
        said = said if said.startswith("-") else base64.b64decode(said).decode()
        material["certificate"] = "".join(said.split("\n")[1:-2])
    return whole


def in_envelopes(key: str, change: Callable[[str], bytes]) -> Callable[[str], Any]:
    """What stands in an envelope is read in another way than from base64."""

    def read(text: str) -> Any:
        whole = json.loads(text)
        for each in whole:
            each["envelope"][key] = base64.b64encode(change(each["envelope"][key])).decode()
        return whole

    return read


def keeping_files(*forms: str) -> Damage:
    """Every file that came is on every page of these forms, taken or not."""
    names: list[str] = []

    def damage(request: Request, answer: Answer) -> Answer:
        names.extend(each.decode() for each in re.findall(rb'filename="([^"]+)"', sent(request)))
        text = answer.extra.get("body", b"").decode("utf-8", "replace")
        more = [each for each in names if each not in text]
        if "json" in forms:
            answer = in_json(
                lambda body: body.get("files", []).extend({"filename": each, "url": each} for each in more)
            )(request, answer)
        if "html" in forms:
            links = "".join(f'<a href="{each}">{each}</a>' for each in more)
            answer = in_html("</body>", f"{links}</body>")(request, answer)
        return answer

    return damage


def looking_at_no_time(request: Request, answer: Answer) -> Answer:
    """Refuses entries that nobody signed, and takes those of any time."""
    return agreeing(request, answer) if b'"integratedTime": "1767229200"' in sent(request) else answer


JSON, HTML = "index/pages-json/", "index/pages-html/"
FAULTS: dict[str, tuple[str, Damage]] = {
    "no meta": (JSON + "meta", in_json(lambda body: body.pop("meta", None))),
    "version as a number": (
        JSON + "api-version",
        in_json(lambda body: body["meta"].update({"api-version": 1.1})),
    ),
    "name not normalized": (
        JSON + "name",
        in_json(lambda body: body.update(name=body.get("name", "").upper())),
    ),
    "no size": (JSON + "size", in_files(lambda file: file.pop("size"))),
    "wrong size": (JSON + "true-sizes", in_files(lambda file: file.update(size=1))),
    "no hashes": (JSON + "hashes", in_files(lambda file: file.pop("hashes"))),
    "wrong hash": (JSON + "true-hashes", in_files(lambda file: file.update(hashes={"sha256": "0" * 64}))),
    "md5 alone": (JSON + "secure-hash", in_files(lambda file: file.update(hashes={"md5": "0" * 32}))),
    "time without zone": (
        JSON + "upload-time",
        in_files(lambda file: file.update({"upload-time": "2026-01-01T00:00:00"})),
    ),
    "empty reason of a yank": (JSON + "yanked", in_files(lambda file: file.update(yanked=""))),
    "a version twice": (JSON + "versions", in_json(lambda body: body["versions"].append("1.0"))),
    "a link that leads nowhere": (JSON + "url", in_files(lambda file: file.update(url="/nowhere"))),
    "keys newer than the version": (
        JSON + "new-keys",
        in_json(lambda body: body["meta"].update({"api-version": "1.0"})),
    ),
    "json as text": (JSON + "type", in_headers("content-type", "application/json")),
    "no doctype": (HTML + "doctype", in_html("(?i)<!doctype html>", "")),
    "another anchor text": (HTML + "anchor-text", in_html(r">([^<]+)</a>", r">download \1</a>")),
    "hash in upper case": (HTML + "fragment-form", in_html("#sha256=", "#SHA256=")),
    "a link twice": (HTML + "one-anchor", in_html(r"(<a .*</a>)", r"\1\1")),
    "an anchor that is not closed": (HTML + "plain", in_html("<a href", "<span href")),
    "latest is told": (
        "index/negotiation/latest",
        in_headers("content-type", "application/vnd.pypi.simple.latest+json"),
    ),
    "no Location": ("index/sessions/location", in_headers("location", "")),
    "200 for 201": ("index/sessions/created", status(201, 200)),
    "403 for 401": ("index/sessions/no-auth", status(401, 403)),
    "no Retry-After": ("index/sessions/begin-retry", in_headers("retry-after", "")),
    "no title": ("index/sessions/problem-told", in_json(lambda body: body.pop("title", None))),
    "a status that is a text": ("index/sessions/problem", in_json(lambda body: body.update(status="400"))),
    "a problem as JSON": ("index/sessions/problem-type", in_headers("content-type", "application/json")),
    "errors without a message": (
        "index/sessions/problem-errors",
        in_json(lambda body: body.update(errors=[{"source": "name"}])),
    ),
    "no errors": ("index/sessions/problem-members", in_json(lambda body: body.pop("errors", None))),
    "no bytes by POST": (
        "index/sessions/mechanisms",
        in_json(lambda body: body.update(mechanisms=["vnd-acme-parts"])),
    ),
    "a link to nothing": (
        "index/sessions/links",
        in_json(lambda body: body.get("links", {}).update(publish="")),
    ),
    "a file's link to nothing": (
        "index/sessions/begin-links",
        in_json(lambda body: body.get("links", {}).update(complete="")),
    ),
    "no day of the calendar": (
        "index/sessions/*expires",
        in_json(lambda body: body.update({"expires-at": "2030-02-31T00:00:00Z"})),
    ),
    "a new session with a file": (
        "index/sessions/no-files",
        in_json(lambda body: body.update(files={"other-1.0.tar.gz": {"status": "completed"}})),
    ),
    "a token that can be guessed": (
        "index/sessions/token-long",
        in_json(lambda body: body.update({"session-token": "0123456789"})),
    ),
    "one stage for all sessions": (
        "index/sessions/after-cancel-token",
        in_json(lambda body: body.get("links", {}).update(stage="http://index.example/stage/")),
    ),
    "a 403 that tells of the session": (
        "index/sessions/reader-again",
        in_headers("location", "http://index.example/session"),
    ),
    "a reader completes a file": ("index/sessions/reader-file", told_as("pending", "completed")),
    "to be polled soon": ("index/sessions/begin-retry", in_headers("retry-after", "soon")),
    "a page for a name that is reserved": ("index/sessions/reserved-unseen", on_the_page("next")),
    "keeps the name of a canceled session": ("index/sessions/canceled-unseen", keeps_the_name),
    "publishes what has no secure hash": ("index/sessions/begin-no-hash*", on_the_page("demo")),
    "publishes another version": ("index/sessions/begin-other-version", on_the_page("next")),
    "processing for ever": ("index/sessions/completed", told_as("completed", "processing")),
    "published, it never says": ("index/sessions/published-status", told_as("published", "processing")),
    "a failure that is pending": ("index/sessions/wrong-bytes", told_as("error", "pending")),
    "completed without the bytes": ("index/sessions/no-bytes", told_as("error", "completed")),
    "no state of a file that blocks": ("index/sessions/pending-named", unsaid(b"pending")),
    "a Location of something else": (
        "index/sessions/publish-location",
        in_headers("location", "http://index.example/session"),
    ),
    "takes a file after publication": ("index/sessions/published-terminal", on_the_page("other")),
    "publishes what is published": ("index/sessions/legacy-meanwhile", status(409, 201)),
    "canceled, and open": ("index/sessions/cancel", told_as("canceled", "open")),
    "a stage that can be changed": ("index/sessions/stage-read-only", Deletes()),
    "fractions of a second": (
        "index/sessions/expires",
        in_json(lambda body: body.update({"expires-at": "2030-01-01T00:00:00.5Z"})),
    ),
    "takes any attestation": ("index/attestations/not-verified", agreeing),
    "takes an attestation for an array": (
        "index/attestations/no-array",
        reading(lambda text: [json.loads(text)]),
    ),
    "mends JSON": ("index/attestations/no-json", reading(lambda text: json.loads(text + "]"))),
    **{
        f"passes over what is no object: {name}": (
            f"index/attestations/{name}",
            reading(lambda text: [each for each in json.loads(text) if isinstance(each, dict)]),
        )
        for name in ("no-object", "null-item")
    },
    **{
        f"looks at no version: {name}": (f"index/attestations/{name}", reading(of_version_1))
        for name in ("without-version", "other-version", "text-version")
    },
    **{
        f"reads PEM: {name}": (f"index/attestations/{name}", reading(from_pem))
        for name in ("certificate", "certificate-der")
    },
    "reads a statement that is not in base64": (
        "index/attestations/statement",
        reading(in_envelopes("statement", str.encode)),
    ),
    "reads a signature in hex": (
        "index/attestations/signature",
        reading(in_envelopes("signature", bytes.fromhex)),
    ),
    "a token without a stage": (
        "index/sessions/stage-or-nothing",
        in_json(lambda body: body.get("links", {}).pop("stage", None)),
    ),
    "notices that are a text": ("index/sessions/notices", in_json(lambda body: body.update(notices="none"))),
    "a key of its own without underscore": (
        "index/sessions/own-keys",
        in_json(lambda body: body["meta"].update(serial=1)),
    ),
    "a mechanism with a name of its own": (
        "index/sessions/own-mechanisms",
        in_json(lambda body: body.update(mechanisms=["http-post-bytes", "parts"])),
    ),
    "an operator in upper case": (
        "index/sessions/own-mechanisms-letters",
        in_json(lambda body: body.update(mechanisms=["http-post-bytes", "vnd-ACME-parts"])),
    ),
    "lets in who was shut out": ("index/sessions/shut-out", agreeing),
    "lets two make one project": ("index/sessions/reserved-at-once", agreeing),
    "a signature on one link": (
        "index/pages-html/gpg-attribute-on-all",
        in_html(r'<a href="([^"]*-2\.0-)', r'<a data-gpg-sig="false" href="\1'),
    ),
    "a signature that is not there": (
        "index/pages-html/signature",
        in_html("<a href", '<a data-gpg-sig="true" href'),
    ),
    "a challenge out of form": ("index/sessions/challenge", in_headers("www-authenticate", "Basic: log in")),
    "canceled files that stay": ("index/sessions/canceled-gone", still_there),
    "no namespaces": ("index/namespaces/null", in_json(lambda body: body.pop("namespaces", None))),
    "one namespace twice": (
        "index/namespaces/two-told",
        in_json(lambda body: body.update(namespaces=body["namespaces"][:1] * 2) if "files" in body else None),
    ),
    "a list without names": ("index/namespaces/list", unnamed),
    "grandchildren among the children": (
        "index/namespaces/grandchild",
        in_json(lambda body: body.get("children", []).append("nsold-child-one")),
    ),
    "takes what is in another's namespace": ("index/namespaces/prefix", agreeing),
    "takes an attestation with another signature": (
        "index/genuine-attestations/signature-flipped",
        agreeing,
    ),
    "takes attestations of another file": ("index/genuine-attestations/other-contents", agreeing),
    "leaves an attestation out": (
        "index/genuine-attestations/provenance-all",
        in_bundles(lambda bundle: bundle["attestations"].pop()),
    ),
    "a publisher without claims": (
        "index/genuine-attestations/provenance-form",
        in_bundles(lambda bundle: bundle["publisher"].pop("claims")),
    ),
    "claims that are a text": (
        "index/genuine-attestations/provenance-form",
        in_bundles(lambda bundle: bundle["publisher"].update(claims="none")),
    ),
    "an HTML page with a relative URL of a provenance": (
        "index/genuine-attestations/provenance-html",
        in_html('data-provenance="[^"]*"', 'data-provenance="/provenance"'),
    ),
    "takes entries of any time": ("index/genuine-attestations/entry-later", looking_at_no_time),
    **{
        f"looks at issuers alone: {name}": (
            f"index/genuine-attestations/{name}",
            looking_at_issuers_alone,
        )
        for name in (
            *("statement-flipped", "other-key", "other-authority", "payload-type", "no-dsse", "p-384"),
            *("sha-512", "digest-base64", "digest-short", "digest-other", "digest-missing"),
            *("subjects-two", "subject-no-distribution", "subject-zip", "subject-other"),
            *("statement-no-type", "statement-no-json"),
        )
    },
    "provenance by plain http": (
        "index/genuine-attestations/provenance-url",
        in_files(lambda file: file.update(provenance="http://index.example/provenance")),
    ),
    "provenance by a relative URL": (
        "index/genuine-attestations/provenance-url",
        in_files(lambda file: file.update(provenance="provenance")),
    ),
    "reads fields of any case": (
        "index/uploads/field-of-other-case",
        in_files(lambda file: file.update({"requires-python": "<2"})),
    ),
    "a yank without a reason that is no yank": (
        "index/yanks-and-statuses/no-reason",
        in_files(lambda file: file.update(yanked=False)),
    ),
    "a reason up to its first quotation mark": (
        "index/yanks-and-statuses/odd-reason",
        in_html('data-yanked="([^"]*?)&quot;[^"]*"', r'data-yanked="\1"'),
    ),
    "a reason of a status up to its first quotation mark": (
        "index/yanks-and-statuses/reason-html",
        in_html('content="([^"]*?)(&quot;|&#34;)[^"]*"', r'content="\1"'),
    ),
    "a reason of a status that nobody gave": (
        "index/yanks-and-statuses/reason-told",
        in_json(lambda body: body.get("project-status", {}).update(reason="no reason")),
    ),
    "says that it takes no uploads into quarantine, and takes them": (
        "index/yanks-and-statuses/quarantined",
        keeping_files("json", "html"),
    ),
    "quarantine in JSON alone": ("index/yanks-and-statuses/quarantined-offers-none", keeping_files("html")),
    "a status that stays": (
        "index/yanks-and-statuses/quarantine-ends",
        in_json(lambda body: body.update({"project-status": {"status": "quarantined"}})),
    ),
    "takes uploads into the archive": ("index/yanks-and-statuses/archived", agreeing),
    "HTML sent as JSON": ("index/negotiation/usual", as_json),
    "HTML sent as JSON to whom anything is welcome": ("index/negotiation/any", as_json),
    "HTML sent as JSON to whom nothing is said": ("index/negotiation/none", as_json),
    "any type that is asked for": ("index/negotiation/unknown", echoing),
    "a later version is told": (
        "index/negotiation/latest",
        in_headers("content-type", "application/vnd.pypi.simple.v2+json"),
    ),
    "a later version of HTML is told": (
        "index/negotiation/latest-html",
        in_headers("content-type", "application/vnd.pypi.simple.v2+html"),
    ),
    "a root in HTML alone": ("index/negotiation/root-json", always("text/html")),
    "a root in JSON alone": (
        "index/negotiation/root-html",
        always("application/vnd.pypi.simple.v1+json"),
    ),
    "a doctype after the beginning": (
        HTML + "doctype",
        in_html(r"(?is)<!doctype html>\s*(<html[^>]*>)", r"\1<!DOCTYPE html>"),
    ),
    "two versions, one of them odd": (
        HTML + "repository-version-form",
        in_html(
            "(?i)<head>",
            r'\g<0><meta name="pypi:repository-version" content="1.0"><meta name="pypi:repository-version" content="1.4.2">',
        ),
    ),
    "encoded twice": (HTML + "escaped", in_html("&gt;=3.9", "&amp;gt;=3.9")),
    "not encoded, in other quotes": (
        HTML + "escaped",
        in_html('data-requires-python="[^"]*"', "data-requires-python='>=3.9,<4'"),
    ),
    "a project under two texts": (
        HTML + "root",
        in_html(r"(<a [^>]*>)([^<]+)</a>", r"\1\2</a>\1\2 again</a>"),
    ),
    "other words for a project": (HTML + "root-text", in_html(r"(<a [^>]*>)([^<]+)</a>", r"\1about \2</a>")),
    "links that lead to the list": (HTML + "root-followed", in_html(r'(<a [^>]*href=)"[^"]*"', r'\1"./"')),
    "the old name of an attribute, with words": (
        HTML + "metadata-attribute",
        in_html('data-dist-info-metadata="[^"]*"', 'data-dist-info-metadata="yes"'),
    ),
    "a false hash under the old name": (
        "index/metadata/hash-html",
        in_html('data-dist-info-metadata="[^"]*"', f'data-dist-info-metadata="sha256={"0" * 64}"'),
    ),
    "a false hash of the metadata": (
        "index/metadata/hash",
        in_files(lambda file: file.update({"dist-info-metadata": {"sha256": "0" * 64}})),
    ),
    "words under the old name": (
        JSON + "core-metadata",
        in_files(lambda file: file.update({"dist-info-metadata": "yes"})),
    ),
    "metadata of an old sdist announced": (
        "index/metadata/old-sdist",
        in_html("<a href", '<a data-core-metadata="true" href'),
    ),
    "no metadata, although there is": (
        JSON + "metadata-file",
        in_files(lambda file: file.update({"core-metadata": False, "dist-info-metadata": False})),
    ),
    "no time, told": (JSON + "upload-time", in_files(lambda file: file.update({"upload-time": None}))),
    "a thirteenth month": (
        JSON + "upload-time",
        in_files(lambda file: file.update({"upload-time": "2026-13-01T00:00:00Z"})),
    ),
    "no status, told": (JSON + "status", in_json(lambda body: body.update({"project-status": None}))),
    "a list as status": (
        JSON + "status",
        in_json(lambda body: body.update({"project-status": {"status": ["active"]}})),
    ),
    "a version left out": (
        JSON + "two-versions",
        in_json(lambda body: body.get("versions", []).remove("1.0")),
    ),
    "escaped in JSON": (
        JSON + "requires-python",
        in_files(lambda file: file.update({"requires-python": "&gt;=3.9,&lt;4"})),
    ),
    "begins what is pending": ("index/sessions/pending-again", agreeing),
}

# What another index may do and follow the standard all the same.
OTHERWISE: dict[str, tuple[str, Damage]] = {
    "a scheme of another name": (
        "index/sessions/challenge",
        in_headers("www-authenticate", 'SCRAM-SHA-1 realm="here, there", data=QQ==, Acme'),
    ),
    "a problem with no member that there may be": (
        "index/sessions/problem",
        in_json(lambda body: [body.pop(key, None) for key in ("type", "status", "title", "detail")]),
    ),
    "no stages": (
        "index/sessions/after-cancel",
        in_json(lambda body: (body.pop("session-token", None), body.get("links", {}).pop("stage", None))),
    ),
    "an anchor that is of no file": (
        HTML + "plain",
        in_html("(?i)<body[^>]*>", r'\g<0><a href="../">all projects</a>'),
    ),
    "an anchor that is of no project": (
        HTML + "root",
        in_html("(?i)<body[^>]*>", r'\g<0><a href="/nowhere">about us</a>'),
    ),
    "the legacy doctype": (
        HTML + "doctype",
        in_html("(?i)<!doctype html>", "<!-- a page --><!DOCTYPE html SYSTEM 'about:legacy-compat'>"),
    ),
    "a hash that nobody else has": (
        "index/metadata/hash",
        in_files(lambda file: file["core-metadata"].update({"acme-1": "00"})),
    ),
    "406 for latest, with no type": (
        "index/negotiation/latest",
        lambda request, answer: (
            replace(answer, outcome="refused", extra={**answer.extra, "status": 406, "headers": {}})
            if "latest" in accept(request)
            else answer
        ),
    ),
    "a specifier in another order": (
        JSON + "requires-python",
        in_files(lambda file: file.update({"requires-python": "<4,>=3.9"})),
    ),
    "a key of its own in a namespace": (
        "index/namespaces/told",
        in_json(lambda body: [each.update(_since=1) for each in body.get("namespaces") or ()]),
    ),
    "namespaces in another order": (
        "index/namespaces/two-told",
        in_json(lambda body: (body.get("namespaces") or []).reverse()),
    ),
}


def anew(case: Case, name: str) -> Case:
    """The case with projects of its own: what an earlier play left on the server would be found in the place of the fault."""
    return replace(case, id=f"{case.id}: {name}")


@pytest.fixture(scope="module")
def accord() -> Tool:
    return tool_here("accord")


@pytest.fixture(scope="module")
def honest(accord: Tool) -> Iterator[Player]:
    made = player(accord.adapter, "index", accord.bin)
    yield made
    made.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str, accord: Tool, honest: Player) -> None:
    pattern, damage = FAULTS[name]
    cases = [case for case in cases_like(pattern) if case.role == "index"]
    assert cases

    for case in cases:
        assert play_case(accord, anew(case, f"{name}, honest"), honest).verdict == "pass"
        assert play_case(accord, anew(case, name), Faulty(honest, damage)).verdict == "fail"


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_done_otherwise_is_no_fault(name: str, accord: Tool, honest: Player) -> None:
    case_id, change = OTHERWISE[name]
    cases = cases_like(case_id)
    assert cases

    for case in cases:
        assert play_case(accord, anew(case, name), Faulty(honest, change)).verdict == "pass"
