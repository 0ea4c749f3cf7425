"""``accord check`` as a person runs it: what it prints, how it ends, and what ``--fix`` does to the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from accord.checks.table import CHECKS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

PYPROJECT = """\
[build-system]
requires = ["accord-backend"]
build-backend = "accord_backend"

[project]
name = "spam"
version = "1.0"  # ours
description = "Spam"
requires-python = ">=3.10"
license = "MIT"

[tool.ruf]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "src" / "spam").mkdir(parents=True)
    (tmp_path / "src" / "spam" / "__init__.py").write_text("")
    (tmp_path / "LICENSE").write_text("MIT\n")
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    return tmp_path


def spoil(project: Path, old: str, new: str) -> None:
    path = project / "pyproject.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_warnings_are_shown_with_code_place_and_hint(accord: Callable[..., Any], project: Path) -> None:
    ran = accord("check")
    assert ran.status == 0
    assert "warning[tool-table-typo]: [tool.ruf] looks like a slip of [tool.ruff]" in ran.out
    assert "at pyproject.toml:12 [tool.ruf]" in ran.out
    assert "hint: did you mean 'ruff'?" in ran.out


def test_an_error_ends_with_status_one_and_leads_to_its_page(
    accord: Callable[..., Any], project: Path
) -> None:
    spoil(project, '"1.0"', '"1.0+local"')
    ran = accord("check")
    assert ran.status == 1
    assert "error[version-local]" in ran.out
    assert "see docs/reference/checks.md#version-local" in ran.out


def test_strict_fails_on_warnings(accord: Callable[..., Any], project: Path) -> None:
    assert accord("check", "--strict").status == 1
    assert accord("check", "--strict", "--select", "version-local").status == 0


def test_select_and_ignore_choose_checks(accord: Callable[..., Any], project: Path) -> None:
    assert "1 check: 1 warning" in accord("check", "--select", "tool-table-typo").out
    assert "tool-table-typo" not in accord("check", "--ignore", "tool-table-typo").out


def test_a_project_leaves_checks_out_in_its_table(accord: Callable[..., Any], project: Path) -> None:
    spoil(project, "[tool.ruf]", '[tool.accord.check]\nignore = ["tool-table-typo"]\n[tool.ruf]')
    assert "tool-table-typo" not in accord("check").out
    assert "tool-table-typo" in accord("check", "--select", "tool-table-typo").out


@pytest.mark.parametrize("where", ["--select", "--ignore", "table"])
def test_a_code_that_is_none_is_refused_with_a_hint(
    accord: Callable[..., Any], project: Path, where: str
) -> None:
    if where == "table":
        spoil(project, "[tool.ruf]", '[tool.accord.check]\nignore = ["tool-table-tipo"]')
        ran = accord("check")
    else:
        ran = accord("check", where, "tool-table-tipo")
    assert ran.status == 2
    assert "error[check-unknown]" in ran.err
    assert "did you mean 'tool-table-typo'?" in ran.err


def test_fix_changes_the_file_and_shows_what(accord: Callable[..., Any], project: Path) -> None:
    spoil(project, '"1.0"', '"1.0-beta1"')
    ran = accord("check", "--fix")
    assert ran.status == 0
    assert '-version = "1.0-beta1"  # ours' in ran.out
    assert '+version = "1.0b1"  # ours' in ran.out
    assert "version-normal" not in ran.out
    assert (project / "pyproject.toml").read_text() == PYPROJECT.replace('"1.0"', '"1.0b1"')
    assert "version" not in accord("check", "--fix").out


def test_fix_dry_run_changes_nothing(accord: Callable[..., Any], project: Path) -> None:
    spoil(project, '"1.0"', '"1.0-beta1"')
    before = (project / "pyproject.toml").read_text()
    ran = accord("check", "--fix", "--dry-run")
    assert '+version = "1.0b1"  # ours' in ran.out
    assert "would change pyproject.toml" in ran.err
    assert (project / "pyproject.toml").read_text() == before


def test_fix_keeps_a_byte_order_mark_and_the_mode(accord: Callable[..., Any], project: Path) -> None:
    path = project / "pyproject.toml"
    path.write_bytes(b"\xef\xbb\xbf" + PYPROJECT.replace('"1.0"', '"1.0-beta1"').encode())
    path.chmod(0o600)
    accord("check", "--fix")
    assert path.read_bytes() == b"\xef\xbb\xbf" + PYPROJECT.replace('"1.0"', '"1.0b1"').encode()
    assert path.stat().st_mode & 0o777 == 0o600


def test_dry_run_alone_is_a_slip(accord: Callable[..., Any], project: Path) -> None:
    assert accord("check", "--dry-run").status == 2


def test_json_holds_everything(accord: Callable[..., Any], project: Path) -> None:
    ran = accord("--json", "check", "--select", "tool-table-typo", "--strict")
    document = json.loads(ran.out)
    assert ran.status == 1
    assert document["passes"] is False
    (subject,) = document["subjects"]
    (finding,) = subject["findings"]
    assert finding["code"] == "tool-table-typo"
    assert finding["where"]["line"] == 12
    assert finding["docs"] == "docs/reference/checks.md#tool-table-typo"
    assert subject["warnings"] == 1


def test_list_shows_every_check(accord: Callable[..., Any]) -> None:
    ran = accord("check", "--list")
    assert ran.status == 0
    assert all(one.code in ran.out for one in CHECKS)
    assert len(json.loads(accord("--json", "check", "--list").out)["checks"]) == len(CHECKS)


def test_a_check_that_cannot_be_run_is_said_and_fails_strictly(
    accord: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoil(project, "[tool.ruf]", "")
    spoil(project, 'license = "MIT"', 'license = "MIT"\nclassifiers = ["Typing :: Typd"]')
    monkeypatch.setattr("accord.checks.run.find_spec", lambda _: None)
    ran = accord("check", "--select", "classifier-unknown")
    assert ran.status == 0
    assert "skipped: classifier-unknown" in ran.out
    assert "pip install 'accord[check]'" in ran.out
    assert accord("check", "--select", "classifier-unknown", "--strict").status == 1
    record = json.loads(accord("--json", "check", "--select", "classifier-unknown").out)
    assert record["subjects"][0]["skipped"] == [
        {"code": "classifier-unknown", "needs": ["trove_classifiers"]}
    ]


def test_what_is_not_needed_is_not_missed(
    accord: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without classifiers and readme nothing of the extra is asked for."""
    monkeypatch.setattr("accord.checks.run.find_spec", lambda _: None)
    assert "skipped" not in accord("check").out


def test_no_subject_is_a_usage_error(accord: Callable[..., Any], tmp_path: Path) -> None:
    assert accord("check").status == 2
    assert "error[check-no-subject]" in accord("check", "nothing.whl").err
