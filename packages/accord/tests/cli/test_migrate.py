"""accord migrate as a person runs it: what stands on which stream, and the exit status."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "spam"
    made.mkdir()
    (made / "spam.py").write_text('__version__ = "1.0"\n')
    (made / "setup.py").write_text(
        "import spam\nfrom setuptools import setup\n"
        "setup(name='spam', version=spam.__version__, py_modules=['spam'], platforms='any')\n"
    )
    return made


def test_a_dry_run_prints_the_document_and_reports_beside_it(
    accord: Callable[..., Any], folder: Path
) -> None:
    ran = accord("migrate", "spam", "--dry-run")
    assert ran.status == 0
    assert ran.out.startswith('[build-system]\nrequires = ["accord-backend"]\n')
    assert 'version = {module = "spam"}' in ran.out
    assert "not carried over (1):\n  setup.py:3: platforms = 'any'\n" in ran.err
    assert not (folder / "pyproject.toml").exists()


def test_the_report_is_the_result_and_strict_fails_for_it(accord: Callable[..., Any], folder: Path) -> None:
    ran = accord("migrate", "spam")
    assert (ran.status, (folder / "pyproject.toml").exists()) == (0, True)
    assert ran.out.startswith("from setuptools; built by accord\nkept: setup.py\nnot carried over (1):\n")
    (folder / "pyproject.toml").unlink()
    assert accord("migrate", "spam", "--strict").status == 1


def test_json_is_one_document(accord: Callable[..., Any], folder: Path) -> None:
    ran = accord("migrate", "spam", "--json", "--to", "keep")
    found = json.loads(ran.out)
    assert found["backend"] == "setuptools"
    assert found["written"] == ["pyproject.toml"]
    assert found["leftovers"][0]["where"] == "setup.py:3"
    assert found["differences"] is None


def test_nothing_to_migrate_is_a_coded_error(accord: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    ran = accord("migrate", "empty", "--json")
    assert ran.status == 2
    assert json.loads(ran.out)["error"]["code"] == "migrate-nothing"
