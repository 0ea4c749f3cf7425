"""The page of serving holds medians against what was asked, and what was not measured is not met."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from benchmarks.serving import ROWS, START_MEMORY, START_SECONDS, Record, markdown, met, verdict
from benchmarks.serving_worlds import BIG_WHEEL, MANY, make_index

from accord.testing.serving import Served


def _record(mine: float, nginx: float) -> Record:
    return {"unchanged": {"unit": "requests/s", "medians": {"accord": mine, "nginx": nginx}}}


def test_a_ratio_below_what_is_asked_is_not_met_and_one_at_it_is() -> None:
    row = next(row for row in ROWS if row.part == "unchanged")
    assert verdict(row, _record(25, 100))[3] == "yes"
    assert verdict(row, _record(24.9, 100))[3] == "**no**"
    assert met(_record(25, 100))
    assert not met(_record(24.9, 100))


def test_what_was_not_measured_is_not_met() -> None:
    row = next(row for row in ROWS if row.part == "unchanged")
    assert verdict(row, {})[3] == "not measured"
    assert not met({"unchanged": {"medians": {"accord": 5.0}}})


@pytest.mark.parametrize(
    ("seconds", "memory", "good"),
    [(0.9, 100.0, True), (START_SECONDS, 1.0, False), (0.1, START_MEMORY, False)],
)
def test_the_start_has_limits_of_its_own(seconds: float, memory: float, good: bool) -> None:
    start = {
        "projects": 7,
        "seconds": seconds,
        "memory": memory,
        "root_seconds": 1.0,
        "memory_with_root": 2.0,
    }
    assert met({"start": start}) is good
    assert ("**no**" in markdown({"start": start}, [])) is not good


@pytest.mark.slow
def test_what_is_served_is_an_index_as_uploads_would_have_left_it(tmp_path: Path) -> None:
    token = make_index(str(tmp_path / "data"), projects=30, files_each=3, many=5, big=1000)
    assert token
    with Served(str(tmp_path / "data")) as served:

        def get(path: str) -> bytes:
            request = urllib.request.Request(
                f"{served.url}{path}", headers={"accept": "application/vnd.pypi.simple.v1+json"}
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                found: bytes = answer.read()
            return found

        assert len(json.loads(get("/simple/"))["projects"]) == 32
        assert len(json.loads(get(f"/simple/{MANY}/"))["files"]) == 5
        assert len(json.loads(get("/simple/project-29/"))["versions"]) == 3
        assert len(get(f"/files/big/{BIG_WHEEL}")) > 1000
