"""Checks of a project folder: an honest one is left in peace, and each fault is found by the check that is for it."""

from __future__ import annotations

import pytest

from .conftest import PYPROJECT, Bench, codes

# code, what is swapped in the honest pyproject.toml
SWAPS = [
    ("pyproject-invalid", 'name = "spam-shop"', 'name = "spam-shop"\nclassifers = []'),
    ("pyproject-invalid", 'name = "spam-shop"', "name = 3"),
    ("pyproject-invalid", "[project.urls]", "[project.urls"),
    ("backend-table", "[tool.ruff]", '[tool.accord.build]\nmodule = ["spam_shop"]'),
    ("backend-table", "[tool.ruff]", '[[tool.accord.extension]]\nname = "x"\nsource = []'),
    ("table-unknown", "[tool.ruff]", "[build-systm]"),
    ("tool-table-typo", "[tool.ruff]", "[tool.ruf]"),
    ("build-system-missing", "[build-system]", "[tool.other]"),
    ("extra-name", "ham-cut", "Ham_Cut"),
    ("name-standard-library", '"spam-shop"', '"Json"'),
    ("version-local", '"1.0"', '"1.0+mine"'),
    ("version-normal", '"1.0"', '"1.0-beta1"'),
    ("description-missing", '"A shop that sells spam"', '""'),
    ("description-form", "A shop that", "A shop that" * 60),
    ("description-form", '"A shop that sells spam"', '"""A shop\nthat sells"""'),
    ("people-missing", "authors", 'keywords = ["spam"] #'),
    ("email-invalid", "ann@spam.example", "ann at spam"),
    ("urls-missing", 'Source = "https://spam.example/source"', ""),
    ("url-invalid", "https://spam.example/source", "spam.example"),
    ("url-invalid", "Source", "Source" * 6),
    ("url-label", "Source", "Documentatoin"),
    ("requires-python-missing", 'requires-python = ">=3.10"', ""),
    ("requires-python-cap", '">=3.10"', '">=3.10,<3.15"'),
    ("requires-python-cap", '">=3.10"', '"~=3.10"'),
    ("dynamic-dependencies", 'dependencies = ["eggs>=2"]', 'dynamic = ["dependencies"]'),
    ("dependency-url", "eggs>=2", "eggs @ https://spam.example/eggs.whl"),
    ("dependency-duplicate", '"eggs>=2"', '"eggs>=2", "Eggs>=3"'),
    ("dependency-lower-bound", "eggs>=2", "eggs"),
    ("dependency-cap", "eggs>=2", "eggs>=2,<3"),
]


def test_nothing_is_said_about_an_honest_project(bench: Bench) -> None:
    report = bench.check(bench.project())
    assert codes(report) == []
    assert report.skipped == ()
    assert report.ran > 20


@pytest.mark.parametrize(("code", "old", "new"), SWAPS)
def test_each_fault_of_the_document_is_found(bench: Bench, code: str, old: str, new: str) -> None:
    report = bench.check(bench.project((old, new)))
    assert code in codes(report)
    for one in report.found:
        assert one.finding.where.path.endswith("pyproject.toml")


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("[tool.ruff]", "[tool.our-own-thing]"),  # a tool nobody here knows is no slip
        ("[tool.ruff]", "[tool.setuptools_scm]"),
        ('"eggs>=2"', "\"eggs>=2; python_version < '3.12'\", \"eggs>=3; python_version >= '3.12'\""),
        ("eggs>=2", "eggs>=2,!=2.1"),
        ("eggs>=2", "eggs~=2.0"),
        ("Source", "Discord"),
        ("Source =", '"Bug Tracker" ='),
    ],
)
def test_what_is_fine_is_not_reported(bench: Bench, old: str, new: str) -> None:
    assert [code for code in codes(bench.check(bench.project((old, new)))) if code != "dependency-cap"] == []


def test_findings_say_the_line(bench: Bench) -> None:
    report = bench.check(bench.project(("eggs>=2", "eggs")))
    line = PYPROJECT.splitlines().index('dependencies = ["eggs>=2"]') + 1
    assert [one.finding.where.line for one in report.found] == [line]


def test_a_setup_py_alone_is_pointed_to_migrate(bench: Bench) -> None:
    root = bench.project(add={"setup.py": "import setuptools\n"}, drop=("pyproject.toml",))
    report = bench.check(root)
    assert "project-table-missing" in codes(report)
