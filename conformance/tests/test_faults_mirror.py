"""Wrong mirrors, each with one seeded fault: the suite finds every one.

The honest one is Accord's cache; what it says is damaged on its way to the suite, or upstream is asked for more than it would ask.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from accord_conformance.adapters import player
from accord_conformance.cases import Case
from accord_conformance.protocol import Answer, Player, Request
from accord_conformance.running import play_case
from accord_conformance.serving import fetch
from accord_conformance.testing import Damage, Faulty, cases_like, tool_here


def in_page(change: Callable[[dict[str, Any]], object]) -> Damage:
    """Changes a page in JSON."""

    def damage(request: Request, answer: Answer) -> Answer:
        try:
            body = json.loads(answer.extra.get("body", b""))
        except ValueError:
            return answer
        if isinstance(body, dict):
            change(body)
        headers = {**answer.extra.get("headers", {}), "content-type": "application/vnd.pypi.simple.v1+json"}
        return replace(answer, extra={**answer.extra, "headers": headers, "body": json.dumps(body).encode()})

    return damage


def in_files(change: Callable[[list[dict[str, Any]]], object]) -> Damage:
    """Changes the files of a page."""
    return in_page(lambda page: change(page.setdefault("files", [])))


def each(change: Callable[[dict[str, Any]], object]) -> Damage:
    return in_files(lambda files: [change(file) for file in files])


def in_html(pattern: str, text: str) -> Damage:
    def damage(request: Request, answer: Answer) -> Answer:
        body = answer.extra.get("body", b"").decode("utf-8", "replace")
        return replace(answer, extra={**answer.extra, "body": re.sub(pattern, text, body).encode()})

    return damage


def on_root(damage: Damage) -> Damage:
    """Only the list of projects is damaged."""

    def damaged(request: Request, answer: Answer) -> Answer:
        return damage(request, answer) if request.values["http"]["url"] == "{simple}" else answer

    return damaged


def names_as_they_come(request: Request, answer: Answer) -> Answer:
    """A project is known by the name that upstream's list has, and by no other."""
    listing = fetch(request.values["site"] + "/simple/", headers={"Accept": JSON})
    names = [each["name"] for each in json.loads(listing.body)["projects"]]
    asked = request.values["http"]["url"].removeprefix("{simple}").strip("/")
    return answer if asked in names else Answer("refused", message="HTTP 404")


def asking(path: str, accept: str = "*/*") -> Damage:
    """Upstream is asked for a path as well."""

    def damage(request: Request, answer: Answer) -> Answer:
        fetch(request.values["site"] + path, headers={"Accept": accept})
        return answer

    return damage


def offered(request: Request, answer: Answer) -> Answer:
    """A page that should have stopped the mirror is passed on."""
    body = {"meta": {"api-version": "1.0"}, "files": [{"filename": "demo-1.0-py3-none-any.whl", "url": "/x"}]}
    headers = {"content-type": "application/vnd.pypi.simple.v1+json"}
    return replace(answer, extra={**answer.extra, "headers": headers, "body": json.dumps(body).encode()})


def listed(request: Request, answer: Answer) -> Answer:
    """A list that should have stopped the mirror is passed on."""
    body = {"meta": {"api-version": "1.0"}, "projects": [{"name": "demo"}]}
    headers = {"content-type": "application/vnd.pypi.simple.v1+json"}
    return replace(answer, extra={**answer.extra, "headers": headers, "body": json.dumps(body).encode()})


