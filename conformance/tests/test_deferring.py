"""What only an index can be asked that works on after its answer (202): no tool of the matrix does, so the suite's own server is asked here, right and wrong."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from accord_conformance.making.sessions import Sessions
from accord_conformance.protocol import Answer, Commands, Request
from accord_conformance.running import play_case
from accord_conformance.serving import Served
from accord_conformance.site import Reply, Site
from accord_conformance.testing import Damage, Faulty, every_case, tool_here


class Deferring(Served):
    """A player for the suite's server of Upload 2.0, which asks nobody for a password."""

    def __init__(self, site: Site, how: dict[str, Any]) -> None:
        super().__init__(Commands({}, {}, {}, {}, ""), {}, {}, {})
        site.services[:] = [Sessions(site.url, how).answer]
        self._places = {"sessions": f"{site.url}/upload/", "upload": f"{site.url}/legacy/"}

    def _start(self, request: Request) -> None:
        """It is there already."""


def cancels(request: Request, answer: Answer) -> Answer:
    """Cancels while it publishes."""
    if request.values["http"]["method"] != "DELETE":
        return answer
    return replace(answer, outcome="done", extra={**answer.extra, "status": 204})


def cancels_not_as_told(request: Request, answer: Answer) -> Answer:
    """Refuses to cancel what it publishes with another status."""
    if request.values["http"]["method"] != "DELETE":
        return answer
    return replace(answer, extra={**answer.extra, "status": 400})


def says_nothing(request: Request, answer: Answer) -> Answer:
    """Does not tell why it was not published."""
    body = answer.extra["body"].replace(b'"notices"', b'"words"')
    return replace(answer, extra={**answer.extra, "body": body})


def refuses(request: Request, answer: Answer) -> Answer:
    """Refuses to lengthen what it will not lengthen."""
    if b"extend-for" not in base64.b64decode(request.values["http"]["body"]):
        return answer
    return replace(answer, outcome="refused", extra={**answer.extra, "status": 409})


def lengthens_with_201(request: Request, answer: Answer) -> Answer:
    """Answers as it answered the creation."""
    if b"extend-for" not in base64.b64decode(request.values["http"]["body"]):
        return answer
    return replace(answer, extra={**answer.extra, "status": 201})


def processes_for_ever(request: Request, answer: Answer) -> Answer:
    """Never says that it is done."""
    body = (
        answer.extra["body"].replace(b'"completed"', b'"processing"').replace(b'"published"', b'"processing"')
    )
    return replace(answer, extra={**answer.extra, "body": body})


# The case, the server it is asked of, and the fault that it must find.
CASES: dict[str, tuple[str, dict[str, Any], Damage]] = {
    "cancels what it publishes": ("canceled-processing", {"publish_polls": 9}, cancels),
    "400 for 409": ("canceled-processing", {"publish_polls": 9}, cancels_not_as_told),
    "no reason": ("error-notices", {"publish_polls": 1, "publish_fails": 1}, says_nothing),
    "lengthens no file's session": ("file-extend", {"extend": True}, refuses),
    "completes no file": ("completed", {"file_polls": 2}, processes_for_ever),
    "publishes no session": ("published-status", {"publish_polls": 2}, processes_for_ever),
    "lengthens no session": ("extend-for-ever", {"extend": True}, refuses),
}


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site({"/legacy/": Reply(200, "text/plain", b"OK\n")})
    yield made
    made.close()


@pytest.mark.parametrize("name", CASES)
def test_a_server_that_works_on_passes_and_its_fault_is_found(name: str, site: Site) -> None:
    asked, how, damage = CASES[name]
    (case,) = (case for case in every_case() if case.id == f"index/sessions/{asked}")
    tool = tool_here("accord")

    assert play_case(tool, case, Deferring(site, how)).verdict == "pass"
    assert play_case(tool, case, Faulty(Deferring(site, how), damage)).verdict == "fail"


def test_a_server_that_is_done_meanwhile_is_not_asked(site: Site) -> None:
    (case,) = (case for case in every_case() if case.id == "index/sessions/canceled-processing")

    played = play_case(tool_here("accord"), case, Deferring(site, {"publish_polls": 1}))

    assert played.verdict == "unsupported"


@pytest.mark.parametrize("name", ["complete", "delete-completed", "publish-location", "wrong-bytes"])
def test_a_case_waits_for_a_server_that_works_on(name: str, site: Site) -> None:
    (case,) = (case for case in every_case() if case.id == f"index/sessions/{name}")
    asked = Deferring(site, {"file_polls": 1, "publish_polls": 2})

    assert play_case(tool_here("accord"), case, asked).verdict == "pass"


@pytest.mark.parametrize("name", ["extend-far", "extend-for-ever", "file-extend"])
def test_any_success_is_one(name: str, site: Site) -> None:
    (case,) = (case for case in every_case() if case.id == f"index/sessions/{name}")
    other = Faulty(Deferring(site, {"extend": True}), lengthens_with_201)

    assert play_case(tool_here("accord"), case, other).verdict == "pass"
