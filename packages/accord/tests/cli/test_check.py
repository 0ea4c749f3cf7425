"""``accord check`` as a person runs it: what it prints, how it ends, and what ``--fix`` does to the file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from accord.checks.table import CHECKS
from accord.io import sandbox

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


def test_the_nearest_project_is_checked(
    accord: Callable[..., Any], project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(project / "src")
    assert "tool-table-typo" in accord("check").out
    monkeypatch.chdir("/")
    assert "tool-table-typo" in accord("--project", str(project), "check").out


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


def test_a_wheel_before_a_path_that_is_none_is_closed(accord: Callable[..., Any], tmp_path: Path) -> None:
    """A file left open would be a warning, and warnings are errors here."""
    release(tmp_path, "1.0", "wheel")
    assert accord("check", "spam-1.0-py3-none-any.whl", "nothing.whl").status == 2


def test_no_subject_is_a_usage_error(accord: Callable[..., Any], tmp_path: Path) -> None:
    assert "error[no-project]" in accord("check").err
    assert "error[check-no-subject]" in accord("check", "nothing.whl").err


@pytest.mark.parametrize(
    "words", [("--lib",), ("--package",), ("--app",), ("--lib", "--build-backend", "flit")]
)
def test_what_init_writes_has_no_errors(
    accord: Callable[..., Any], tmp_path: Path, words: tuple[str, ...]
) -> None:
    assert accord("init", "--python", "3.11", *words, "shop").status == 0
    record = json.loads(accord("--json", "check", "shop").out)
    assert record["passes"] is True
    assert {one["code"] for one in record["subjects"][0]["findings"] if one["severity"] == "warning"} <= {
        "description-missing",
        "license-missing",
        "license-file-missing",
    }


def release(folder: Path, version: str, *kinds: str) -> None:
    from accord.testing.archives import TarPart, sdist_bytes, wheel_parts, zip_bytes

    info = f"Metadata-Version: 2.2\nName: spam\nVersion: {version}\n".encode()
    if "sdist" in kinds:
        sdist = sdist_bytes([TarPart(f"spam-{version}/PKG-INFO", info)])
        (folder / f"spam-{version}.tar.gz").write_bytes(sdist)
    if "wheel" in kinds:
        wheel = zip_bytes(wheel_parts(version=version))
        (folder / f"spam-{version}-py3-none-any.whl").write_bytes(wheel)


def test_an_sdist_and_its_wheel_are_compared(accord: Callable[..., Any], tmp_path: Path) -> None:
    release(tmp_path, "1.0", "sdist", "wheel")
    release(tmp_path, "1.1", "sdist", "wheel")
    paths = [path.name for path in sorted(tmp_path.iterdir()) if path.is_file()]
    ran = accord("check", *paths, "--select", "pair-modules")
    assert "spam-1.0.tar.gz with spam-1.0-py3-none-any.whl (pair)" in ran.out
    assert "warning[pair-modules]: not in the sdist: spam/__init__.py" in ran.out
    assert ran.out.count("(pair)") == 2  # each with that of its own version


def test_an_sdist_and_a_wheel_of_two_versions_are_a_slip(accord: Callable[..., Any], tmp_path: Path) -> None:
    release(tmp_path, "1.0", "sdist")
    release(tmp_path, "1.1", "wheel")
    ran = accord("check", "spam-1.0.tar.gz", "spam-1.1-py3-none-any.whl", "--select", "pair-version")
    assert ran.status == 1
    assert "error[pair-version]: the sdist is of 1.0, the wheel of 1.1" in ran.out


def importing(folder: Path, text: str) -> str:
    from accord.testing.archives import wheel_parts, zip_bytes

    path = folder / "spam-1.0-py3-none-any.whl"
    path.write_bytes(zip_bytes(wheel_parts({"spam/__init__.py": text.encode(), "ham.py": b"x = 1\n"})))
    return path.name


@pytest.mark.slow
def test_import_finds_what_cannot_be_imported(accord: Callable[..., Any], tmp_path: Path) -> None:
    words = ("--offline", "check", "--no-index", "--select", "import-fails", "--import")
    honest = accord(*words, importing(tmp_path, "import ham\n"))
    assert honest.status == 0
    assert "1 check: nothing found" in honest.out
    broken = accord(*words, importing(tmp_path, "import forgotten_dependency\n"))
    assert broken.status == 1
    assert "import spam fails: ModuleNotFoundError: No module named 'forgotten_dependency'" in broken.out
    assert "import ham" not in broken.out
    killed = accord(*words, importing(tmp_path, "import os\nos.kill(os.getpid(), 9)\n"))
    assert "import spam fails: the interpreter ended with status -9" in killed.out


@pytest.mark.slow
@pytest.mark.skipif(sandbox.probe() is not None, reason=f"no sandbox here: {sandbox.probe()}")
def test_what_is_imported_is_shut_away(accord: Callable[..., Any], tmp_path: Path) -> None:
    words = ("--offline", "check", "--no-index", "--select", "import-fails", "--import")
    name = importing(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    accord(*words, name)
    assert not (tmp_path / "ran").exists()
    assert accord(*words, "--sandbox", "off", name).status == 0
    assert (tmp_path / "ran").exists()


@pytest.mark.slow
@pytest.mark.skipif(sandbox.probe() is not None, reason=f"no sandbox here: {sandbox.probe()}")
def test_what_an_import_tries_in_vain_is_told(accord: Callable[..., Any], tmp_path: Path) -> None:
    words = ("--offline", "check", "--no-index", "--select", "import-fails", "--import")
    tries = "import socket\ntry:\n    socket.getaddrinfo('metrics.example', 1)\nexcept OSError:\n    pass\n"
    ran = accord(*words, importing(tmp_path, tries))
    assert ran.status == 0
    assert "spam-1.0-py3-none-any.whl: it tried the network 2 times and was stopped" in ran.err


def test_import_needs_a_wheel(accord: Callable[..., Any], project: Path) -> None:
    ran = accord("check", "--import")
    assert ran.status == 2
    assert "--import needs a wheel" in ran.err


def test_nothing_is_imported_unless_it_is_asked_for(accord: Callable[..., Any], tmp_path: Path) -> None:
    name = importing(tmp_path, f"open({str(tmp_path / 'ran')!r}, 'w')\n")
    accord("check", name)
    assert not (tmp_path / "ran").exists()