JSON = "application/vnd.pypi.simple.v1+json"
HOME = "mirror/"
FAULTS: dict[str, tuple[str, Damage]] = {
    "loses a yank": ("upstream/yanked", each(lambda file: file.pop("yanked", None))),
    "loses a yank of HTML": ("upstream/yanked-html", each(lambda file: file.pop("yanked", None))),
    "loses a yank on its HTML page": ("upstream/yanked-in-html-page", in_html(r'data-yanked="[^"]*"', "")),
    "yanks what is not": ("upstream/not-yanked", each(lambda file: file.update(yanked=True))),
    "loses a file": ("upstream/two-files", in_files(lambda files: files.pop())),
    "loses the only file": ("upstream/plain", in_files(lambda files: files.clear())),
    "has another link": ("upstream/relative", each(lambda file: file.update(url="/nowhere"))),
    "has another hash": ("upstream/true-hashes", each(lambda file: file.update(hashes={"sha256": "0" * 64}))),
    "has another hash beside the true one": (
        "upstream/true-hashes",
        each(lambda file: file["hashes"].update(md5="0" * 32)),
    ),
    "passes on a page of version 2": ("upstream/newer-major", offered),
    "takes 406 for a page": ("upstream/406", offered),
    "takes 300 for a page": ("upstream/300", offered),
    "asks for the name of the list": ("upstream/normalized", asking("/simple/Holy.Grail_X/")),
    "asks with an Accept that has not what it reads": (
        "upstream/accept",
        asking("/simple/demo/", "application/vnd.pypi.simple.v1+html"),
    ),
    "asks for JSON alone, and reads HTML": ("upstream/accept-html", asking("/simple/demo/", JSON)),
    "loses a page without a version": ("upstream/no-version", in_files(lambda files: files.clear())),
    "loses a page of version 1.0": ("upstream/old", in_files(lambda files: files.clear())),
    "asks for the name as it is written": ("upstream/unnormalized", asking("/simple/Holy.Grail_X/")),
    "asks for a format": ("upstream/no-format", asking("/simple/demo/?format=json")),
    "offers a list of version 2": ("upstream/list-newer-major", listed),
    "tells another size": ("pages/json-sizes", each(lambda file: file.update(size=1))),
    "tells no versions": ("pages/json-sizes", in_page(lambda page: page.pop("versions", None))),
    "tells of versions, but names none": ("pages/json-sizes", in_page(lambda page: page.update(versions=[]))),
    "names hashes in upper case": (
        "pages/json-secure-hash",
        each(lambda file: file.update(hashes={name.upper(): text for name, text in file["hashes"].items()})),
    ),
    "escapes requires-python in JSON": (
        "pages/json-requires-python",
        each(lambda file: file.update({"requires-python": "&gt;=3.9,&lt;4"})),
    ),
    "escapes data-requires-python twice": ("pages/html-requires-python", in_html("&(gt|lt);", r"&amp;\1;")),
    "escapes nothing, in single quotes": (
        "pages/html-requires-python",
        in_html('data-requires-python="[^"]*"', "data-requires-python='>=3.9,<4'"),
    ),
    "has another hash in HTML": ("pages/html-fragment", in_html("#sha256=[0-9a-f]+", "#sha256=00")),
    "says of metadata that there are none": (
        "pages/json-metadata",
        each(lambda file: file.update({"core-metadata": False})),
    ),
    "announces metadata of another hash in HTML": (
        "pages/html-metadata-hash",
        in_html('data-core-metadata="[^"]*"', 'data-core-metadata="sha256=00"'),
    ),
    "announces metadata that upstream has not": (
        "upstream/metadata",
        each(lambda file: file.update({"core-metadata": True})),
    ),
    "lists nothing": ("pages/root-html", on_root(in_html("<a .*?</a>", ""))),
    "lists what is elsewhere": ("pages/root-html", on_root(in_html('href="[^"]*"', 'href="/nowhere/demo/"'))),
    "knows a project by its own name alone": ("pages/normalized", names_as_they_come),
    "has an empty page where something is yanked": ("upstream/yanked", in_files(lambda files: files.clear())),
    "loses a yank that has no reason": (
        "pages/yanked-without-reason",
        each(lambda file: file.pop("yanked", None)),
    ),
    "loses the hash of HTML": ("pages/html-fragment-is-there", in_html(r"#sha256=[0-9a-f]+", "")),
    "announces other metadata": (
        "pages/json-metadata",
        each(lambda file: file.update({"core-metadata": {"sha256": "0" * 64}})),
    ),
}


def played(case: Case, asked: Player) -> str:
    return play_case(tool_here("accord"), case, asked).verdict


@pytest.mark.slow
@pytest.mark.parametrize("name", FAULTS)
def test_the_fault_is_found(name: str) -> None:
    pattern, damage = FAULTS[name]
    (case,) = cases_like(HOME + pattern)
    tool = tool_here("accord")
    honest = player(tool.adapter, "mirror", tool.bin)

    try:
        assert played(case, honest) == "pass", "the honest mirror passes"
        assert played(case, Faulty(honest, damage)) == "fail"
    finally:
        honest.close()
