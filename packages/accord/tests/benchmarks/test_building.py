"""The page of building holds medians against what was asked, and what was not measured is not met."""

from __future__ import annotations

from typing import Any

import pytest
from benchmarks.building import FLIT, KINDS, NATIVE, ROWS, Record, markdown, value, verdict

from benchmarks import backends, native

FAST: dict[str, Record] = {
    "backends": {
        "milliseconds": {
            project: {contender.label: {"median": 100.0} for contender in backends.CONTENDERS}
            for project in backends.PROJECTS
        }
    },
    "frontends": {
        "missing": ["build"],
        "contenders": {
            "accord, sandbox on": {"median_ms": 50.0, "best_ms": 49.0},
            "accord, sandbox off": {"median_ms": 40.0, "best_ms": 39.0},
            FLIT: {"median_ms": 100.0, "best_ms": 99.0},
            NATIVE: {"median_ms": 12.5, "best_ms": 12.0},
        },
    },
    "native": {
        who: dict.fromkeys(KINDS, amount)
        for who, amount in {
            "accord-backend": 2.0,
            "scikit-build-core": 2.5,
            "accord-backend, CPU": 3.0,
            "scikit-build-core, CPU": 4.0,
        }.items()
    },
}


def test_every_row_is_found_in_what_its_part_says() -> None:
    assert native.KINDS == KINDS
    for row in ROWS:
        assert value(FAST[row.part], row.ours) is not None, row.title
        assert value(FAST[row.part], row.theirs) is not None, row.title


def test_a_ratio_at_the_limit_is_met_and_one_above_is_not() -> None:
    row = next(row for row in ROWS if row.theirs[1] == NATIVE and "on" in row.ours[1])
    assert verdict(row, FAST) == (50.0, 12.5, 4.0, "yes")
    contenders: dict[str, Any] = FAST["frontends"]["contenders"]
    slower = {**FAST, "frontends": {"contenders": {**contenders, NATIVE: {"median_ms": 12.4}}}}
    assert verdict(row, slower)[3] == "**no**"


@pytest.mark.parametrize("records", [{}, {"frontends": {"contenders": {}}}])
def test_what_was_not_measured_is_not_met(records: dict[str, Record]) -> None:
    for row in ROWS:
        assert verdict(row, records)[2:] == (None, "not measured")


def test_the_page_shows_seconds_ratios_and_how_busy_the_cores_were() -> None:
    page = markdown(FAST, ["Machine: this."])
    assert (
        "| a C extension of 25 files, clean; beside scikit-build-core | 2.00 s | 2.50 s | 0.80 | ≤ 1.0 × | yes |"
        in page
    )
    assert "| clean | accord-backend | 2.00 s | 3.00 s | 1.50 |" in page
    assert "- Machine: this." in page
    assert "Not installed, left out: build." in page
    assert "**no**" in page, "100 ms are more than 0.8 times 100 ms"
