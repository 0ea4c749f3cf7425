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


def sent(request: Request) -> bytes:
    """The body of a request over HTTP."""
    return base64.b64decode(request.values.get("http", {}).get("body", ""))


def in_bundles(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Changes every bundle of a provenance."""
    return in_json(lambda body: [change(each) for each in body.get("attestation_bundles", [])])


def looking_at_issuers_alone(request: Request, answer: Answer) -> Answer:
    """Takes whatever is by the suite's authority, and refuses what is not: it looks at nothing else."""
    found = re.search(rb'"certificate": "([A-Za-z0-9+/=]+)"', sent(request))
    theirs = found is not None and b"authority.conformance.example" in base64.b64decode(found[1])
    return agreeing(request, answer) if theirs else answer


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
    "no problem": ("index/sessions/problem", in_json(lambda body: body.pop("title", None))),
    "fractions of a second": (
        "index/sessions/expires",
        in_json(lambda body: body.update({"expires-at": "2030-01-01T00:00:00.5Z"})),
    ),
    "takes any attestation": ("index/attestations/not-verified", agreeing),
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
    "takes uploads into the archive": ("index/yanks-and-statuses/archived", agreeing),
    "begins what is pending": ("index/sessions/pending-again", agreeing),
}

# What another index may do and follow the standard all the same.
OTHERWISE: dict[str, tuple[str, Damage]] = {
    "a scheme of another name": (
        "index/sessions/challenge",
        in_headers("www-authenticate", 'SCRAM-SHA-1 realm="here, there", data=QQ==, Acme'),
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
        assert play_case(accord, case, honest).verdict == "pass", "the honest index passes"
        assert play_case(accord, case, Faulty(honest, damage)).verdict == "fail"


@pytest.mark.slow
@pytest.mark.parametrize("name", OTHERWISE)
def test_what_is_done_otherwise_is_no_fault(name: str, accord: Tool, honest: Player) -> None:
    case_id, change = OTHERWISE[name]
    (case,) = cases_like(case_id)

    assert play_case(accord, case, Faulty(honest, change)).verdict == "pass"
