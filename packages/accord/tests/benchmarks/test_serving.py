"""The page of serving holds figures against what was asked, and what was not measured is not met."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from benchmarks.serving import ROWS, Record, Row, markdown, met, verdict
from benchmarks.serving_worlds import BIG_WHEEL, MANY, make_index, project_names, questions

from accord.testing.serving import Served


def row_of(part: str, ours: str) -> Row:
    return next(row for row in ROWS if row.part == part and row.ours == ours)


def record_of(part: str, **figures: float) -> Record:
    return {part: {"figures": figures}}


@pytest.mark.parametrize(
    ("part", "ours", "figures", "good"),
    [
        ("unchanged", "accord", {"accord": 25.0, "nginx": 100.0}, True),
        ("unchanged", "accord", {"accord": 24.9, "nginx": 100.0}, False),
        ("upload", "upload_ms_many", {"upload_ms_many": 15.0, "upload_ms_1k": 10.0}, True),
        ("upload", "upload_ms_many", {"upload_ms_many": 15.1, "upload_ms_1k": 10.0}, False),
        ("start", "first", {"first": 0.99}, True),
        ("start", "first", {"first": 1.0}, False),
        ("start", "memory", {"memory": 300.0}, False),
        ("search", "p95", {"p95": 49.9}, True),
        ("search", "p95", {"p95": 50.0}, False),
    ],
)
def test_a_figure_is_met_up_to_its_limit_and_not_beyond(
    part: str, ours: str, figures: dict[str, float], good: bool
) -> None:
    found = verdict(row_of(part, ours), record_of(part, **figures))
    assert found.met == ("yes" if good else "**no**")
    page = markdown(record_of(part, **figures), [])
    assert ("**no**" in page) is not good


def test_what_was_to_be_measured_and_was_not_is_not_met() -> None:
    whole = record_of("unchanged", accord=5.0, nginx=5.0)
    assert met(whole)
    assert not met(record_of("unchanged", accord=5.0))
    assert verdict(row_of("unchanged", "accord"), {}).met == "not measured"
    assert "not measured" in markdown(record_of("unchanged", accord=5.0), [])


def test_a_part_that_was_not_asked_for_has_no_row() -> None:
    page = markdown(record_of("unchanged", accord=5.0, nginx=5.0), [])
    assert "304 of the same page" in page
    assert "wheel of" not in page


def test_questions_and_names_are_the_same_at_each_run() -> None:
    assert project_names(3000) == project_names(3000)
    assert len(set(project_names(3000))) == 3000
    assert questions(24) == questions(24)


@pytest.mark.slow
def test_what_is_served_is_an_index_as_uploads_would_have_left_it(tmp_path: Path) -> None:
    token = make_index(str(tmp_path / "data"), projects=400, files_each=3, many=5, big=1000)
    assert token
    last = project_names(400)[-1]
    with Served(str(tmp_path / "data")) as served:

        def get(path: str) -> bytes:
            request = urllib.request.Request(
                f"{served.url}{path}", headers={"accept": "application/vnd.pypi.simple.v1+json"}
            )
            with urllib.request.urlopen(request, timeout=20) as answer:
                found: bytes = answer.read()
            return found

        assert len(json.loads(get("/simple/"))["projects"]) == 402
        assert len(json.loads(get(f"/simple/{MANY}/"))["files"]) == 5
        assert len(json.loads(get(f"/simple/{last}/"))["versions"]) == 3
        assert len(get(f"/files/big/{BIG_WHEEL}")) > 1000
        assert f"project/{last}/".encode() in get(f"/search?q={last}")
